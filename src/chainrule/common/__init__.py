"""What every package may use: types, checks of users' input, files."""
