"""How a job reaches its bucket where the deployment's own way does not do: a role, an endpoint, a Region, who pays."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A Region becomes part of a host's name, so nothing else may pass.
REGION_PATTERN = r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """How to reach a bucket; all defaults mean as the deployment reaches its own."""

    #: Role to assume, perhaps of another account.
    role_arn: str | None = None
    #: What that role's trust policy asks for. Not a secret, but shown to nobody.
    external_id: str | None = None
    #: Another S3: MinIO, R2, …; buckets are then named in the path.
    endpoint_url: str | None = None
    #: The bucket's Region; without it the deployment's, and S3's redirects are followed.
    region: str | None = None
    #: We pay for requests and transfer of a requester-pays bucket.
    requester_pays: bool = False
    #: Requests are not signed: for public buckets.
    anonymous: bool = False

    @property
    def is_default(self) -> bool:
        """True when nothing is said."""
        return self == Access()

    def to_json(self) -> dict[str, Any]:
        """Only what is said, for the ledger.

        Examples:
            >>> Access(region="eu-west-1").to_json()
            {'region': 'eu-west-1'}
        """
        return {name: value for name, value in asdict(self).items() if value}

    def to_show(self) -> dict[str, Any]:
        """Every part but the external id.

        Examples:
            >>> Access(region="eu-west-1", external_id="ours").to_show()
            {'role_arn': None, 'endpoint_url': None, 'region': 'eu-west-1', 'requester_pays': False, 'anonymous': False}
        """
        return {name: value for name, value in asdict(self).items() if name != "external_id"}


#: As the deployment reaches its own buckets.
OWN = Access()
NAMES = tuple(field.name for field in fields(Access))


def from_json(told: Mapping[str, Any] | None) -> Access:
    """What ``to_json`` gave.

    Examples:
        >>> from_json({"anonymous": True}).anonymous, from_json(None) == OWN
        (True, True)
    """
    return Access(**(told or {}))
