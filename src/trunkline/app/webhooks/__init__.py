"""What other people's servers are told."""
