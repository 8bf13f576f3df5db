"""Does AWS accept an access key? STS GetCallerIdentity, which needs no permission and changes nothing.

The secret is in memory alone: it goes into the signature of one request, and into nothing that is returned, logged or
raised. Whoever owns the key sees the call in CloudTrail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import botocore.credentials

from scanner_tasks.aws.clients import make_signing_client
from scanner_tasks.aws.credentials import Credentials
from scanner_tasks.aws.faults import AWS_ERRORS, error_code

if TYPE_CHECKING:
    from scanner_tasks.core.key_pairs import KeyPair

State: TypeAlias = Literal["live", "dead", "unknown"]

#: STS's words for a key that is not there, is turned off or has ended, or whose secret is another.
_DEAD: Final = frozenset({"InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidAccessKeyId"})
_ARN: Final = re.compile(r"arn:[^:]+:(?:iam|sts)::\d*:(root|user|assumed-role|federated-user)\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyCheck:
    """What AWS says of a pair."""

    state: State
    #: Its account, when it is live.
    account: str | None = None
    #: root, user, assumed-role or federated-user, when it is live; the name itself is not kept.
    arn_type: str | None = None
    #: AWS's word, or the network's, when it is not.
    reason: str | None = None


def _signed_with(pair: KeyPair) -> Any:
    token = pair.token.reveal() if pair.token else None
    return botocore.credentials.Credentials(pair.access_key_id, pair.secret.reveal(), token)


def check_key(pair: KeyPair, *, region: str, endpoint_url: str | None) -> KeyCheck:
    """Ask once; a fault on the way is ``unknown``."""
    client = make_signing_client(
        "sts",
        region=region,
        endpoint_url=endpoint_url,
        credentials=Credentials(lambda: _signed_with(pair)),
        pool_size=1,
        attempts=1,
    )
    try:
        answer: dict[str, Any] = client.get_caller_identity()
    except AWS_ERRORS as error:
        code = error_code(error)
        return KeyCheck(state="dead" if code in _DEAD else "unknown", reason=code)
    finally:
        client.close()
    found = _ARN.match(str(answer.get("Arn", "")))
    return KeyCheck(state="live", account=str(answer["Account"]), arn_type=found[1] if found else None)
