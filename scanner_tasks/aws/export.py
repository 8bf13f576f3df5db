"""Findings handed to Security Hub and EventBridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner_tasks.aws.faults import AWS_ERRORS, service_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    Lists = Iterable[list[dict[str, Any]]]


def import_findings(client: Any, lists: Lists) -> tuple[int, list[str]]:
    """BatchImportFindings for each list: how many were taken, and of the others id and reason.

    Raises Denied or Unavailable; a second run imports the same findings again, under the same ids.
    """
    sent, refused = 0, []
    for findings in lists:
        try:
            answer = client.batch_import_findings(Findings=findings)
        except AWS_ERRORS as error:
            raise service_error(
                error, doing="import findings into Security Hub", permission="securityhub:BatchImportFindings"
            ) from error
        sent += answer["SuccessCount"]
        refused += [f"{one['Id']}: {one['ErrorCode']}" for one in answer.get("FailedFindings", [])]
    return sent, refused


def put_events(client: Any, lists: Lists) -> tuple[int, list[str]]:
    """PutEvents for each list: how many were taken, and the reasons of the others. Raises as ``import_findings``."""
    sent, refused = 0, []
    for entries in lists:
        try:
            answer = client.put_events(Entries=entries)
        except AWS_ERRORS as error:
            raise service_error(error, doing="put events", permission="events:PutEvents") from error
        wrong = [one["ErrorCode"] for one in answer["Entries"] if one.get("ErrorCode")]
        sent += len(entries) - len(wrong)
        refused += wrong
    return sent, refused
