"""AWS keys that were found, asked of AWS: only when somebody says so, one after the other, nothing kept.

Objects with an ``aws.access_key_id`` are read again, in memory; a pair is forgotten when it was asked.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.errors import ExtractError, ObjectError
from scanner_tasks.core.key_pairs import KeyPair, pairs_of
from scanner_tasks.core.redact import mask
from scanner_tasks.core.rights import Permission
from scanner_tasks.detect.aws_accounts import account_of
from scanner_tasks.extract.text import RiskyContentError, extract
from scanner_tasks.flow.control import find_job
from scanner_tasks.flow.read_results import get_results
from scanner_tasks.flow.scan_object import budget_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from scanner_tasks.aws.key_check import KeyCheck
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.extract.budget import Read
    from scanner_tasks.flow.parts import Api
    from scanner_tasks.settings import Settings

_PAGE: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What became of one key; masked."""

    #: The object it stands in, and the line of the id there.
    name: str
    line: int
    masked: str
    #: live, dead, unknown; not_asked: the object could not be read, no secret stands near, or the limit is reached.
    state: str
    #: As AWS says, or as the id tells by itself.
    account: str | None = None
    arn_type: str | None = None
    reason: str | None = None


class Asker:
    """Asks for each pair once, at most so many a second and in all."""

    def __init__(
        self,
        check: Callable[[KeyPair], KeyCheck],
        *,
        per_s: float,
        limit: int,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check, self._pause, self._left = check, 1 / per_s, limit
        self._sleep, self._clock = sleep, clock
        self._next = float("-inf")
        #: By a hash of the pair; no secret outlives its question.
        self._known: dict[bytes, KeyCheck] = {}

    def ask(self, name: str, pair: KeyPair) -> Verified:
        """What AWS says of the pair."""
        masked, offline = mask(pair.access_key_id, "aws_key"), account_of(pair.access_key_id)
        secret = pair.secret.reveal()
        digest = hashlib.sha256(f"{pair.access_key_id}/{secret!r}".encode()).digest()
        if digest not in self._known:
            if self._left <= 0:
                return Verified(
                    name=name, line=pair.line, masked=masked, state="not_asked", account=offline, reason="limit"
                )
            self._left -= 1
            wait = self._next - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._next = self._clock() + self._pause
            self._known[digest] = self._check(pair)
        told = self._known[digest]
        return Verified(
            name=name,
            line=pair.line,
            masked=masked,
            state=told.state,
            account=told.account or offline,
            arn_type=told.arn_type,
            reason=told.reason,
        )


def verify_text(read: Read, name: str, *, asker: Asker, detector: Detector, settings: Settings) -> Iterator[Verified]:
    """Every key of a text or document; a key without a secret near it is told too."""
    try:
        for text in _texts(read, name, settings):
            found = [(each.rule_id, each.start, each.end, each.line) for each in detector.find_all(text, name=name)]
            pairs = pairs_of(text, found)
            yield from (asker.ask(name, pair) for pair in pairs)
            paired = {(pair.access_key_id, pair.line) for pair in pairs}
            for rule, start, end, line in found:
                if rule == "aws.access_key_id" and (text[start:end], line) not in paired:
                    yield _not_asked(name, "no_secret_near", text[start:end], line)
    except (ObjectError, ExtractError, RiskyContentError) as error:
        reason = str(error.outcome) if isinstance(error, ObjectError) else "read it with `s3scan verify FILE`"
        yield _not_asked(name, reason)


def verify_job(job_id: UUID, *, asker: Asker, detector: Detector, using: Api) -> Iterator[Verified]:
    """Every key of the objects in which the job found one. Needs the right to act on the bucket."""
    job = find_job(job_id, using=using)
    using.caller.require(Permission.ACT, job.bucket)
    objects, cursor = using.objects.through(job.access), None
    last: tuple[str, str | None] | None = None
    while True:
        page = get_results(job_id=job_id, rule="aws.access_key_id", limit=_PAGE, cursor=cursor, using=using)
        for finding in page.findings:
            if (finding.key, finding.version_id) == last:
                continue
            last = finding.key, finding.version_id
            version = f"?versionId={finding.version_id}" if finding.version_id else ""
            name = f"s3://{finding.bucket}/{finding.key}{version}"
            try:
                with objects.open(objects.head(finding.bucket, finding.key, finding.version_id)) as body:
                    yield from verify_text(body.read, name, asker=asker, detector=detector, settings=using.settings)
            except ObjectError as error:
                yield _not_asked(name, str(error.outcome))
        cursor = page.next_cursor
        if cursor is None:
            return


def _texts(read: Read, name: str, settings: Settings) -> Iterator[str]:
    """The texts of an object; of a long one, its first S3SCAN_WHOLE_MAX_BYTES."""
    held = b""
    segments = extract(
        read, key=name, budget=budget_of(settings, time.monotonic()), clock=time.monotonic, is_isolated=False
    )
    for segment in segments:
        if segment.continues and len(held) < settings.whole_max_bytes:
            held += segment.data
            continue
        if held:
            yield held.decode("utf-8", "replace")
        held = segment.data
    if held:
        yield held.decode("utf-8", "replace")


def _not_asked(name: str, reason: str, key_id: str = "", line: int = 0) -> Verified:
    return Verified(
        name=name,
        line=line,
        masked=mask(key_id, "aws_key") if key_id else "",
        state="not_asked",
        account=account_of(key_id) if key_id else None,
        reason=reason,
    )
