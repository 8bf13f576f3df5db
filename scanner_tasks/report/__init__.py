"""Findings → files that people and other tools read."""
