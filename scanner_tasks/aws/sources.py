"""Readers of S3, one for each way in which jobs reach their buckets: made once, kept while they are used."""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

from scanner_tasks.aws import credentials
from scanner_tasks.aws.account import Account, account_blocks_of
from scanner_tasks.aws.boto3_requests import Boto3Requests
from scanner_tasks.aws.brakes import Brakes, Pace
from scanner_tasks.aws.clients import make_client, make_s3_client, make_signing_client
from scanner_tasks.aws.faults import Backoff
from scanner_tasks.aws.lean.addresses import Addresses
from scanner_tasks.aws.lean.pools import Pools, proxy_of
from scanner_tasks.aws.lean.requests import LeanRequests
from scanner_tasks.aws.lean.signer import Signer
from scanner_tasks.aws.objects import MIN_BYTES_PER_S, SLOW_S, ObjectReader
from scanner_tasks.aws.refused import RefusedRequests
from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.access_rules import check_access
from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner_tasks.aws.s3_requests import S3Requests

#: Readers kept beside the deployment's own; the one that was longest unused goes first.
_KEPT = 32

Backend = Literal["lean", "boto3"]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """How this deployment reaches S3.

    ``ObjectReader.through`` of what ``own`` gives makes the others.
    """

    backend: Backend
    region: str
    #: Endpoint of every AWS service (the emulator); None for AWS.
    aws_endpoint_url: str | None = None
    #: Endpoint of the deployment's own S3, where it is another one.
    s3_endpoint_url: str | None = None
    #: Profile of the shared credentials files by the endpoint that jobs may name; "" is the process's own credentials.
    profiles: Mapping[str, str] = field(default_factory=dict)
    #: Roles that jobs may name, ``*`` for any text; None leaves it to whoever asks, endpoints too.
    roles: Sequence[str] | None = None
    #: Connections kept for each host.
    pool_size: int = 25
    connect_timeout_s: float = 5.0
    read_timeout_s: float = SLOW_S
    min_bytes_per_s: int = MIN_BYTES_PER_S
    backoff: Backoff = field(default_factory=Backoff)
    #: The pace of the whole fleet; None: this process is alone.
    pace: Pace | None = None

    def own(self) -> ObjectReader:
        """The reader of the deployment's own buckets."""
        for library in ("botocore", "urllib3"):  # their debug lines hold keys
            logging.getLogger(library).setLevel(logging.INFO)
        backoff = self.backoff
        brakes = Brakes(base_s=backoff.slow_down_base_s, cap_s=backoff.cap_s, chance=backoff.chance, fleet=self.pace)
        return self._reader(OWN, brakes, _Kept(self, brakes))

    def _reader(self, access: Access, brakes: Brakes, kept: _Kept) -> ObjectReader:
        return ObjectReader(
            self._allowed(access),
            backoff=self.backoff,
            brakes=brakes,
            slow_s=self.read_timeout_s,
            min_bytes_per_s=self.min_bytes_per_s,
            reach=kept.reader,
            account=cache(lambda: self._account(access)),
        )

    def _account(self, access: Access) -> Account:
        """The account behind an access; raises InvalidInput for one that is nobody's."""
        if access.anonymous:
            raise InvalidInput("anonymous: an unsigned request has no account; leave it out, or name the bucket.")
        endpoint_url = access.endpoint_url or self.s3_endpoint_url or self.aws_endpoint_url
        region, credentials = access.region or self.region, self._credentials(access)
        make = partial(make_signing_client, region=region, credentials=credentials, pool_size=self.pool_size)
        # Once: a bucket of a Region that is out of reach is waited for as it is, and trouble is told, not hidden.
        client = make("s3", endpoint_url=endpoint_url, attempts=1)
        if access.endpoint_url or self.s3_endpoint_url:  # another store
            return Account(client)
        metrics = cache(partial(make, "cloudwatch", endpoint_url=self.aws_endpoint_url))
        if endpoint_url:  # the emulator has no account of AWS
            return Account(client, metrics=metrics)
        return Account(
            client,
            metrics=metrics,
            account_blocks=lambda: account_blocks_of(
                make("sts", endpoint_url=None), make("s3control", endpoint_url=None, attempts=1)
            ),
        )

    def _allowed(self, access: Access) -> S3Requests:
        if self.roles is not None and access != OWN:
            try:
                check_access(access, endpoints=self.profiles, roles=self.roles)
            except InvalidInput as error:
                return RefusedRequests(str(error))
        return self.requests(access)

    def requests(self, access: Access) -> S3Requests:
        """The backend's requests for an access; raises InvalidInput when a proxy would rewrite keys."""
        endpoint_url = access.endpoint_url or self.s3_endpoint_url or self.aws_endpoint_url
        if endpoint_url:
            proxy_of(endpoint_url)
        region = access.region or self.region
        signing = None if access.anonymous else self._credentials(access)
        if self.backend == "boto3":
            client = make_s3_client(
                region=region,
                endpoint_url=endpoint_url,
                pool_size=self.pool_size,
                connect_timeout_s=self.connect_timeout_s,
                read_timeout_s=self.read_timeout_s,
                credentials=signing,
                anonymous=access.anonymous,
            )
            return Boto3Requests(client, credentials=signing, requester_pays=access.requester_pays)
        _refuse_variants()
        return LeanRequests(
            addresses=Addresses(region=region, endpoint_url=endpoint_url),
            pools=Pools(
                pool_size=self.pool_size,
                connect_timeout_s=self.connect_timeout_s,
                read_timeout_s=self.read_timeout_s,
            ),
            signer=Signer(),
            credentials=signing,
            requester_pays=access.requester_pays,
        )

    def _credentials(self, access: Access) -> credentials.Credentials:
        if access.role_arn is None:
            return credentials.own(self.profiles.get(access.endpoint_url or "") or None)
        return credentials.assumed(
            access.role_arn,
            external_id=access.external_id,
            sts=lambda: make_client("sts", region=self.region, endpoint_url=self.aws_endpoint_url, pool_size=1),
        )


def _refuse_variants() -> None:
    """Endpoints that the lean backend does not know must not be passed over in silence."""
    for name in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
        if os.environ.get(name, "").lower() == "true":
            raise InvalidInput(f"{name} needs S3SCAN_S3_BACKEND=boto3: the lean backend knows AWS's plain hosts only.")


class _Kept:
    """The readers made so far; safe to share between threads."""

    def __init__(self, sources: Sources, brakes: Brakes) -> None:
        self._sources = sources
        self._brakes = brakes
        self._lock = threading.Lock()
        self._readers: OrderedDict[Access, ObjectReader] = OrderedDict()

    def reader(self, access: Access) -> ObjectReader:
        with self._lock:
            if access not in self._readers:
                self._readers[access] = self._sources._reader(access, self._brakes, self)  # noqa: SLF001 (they are one)
                if len(self._readers) > _KEPT:
                    self._readers.popitem(last=False)
            self._readers.move_to_end(access)
            return self._readers[access]
