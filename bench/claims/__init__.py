"""What it costs PostgreSQL to claim chains of long lists."""
