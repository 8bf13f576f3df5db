"""Listing a bucket through many connections at once: ranges of keys, where to cut them, how many to ask for. Pure."""
