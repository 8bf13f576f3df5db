"""A listing in ranges: turns that die, two at once, storms of 503, changes meanwhile; dispatch never waits for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from scanner_tasks.aws.faults import Backoff
from scanner_tasks.aws.sources import Sources
from scanner_tasks.core.errors import Denied, Unavailable
from scanner_tasks.core.model import JobStatus
from scanner_tasks.core.ports import Page
from scanner_tasks.fakes import FakeObjects
from scanner_tasks.flow.control import pause_job, resume_job
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.parts import Feeder
from scanner_tasks.local.emulator import CREDENTIALS
from scanner_tasks.store.engine import execute, transaction
from tests.aws.fake_s3 import FakeS3, Refuse

from .conftest import System


class Died(BaseException):
    """The process is gone: nothing is given back."""


class Watched(FakeObjects):
    """Calls ``before`` with the number of each page that is asked for; any thread."""

    def __init__(self, bucket: str, keys: int, before: Callable[[int], None] = lambda _: None) -> None:
        super().__init__({bucket: {f"{n:06d}": b"" for n in range(keys)}})
        self.before = before
        self._count = 0
        #: Held while a page is read.
        self.reading = threading.Lock()

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int = 1000) -> Page:
        with self.reading:
            self._count += 1
            number = self._count
        self.before(number)
        with self.reading:
            return super().list_page(bucket, prefix=prefix, start_after=start_after, max_keys=max_keys)


def counted(system: System, job_id: UUID) -> Counter[str]:
    """How often each key is in the ledger."""
    with transaction(system.engine) as connection:
        rows = execute(connection, "select object_key from job_objects where job_id = :id", id=job_id)
        return Counter(rows.scalars())


def every_key_once(system: System, job_id: UUID, keys: int) -> None:
    assert counted(system, job_id) == Counter(f"{n:06d}" for n in range(keys))
    view = system.job(job_id)
    assert (view.progress.listed, view.progress.skipped) == (keys, keys)
    assert view.job.status is JobStatus.SCANNING


def using(system: System, objects: FakeObjects) -> Feeder:
    system.objects = objects
    system.feeder = system.make_feeder()
    return system.feeder


def expire_leases(system: System) -> None:
    with transaction(system.engine) as connection:
        execute(connection, "update key_ranges set lease_until = now() - interval '1 second' where not done")


def test_turn_that_dies_amid_its_ranges_is_continued_by_another_when_its_leases_end(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(number: int) -> None:
        if number >= 14:
            raise Died

    using(system, Watched(system.bucket, 20_000, die))
    job_id = system.start()
    with monkeypatch.context() as patch:
        patch.setattr("scanner_tasks.store.key_ranges.release_ranges", lambda *_, **__: None)
        with pytest.raises(Died):
            system.feed(job_id)
    before = sum(counted(system, job_id).values())
    assert 0 < before < 20_000

    using(system, Watched(system.bucket, 20_000))
    assert system.feed(job_id) == "more", "the dead turn's leases hold"
    assert sum(counted(system, job_id).values()) == before
    expire_leases(system)
    system.feed(job_id)
    every_key_once(system, job_id, 20_000)


def test_turn_that_was_thought_dead_and_comes_back_records_nothing_twice(system: System) -> None:
    waiting, taken_over = threading.Event(), threading.Event()

    def hang(number: int) -> None:
        if number == 6:
            waiting.set()
            taken_over.wait(30)

    slow = using(system, Watched(system.bucket, 20_000, hang))
    job_id = system.start()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(feed, job_id, execution_no=1, turn=0, using=slow)
        assert waiting.wait(30)
        expire_leases(system)
        fast = using(system, Watched(system.bucket, 20_000))
        feed(job_id, execution_no=1, turn=0, using=fast)
        taken_over.set()
        late.result()
    for _ in range(3):
        expire_leases(system)
        system.feed(job_id)
    every_key_once(system, job_id, 20_000)


def test_several_turns_at_once_share_the_ranges_and_list_each_key_once(make_system: Callable[..., System]) -> None:
    system = make_system(list_connections=3, feed_turn_s=0.05)
    using(system, Watched(system.bucket, 25_000))
    job_id = system.start()

    def turns() -> int:
        return sum(feed(job_id, execution_no=1, turn=0, using=system.feeder).listed for _ in range(30))

    with ThreadPoolExecutor(3) as pool:
        listed = sum(pool.map(lambda _: turns(), range(3)))
    assert listed == 25_000
    every_key_once(system, job_id, 25_000)


def test_error_in_one_range_ends_the_turn_loudly_and_the_next_goes_on(system: System) -> None:
    def refuse(number: int) -> None:
        if number == 9:
            raise Unavailable("S3 is not reachable.")
        if number == 15:
            raise Denied("Not allowed to list the bucket: the role needs s3:ListBucket.")

    using(system, Watched(system.bucket, 20_000, refuse))
    job_id = system.start()
    with pytest.raises(Unavailable, match="S3 is not reachable"):
        system.feed(job_id)
    with pytest.raises(Denied, match="s3:ListBucket"):
        system.feed(job_id)
    assert system.job(job_id).job.status is JobStatus.LISTING
    system.feed(job_id)
    every_key_once(system, job_id, 20_000)


def test_store_that_lists_in_another_order_is_refused_by_name(system: System) -> None:
    class Backwards(FakeObjects):
        def list_page(self, bucket: str, **asked: object) -> Page:
            page = super().list_page(bucket, **asked)
            return Page(objects=page.objects[::-1], is_last=page.is_last)

    using(system, Backwards({system.bucket: {"a": b"", "b": b""}}))
    job_id = system.start()
    with pytest.raises(Unavailable, match="out of S3's order"):
        system.feed(job_id)


def test_pause_amid_the_listing_stops_it_and_resume_goes_on(system: System) -> None:
    paused = threading.Event()

    def pause(number: int) -> None:
        if number == 8 and not paused.is_set():
            paused.set()
            pause_job(job_id, using=system.feeder)

    using(system, Watched(system.bucket, 20_000, pause))
    job_id = system.start()
    assert system.feed(job_id) == "done"
    assert system.job(job_id).job.status is JobStatus.PAUSED
    assert sum(counted(system, job_id).values()) < 20_000
    resume_job(job_id, using=system.feeder)
    system.feed(job_id)
    every_key_once(system, job_id, 20_000)


def test_dispatch_goes_on_while_the_listing_waits_for_s3(
    make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner_tasks.flow.list_ranges.TOP_UP_S", 0.01)
    system = make_system(window_min_batches=3)
    go_on = threading.Event()
    objects = Watched(system.bucket, 0, lambda number: number > 2 and go_on.wait(60))
    system.put({f"{n:06d}": b"" if n % 50 else b"some text\n" for n in range(6000)})
    objects.buckets = system.objects.buckets
    using(system, objects)
    job_id = system.start()
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(feed, job_id, execution_no=1, turn=0, using=system.feeder)
        try:
            while system.job(job_id).progress.scanned < 20:  # ten batches: three windows, with S3 silent all the time
                system.deliver(job_id)
                assert not turn.done()
        finally:
            go_on.set()
        assert turn.result().listed == 6000
    assert system.job(job_id).job.status is JobStatus.SCANNING


def test_planned_batches_stay_about_the_high_water_mark_with_many_connections(
    make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner_tasks.flow.list_ranges.TOP_UP_S", 0.01)
    system = make_system(feed_high_water=60, window_min_batches=10)
    objects = Watched(system.bucket, 0)
    objects.buckets[system.bucket] = {f"{n:06d}": b"some text\n" for n in range(40_000)}
    using(system, objects)
    job_id = system.start()
    assert system.feed(job_id) == "more"
    assert 60 <= system.job(job_id).progress.open_batches <= 60 + 2 * 10 + 10
    assert system.feed(job_id) == "more"
    assert len(system.queues.bodies(system.job(job_id).job.lane)) == 10, "the window is full, whatever stands behind it"


def test_objects_that_come_and_go_while_they_are_listed_disturb_no_other(system: System) -> None:
    objects = Watched(system.bucket, 20_000)
    stay = {key for key in objects.buckets[system.bucket] if int(key) % 3}

    def change(number: int) -> None:
        with objects.reading:
            contents = dict.fromkeys(stay, b"")
            contents.update({f"{n:06d}": b"" for n in range(0, 20_000, 3) if (n // 3 + number) % 2})
            contents.update({f"{n:06d}+{number}": b"" for n in range(0, 20_000, 500)})
            objects.buckets[system.bucket] = contents

    objects.before = change
    using(system, objects)
    job_id = system.start()
    system.feed(job_id)
    found = counted(system, job_id)
    assert set(found.values()) == {1}
    assert stay <= set(found)
    assert system.job(job_id).job.status is JobStatus.SCANNING


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = FakeS3()
    yield server
    server.stop()


def test_storm_of_slow_downs_is_survived_with_fewer_connections(system: System, s3: FakeS3) -> None:
    s3.bucket(system.bucket, {f"{n:06d}": b"" for n in range(12_000)})
    backoff = Backoff(attempts=8, slow_down_base_s=0.001, cap_s=0.01)
    objects = Sources(backend="lean", region="us-east-1", aws_endpoint_url=s3.endpoint_url, backoff=backoff).own()
    using(system, objects)  # type: ignore[arg-type]
    job_id = system.start()
    refusals = [Refuse(503, "SlowDown") if n % 3 else None for n in range(24)]
    s3.script.extend(refusals)
    system.feed(job_id)
    every_key_once(system, job_id, 12_000)
    assert not s3.script, "the whole storm was met"
    objects.close()
