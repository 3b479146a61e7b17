"""What is kept, and how: the only place that knows SQL and PostgreSQL."""
