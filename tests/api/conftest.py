"""The API with its flows replaced at the module border: recorded events in, JSON out."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = Path(__file__).parents[1] / "events"
JOB_ID = UUID("0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11")


@dataclass(frozen=True)
class Using:
    """Stands for the real clients; whoever asks, it is the same."""

    caller: object = field(default=None, compare=False)


USING = Using()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def event(name: str) -> dict[str, Any]:
    """A recorded API Gateway event (payload format 2.0)."""
    return json.loads((EVENTS / f"{name}.json").read_text())


def request(
    method: str, path: str, query: str = "", *, body: str | None = None, content_type: str | None = "application/json"
) -> dict[str, Any]:
    """An event like the recorded ones."""
    made = event("job")
    made["requestContext"]["http"] |= {"method": method, "path": path}
    made |= {"rawPath": path, "rawQueryString": query}
    if query:
        joined: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        made["queryStringParameters"] = joined
    if body is not None:
        made["body"] = body
    if content_type is not None:
        made["headers"]["content-type"] = content_type
    return made


def answer(made: dict[str, Any]) -> Answer:
    from api_lambda.handler import handler  # noqa: PLC0415 (after the flows are there)

    result = handler(made, SimpleNamespace(aws_request_id="r-1"))
    headers = {name.lower(): value for name, value in result["headers"].items()}
    return Answer(result["statusCode"], headers, result["body"])


@pytest.fixture(scope="session", autouse=True)
def _importable_api():
    """Stand-ins for the parts below that are not there yet; nothing once they are."""
    names = ["bootstrap", "flow.start_job", "flow.read_results", "core.progress"]
    for name in (f"scanner_tasks.{name}" for name in names):
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            parent, _, child = name.rpartition(".")
            module = ModuleType(name)
            module.percent = lambda progress, *, is_final: 25.0  # type: ignore[attr-defined]
            sys.modules[name] = module
            setattr(importlib.import_module(parent), child, module)


@pytest.fixture
def flows(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Mocks of every flow that the API asks."""
    from api_lambda import routes  # noqa: PLC0415 (after the flows are there)
    from scanner_tasks import bootstrap  # noqa: PLC0415

    monkeypatch.setattr(bootstrap, "api", lambda: USING, raising=False)
    mocks = SimpleNamespace()
    for module, name in (
        (routes.start_job, "start_job"),
        (routes.read_results, "get_job"),
        (routes.read_results, "list_jobs"),
        (routes.read_results, "get_results"),
    ):
        setattr(mocks, name, mock.Mock(name=name))
        monkeypatch.setattr(module, name, getattr(mocks, name), raising=False)
    return mocks


@pytest.fixture
def job_view() -> Callable[..., SimpleNamespace]:
    from scanner_tasks.core import model  # noqa: PLC0415
    from scanner_tasks.core.model import Job, JobStatus, Progress  # noqa: PLC0415
    from scanner_tasks.store.job_costs import JobCosts  # noqa: PLC0415

    def make(**changes: Any) -> SimpleNamespace:
        job: dict[str, Any] = {
            "job_no": 7,
            "job_id": JOB_ID,
            "bucket": "my-bucket",
            "prefix": "exports/",
            "status": JobStatus.SCANNING,
            "status_reason": None,
            "lane": "scan-3",
            "epoch": 0,
            "execution_no": 1,
            "execution_arn": "arn:aws:states:us-east-1:000000000000:execution:listing:x-1",
            "cursor": "z",
            "next_batch_no": 4,
            "ruleset_hash": "ab",
            "created_at": datetime(2026, 3, 10, 5, 16, 23, tzinfo=UTC),
            "listed_at": datetime(2026, 3, 10, 5, 17, tzinfo=UTC),
            "finished_at": None,
        }
        if hasattr(model, "JobSource"):
            job["source"] = model.JobSource.LISTING
        progress = Progress(
            listed=8,
            processing=2,
            scanned=1,
            skipped=1,
            outcomes={"scanned": 1, "skipped(empty)": 1},
            findings=3,
            occurrences=40,
            bytes_listed=800,
            bytes_done=100,
            batches=4,
            open_batches=3,
            refreshed_at=datetime(2026, 3, 10, 5, 18, tzinfo=UTC),
        )
        view = {
            "job": Job(**(job | changes)),
            "progress": progress,
            "real_time": False,
            "eta_s": 12.5,
            "other_rulesets": (),
            "costs": JobCosts(),
        }
        return SimpleNamespace(**view)

    return make


@pytest.fixture
def finding() -> Callable[..., Any]:
    from scanner_tasks.core.model import Confidence, Finding, Location, Occurrence, Severity  # noqa: PLC0415

    def make(*, places: int = 1, context: str = "ssn: ***-**-6789") -> Finding:
        place = Occurrence(
            masked="***-**-6789",
            context=context,
            location=Location(line=2, column=6, offset=17),
            fingerprint="k1:" + "0" * 32,
        )
        return Finding(
            finding_id=UUID(int=5),
            job_id=JOB_ID,
            bucket="my-bucket",
            key="a//b,,c é.csv",
            rule_id="us.ssn",
            severity=Severity.HIGH,
            confidence=Confidence.MEDIUM,
            count=41,
            occurrences=(place,) * places,
            found_at=datetime(2026, 3, 10, 5, 18, 0, 250_000, tzinfo=UTC),
        )

    return make
