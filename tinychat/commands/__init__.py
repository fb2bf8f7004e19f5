"""What the command line can do, a module a command; each has `run(args) -> exit code`."""
