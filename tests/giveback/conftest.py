"""Tests of what comes back when a worker or the database ends."""

from tests.fairness.conftest import make_plant

__all__ = ["make_plant"]
