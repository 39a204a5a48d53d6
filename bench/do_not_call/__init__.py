"""How long a look at suppression lists takes."""
