"""What the live page knows of a job: read from the API again when something changed, told as what is new since."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.errors import ScannerError
from scanner_tasks.core.model import TriageStatus
from scanner_tasks.report.compare import compare
from scanner_tasks.report.html.data import ReportInput, Tables, Unread, boxes, same_values
from scanner_tasks.report.html.nodes import to_json
from scanner_tasks.report.html.sections import parts
from scanner_tasks.report.shapes import object_name
from scanner_tasks.serve.ask import told
from scanner_tasks.serve.read import findings_of, progress_of, unread_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from scanner_tasks.core.model import Finding
    from scanner_tasks.report.shapes import RuleAbout
    from scanner_tasks.serve.ask import Ask

#: Seconds between two looks at the job; all findings are read again when its numbers changed, at most for this share
#: of the time.
_LOOK_S, _READING_SHARE = 1.0, 0.1
_NUMBERS: Final = ("status", "total_findings", "total_occurrences")
_ENDED: Final = frozenset({"succeeded", "succeeded_with_failures", "failed", "cancelled"})


@dataclass
class Live:
    """One job for any number of open pages. ``version`` grows by one with every change that a page is told of.

    Example: a page that has version 3 is told the rows that changed in 4 and 5, and the whole tables beside them,
    which are small; texts that rows share are only ever added to, so that its older rows stay right.
    """

    ask: Ask
    job_id: UUID
    about: Callable[[str], RuleAbout]
    explain: Callable[[Finding], Sequence[str]]
    #: An earlier job to compare with.
    against: UUID | None = None
    #: Findings that the page holds.
    limit: int = 50_000
    clock: Callable[[], float] = time.monotonic
    version: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _tables: Tables = field(default_factory=Tables)
    _findings: list[Finding] = field(default_factory=list)
    _unread: list[Unread] = field(default_factory=list)
    #: The earlier job's, read once.
    _former: list[Finding] | None = None
    _rows: dict[str, list[Any]] = field(default_factory=dict)
    #: Version in which a row changed last, or went.
    _changed: dict[str, int] = field(default_factory=dict)
    _gone: dict[str, int] = field(default_factory=dict)
    #: Explanations told at each version.
    _explained: list[int] = field(default_factory=lambda: [0])
    _shown: dict[str, Any] = field(default_factory=dict)
    _job: dict[str, Any] = field(default_factory=dict)
    _read_of: str = ""
    _looked_at: float = float("-inf")
    _read_after: float = float("-inf")

    def since(self, version: int, *, again: bool = False) -> dict[str, Any]:
        """What changed after ``version`` (0: all of it); ``again`` reads the findings even if no number changed.

        When the API does not answer, ``problem`` says so and the rest is as it was.
        """
        with self._lock:
            problem = None
            try:
                self._look(again=again)
            except ScannerError as error:
                problem = str(error)
            return self._news(version if 0 < version <= self.version else 0) | {"problem": problem}

    def marked(self, finding_id: str, status: str) -> None:
        """A finding got a mark through the page: told without reading everything again."""
        with self._lock:
            self._findings = [
                replace(one, triage=TriageStatus(status)) if str(one.finding_id) == finding_id else one
                for one in self._findings
            ]
            if self._job:
                self._show()

    def _look(self, *, again: bool) -> None:
        now = self.clock()
        if not again and now < self._looked_at + _LOOK_S:
            return
        self._looked_at = now
        self._job = told(self.ask, f"/jobs/{self.job_id}?real_time=true")
        job = self._job
        numbers = json.dumps(
            [job[name] for name in _NUMBERS] + [job["progress"]["objects"], job["progress"]["outcomes"]]
        )
        if again or (numbers != self._read_of and now >= self._read_after):
            self._findings = list(findings_of(self.ask, self.job_id, limit=self.limit))
            self._unread = unread_of(self.ask, self.job_id)
            if self.against and self._former is None:
                self._former = list(findings_of(self.ask, self.against))
            self._read_of = numbers
            self._show()
            self._read_after = self.clock() + (self.clock() - now) / _READING_SHARE

    def _show(self) -> None:
        """Make everything anew, and note what differs from before."""
        given = self._given()
        rows = {row[0]: row for row in self._tables.rows(given)}
        shown = {
            "parts": {name: [to_json(node) for node in nodes] for name, nodes in parts(given).items()},
            "title": given.title,
            "boxes": boxes(given.findings),
            "values": same_values(given.findings),
            "rules": self._tables.told_rules(given),
            "buckets": list(self._tables.buckets.told),
        }
        new = self.version + 1
        changed = [name for name, row in rows.items() if self._rows.get(name) != row]
        gone = [name for name in self._rows if name not in rows]
        if not (changed or gone) and shown == self._shown:
            return
        self.version, self._rows, self._shown = new, rows, shown
        self._changed = {name: self._changed.get(name, new) for name in rows} | dict.fromkeys(changed, new)
        self._gone = {name: at for name, at in self._gone.items() if name not in rows} | dict.fromkeys(gone, new)
        self._explained.append(len(self._tables.explanations.told))

    def _given(self) -> ReportInput:
        job = self._job
        return ReportInput(
            title=f"Scan of {object_name(job['bucket'], job['prefix'])}",
            facts=[
                ("job", str(self.job_id)),
                ("status", job["status"]),
                ("begun", job["created_at"][:19].replace("T", " ") + " UTC"),
            ],
            progress=progress_of(job),
            is_incomplete=job["incomplete"],
            findings=self._findings,
            about=self.about,
            explain=self.explain,
            unread=self._unread,
            comparison=None if self._former is None else compare(self._former, self._findings),
            compared_with=f"Since job {self.against}",
            is_live=True,
        )

    def _news(self, version: int) -> dict[str, Any]:
        job = self._job
        news: dict[str, Any] = {"version": self.version}
        if job:
            said = job["progress"]
            news["job"] = {
                "status": job["status"],
                "has_ended": job["status"] in _ENDED,
                "percent": said["percent"],
                "eta_s": said["eta_s"],
                "total_is_final": said["total_is_final"],
                "done": said["objects"]["done"],
                "listed": said["objects"]["listed"],
                "findings": job["total_findings"],
            }
        if version < self.version:
            begin = self._explained[version]
            news |= self._shown | {
                "since": version,
                "explanations_from": begin,
                "explanations": self._tables.explanations.told[begin:],
                "rows": [row for name, row in self._rows.items() if self._changed[name] > version],
                "gone": [name for name, at in self._gone.items() if at > version] if version else [],
            }
        return news


def empty(job_id: UUID, about: Callable[[str], RuleAbout]) -> ReportInput:
    """The page before it has asked: it holds nothing of the job, so that it may be given to whoever asks for it."""
    from scanner_tasks.core.model import Progress  # noqa: PLC0415

    return ReportInput(
        title="s3scan",
        facts=[("job", str(job_id)[:8])],
        progress=Progress(),
        is_incomplete=False,
        findings=(),
        about=about,
        explain=lambda _: (),
        is_live=True,
    )
