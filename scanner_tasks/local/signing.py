"""Signs requests to the deployed API as its IAM auth wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SERVICE = "execute-api"


def signer(
    region: str, *, session: boto3.Session | None = None
) -> Callable[[str, str, bytes | None], Mapping[str, str]]:
    """Gives the headers that sign a request (method, URL, body) with this process's AWS credentials.

    Raises InvalidInput where there are none. Credentials that expire are renewed by botocore.
    """
    credentials = (session or boto3.Session()).get_credentials()
    if credentials is None:
        raise InvalidInput(
            "There are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )

    def sign(method: str, url: str, body: bytes | None) -> Mapping[str, str]:
        request = AWSRequest(method=method, url=url, data=body or b"")
        SigV4Auth(credentials.get_frozen_credentials(), SERVICE, region).add_auth(request)
        return dict(request.headers)

    return sign
