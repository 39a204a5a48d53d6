"""Do-not-call: entries, the lists they are in, and what they keep from being called."""
