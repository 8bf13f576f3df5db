"""Other detectors on the same labelled texts."""
