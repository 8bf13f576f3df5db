"""``s3scan …``: one file for each command."""
