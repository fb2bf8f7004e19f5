"""Drawing in characters, for the command line and for the screens."""
