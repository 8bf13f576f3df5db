"""Bytes → text segments with locations, pure; one file for each format."""
