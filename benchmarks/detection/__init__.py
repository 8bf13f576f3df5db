"""Labelled sets for detection, made by chance, and their scores."""
