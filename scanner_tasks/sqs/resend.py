"""Which failed sends are worth another try, and the tries.

kombu 5.7.0 takes any HTTP 200 to SendMessage for success, also one whose body is cut short; its client waits a minute
for a dead socket; and Celery's own publish retry knows botocore's connection errors but no ClientError, so that a send
during a throttle, a 503 or an expired token fails at once. Here each try is bounded, and each failure one line.
"""

from __future__ import annotations

import time
from typing import Any, Final

from botocore.exceptions import ClientError, ParamValidationError
from kombu.exceptions import OperationalError
from kombu.log import get_logger

from scanner_tasks.sqs.backoff import pause_s

log = get_logger(__name__)

ATTEMPTS = 6
LONGEST_PAUSE_S = 2.0
_SERVER_ERROR = 500
_TOO_MANY = 429
#: HTTP 4xx that pass: slow down, and credentials that botocore has not renewed yet.
PASSING: Final = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "RequestThrottled",
        "OverLimit",
        "KmsThrottled",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "ServiceUnavailable",
    }
)


class NotAnswered(OperationalError):
    """SQS said 200, and not that it has the message."""


def is_passing(error: Exception) -> bool:
    """True when the same request may well succeed later: no answer, half an answer, a 5xx, a request to slow down.

    Examples:
        >>> is_passing(TimeoutError())
        True
        >>> is_passing(ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage"))
        False
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= _SERVER_ERROR or status == _TOO_MANY or error.response["Error"].get("Code") in PASSING
    return not isinstance(error, ParamValidationError)


def pause_before_next(what: str, url: str, attempt: int, why: object) -> None:
    """One line in the log, and the pause after failed attempt number ``attempt``."""
    log.warning("SQS %s to %s failed, will try again: %s", what, url, why)
    time.sleep(pause_s(attempt, longest_s=LONGEST_PAUSE_S))


class PatientSender:
    """Takes the place of boto3's client while one message is sent."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send_message(self, **request: Any) -> Any:
        """Until SQS names the message's id; an answer that was lost may mean that the message is queued twice."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._send_once(request)
            except Exception as error:
                # BotoCoreError, ClientError, and ResponseParserError, which derives from Exception alone.
                if attempt == ATTEMPTS or not is_passing(error):
                    raise
                pause_before_next("SendMessage", request["QueueUrl"], attempt, repr(error))
        raise AssertionError(ATTEMPTS)

    def _send_once(self, request: dict[str, Any]) -> Any:
        answer = self._client.send_message(**request)
        if not answer.get("MessageId"):
            raise NotAnswered("SQS's answer does not name the message")
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
