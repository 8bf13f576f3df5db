"""Postgres: the stress test of the ledger's counts, and our tables beside plain ones."""
