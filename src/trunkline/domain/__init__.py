"""The outbound business: records, chains, desks, campaigns and the rules that bind them. Pure."""
