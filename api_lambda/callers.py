"""Who asks: the IAM principal that API Gateway vouches for, the holder of a token, or somebody on this machine."""

from __future__ import annotations

import ipaddress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from api_lambda.problems import Misconfigured
from scanner_tasks import bootstrap
from scanner_tasks.core.errors import InvalidInput, Unauthenticated
from scanner_tasks.core.rights import Caller, everything

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner_tasks.core.rights_rules import Rights

_NOBODY = Caller(name="nobody")
#: Of the request that this thread answers; who is not known may do nothing.
current: ContextVar[Caller] = ContextVar("caller", default=_NOBODY)


def caller_of(event: Mapping[str, Any], headers: Mapping[str, str]) -> Caller:
    """The caller with his grants. Without a rights document whoever is let in may do all.

    Args:
        event: of an HTTP API, payload 2.0. ``authorizer.iam`` is there only where API Gateway checked a signature.
        headers: by lower-case name.

    Raises:
        Unauthenticated: when nothing says who asks.
    """
    rights = _rights()
    context = event.get("requestContext") or {}
    arn = ((context.get("authorizer") or {}).get("iam") or {}).get("userArn")
    if arn:
        return rights.caller(str(arn)) if rights else everything(str(arn), via="api")
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and rights:
        caller = rights.token_caller(token.strip())
        if caller is None:
            raise Unauthenticated("This token is not known: ask the operator for another.")
        return caller
    if rights is None and _is_here((context.get("http") or {}).get("sourceIp", "")):
        _refuse_other_sites(headers)
        return everything("local", via="api")
    raise Unauthenticated("Say who asks: sign the request (SigV4), or send Authorization: Bearer TOKEN.")


def _rights() -> Rights | None:
    try:
        return bootstrap.rights()
    except InvalidInput as error:
        raise Misconfigured from error


def _refuse_other_sites(headers: Mapping[str, str]) -> None:
    """A page of another site, open in this machine's browser, asks from this machine too."""
    named = [f"//{headers.get('host', '')}", *([headers["origin"]] if "origin" in headers else [])]
    if not all(_is_here(_host(one)) for one in named):
        raise Unauthenticated(
            "Requests from this machine must name it: http://127.0.0.1:PORT or http://localhost:PORT."
        )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_here(host: str) -> bool:
    """True for this machine's loopback addresses.

    Examples:
        >>> [_is_here(host) for host in ("127.0.0.1", "::1", "localhost", "192.0.2.10", "127.0.0.1.evil.example", "")]
        [True, True, True, False, False, False]
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
