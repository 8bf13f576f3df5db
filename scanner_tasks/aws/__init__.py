"""S3, SQS, Step Functions and CloudWatch behind small classes, each with a fake in ``scanner_tasks.fakes``."""
