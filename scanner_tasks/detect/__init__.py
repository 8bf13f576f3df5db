"""Segments + rules → findings, pure."""
