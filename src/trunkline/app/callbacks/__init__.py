"""Callbacks: due, missed, moved."""
