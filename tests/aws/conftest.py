"""Clients of the emulator and of the fault server, with credentials that both accept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from scanner_tasks.aws.clients import make_client, make_s3_client
from scanner_tasks.local.emulator import CREDENTIALS, REGION, Emulator

Make = Callable[..., Any]


@pytest.fixture(scope="session")
def make() -> Make:
    """A function that makes a client as the application does, with credentials that it keeps."""

    def make(service: str, **arguments: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            for name in list(os.environ):
                if name.startswith("AWS_") or name.lower().endswith("_proxy"):
                    patch.delenv(name)
            for name, value in CREDENTIALS.items():
                patch.setenv(name, value)
            if service == "s3":
                return make_s3_client(region=REGION, **arguments)
            return make_client(service, region=REGION, **arguments)

    return make


@pytest.fixture(scope="session")
def client(emulator: Emulator, make: Make) -> Iterator[Make]:
    """A function that gives the emulator's client of a service, one for all tests."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = make(service, endpoint_url=emulator.endpoint_url)
        return made[service]

    yield client
    for one in made.values():
        one.close()


@pytest.fixture
def unique() -> str:
    """A name that no other test uses."""
    return f"test-{uuid4().hex[:12]}"
