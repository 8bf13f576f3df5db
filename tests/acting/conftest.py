"""A ledger on PostgreSQL, objects on the emulator, and a worker of the actions' queue that faults can be put into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from botocore.awsrequest import AWSResponse

from scanner_tasks import bootstrap, rules
from scanner_tasks.aws.acting import ObjectActions
from scanner_tasks.aws.clients import make_signing_client
from scanner_tasks.aws.objects import ObjectReader
from scanner_tasks.core import lanes
from scanner_tasks.core.acting import Plan, Step
from scanner_tasks.core.envelope import read_envelope
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.flow.acting.plan import make_plan, steps_of
from scanner_tasks.flow.acting.run import run_plan
from scanner_tasks.flow.acting.work import act
from scanner_tasks.flow.parts import Actor
from scanner_tasks.local.emulator import REGION, Emulator
from tests.aws.conftest import _one_s3, _requests, clean_environment, environment, reader, sources, waits
from tests.flow.conftest import System, make_system

__all__ = ["_one_s3", "_requests", "environment", "make_system", "reader", "sources", "waits"]


class Killed(BaseException):
    """The worker's end, between two statements."""


class Faults:
    """What becomes of the worker's next requests to S3, by botocore's name of the operation."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []
        self._before: dict[str, list[Any]] = {}
        self._after: dict[str, list[Any]] = {}
        client.meta.events.register("before-send.s3", self._send)
        client.meta.events.register("after-call.s3", self._called)

    def reset(self) -> None:
        """None."""
        for waiting in (self.calls, self._before, self._after):
            waiting.clear()

    def answer(self, operation: str, status: int, times: int = 1) -> None:
        """The service answers so instead, so many times."""
        self._before.setdefault(operation, []).extend([status] * times)

    def before(self, operation: str, do: Callable[[], None]) -> None:
        """Happens once, before the request goes out."""
        self._before.setdefault(operation, []).append(do)

    def kill_after(self, operation: str) -> None:
        """The service does it, and the worker ends before it knows."""
        self._after.setdefault(operation, []).append(Killed)

    def _send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        self.calls.append(operation)
        waiting = self._before.get(operation)
        given = waiting.pop(0) if waiting else None
        if callable(given):
            given()
        elif given:
            return AWSResponse(request.url, given, {"content-length": "0"}, Raw())
        return None

    def _called(self, event_name: str, **_: Any) -> None:
        waiting = self._after.get(event_name.rpartition(".")[2])
        if waiting:
            raise waiting.pop(0)


class Raw:
    """An empty body."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        return iter(())

    def read(self, *_: Any, **__: Any) -> bytes:
        return b""


class Acting:
    """One bucket with a scanned job, and what acts on it."""

    def __init__(self, system: System, s3: Any, client: Any, faults: Faults) -> None:
        self.system, self.s3, self.faults = system, s3, faults
        self.bucket = f"acting-{uuid4().hex[:12]}"
        self.other = f"{self.bucket}-kept"
        for name in (self.bucket, self.other):
            s3.create_bucket(Bucket=name)
        feeder = system.feeder
        self.actor = Actor(
            settings=system.settings,
            engine=system.engine,
            objects=system.objects,
            executions=system.executions,
            ruleset_hash=lambda: "hash",
            actions=ObjectActions(client, copy_max_bytes=1024**2, part_bytes=5 * 1024**2),
            detector=system.worker.detector,
        )
        self.feeder = feeder

    def put(self, key: str, body: bytes, **more: Any) -> str:
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)["ETag"].strip('"')

    def scan(self) -> UUID:
        self.system.bucket = self.bucket
        job_id = self.system.start()
        self.system.run(job_id)
        return job_id

    def plan(
        self, action: str, job_id: UUID | None = None, filters: dict[str, Any] | None = None, **options: Any
    ) -> Plan:
        if action in {"quarantine", "redact"}:
            options = {"target_bucket": self.other, "target_prefix": "", **options}
        return make_plan(
            job_id or self.scan(), action, options, filters=filters or {}, who="ada", reason="a test", using=self.feeder
        )

    def send(self, plan: Plan, *, is_undo: bool = False) -> None:
        run_plan(plan.plan_id, who="ada", is_undo=is_undo, using=self.feeder)

    def deliver(self, *, copies: int = 1) -> list[str]:
        """Every message of the queue, each so many times; a failed one stays."""
        told = []
        for message in self.system.queues.receive(lanes.ACTIONS, 10, 0):
            args = read_envelope(message.body).args
            for _ in range(copies):
                try:
                    told.append(str(act(UUID(args[0]), args[1], is_undo=args[2], using=self.actor)))
                except Unavailable as error:
                    told.append(f"unavailable: {error}")
                else:
                    self.system.queues.delete(lanes.ACTIONS, [message.receipt])
        return told

    def run(self, plan: Plan, *, is_undo: bool = False) -> dict[str, Step]:
        self.send(plan, is_undo=is_undo)
        self.deliver()
        return self.steps(plan)

    def steps(self, plan: Plan) -> dict[str, Step]:
        return {step.key: step for step in steps_of(plan.plan_id, using=self.feeder)}

    def body(self, bucket: str, key: str, **more: Any) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()

    def keys(self, bucket: str) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ())]

    def tags(self, key: str, **more: Any) -> dict[str, str]:
        told = self.s3.get_object_tagging(Bucket=self.bucket, Key=key, **more)
        return {tag["Key"]: tag["Value"] for tag in told["TagSet"]}


@pytest.fixture(scope="session")
def clients(emulator: Emulator) -> tuple[Any, Any, Faults]:
    """The tests' client, the worker's, which tries once, and what goes wrong there; dear to make."""
    with pytest.MonkeyPatch.context() as patch:
        clean_environment(patch)
        s3, client = (
            make_signing_client(
                "s3", region=REGION, endpoint_url=emulator.endpoint_url, credentials=None, attempts=attempts
            )
            for attempts in (3, 1)
        )
        s3.list_buckets(), client.list_buckets()  # credentials are found now
    return s3, client, Faults(client)


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector(rules.load_builtin(), Fingerprinter(b"a key of the tests only", "k1"))


@pytest.fixture
def acting(  # noqa: PLR0917 (fixtures)
    make_system: Callable[..., System],
    emulator: Emulator,
    environment: pytest.MonkeyPatch,
    reader: Callable[..., ObjectReader],
    clients: tuple[Any, Any, Faults],
    detector: Detector,
) -> Acting:
    """On the emulator."""
    system = make_system(actions=True)
    system.objects = reader("boto3", emulator.endpoint_url, read_timeout_s=20)
    system.feeder = system.make_feeder()
    for name, part in (("objects", system.objects), ("detector", detector)):
        object.__setattr__(system.worker, name, part)
    environment.setattr(bootstrap, "api", lambda: system.feeder)
    environment.setattr(bootstrap, "feeder", lambda: system.feeder)
    clients[2].reset()
    return Acting(system, *clients)


@pytest.fixture
def released(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead worker's lease has run out at once."""
    from scanner_tasks.flow.acting import hold, work  # noqa: PLC0415

    for module in (hold, work):
        monkeypatch.setattr(module, "LEASE_S", -1.0)
