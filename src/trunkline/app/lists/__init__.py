"""What is done to whole lists."""
