"""The command: options turned into calls, errors into one line and an exit code."""
