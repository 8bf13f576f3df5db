"""The HTTP API as a Lambda function."""
