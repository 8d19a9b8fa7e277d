"""Connectors at work: one system each, with its sign-in, limits, retries and connection pool."""
