"""Measurements. ``bench/update_record --help`` says how to run them; docs/performance.md shows what came out."""
