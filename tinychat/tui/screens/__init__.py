"""What one sees, a module and a style sheet each."""
