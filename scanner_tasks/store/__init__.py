"""Postgres: the schema, then one file for each table family, one function for each statement."""
