"""What every room may use: types, checks of users' input, files."""
