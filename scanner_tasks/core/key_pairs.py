"""Access key ids with the secrets that stand beside them: which belong together, and nothing that could be printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.redact import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

_ID, _SECRET, _TOKEN = "aws.access_key_id", "aws.secret_access_key", "aws.session_token"
#: Code points between an id and its secret, at most.
NEAR: Final = 1000
_TEMPORARY: Final = "ASIA"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyPair:
    """An access key: its id, its secret, and the token of a temporary one."""

    access_key_id: str
    secret: Secret
    token: Secret | None = None
    #: Where the id stands, from 1.
    line: int = 0


def pairs_of(text: str, found: Iterable[tuple[str, int, int, int]]) -> list[KeyPair]:
    """Each id with the secret nearest to it, at most NEAR away; ids without one are left out.

    ``found``: rule, start, end (code points) and line. A temporary key without a token is left out: AWS would refuse it
    whether it is live or not.

    Examples:
        >>> text = "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        >>> pairs_of(text, [("aws.access_key_id", 0, 20, 1), ("aws.secret_access_key", 21, 61, 1)])
        [KeyPair(access_key_id='AKIAIOSFODNN7EXAMPLE', secret=Secret(‹40 chars›), token=None, line=1)]
    """
    places = list(found)
    secrets = [(start, end) for rule, start, end, _ in places if rule == _SECRET]
    tokens = [(start, end) for rule, start, end, _ in places if rule == _TOKEN]
    told = []
    for rule, start, end, line in places:
        if rule != _ID:
            continue
        secret, token = _nearest(start, end, secrets), _nearest(start, end, tokens)
        is_temporary = text[start:end].startswith(_TEMPORARY)
        if secret is None or (is_temporary and token is None):
            continue
        told.append(
            KeyPair(
                access_key_id=text[start:end],
                secret=Secret(text[slice(*secret)].replace("\\/", "/")),
                token=Secret(text[slice(*token)].replace("\\/", "/")) if is_temporary and token else None,
                line=line,
            )
        )
    return told


def _nearest(start: int, end: int, places: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    def distance(place: tuple[int, int]) -> int:
        return max(place[0] - end, start - place[1], 0)

    near = [place for place in places if distance(place) <= NEAR]
    return min(near, key=distance, default=None)
