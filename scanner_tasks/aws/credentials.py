"""Credentials that are looked up anew when S3 says that they have expired, and those of another account's role.

Both S3 backends sign with these: botocore's own objects live as long as their client, and cannot be told that S3
refused them.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import botocore.credentials
import botocore.session
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

from scanner_tasks.aws.faults import AWS_ERRORS, RoleRefused, error_code, is_denied

if TYPE_CHECKING:
    from collections.abc import Callable

#: A second renewal within so many seconds is another thread's that met the same expired credentials.
_RENEWED_S = 10.0
#: What AssumeRole grants to a role that itself was assumed (role chaining), as a task's is: an hour at most.
_ROLE_S = 3600
_SESSION_NAME = "s3scan"


class Credentials(botocore.credentials.Credentials):  # type: ignore[misc]
    """What botocore takes for credentials, looked up when first used; safe to share between threads.

    Args:
        look_up: gives botocore's credentials (refreshable ones refresh themselves), or None when there are none.
        clock: seconds that only go forward.
    """

    def __init__(
        self, look_up: Callable[[], Any], *, method: str = "s3scan", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.method = method
        self._look_up = look_up
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Any = None
        self._renewed_at = -_RENEWED_S

    def get_frozen_credentials(self) -> Any:
        """Access key, secret key and token that belong together; raises NoCredentialsError or what the look-up does."""
        found = self._found
        if found is None:
            with self._lock:
                if self._found is None:
                    self._found = self._look_up()
                found = self._found
            if found is None:
                raise NoCredentialsError
        return found.get_frozen_credentials()

    def renew(self) -> None:
        """Look them up anew at the next use; of many threads that ask at a time, only the first has an effect."""
        with self._lock:
            if self._clock() - self._renewed_at >= _RENEWED_S:
                self._found, self._renewed_at = None, self._clock()

    @property
    def access_key(self) -> str:
        """As of now."""
        return str(self.get_frozen_credentials().access_key)

    @property
    def secret_key(self) -> str:
        """As of now."""
        return str(self.get_frozen_credentials().secret_key)

    @property
    def token(self) -> str | None:
        """As of now."""
        token: str | None = self.get_frozen_credentials().token
        return token


def own(profile: str | None = None) -> Credentials:
    """The process's: environment, shared files, container, instance, as boto3 finds them; or a profile's."""

    def look_up() -> Any:
        session = botocore.session.Session(profile=profile) if profile else botocore.session.get_session()
        return session.get_credentials()

    return Credentials(look_up)


def assumed(role_arn: str, *, external_id: str | None, sts: Callable[[], Any]) -> Credentials:
    """Those of a role, assumed for an hour at a time; ``sts`` gives a boto3 client with the process's credentials.

    Using them raises RoleRefused, or CredentialRetrievalError when STS cannot be reached.
    """

    def assume() -> dict[str, str]:
        more = {"ExternalId": external_id} if external_id else {}
        try:
            answer = sts().assume_role(RoleArn=role_arn, RoleSessionName=_SESSION_NAME, DurationSeconds=_ROLE_S, **more)
        except AWS_ERRORS as error:
            if is_denied(error):
                raise RoleRefused(role_arn=role_arn) from error
            raise CredentialRetrievalError(provider="sts", error_msg=error_code(error)) from error
        given = answer["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    return Credentials(
        lambda: botocore.credentials.DeferredRefreshableCredentials(refresh_using=assume, method="sts-assume-role")
    )


class Provider(botocore.credentials.CredentialProvider):  # type: ignore[misc]
    """Hands ``credentials`` to a botocore session as the only ones."""

    METHOD = "s3scan"

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        """The credentials."""
        return self._credentials
