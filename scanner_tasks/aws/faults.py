"""What an AWS error means for us: worth another try, a missing permission, or something of its own.

Errors of boto3 stop at this package: what leaves it is of our own tree (``core.errors``).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import urllib3.exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ResponseStreamingError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from scanner_tasks.core.errors import Denied, Unavailable

#: Everything that a call or the reading of a body can raise.
AWS_ERRORS = (ClientError, BotoCoreError, urllib3.exceptions.HTTPError, OSError)

#: "Slow down" in the words of the several services.
SLOW_DOWN = frozenset(
    {
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "OverLimit",
        "KmsThrottled",
        "ServiceUnavailable",
        "503",
        "429",
    }
)
#: A store that lacks an operation lacks it at the next try too.
_NOT_IMPLEMENTED = 501
_TRANSIENT = SLOW_DOWN | {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "OperationAborted",
}
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "403"})
#: Our credentials, not the permissions of a resource: no object's own fault, so a matter for another try later.
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidToken",
        "TokenRefreshRequired",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "RequestTimeTooSkewed",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
    }
)
_NETWORK = (
    HTTPClientError,
    BotoConnectionError,
    ResponseStreamingError,
    IncompleteReadError,
    urllib3.exceptions.HTTPError,
    OSError,
)


#: These are refused because of their age: new ones will do.
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"})


class TooSlow(BotoCoreError):  # type: ignore[misc]
    """A body dripped: so few bytes in so many seconds that another connection is tried."""

    fmt = "The body came too slowly: {size} bytes in {seconds:.0f} s."


class RoleRefused(BotoCoreError):  # type: ignore[misc]
    """STS does not let us assume the role of a job."""

    fmt = (
        "Not allowed to assume the role {role_arn}: its trust policy must name the scanner's role (and the external id"
        " of the request), and the scanner's role needs sts:AssumeRole on it."
    )


def error_code(error: BaseException) -> str:
    """AWS's error code, or the exception's name."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def http_status(error: BaseException) -> int:
    """The HTTP status of an answer that is an error; 0 when there was no answer."""
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return 0


def is_transient(error: BaseException) -> bool:
    """True when the same call may well succeed later: a cut, a timeout, a 5xx, a request to slow down."""
    if isinstance(error, ClientError):
        if http_status(error) == _NOT_IMPLEMENTED:
            return False
        return error_code(error) in _TRANSIENT or http_status(error) >= 500  # noqa: PLR2004
    return isinstance(error, (*_NETWORK, TooSlow))


def is_denied(error: BaseException) -> bool:
    """True when a permission is missing."""
    return error_code(error) in _DENIED


def is_expired(error: BaseException) -> bool:
    """True when credentials looked up anew may well be taken."""
    return error_code(error) in _EXPIRED


def is_credentials(error: BaseException) -> bool:
    """True when the credentials themselves are missing, expired or wrong."""
    return error_code(error) in _CREDENTIALS or isinstance(
        error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
    )


def service_error(error: BaseException, *, doing: str, permission: str) -> Denied | Unavailable:
    """The error of ours for a failed call on a service: Denied with the permission that is missing, or Unavailable.

    Args:
        error: what the client raised.
        doing: what was asked, for the message: "send to the queue scan-0".
        permission: IAM action that the call needs.
    """
    code = error_code(error)
    if isinstance(error, RoleRefused):
        return Denied(str(error))
    if is_credentials(error):
        return Unavailable(f"Could not {doing}: the credentials are missing, expired or wrong ({code}).")
    if is_denied(error):
        return Denied(f"Not allowed to {doing}: the role needs {permission}.")
    return Unavailable(f"Could not {doing}: {code}. Try again later.")


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How long to wait before another try: full jitter under a doubling ceiling.

    ``sleep`` and ``chance`` are arguments so that tests neither wait nor depend on chance.
    """

    #: Tries in a row without any progress before giving up.
    attempts: int = 6
    base_s: float = 0.1
    #: Ceiling of the first wait when the service asks to slow down.
    slow_down_base_s: float = 1.0
    cap_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    #: A number in [0, 1).
    chance: Callable[[], float] = random.random

    def delay_s(self, failures: int, *, slow_down: bool = False) -> float:
        """Seconds to wait after so many failures in a row.

        Examples:
            >>> [Backoff(chance=lambda: 1.0).delay_s(n) for n in (1, 2, 3)]
            [0.1, 0.2, 0.4]
            >>> Backoff(chance=lambda: 0.5).delay_s(2, slow_down=True)
            1.0
        """
        ceiling = (self.slow_down_base_s if slow_down else self.base_s) * 2.0 ** (failures - 1)
        return self.chance() * min(self.cap_s, ceiling)

    def wait(self, failures: int, error: BaseException | None = None) -> None:
        """Sleep before the next try."""
        self.sleep(self.delay_s(failures, slow_down=error is not None and error_code(error) in SLOW_DOWN))
