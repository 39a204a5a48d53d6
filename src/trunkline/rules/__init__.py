"""Calling-time rules as data: one YAML file for each body of law, dated, each rule with its source."""
