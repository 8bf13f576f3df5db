"""Clients of the emulator, readers of S3 on both backends, and FakeS3, with credentials that both servers accept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from scanner_tasks.aws.brakes import Brakes
from scanner_tasks.aws.clients import make_client, make_s3_client
from scanner_tasks.aws.faults import Backoff
from scanner_tasks.aws.objects import ObjectReader
from scanner_tasks.aws.s3_requests import S3Requests
from scanner_tasks.aws.sources import Sources
from scanner_tasks.core.access import OWN
from scanner_tasks.local.emulator import CREDENTIALS, REGION, Emulator
from tests.aws.fake_s3 import FakeS3

Make = Callable[..., Any]

BACKENDS = ["boto3", "lean"]


@pytest.fixture(scope="session")
def make() -> Make:
    """A function that makes a client as the application does, with credentials that it keeps."""

    def make(service: str, **arguments: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            clean_environment(patch)
            if service == "s3":
                return make_s3_client(region=REGION, **arguments)
            return make_client(service, region=REGION, **arguments)

    return make


def clean_environment(patch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own, and the credentials of the tests."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "REQUESTS_CA")) or name.lower().endswith("_proxy"):
            patch.delenv(name)
    for name, value in CREDENTIALS.items():
        patch.setenv(name, value)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a worker with the credentials of the tests."""
    clean_environment(monkeypatch)
    return monkeypatch


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


@pytest.fixture(scope="session")
def _one_s3() -> Iterator[FakeS3]:
    server = FakeS3(region=REGION)
    yield server
    server.stop()


@pytest.fixture
def fake_s3(_one_s3: FakeS3) -> Iterator[FakeS3]:
    """A running server with no bucket in it."""
    yield _one_s3
    _one_s3.reset()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return str(request.param)


class Waits:
    """What a reader has waited, without any time passing for it but that."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))

    def now(self) -> float:
        return sum(self.slept)

    @property
    def backoff(self) -> Backoff:
        return Backoff(attempts=4, sleep=self.sleep, chance=lambda: 1.0)

    @property
    def brakes(self) -> Brakes:
        return Brakes(clock=self.now, chance=lambda: 1.0)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def sources(environment: pytest.MonkeyPatch, waits: Waits) -> Callable[..., Sources]:
    """A function that makes Sources for an endpoint, with short timeouts and no real waits."""

    def sources(backend: str, endpoint_url: str | None, **changes: Any) -> Sources:
        made = Sources(
            backend=backend, region=REGION, aws_endpoint_url=endpoint_url, read_timeout_s=0.3, backoff=waits.backoff
        )
        return replace(made, **changes)

    return sources


@pytest.fixture(scope="session")
def _requests() -> Iterator[dict[tuple[str, str], S3Requests]]:
    """Clients are dear to make: one for each backend and endpoint."""
    made: dict[tuple[str, str], S3Requests] = {}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture
def reader(
    sources: Callable[..., Sources], waits: Waits, _requests: dict[tuple[str, str], S3Requests]
) -> Callable[..., ObjectReader]:
    """A function that makes the reader of an endpoint by a backend; its brakes are its own."""

    def reader(backend: str, endpoint_url: str, *, read_timeout_s: float = 0.5) -> ObjectReader:
        which = (backend, endpoint_url)
        if which not in _requests:
            _requests[which] = sources(*which, read_timeout_s=read_timeout_s).requests(OWN)
        return ObjectReader(_requests[which], backoff=waits.backoff, brakes=waits.brakes, slow_s=0.3)

    return reader
