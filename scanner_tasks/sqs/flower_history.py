"""Flower's history outlives its container: snapshots in S3, restored before the start.

Flower's ``--persistent`` keeps tasks and workers in a local file, which goes with its Fargate task. With the variable
FLOWER_HISTORY or the option ``--history`` (``s3://bucket/prefix``) a snapshot of that file is in S3: Flower saves its
state every minute and when it is asked to stop (SIGTERM), and each save that changed something is uploaded. After a
SIGKILL at most the last minute is missing.

    A snapshot is read back from the saved file by the thread that saves, so never from a half-written one, and one
    PutObject replaces the former whole. It is a ZIP of the file's entries, not the file: the kinds of dbm files differ
    between images. Its entries are pickles, as Flower's own file: who may write this object may run code in Flower.

One Flower for each prefix, as for each events queue: stop the old one before the new one starts (on ECS: minimum
healthy percent 0, maximum 100). Needs ``s3:GetObject`` and ``s3:PutObject`` on the prefix, and ``s3:ListBucket`` on the
bucket, without which S3 calls a missing object a forbidden one.
"""

from __future__ import annotations

import dbm
import hashlib
import io
import logging
import threading
import time
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import flower.events
from botocore.client import Config
from botocore.exceptions import ClientError

from scanner_tasks.sqs.backoff import pause_s

log = logging.getLogger(__name__)

NAME = "flower-history.zip"
SAVE_INTERVAL_MS = 60_000
ATTEMPTS = 6
#: A stop waits no longer for an upload that is under way.
LAST_UPLOAD_S = 20.0
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})
_MISSING = frozenset({"NoSuchKey", "404"})


class HistoryUnavailable(RuntimeError):
    """The snapshot can be neither read nor known to be missing; starting without it would overwrite it."""


class History:
    """One snapshot in S3.

    Args:
        location: ``s3://bucket/prefix``.
        client: boto3's S3 client; None makes one.
    """

    def __init__(self, location: str, *, client: Any = None) -> None:
        parts = urlsplit(location)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError(f"Flower's history is given as s3://bucket/prefix, not {location!r}.")
        self.bucket = parts.netloc
        self.key = "/".join(part for part in (parts.path.strip("/"), NAME) if part)
        self._client = client or boto3.client("s3", config=_CONFIG)
        self._digest = b""
        self._uploading = threading.Lock()

    def restore(self, db: str) -> bool:
        """Write the snapshot to Flower's file ``db``; False when there is none yet, or a file is there already.

        HistoryUnavailable when S3 does not say (after about five seconds of tries).
        """
        if any(_files(db)):
            log.info("Flower's history is on this disk already")
            return False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                body = self._client.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()
                break
            except Exception as error:
                # ClientError, BotoCoreError, and what urllib3 raises while the body is read.
                code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
                if code in _MISSING:
                    log.info("s3://%s/%s does not exist yet: Flower's history begins now", self.bucket, self.key)
                    return False
                if attempt == ATTEMPTS or code in ("AccessDenied", "403", "NoSuchBucket"):
                    raise HistoryUnavailable(
                        f"Flower's history s3://{self.bucket}/{self.key} cannot be read ({code or error!r}): "
                        "check the bucket, and s3:GetObject and s3:ListBucket."
                    ) from error
                time.sleep(pause_s(attempt, longest_s=2))
        unpack(body, db)
        log.info("Flower's history is restored: %d bytes", len(body))
        return True

    def keep(self, db: str, *, wait: bool) -> None:
        """Upload what ``db`` holds if it changed; in the background, or (``wait``) before it returns. Never raises."""
        try:
            entries = read(db)
        except Exception as error:  # noqa: BLE001 (dbm's errors are of several kinds)
            log.warning("Flower's history cannot be read from its file: %r", error)
            return
        digest = hashlib.sha256(repr(sorted(entries.items())).encode()).digest()
        if digest == self._digest:
            return
        if wait:
            self._upload(entries, digest, timeout_s=LAST_UPLOAD_S)
        else:
            threading.Thread(target=self._upload, args=(entries, digest), daemon=True, name="flower-history").start()

    def _upload(self, entries: dict[bytes, bytes], digest: bytes, timeout_s: float = 0) -> None:
        if not self._uploading.acquire(timeout=timeout_s):
            return  # the former upload is still under way; the next save tries again
        try:
            self._client.put_object(Bucket=self.bucket, Key=self.key, Body=pack(entries))
            self._digest = digest
        except Exception as error:  # noqa: BLE001 (a dashboard goes on without its backup, and tries again)
            log.warning("Flower's history could not be uploaded, the next save tries again: %r", error)
        finally:
            self._uploading.release()


def read(db: str) -> dict[bytes, bytes]:
    """All entries of a dbm file."""
    with dbm.open(db, "r") as file:
        return {key: file[key] for key in file.keys()}  # type: ignore[misc]  # noqa: SIM118 (dbm files are no iterables)


def pack(entries: dict[bytes, bytes]) -> bytes:
    """The entries as one ZIP."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, value in entries.items():
            archive.writestr(key.decode(), value)
    return packed.getvalue()


def unpack(packed: bytes, db: str) -> None:
    """Write a ZIP's entries to a new dbm file, of whatever kind this Python makes."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, dbm.open(db, "n") as file:
        for name in archive.namelist():
            file[name.encode()] = archive.read(name)


def _files(db: str) -> list[Path]:
    """What dbm may have made of this name."""
    return [path for suffix in ("", ".db", ".dat", ".dir") if (path := Path(db + suffix)).exists()]


class KeptEvents(flower.events.Events):  # type: ignore[misc]
    """Flower's events, whose state is uploaded whenever it has been saved."""

    #: Set by ``put_in_place``.
    history: History

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._is_stopping = False
        self.history.restore(kwargs["db"])
        super().__init__(*args, **kwargs)

    def stop(self) -> None:
        """At a SIGTERM: the last save, and its upload before the process ends."""
        self._is_stopping = True
        super().stop()

    def save_state(self) -> None:
        """Save as Flower does, then upload; both on Flower's one thread, so that no half-written file is read."""
        super().save_state()
        self.history.keep(self.db, wait=self._is_stopping)


def put_in_place(location: str) -> None:
    """Make this process's Flower keep its history at ``location``; ValueError when it is not an S3 location."""
    KeptEvents.history = History(location)
    flower.app.Events = KeptEvents
