"""One module for each step; the newest is the schema that the program needs."""
