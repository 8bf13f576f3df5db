"""The words and the decisions, pure: no I/O, no clock, no chance."""
