"""May this record be called now: facts, rules, calling times."""
