"""The demo: start the stack, upload the data, scan it over HTTP, and compare what comes back with the truth.

Started by ``make demo`` or ``python3 demo.py``, which make the environments first. Exit status 0 says that every object
has its outcome, that all sums agree, and (for the sample) that every count equals the truth.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scanner_tasks.core.model import Outcome
from scanner_tasks.local.api_client import Api, ApiError
from scanner_tasks.local.deploy import client
from scanner_tasks.local.emulator import REPOSITORY
from scanner_tasks.local.environments import STARTED_VARIABLE
from scanner_tasks.local.ports import is_open, wait_until
from scanner_tasks.local.sample import SampleObject, make_sample
from scanner_tasks.local.screen import Screen, size
from scanner_tasks.local.stack import Stack
from scanner_tasks.local.verdict import sum_differences, truth_differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner_tasks.local.api_client import FoundRule, JobState

STATE = REPOSITORY / ".s3scan" / "demo"
FOLDER_BUCKET = "demo-folder"
POLL_S = 0.25
#: Nothing finished for so long: the pipeline hangs.
STALLED_AFTER_S = 90.0
UPLOAD_THREADS = 16
DIFFERENCES_SHOWN = 40


class DemoFailed(RuntimeError):
    """The demo cannot go on; the message says why."""


@dataclass(kw_only=True)
class Run:
    """What one demo has seen so far."""

    screen: Screen
    #: Folder for data and logs.
    state: Path
    marks: dict[str, float] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    states: dict[str, JobState] = field(default_factory=dict)

    def mark(self, name: str) -> None:
        """Remember when something was first seen."""
        self.marks.setdefault(name, self.screen.since_start_s())

    def in_order(self) -> list[JobState]:
        """The jobs' states by bucket name."""
        return [self.states[bucket] for bucket in sorted(self.states)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; its exit status."""
    parser = argparse.ArgumentParser(prog="demo.py")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--from", dest="folder", type=Path)
    parser.add_argument("--state", type=Path, default=STATE, help="folder for data and logs, made fresh")
    arguments = parser.parse_args(argv)
    screen = Screen(float(os.environ.get(STARTED_VARIABLE) or time.time()))
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        with _alone(arguments.state.parent):
            return _demo(Run(screen=screen, state=arguments.state), folder=arguments.folder, keep=arguments.keep)
    except KeyboardInterrupt:
        screen.say("Interrupted; everything that was started has been stopped")
        return 130
    except (RuntimeError, TimeoutError, OSError) as error:
        screen.say(f"The demo failed: {error}")
        screen.say(f"Logs: {arguments.state / 'logs'}")
        return 1


def _demo(run: Run, *, folder: Path | None, keep: bool) -> int:
    run.mark("environments ready")
    say = run.screen.say
    with ThreadPoolExecutor(1) as pool:
        # Written beside the stack's folder, which the stack makes fresh at the same time.
        preparing = (
            pool.submit(_folder_objects, folder)
            if folder
            else pool.submit(_sample_objects, run.state.parent / "sample")
        )
        stack = Stack(run.state, say=say)
        with stack:
            run.mark("stack ready")
            objects = preparing.result()
            differences = _scan(run, stack, objects, has_truth=folder is None)
            if keep:
                _keep(run, stack)
    return 1 if differences else 0


def _scan(run: Run, stack: Stack, objects: Sequence[SampleObject], *, has_truth: bool) -> list[str]:
    """From the upload to the verdict; the differences."""
    run.screen.say(f"{len(objects)} objects, {size(sum(o.size_bytes for o in objects))}, to upload")
    try:
        _upload_and_scan(run, stack, objects)
        _follow(run, stack)
        found = [finding for _, job in sorted(run.jobs.items()) for finding in Api(stack.api_url).results(job)]
    except ApiError as error:
        stack.check()  # a part that ended is the better explanation
        msg = f"{error}\nThe end of the API's log:\n{stack.log_tail('API')}"
        raise DemoFailed(msg) from error
    run.mark("all scanned, results read")
    return _report(run, stack, objects, found, has_truth=has_truth)


def _sample_objects(folder: Path) -> tuple[SampleObject, ...]:
    return make_sample(folder).objects


def _folder_objects(folder: Path) -> tuple[SampleObject, ...]:
    """The regular files below the folder, their paths as keys; links are not followed out of it."""
    objects = tuple(
        SampleObject(
            bucket=FOLDER_BUCKET,
            key=path.relative_to(folder).as_posix(),
            path=path,
            size_bytes=path.stat().st_size,
            outcome=Outcome.PENDING,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    )
    if not objects:
        msg = f"{folder} holds no files"
        raise DemoFailed(msg)
    return objects


def _upload_and_scan(run: Run, stack: Stack, objects: Sequence[SampleObject]) -> None:
    """Upload bucket after bucket, many objects at a time; each is scanned as soon as its last object is there."""
    s3 = client("s3", stack.emulator.endpoint_url)
    api = Api(stack.api_url)
    waiting = Counter(o.bucket for o in objects)
    for bucket in waiting:
        s3.create_bucket(Bucket=bucket)

    def upload(o: SampleObject) -> str:
        with o.path.open("rb") as body:
            s3.put_object(Bucket=o.bucket, Key=o.key, Body=body)
        return o.bucket

    with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
        for done in as_completed([pool.submit(upload, o) for o in sorted(objects, key=lambda o: o.bucket)]):
            bucket = done.result()
            waiting[bucket] -= 1
            if waiting[bucket] == 0:
                run.jobs[bucket] = api.start_scan(bucket)
                run.screen.say(f"POST /scan {bucket}: job {run.jobs[bucket]}")
    run.mark("uploaded, scans requested")


def _follow(run: Run, stack: Stack) -> None:
    """Show the jobs until each has ended; DemoFailed when nothing moves any more."""
    api = Api(stack.api_url)
    moved_at, before = time.monotonic(), (-1, -1)
    with run.screen.progress() as live:
        while True:
            stack.check()
            for bucket, job in run.jobs.items():
                if bucket not in run.states or not run.states[bucket].is_final:
                    run.states[bucket] = api.job(job)
            states = run.in_order()
            live.show(states)
            if any(state.findings for state in states):
                run.mark("first finding")
            if all(state.is_final for state in states):
                break
            now = (sum(s.done for s in states), sum(s.listed for s in states))
            if now != before:
                moved_at, before = time.monotonic(), now
            if time.monotonic() - moved_at > STALLED_AFTER_S:
                standing = ", ".join(f"{s.bucket} {s.status} {s.done}/{s.listed}" for s in states)
                msg = (
                    f"nothing was scanned for {STALLED_AFTER_S:.0f} s: {standing}\n"
                    f"The end of a worker's log:\n{stack.log_tail('worker-1')}"
                )
                raise DemoFailed(msg)
            time.sleep(POLL_S)


def _report(
    run: Run, stack: Stack, objects: Sequence[SampleObject], found: Sequence[FoundRule], *, has_truth: bool
) -> list[str]:
    """Print the tables and the verdict; the differences."""
    screen, states = run.screen, run.in_order()
    truth: Counter[tuple[str, str]] = Counter()
    for o in objects:
        for rule, count in o.findings.items():
            truth[(rule, o.bucket)] += count
    screen.findings(found, truth if has_truth else None)
    screen.outcomes(states)
    differences = [
        line
        for state in states
        for line in sum_differences(state, [finding for finding in found if finding.bucket == state.bucket])
    ]
    listed, uploaded = sum(s.listed for s in states), len(objects)
    if listed != uploaded:
        differences.append(f"{uploaded} objects were uploaded, {listed} listed")
    if has_truth:
        differences += truth_differences(objects, found, {s.bucket: s.outcomes for s in states})
    screen.times(run.marks)
    wait_until(lambda: is_open(stack.flower_port), what="Flower", timeout_s=30, check=stack.check)
    for line in differences[:DIFFERENCES_SHOWN]:
        screen.say(f"DIFFERENCE {line}")
    if len(differences) > DIFFERENCES_SHOWN:
        screen.say(f"… and {len(differences) - DIFFERENCES_SHOWN} more differences")
    if not differences:
        screen.say(
            f"All {listed} objects are accounted for, the sums agree"
            + (f", and {len(found)} findings equal the truth." if has_truth else f"; {len(found)} findings.")
        )
    screen.say(f"API {stack.api_url}   Flower {stack.flower_url}   logs {stack.logs}")
    return differences


def _keep(run: Run, stack: Stack) -> None:
    run.screen.say("Left running until Ctrl-C. Try:")
    for line in (
        f"  curl '{stack.api_url}/jobs'",
        f"  curl '{stack.api_url}/results?rule=us.ssn&limit=3'",
        f"  AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_ENDPOINT_URL={stack.emulator.endpoint_url} aws s3 ls",
    ):
        run.screen.console.print(line, markup=False)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            stack.check()
            time.sleep(1.0)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One demo at a time in a checkout: the second would delete the first one's data."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = "another demo is running in this checkout; stop it with Ctrl-C first"
            raise DemoFailed(msg) from None
        yield


def _interrupt(signum: int, frame: object) -> NoReturn:
    """Make a polite kill end the demo as Ctrl-C does."""
    del signum, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
