"""Lists in and out of files."""
