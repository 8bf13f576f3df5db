"""Requests to a bucket, shared by every process of the fleet: an operator's cap, and what S3 asks for."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import Engine

from scanner_tasks.aws.brakes import Brakes
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.flow import pace as module
from scanner_tasks.flow.pace import LOOK_S, FleetPace
from scanner_tasks.store import bucket_rates
from scanner_tasks.store.engine import execute, transaction

_numbers = itertools.count()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bucket() -> str:
    return f"paced-{next(_numbers)}"


def cap(engine: Engine, bucket: str, per_s: float | None) -> None:
    with transaction(engine) as connection:
        bucket_rates.set_cap(connection, bucket, per_s)


def rate(engine: Engine, bucket: str) -> float | None:
    with transaction(engine) as connection:
        return bucket_rates.rate_of(connection, bucket)


def age(engine: Engine, bucket: str, seconds: float) -> None:
    """As if so much time had passed since S3's last refusal."""
    with transaction(engine) as connection:
        execute(
            connection,
            "update bucket_rates set slowed_at = slowed_at - make_interval(secs => :s) where bucket = :b",
            s=seconds,
            b=bucket,
        )


def test_two_processes_together_keep_to_the_cap(engine: Engine, bucket: str) -> None:
    cap(engine, bucket, 50.0)
    clock = Clock()
    paces = [FleetPace(engine, clock=clock), FleetPace(engine, clock=clock)]
    delays = sorted(paces[n % 2].delay_s(bucket) for n in range(400))
    # 400 requests at 50 a second: the last ones 8 s from now, whichever process sends them; less what the test took.
    assert 6.0 < delays[-1] <= 8.0
    for n in range(50, 400, 50):
        assert delays[n] > n / 50 - 2.0, "no second holds more than its share and a grant"


def test_bucket_without_a_rate_waits_for_nothing_and_is_looked_at_now_and_then(engine: Engine, bucket: str) -> None:
    clock = Clock()
    pace = FleetPace(engine, clock=clock)
    assert {pace.delay_s(bucket) for _ in range(100)} == {0.0}
    cap(engine, bucket, 1.0)
    assert pace.delay_s(bucket) == 0.0, "not looked at yet"
    clock.now += LOOK_S
    delays = [pace.delay_s(bucket) for _ in range(3)]
    assert delays[2] > 1.5
    cap(engine, bucket, None)
    clock.now += 60
    assert [pace.delay_s(bucket) for _ in range(3)] == [0.0] * 3


def test_refusal_of_one_process_slows_the_others(engine: Engine, bucket: str) -> None:
    clock = Clock()
    one, other = FleetPace(engine, clock=clock), FleetPace(engine, clock=clock)
    brakes = Brakes(chance=lambda: 0.0, fleet=one)
    assert other.delay_s(bucket) == 0.0
    brakes.slow_down(bucket, sent_at=brakes.now())
    clock.now += LOOK_S
    delays = [other.delay_s(bucket) for _ in range(200)]
    assert rate(engine, bucket) == pytest.approx(bucket_rates.UNMEASURED_PER_S / 2, rel=0.2)
    assert max(delays) > 1.0


def test_refusals_of_many_workers_at_a_time_are_one_and_later_ones_halve_again(engine: Engine, bucket: str) -> None:
    pace = FleetPace(engine)
    for _ in range(5):
        pace.slowed(bucket)
    assert rate(engine, bucket) == pytest.approx(50, rel=0.1)
    age(engine, bucket, 3)
    pace.slowed(bucket)
    assert rate(engine, bucket) == pytest.approx(50 * 2 ** (3 / 30) / 2, rel=0.1)
    for _ in range(20):
        age(engine, bucket, 3)
        pace.slowed(bucket)
    assert rate(engine, bucket) >= bucket_rates.LEAST_PER_S


def test_rate_that_s3_asked_for_doubles_each_half_minute_and_ends(engine: Engine, bucket: str) -> None:
    FleetPace(engine).slowed(bucket)
    age(engine, bucket, 30)
    assert rate(engine, bucket) == pytest.approx(100, rel=0.1)
    age(engine, bucket, 270)
    assert rate(engine, bucket) is None
    with transaction(engine) as connection:
        assert bucket not in {one.bucket for one in bucket_rates.list_rates(connection)}


def test_cap_holds_beside_what_s3_asked_for(engine: Engine, bucket: str) -> None:
    cap(engine, bucket, 20.0)
    FleetPace(engine).slowed(bucket)
    assert rate(engine, bucket) == pytest.approx(10, rel=0.1)
    age(engine, bucket, 600)
    assert rate(engine, bucket) == 20.0


def test_slowing_down_starts_from_what_the_bucket_really_gets(engine: Engine, bucket: str) -> None:
    with transaction(engine) as connection:
        execute(connection, "insert into buckets (bucket, lane, batches_per_s) values (:b, 'scan-0', 12)", b=bucket)
    FleetPace(engine).slowed(bucket)
    assert rate(engine, bucket) == pytest.approx(600, rel=0.1)


def test_postgres_that_does_not_answer_stops_nobody_and_frees_nobody(
    engine: Engine, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap(engine, bucket, 10.0)
    clock = Clock()
    pace = FleetPace(engine, clock=clock)
    for _ in range(10):
        pace.delay_s(bucket)

    def gone(*_: object, **__: object) -> object:
        raise Unavailable("Postgres is not reachable just now: try again.")

    monkeypatch.setattr(module, "transaction", gone)
    clock.now += 2.0
    delays = [pace.delay_s(bucket) for _ in range(30)]
    assert delays[-1] == pytest.approx(2.9, abs=0.2), "the last rate known, for this process alone"
    pace.slowed(bucket)
    assert FleetPace(engine, clock=clock).delay_s(bucket) == 0.0


def test_lone_request_in_a_capped_bucket_does_not_wait(engine: Engine, bucket: str) -> None:
    cap(engine, bucket, 5.0)
    assert FleetPace(engine).delay_s(bucket) == 0.0
