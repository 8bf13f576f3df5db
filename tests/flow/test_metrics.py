"""What CloudWatch counts is in the log lines that workers and settle write anyway."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from scanner_tasks import log
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.flow import scan_batch
from scanner_tasks.flow.settle import settle
from scanner_tasks.store.engine import execute, transaction
from tests.flow.conftest import System


@pytest.fixture
def lines() -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Log lines of an event so far."""
    stream = io.StringIO()
    log.configure("INFO", stream)
    yield lambda event: [e for e in map(json.loads, stream.getvalue().splitlines()) if e["event"] == event]
    log.configure()


def metrics(line: dict[str, Any]) -> dict[str, float]:
    (told,) = line["_aws"]["CloudWatchMetrics"]
    assert (told["Namespace"], told["Dimensions"]) == ("S3Scan", [[]])
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 600
    return {metric["Name"]: line[metric["Name"]] for metric in told["Metrics"]}


def test_a_batch_counts_its_objects_bytes_and_findings(
    make_system: Callable[..., System], lines: Callable[[str], list[dict[str, Any]]]
) -> None:
    system = make_system()
    body = b"name,ssn\nJane Roe,512-44-1234\n"
    system.put({"a.csv": body, "b.csv": body, "c.txt": b"harmless", "d.gz": b"\x1f\x8b\x08broken"})
    system.run(system.start())
    counted = [metrics(line) for line in lines("batch_scanned")]
    sums = {name: sum(one[name] for one in counted) for name in counted[0]}
    assert sums["ObjectsScanned"] == 3
    assert sums["ObjectsFailed"] + sums["ObjectsPartial"] == 1
    assert sums["Findings"] == 2
    assert sums["BytesRead"] >= 2 * len(body)
    assert sums["BatchSeconds"] >= 0


def test_lag_is_what_a_batch_waited_in_its_lane(
    make_system: Callable[..., System], lines: Callable[[str], list[dict[str, Any]]]
) -> None:
    system = make_system()
    system.put({"a.txt": b"harmless"})
    job_id = system.start()
    system.feed(job_id)
    with transaction(system.engine) as connection:
        execute(connection, "update job_batches set state_at = state_at - interval '90 s' where state = 1")
    system.deliver(job_id)
    (line,) = lines("batch_scanned")
    assert 90 <= metrics(line)["LagSeconds"] < 120


def test_a_batch_that_goes_back_to_its_lane_is_counted(
    system: System, lines: Callable[[str], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put({"a.txt": b"harmless"})
    job_id = system.start()
    system.feed(job_id)
    monkeypatch.setattr(scan_batch, "scan_object", mock.Mock(side_effect=Unavailable("S3 is away")))
    with pytest.raises(Unavailable):
        system.deliver(job_id)
    (line,) = lines("batch_released")
    assert metrics(line) == {"BatchesReleased": 1}


def test_settle_counts_dead_letters(
    make_system: Callable[..., System], lines: Callable[[str], list[dict[str, Any]]]
) -> None:
    system = make_system()
    settle(using=system.feeder)
    (line,) = lines("settled")
    assert metrics(line) == {"DeadLetters": line["dead_letters"]}
