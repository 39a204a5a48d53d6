"""Use cases and the ports they need. Async, but no I/O library."""
