"""Celery on SQS done right: a library that knows nothing of scanning."""
