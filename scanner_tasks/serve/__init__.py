"""The report's page served live for a job, to this machine alone, on top of the API."""
