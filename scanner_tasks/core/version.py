"""Which release this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def own_version() -> str:
    """Of the installed package; of a checkout that was never installed, unknown."""
    try:
        return version("s3scan")
    except PackageNotFoundError:
        return "unknown"
