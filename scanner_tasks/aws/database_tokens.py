"""Passwords for RDS that expire: IAM tokens, signed here without asking anybody."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from scanner_tasks.aws.clients import make_client

if TYPE_CHECKING:
    from collections.abc import Callable

#: RDS takes a token for 15 minutes after it was signed; a connection that it opened lives on.
TOKEN_VALID_S = 900.0
_RENEW_AFTER_S = 600.0


class Signer(Protocol):
    """Signs a token for one user of one server, valid for TOKEN_VALID_S from now."""

    def __call__(self, *, host: str, port: int, user: str) -> str:
        """The token: ``host:port/?Action=connect&DBUser=user&…``."""
        ...  # pragma: no cover


def rds_signer(region: str) -> Signer:
    """Signs with the process's AWS credentials; no request is made but for the credentials themselves."""
    client: Any = make_client("rds", region=region)

    def sign(*, host: str, port: int, user: str) -> str:
        return str(client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user, Region=region))

    return sign


class DatabaseTokens:
    """Gives a token that is valid for five minutes at least; a new one is signed every ten."""

    def __init__(
        self, sign: Signer, *, host: str, port: int, user: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sign = sign
        self._about = {"host": host, "port": port, "user": user}
        self._clock = clock
        self._lock = threading.Lock()
        self._token: tuple[str, float] | None = None

    def __call__(self) -> str:
        """The token for a connection that is opened now."""
        with self._lock:
            if self._token is None or self._clock() - self._token[1] >= _RENEW_AFTER_S:
                signed_at = self._clock()
                self._token = (self._sign(**self._about), signed_at)  # type: ignore[arg-type]
            return self._token[0]

    def __repr__(self) -> str:
        return f"DatabaseTokens({self._about['host']}:{self._about['port']})"
