"""The database as what commands ask: the flows, told in the API's words."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scanner_tasks import (
    add_schedule,
    allow_entry,
    bootstrap,
    estimate,
    explain,
    job,
    results,
    start_scan,
    start_scans,
    triage_findings,
    watch_bucket,
)
from scanner_tasks.cli import shapes
from scanner_tasks.cli.coverage import coverage_shape
from scanner_tasks.cli.screen import plain
from scanner_tasks.core.access_rules import read_access
from scanner_tasks.core.budget import read_budget
from scanner_tasks.core.errors import RuleNotFound
from scanner_tasks.core.model import Finding
from scanner_tasks.flow import audit, buckets, control, read_results, redrive, retention, schedules, triage, watches
from scanner_tasks.flow.fleet import fleet_to_json, read_fleet
from scanner_tasks.rules.told import told as rule_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from uuid import UUID

    from scanner_tasks.cli.backend import Told

_PAGE = 100


def _json(value: Any) -> Any:
    """As it comes out of JSON: moments and ids are texts."""
    return json.loads(json.dumps(value, default=plain))


class DatabaseBackend:
    """Of the database that the settings name."""

    def start(self, body: Mapping[str, Any]) -> Told:
        """As POST /scan."""
        return dict(_json(shapes.started_shape(start_scan(**_spread(body)))))

    def start_many(self, body: Mapping[str, Any]) -> Told:
        """As POST /scans."""
        started = start_scans(**_spread(body))
        jobs = [{"bucket": bucket, **shapes.started_shape(one)} for bucket, one in started.jobs]
        return dict(_json({"jobs": jobs, "not_started": [asdict(one) for one in started.not_started]}))

    def estimate(
        self, body: Mapping[str, Any], *, most_objects: int | None, listed: Callable[[int], None] | None
    ) -> Told:
        """As POST /scan with dry_run, but that the whole bucket is listed."""
        return dict(_json(estimate(**_spread(body), most_objects=most_objects, listed=listed).to_json()))

    def jobs(self, *, limit: int | None, active: bool = False) -> Iterator[Told]:
        """Jobs of GET /jobs."""
        cursor, left = None, limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = read_results.list_jobs(limit=size, cursor=cursor, active=active, using=bootstrap.api())
            for view in page.jobs:
                yield _json(shapes.job_shape(view))
            left = None if left is None else left - len(page.jobs)
            if (cursor := page.next_cursor) is None:
                return

    def job(self, job_id: UUID, *, real_time: bool) -> Told:
        """As GET /jobs/{job_id}."""
        return dict(_json(shapes.job_shape(read_results.get_job(job_id, real_time=real_time, using=bootstrap.api()))))

    def control(self, job_id: UUID, action: str, body: Mapping[str, Any] | None = None) -> Told:
        """As POST /jobs/{job_id}/pause, resume or cancel."""
        using, given = bootstrap.api(), body or {}
        if action == "pause":
            control.pause_job(job_id, using=using)
        elif action == "resume":
            budget = read_budget(given["budget"]) if given.get("budget") else None
            control.resume_job(job_id, budget=budget, using=using)
        else:
            control.cancel_job(job_id, reason=given["reason"], using=using)
        return self.job(job_id, real_time=True)

    def retry_failed(self, job_id: UUID) -> Told:
        """As POST /jobs/{job_id}/retry-failed."""
        opened = control.retry_failed(job_id, using=bootstrap.api())
        return {"job_id": str(job_id), "batches": opened.batches, "objects": opened.objects}

    def delete(self, job_id: UUID) -> Told:
        """As DELETE /jobs/{job_id}."""
        retention.delete_job(job_id, using=bootstrap.api())
        return {"job_id": str(job_id)}

    def buckets(self, access: Mapping[str, Any]) -> Iterator[Told]:
        """Buckets of GET /buckets."""
        reached, after = read_access(access), ""
        while page := buckets.account_view(access=reached, after=after, limit=_PAGE, using=bootstrap.api()):
            yield from (_json(shapes.bucket_shape(view)) for view in page)
            after = page[-1].bucket.name

    def watches(self) -> Told:
        """As GET /watches."""
        return dict(_json(shapes.watches_shape(watches.list_watches(using=bootstrap.api()))))

    def watch(self, body: Mapping[str, Any]) -> Told:
        """As POST /watches."""
        return dict(_json(watches.watch_to_json(watch_bucket(**_spread(body)))))

    def unwatch(self, bucket: str) -> None:
        """As DELETE /watches/{bucket}."""
        watches.unwatch_bucket(bucket, using=bootstrap.api())

    def schedules(self) -> list[Told]:
        """Schedules of GET /schedules."""
        return [_json(schedules.schedule_to_json(one)) for one in schedules.list_schedules(using=bootstrap.api())]

    def schedule(self, name: str) -> Told:
        """As GET /schedules/{name}."""
        told = schedules.schedule_to_json(schedules.find_schedule(name, using=bootstrap.api()))
        runs = schedules.list_runs(name, using=bootstrap.api())
        return dict(_json({**told, "runs": [schedules.run_to_json(run) for run in runs]}))

    def add_schedule(self, body: Mapping[str, Any]) -> Told:
        """As POST /schedules."""
        return dict(_json(schedules.schedule_to_json(add_schedule(**_spread(body)))))

    def steer_schedule(self, name: str, action: str) -> Told:
        """As POST /schedules/{name}/pause or resume, or DELETE /schedules/{name}."""
        steps = {
            "pause": schedules.pause_schedule,
            "resume": schedules.resume_schedule,
            "remove": schedules.remove_schedule,
        }
        return dict(_json(schedules.schedule_to_json(steps[action](name, using=bootstrap.api()))))

    def run_schedule(self, name: str) -> Told:
        """As POST /schedules/{name}/run-now."""
        return dict(_json(schedules.run_to_json(schedules.run_now(name, using=bootstrap.api()))))

    def coverage(self, job_id: UUID, *, outcome: str, limit: int) -> Told:
        """As GET /jobs/{job_id}/coverage."""
        return dict(_json(coverage_shape(job(job_id), outcome=outcome, limit=limit)))

    def unread(self, job_id: UUID, *, outcome: str) -> Iterator[Told]:
        """Objects of GET /jobs/{job_id}/coverage."""
        handle = job(job_id)
        for one in handle.unread(outcome):
            yield {"bucket": handle.bucket, "key": one.key, "outcome": str(one.outcome), "detail": one.detail}

    def changes(self, job_id: UUID, base_id: UUID, *, of: str) -> Iterator[Told]:
        """Findings or objects of GET /jobs/{job_id}/compare/{base_id}."""
        handle = job(job_id)
        if of == "objects":
            return (_json(shapes.changed_object_shape(one)) for one in handle.compare_objects(base_id))
        return (_json(shapes.changed_finding_shape(one)) for one in handle.compare(base_id))

    def results(self, **wanted: Any) -> Iterator[Told]:
        """Findings of GET /results."""
        return (_json(shapes.finding_shape(finding)) for finding in results(**wanted))

    def findings(self, **wanted: Any) -> Iterator[Finding]:
        """Findings of GET /results."""
        return results(**wanted)

    def mark(self, *, status: str, by: str, reason: str, dry_run: bool, **wanted: Any) -> Iterator[Told]:
        """The findings, each with its new mark."""
        for done in triage_findings(status, by=by, reason=reason, dry_run=dry_run, **wanted):
            finding, mark = (done, None) if isinstance(done, Finding) else (done.finding, done.mark)
            yield _json({"finding": shapes.finding_shape(finding), "mark": mark and shapes.mark_shape(mark)})

    def marks(self, finding_id: UUID) -> list[Told]:
        """Marks of GET /triage/{finding_id}."""
        return [_json(shapes.mark_shape(mark)) for mark in triage.history(finding_id, using=bootstrap.api())]

    def allow_list(self, finding_id: UUID, *, job_id: UUID | None) -> Told:
        """As GET /findings/{finding_id}/allow-list."""
        entry = allow_entry(finding_id, job_id=job_id)
        told = {"finding_id": entry.finding.finding_id, "rule": entry.finding.rule_id}
        return dict(_json({**told, "fingerprints": entry.fingerprints, "complete": entry.is_complete}))

    def explain(self, finding_id: UUID, *, occurrence: int, job_id: UUID | None) -> Told:
        """As GET /findings/{finding_id}/explain."""
        return dict(_json(shapes.explanation_shape(explain(finding_id, occurrence=occurrence, job_id=job_id))))

    def rules(self) -> tuple[list[Told], list[str]]:
        """Rules of GET /rules."""
        loaded = bootstrap.load_rules(bootstrap.api().settings)
        rules = sorted((rule for rule in loaded.ruleset.rules if rule.enabled), key=lambda rule: rule.id)
        told = [_json({**rule_shape(rule), "source": loaded.origins[rule.id]}) for rule in rules]
        return told, list(loaded.disabled)

    def rule(self, rule_id: str) -> Told:
        """As GET /rules/{rule_id}."""
        loaded = bootstrap.load_rules(bootstrap.api().settings)
        for rule in loaded.ruleset.rules:
            if rule.id == rule_id:
                return dict(_json({**rule_shape(rule), "source": loaded.origins[rule.id]}))
        raise RuleNotFound(rule_id)

    def letters(self, *, after: str | None = None, **wanted: Any) -> Iterator[Told]:
        """Dead letters of GET /dlq."""
        chosen = _letter_filter(wanted)
        last = redrive.find_letter(after, using=bootstrap.api()) if after else None
        while page := redrive.list_letters(chosen, after=last, limit=_PAGE, using=bootstrap.api()):
            for letter in page:
                yield _json(shapes.letter_shape(letter, redrive.arguments(letter)))
            last = page[-1]

    def letter_groups(self, *, by: str, **wanted: Any) -> list[Told]:
        """Counted by the database."""
        groups = redrive.group_letters(_letter_filter(wanted), by=by, using=bootstrap.api())
        return [_json(asdict(group)) for group in groups]

    def letter(self, message_id: str) -> Told:
        """As GET /dlq/{message_id}."""
        return dict(_json(shapes.details_shape(redrive.show_letter(message_id, using=bootstrap.api()))))

    def retry_letter(self, message_id: str) -> Told:
        """As POST /dlq/{message_id}/retry."""
        return asdict(redrive.retry_letter(message_id, using=bootstrap.feeder()))

    def discard_letter(self, message_id: str, *, reason: str) -> Told:
        """As POST /dlq/{message_id}/discard."""
        redrive.discard_letter(message_id, reason=reason, using=bootstrap.api())
        return self.letter(message_id)

    def audit(self, *, limit: int, **wanted: Any) -> Iterator[Told]:
        """Entries of GET /audit."""
        cursor, left = None, limit
        while left > 0:
            page = audit.read_audit(limit=min(_PAGE, left), cursor=cursor, using=bootstrap.api(), **wanted)
            for entry in page.entries:
                yield _json(asdict(entry))
            left -= len(page.entries)
            if (cursor := page.next_cursor) is None:
                return

    def fleet(self) -> Told | None:
        """As GET /fleet."""
        return dict(_json(fleet_to_json(read_fleet(using=bootstrap.api()))))


def _letter_filter(wanted: Mapping[str, Any]) -> redrive.LetterFilter:
    state = wanted.get("state", "open")
    return redrive.LetterFilter(**{**wanted, "state": None if state == "all" else state})


def _spread(body: Mapping[str, Any]) -> dict[str, Any]:
    """A request's fields as Python's arguments: how the bucket is reached stands among them."""
    given = {name: value for name, value in body.items() if value is not None}
    access = given.pop("access", {})
    return {**given, **access}
