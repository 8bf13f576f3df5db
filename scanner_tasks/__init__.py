"""Sensitive data in S3: Celery tasks on SQS that scan, and the ledger that says what became of every object."""
