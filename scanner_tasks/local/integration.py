"""After a deployment: uploads files with made-up values, scans them by the API, and compares what was found.

``python -m scanner_tasks.local.integration --bucket BUCKET [--api-url URL]`` (``make integration-test BUCKET=…``) works
against AWS, and against the emulator. Three jobs scan three prefixes of one bucket, which the deployment must be
allowed to read and the caller to write; every request to the API is signed. The exit status is 0 when every object has
its outcome, and every rule was found exactly as often as it was put there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from scanner_tasks.core.errors import InvalidInput, ScannerError
from scanner_tasks.local.api_client import Api, ApiError, FoundRule, JobState
from scanner_tasks.local.sample import BUCKETS, SampleObject, make_sample
from scanner_tasks.local.signing import signer
from scanner_tasks.local.verdict import sum_differences, truth_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[2]
UPLOAD_THREADS = 16
#: A fleet that scales from zero needs some minutes for its first task.
STALLED_AFTER_S = 900.0
POLL_S = 2.0
_SHOWN = 20
#: Requests that may fail while the API's function starts.
_WAKING = 6


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came out."""

    objects: int
    findings: int
    upload_s: float
    scan_s: float
    differences: tuple[str, ...]


def run(api: Api, s3: Any, bucket: str, *, folder: Path, say: Callable[[str], None], keep: bool = False) -> Report:
    """Upload, scan, compare; what was uploaded is deleted afterwards unless ``keep``. Raises ApiError."""
    top = f"s3scan-test-{uuid.uuid4().hex[:8]}/"
    objects = make_sample(folder).objects
    _wake(api, say)
    began = time.monotonic()
    keys = [f"{top}{o.bucket}/{o.key}" for o in objects]
    try:
        with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
            list(pool.map(lambda pair: _upload(s3, bucket, *pair), zip(keys, objects, strict=True)))
        uploaded = time.monotonic()
        say(f"{len(objects)} objects uploaded to s3://{bucket}/{top} in {uploaded - began:.1f} s")
        jobs = {name: api.start_scan(bucket, f"{top}{name}/") for name in BUCKETS}
        say(f"three jobs started: {', '.join(jobs.values())}")
        states = _follow(api, jobs, say)
        scanned = time.monotonic()
        found, differences = _compare(api, jobs, states, objects, top)
        return Report(
            objects=len(objects),
            findings=len(found),
            upload_s=uploaded - began,
            scan_s=scanned - uploaded,
            differences=tuple(differences),
        )
    finally:
        if not keep:
            with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
                list(pool.map(lambda key: s3.delete_object(Bucket=bucket, Key=key), keys))


def _wake(api: Api, say: Callable[[str], None]) -> None:
    """Ask for a job that is not there until the API says so: a function's first start may outlast a request."""
    for attempt in range(1, _WAKING + 1):
        try:
            api.job(str(uuid.uuid4()))
        except ApiError as error:
            if "answered 404" in str(error):
                return
            if attempt == _WAKING or "answered 4" in str(error):
                raise
            say(f"the API starts: {error}")


def _upload(s3: Any, bucket: str, key: str, o: SampleObject) -> None:
    with o.path.open("rb") as body:
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def _follow(api: Api, jobs: dict[str, str], say: Callable[[str], None]) -> dict[str, JobState]:
    """Until each job has ended; ApiError when nothing moves any more."""
    moved_at, before = time.monotonic(), -1
    while True:
        states = {name: api.job(job_id) for name, job_id in jobs.items()}
        done = sum(state.done for state in states.values())
        if all(state.is_final for state in states.values()):
            return states
        if done != before:
            moved_at, before = time.monotonic(), done
            say(f"{done} of {sum(state.listed for state in states.values())} objects done")
        if time.monotonic() - moved_at > STALLED_AFTER_S:
            standing = ", ".join(f"{state.job_id} {state.status}" for state in states.values())
            msg = f"nothing was scanned for {STALLED_AFTER_S:.0f} s: {standing}. docs/runbook.md tells where to look."
            raise ApiError(msg)
        time.sleep(POLL_S)


def _compare(
    api: Api, jobs: dict[str, str], states: dict[str, JobState], objects: Sequence[SampleObject], top: str
) -> tuple[list[FoundRule], list[str]]:
    """What was found, under the sample's own names, and where it differs from the truth."""
    everything: list[FoundRule] = []
    differences: list[str] = []
    for name, job_id in jobs.items():
        found = [
            replace(finding, bucket=name, key=finding.key.removeprefix(f"{top}{name}/"))
            for finding in api.results(job_id)
        ]
        differences += sum_differences(replace(states[name], bucket=name), found)
        everything += found
    listed = sum(state.listed for state in states.values())
    if listed != len(objects):
        differences.append(f"{len(objects)} objects were uploaded, {listed} listed")
    differences += truth_differences(objects, everything, {name: state.outcomes for name, state in states.items()})
    return everything, differences


def deployed(name: str, folder: Path = ROOT / "terraform") -> str:
    """An output of the deployment; InvalidInput where there is none."""
    try:
        done = subprocess.run(
            ["terraform", f"-chdir={folder}", "output", "-raw", name],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise InvalidInput(f"Terraform is not installed here: name {name} on the command line.") from None
    if done.returncode:
        raise InvalidInput(
            f"{folder} has no output {name}: deploy first (make deploy), or name it on the command line."
        )
    return done.stdout.strip()


def region_of(api_url: str) -> str | None:
    """The Region in an API's address.

    Examples:
        >>> region_of("https://a1b2c3d4.execute-api.eu-west-1.amazonaws.com"), region_of("http://127.0.0.1:8000")
        ('eu-west-1', None)
    """
    parts = (urlsplit(api_url).hostname or "").split(".")
    return parts[2] if len(parts) > 3 and parts[1] == "execute-api" and parts[3] == "amazonaws" else None  # noqa: PLR2004


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 when everything was found, 1 when not, 2 when the command line is wrong."""
    parser = argparse.ArgumentParser(prog="python -m scanner_tasks.local.integration")
    parser.add_argument("--bucket", required=True, help="bucket to upload to; the deployment may read it")
    parser.add_argument("--api-url", help="address of the API; without it Terraform's output")
    parser.add_argument("--connect-to", help="host:port to connect to instead (the emulator)")
    parser.add_argument("--keep", action="store_true", help="leave the uploaded objects")
    asked = parser.parse_args(argv)
    try:
        url = asked.api_url or deployed("api_url")
        session = boto3.Session()
        region = region_of(url) or session.region_name or "us-east-1"
        api = Api(url, sign=signer(region, session=session), connect_to=asked.connect_to)
        s3 = session.client("s3", config=Config(max_pool_connections=UPLOAD_THREADS, retries={"mode": "standard"}))
        with tempfile.TemporaryDirectory(prefix="s3scan-test-") as folder:
            report = run(api, s3, asked.bucket, folder=Path(folder), say=_say, keep=asked.keep)
    except InvalidInput as error:
        print(f"integration test: {error}", file=sys.stderr)
        return 2
    except (ApiError, ScannerError) as error:
        print(f"integration test: {error}", file=sys.stderr)
        return 1
    for line in report.differences[:_SHOWN]:
        _say(f"DIFFERENCE {line}")
    verdict = (
        f"{len(report.differences)} differences" if report.differences else "everything was found as it was put there"
    )
    _say(f"{report.objects} objects scanned in {report.scan_s:.1f} s, {report.findings} findings: {verdict}")
    return 1 if report.differences else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
