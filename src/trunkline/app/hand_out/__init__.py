"""From a list to an agent: claim, buffer, validation, the next chain."""
