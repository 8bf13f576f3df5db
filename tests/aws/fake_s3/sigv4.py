"""Signature Version 4 checked from the request alone, after AWS's description, sharing nothing with botocore.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from tests.aws.fake_s3.faults import Refuse

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<access>[^/]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/s3/aws4_request,"
    r" ?SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
#: AWS takes requests whose time is off by at most a quarter of an hour.
_SKEW_S = 900


def refusal(  # noqa: PLR0911 (one for each reason)
    method: str,
    target: str,
    headers: Mapping[str, str],
    *,
    region: str,
    keys: Mapping[str, tuple[str, str | None]],
    expired: set[str],
    now: float,
) -> Refuse | None:
    """Why the request's signature is refused; None when it is good. ``headers`` by lower-case name.

    ``keys`` has secret and session token by access key; ``expired`` names access keys whose time is over.
    """
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        return Refuse(400, "AuthorizationHeaderMalformed", headers.get("authorization", "none"))
    if found["access"] not in keys:
        return Refuse(403, "InvalidAccessKeyId")
    secret, token = keys[found["access"]]
    if found["access"] in expired:
        return Refuse(400, "ExpiredToken")
    if headers.get("x-amz-security-token") != token:
        return Refuse(400, "InvalidToken")
    if found["region"] != region:
        return Refuse(400, "AuthorizationHeaderMalformed", "wrong region", elements=f"<Region>{region}</Region>")
    date = headers["x-amz-date"]
    sent = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    if abs(sent - now) > _SKEW_S:
        server_time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Refuse(403, "RequestTimeTooSkewed", elements=f"<ServerTime>{server_time}</ServerTime>")
    signed = found["signed"].split(";")
    unsigned = {name for name in headers if name == "host" or name.startswith("x-amz-")} - set(signed)
    if unsigned or found["day"] != date[:8] or signed != sorted(signed):
        return Refuse(
            403, "AccessDenied", f"There were headers present in the request which were not signed {unsigned}"
        )
    expected = _signature(secret, method, target, headers, signed, date=date, region=region)
    return None if hmac.compare_digest(expected, found["signature"]) else Refuse(403, "SignatureDoesNotMatch")


def _signature(
    secret: str, method: str, target: str, headers: Mapping[str, str], signed: list[str], *, date: str, region: str
) -> str:
    path, _, query = target.partition("?")
    pairs = sorted(
        (_encode(name), _encode(value)) for name, _, value in (p.partition("=") for p in query.split("&") if p)
    )
    canonical = "\n".join(
        [
            method,
            _encode(path, safe="/"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(headers[name].split())}" for name in signed),
            "",
            ";".join(signed),
            headers["x-amz-content-sha256"],
        ]
    )
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def _encode(text: str, safe: str = "") -> str:
    """AWS's UriEncode of what the client meant, whatever it encoded itself."""
    return quote(unquote_to_bytes(text), safe=safe + "-_.~")
