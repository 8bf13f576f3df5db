"""The whole pipeline on one machine: no AWS, no Docker, no root."""
