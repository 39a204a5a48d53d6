"""Campaign groups: their states, their clock, their figures."""
