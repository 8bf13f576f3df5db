"""Builds what a local scan works with, and is the process whose children scan: neither database, queue nor set-up.

``python -m scanner_tasks.local_parts`` reads on its command line what to make ready: rules, objects.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from scanner_tasks import log
from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.errors import InvalidInput, ScannerError
from scanner_tasks.core.model import Confidence
from scanner_tasks.flow.nursery import Nursery
from scanner_tasks.flow.scan_local.files import LocalFiles
from scanner_tasks.flow.scan_local.run import Here, LocalScan
from scanner_tasks.flow.scan_local.target import read_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from scanner_tasks.core.ports import Objects
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.rules.load import Loaded
    from scanner_tasks.settings import Settings

#: Children for each core where they wait for S3, and at most.
_CHILDREN_OF_S3, _MOST_CHILDREN = 4, 32


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a local scan may be told beside its target."""

    #: Packs of rules: paths or ``s3://bucket/key``; empty are those of the settings.
    rules: tuple[str, ...] = ()
    #: Whether the built-in rules run too.
    builtin: bool = True
    #: Occurrences of less confidence are not told.
    threshold: Confidence = Confidence.MEDIUM
    #: Whether values that were published as examples are told.
    test_values: bool = False
    #: Objects that are scanned at a time; 0 is one for each core, four for each core from S3.
    processes: int = 0
    #: Profile of AWS's configuration files; "" is as AWS_PROFILE says.
    profile: str = ""
    #: How S3 is reached where the user's own way does not do.
    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    requester_pays: bool = False


@dataclass(frozen=True, kw_only=True)
class _Scanning:
    """What the children scan with: see ``flow.parts.Scanning``."""

    settings: Settings
    objects: Objects
    detector: Detector
    scan_slots: threading.Semaphore
    clock: Callable[[], float] = time.monotonic


def local_scan(
    target: str,
    options: Options | None = None,
    *,
    state: str | None = None,
    resume: bool = False,
    own_files: Sequence[Path] = (),
) -> LocalScan:
    """A scan of the target, ready to run. Raises InvalidInput or RuleError for what the caller can mend.

    Args:
        target: a file, a folder, ``-`` or ``s3://bucket/prefix``.
        options: what else.
        state: file in which to keep how far it is.
        resume: go on from that file.
        own_files: that the caller writes meanwhile, so that they are not read.
    """
    from scanner_tasks import settings  # noqa: PLC0415 (pydantic; it waits for a target that is wrong)

    options = options or Options()
    wanted, ours = read_target(target), settings.load()
    if resume and not state:
        raise InvalidInput("--resume: name the state file of the scan that is to go on: --state FILE.")
    if state and wanted.kind == "stream":
        raise InvalidInput("--state: what comes on a stream cannot be read again; leave it out.")
    packs = options.rules or ours.rules
    if not options.builtin and not packs:
        raise InvalidInput("--no-builtin: without --rules no rule is left.")
    if packs:
        _load(replace(options, rules=packs), ours)  # what is wrong with a pack is told here, not by a child
    copy = None
    if wanted.kind == "stream":
        copy = tempfile.TemporaryFile(dir=ours.spool_directory or None)  # noqa: SIM115 (closed with the scan)
    told = {
        "options": asdict(replace(options, rules=packs)),
        "is_s3": wanted.kind == "s3",
        "followed": wanted.text if wanted.kind == "file" else "",
        "streams": {wanted.text: copy.fileno()} if copy else {},
    }
    # -P: a folder that somebody else filled, in which the scan is begun, must not offer modules.
    nursery = Nursery(
        (sys.executable, "-P", "-m", "scanner_tasks.local_parts", json.dumps(told)),
        environment=_environment(ours, options),
        descriptors=[copy.fileno()] if copy else [],
    )
    using = Here(
        settings=ours,
        nursery=nursery,
        size=options.processes or _size(wanted.kind),
        digest=lambda: _digest(target, replace(options, rules=packs), ours),
        rules=lambda: _load(replace(options, rules=packs), ours).ruleset.rules,
        objects=_objects(options, ours) if wanted.kind == "s3" else None,
        copy=copy,
        own=_inodes([*own_files, *([state] if state else [])]),
    )
    return LocalScan(wanted, using=using, state=state, resume=resume)


def _size(kind: str) -> int:
    if kind in {"file", "stream"}:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MOST_CHILDREN, cores * _CHILDREN_OF_S3) if kind == "s3" else cores


def _environment(ours: Settings, options: Options) -> Mapping[str, str]:
    """That of the children: all share one fingerprint key, and without one of the user's it is this scan's alone."""
    environment = {"S3SCAN_LOG_LEVEL": "ERROR", **os.environ}
    # The package is found where this one was, also from a checkout that is not installed.
    found = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [found, environment.get("PYTHONPATH", "")]))
    if options.profile:
        environment["AWS_PROFILE"] = options.profile
    if not ours.fingerprint_key.get_secret_value():
        environment["S3SCAN_FINGERPRINT_KEY"] = secrets.token_hex(32)
        environment["S3SCAN_FINGERPRINT_KEY_ID"] = f"run-{secrets.token_hex(4)}"
    return environment


def _inodes(paths: Sequence[Path | str]) -> frozenset[tuple[int, int]]:
    found = set()
    for path in paths:
        try:
            told = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        found.add((told.st_dev, told.st_ino))
    return frozenset(found)


def _objects(options: Options, ours: Settings) -> Objects:
    from scanner_tasks.aws.faults import Backoff  # noqa: PLC0415 (files are scanned without boto3)
    from scanner_tasks.aws.sources import Sources  # noqa: PLC0415
    from scanner_tasks.core.access_rules import check_access, check_endpoint  # noqa: PLC0415

    endpoint = check_endpoint(options.endpoint_url) if options.endpoint_url else ours.s3_endpoint_url
    access = Access(region=options.region, anonymous=options.anonymous, requester_pays=options.requester_pays)
    if access != OWN:
        check_access(Access(**{**asdict(access), "region": None}), endpoints=(), roles=())
    own = Sources(
        backend=ours.s3_backend,
        region=ours.aws_region,
        aws_endpoint_url=ours.aws_endpoint_url,
        s3_endpoint_url=endpoint,
        profiles={"": options.profile},
        pool_size=_MOST_CHILDREN,
        connect_timeout_s=ours.s3_connect_timeout_s,
        read_timeout_s=ours.s3_read_timeout_s,
        min_bytes_per_s=ours.s3_min_bytes_per_s,
        backoff=Backoff(attempts=ours.s3_attempts),
    ).own()
    return own.through(access)


def _load(options: Options, ours: Settings) -> Loaded:
    from scanner_tasks.flow.load_rules import load_rules  # noqa: PLC0415

    # A pack in S3 is read as its object is, but never from the endpoint of somebody else.
    return load_rules(options.rules, lambda: _objects(options, ours), builtin=options.builtin)


def _digest(target: str, options: Options, ours: Settings) -> str:
    from scanner_tasks.flow.load_rules import ruleset_hash  # noqa: PLC0415

    rules = ruleset_hash(_load(options, ours).ruleset, ours)
    told = {**asdict(options), "rules": rules, "processes": 0, "profile": "", "target": target, "from": os.getcwd()}  # noqa: PTH109
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _serve(told: dict[str, Any]) -> None:
    """In the nursery: rules and objects, then children."""
    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.core.model import ObjectRef  # noqa: PLC0415
    from scanner_tasks.core.redact import Fingerprinter  # noqa: PLC0415
    from scanner_tasks.detect.engine import Detector  # noqa: PLC0415
    from scanner_tasks.flow.nursery import give_back_memory  # noqa: PLC0415
    from scanner_tasks.flow.object_child import serve_with  # noqa: PLC0415
    from scanner_tasks.flow.scan_object import scan_object  # noqa: PLC0415
    from scanner_tasks.rules.prepared import prepare  # noqa: PLC0415

    ours, options = settings.load(), _options(told["options"])
    log.configure(ours.log_level)
    keys = {ours.fingerprint_key_id: ours.fingerprint_key, **ours.former_fingerprint_keys}
    present, *former = (Fingerprinter(key.get_secret_value().encode(), name) for name, key in keys.items())
    detector = Detector(
        _load(options, ours).ruleset,
        present,
        occurrences_kept=ours.occurrences_kept,
        threshold=options.threshold,
        test_values=options.test_values,
        former=former,
    )
    objects: Objects = LocalFiles(followed=told["followed"], streams=told["streams"])
    if told["is_s3"]:
        objects = _objects(options, ours)
    worker = _Scanning(settings=ours, objects=objects, detector=detector, scan_slots=threading.BoundedSemaphore(1))
    prepare(detector)
    give_back_memory()

    def scan(asked: dict[str, Any], note: Callable[[int], None]) -> dict[str, Any]:
        place = asked["position"], ObjectRef(**asked["ref"])
        result = scan_object(*place, using=worker, is_isolated=True, note=note, stop_after=asked["parts"])
        return asdict(result)

    serve_with(worker, scan)


def _options(told: dict[str, Any]) -> Options:
    rules, threshold = tuple(told["rules"]), Confidence(told["threshold"])
    return Options(**{**told, "rules": rules, "threshold": threshold})


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to tell
    try:
        _serve(json.loads(sys.argv[1]))
    except ScannerError as error:
        print(f"s3scan: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
