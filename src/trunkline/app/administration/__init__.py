"""What supervisors and administrators configure: objects, accounts, documents."""
