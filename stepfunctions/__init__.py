"""The listing state machine and the Lambda functions behind it."""
