"""What a scan would cost: list as the job would, read nothing, and reckon."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.errors import InvalidInput, ScannerError
from scanner_tasks.core.estimate import Estimate, estimate, monthly_floor
from scanner_tasks.core.names import check_bucket, check_key
from scanner_tasks.core.prices import PRICES_AS_OF, REGION
from scanner_tasks.core.rights import Permission
from scanner_tasks.core.selection import EVERYTHING, Selection
from scanner_tasks.core.workload import Sum, Workload
from scanner_tasks.flow.start_job import allowed_access
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scanner_tasks.core.model import ObjectRef
    from scanner_tasks.core.ports import Account, Objects
    from scanner_tasks.core.selection import Versions
    from scanner_tasks.flow.parts import Api

log = get_logger()

#: Prefixes that a shape names, the largest first.
_PREFIXES_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimated:
    """An estimate with what it rests on."""

    bucket: str
    prefix: str
    selection: Selection
    work: Workload
    #: True when every object was listed that the job would list; else the part in front, as it stands or scaled.
    is_complete: bool
    #: Objects that were listed.
    listed: int
    #: How many times the listed part is taken, by what S3's own metrics count; None when they tell nothing.
    scaled_by: float | None
    estimate: Estimate
    #: Dollars a month of the deployment that scans nothing.
    floor: Mapping[str, float]
    #: What the sum may lack, in words.
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the API gives it."""
        largest = sorted(self.work.prefixes.items(), key=lambda item: item[1].size_bytes, reverse=True)
        told = self.estimate.to_json()
        return told | {
            "bucket": self.bucket,
            "prefix": self.prefix,
            "selection": self.selection.to_json(),
            "basis": {
                "is_complete": self.is_complete,
                "listed_objects": self.listed,
                "scaled_by": self.scaled_by,
                "limit_reached": self.work.is_full,
            },
            "objects": {"total": self.work.total.objects, "scanned": self.work.total.scanned_objects},
            "bytes": {"total": self.work.total.size_bytes, "scanned": self.work.total.scanned_bytes},
            "outcomes": _sums(self.work.outcomes),
            "kinds": _sums(self.work.kinds),
            "prefixes": _sums(dict(largest[:_PREFIXES_SHOWN])),
            "storage_classes": _sums(self.work.storage_classes),
            "monthly_floor": {name: round(dollars, 2) for name, dollars in self.floor.items()},
            "monthly_floor_dollars": round(sum(self.floor.values()), 2),
            "prices_as_of": PRICES_AS_OF,
            "prices_region": REGION,
            "remarks": list(self.remarks),
        }


def _sums(sums: Mapping[str, Sum]) -> dict[str, dict[str, int]]:
    ordered = sorted(sums.items(), key=lambda item: item[1].size_bytes, reverse=True)
    return {name: asdict(one) for name, one in ordered}


def estimate_scan(
    bucket: str,
    prefix: str = "",
    *,
    access: Access = OWN,
    selection: Selection = EVERYTHING,
    most_s: float | None = None,
    most_objects: int | None = None,
    listed: Callable[[int], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    using: Api,
) -> Estimated:
    """List the bucket, or as much of it as time and number allow, and reckon what a job with this selection costs.

    No object is read. Where the listing is cut short in a whole bucket, S3's daily metrics tell how many objects there
    are, and the part in front stands for the rest; without them the figures are what was listed, and say so.

    Args:
        bucket: its name; pattern and tags are not taken.
        prefix: as in ``start_job``.
        access: how it is reached.
        selection: which objects would be scanned.
        most_s: seconds after which listing ends; None lists all.
        most_objects: objects after which it ends.
        listed: told how many objects are listed, after each page.
        clock: seconds that only go forward.
        using: what lists.

    Raises:
        InvalidInput, BucketNotFound, Denied, NotAllowed, Unavailable.
    """
    check_bucket(bucket)
    check_key(prefix, "prefix")
    using.caller.require(Permission.SCAN, bucket)
    settings = using.settings
    objects = using.objects.through(allowed_access(access, using=using))
    work, began, is_complete = Workload(), clock(), False
    for refs, is_last in _pages(objects, bucket, prefix, selection.versions):
        work.add_page(refs, selection, settings.policy, below=prefix, range_bytes=settings.range_bytes)
        if listed:
            listed(work.total.objects)
        if is_last or work.is_full:
            is_complete = True
            break
        if most_s is not None and clock() - began >= most_s:
            break
        if most_objects is not None and work.total.objects >= most_objects:
            break
    seen, scaled_by = work.total.objects, None
    account = _account(objects)
    if not is_complete and not prefix and selection.versions != "noncurrent":  # S3 counts these with all others
        scaled_by = _scale(account, bucket, seen)
    work = work.scaled(scaled_by) if scaled_by else work
    region = account.region(bucket) if account else ""
    posture = _encryption(account, bucket)
    is_elsewhere = bool(region) and region != settings.aws_region and access.endpoint_url is None
    told = estimate(
        work,
        settings.estimate_model,
        settings.price_list,
        is_other_region=is_elsewhere,
        has_kms=(posture or "").startswith("aws:kms"),
    )
    return Estimated(
        bucket=bucket,
        prefix=prefix,
        selection=selection,
        work=work,
        is_complete=is_complete,
        listed=seen,
        scaled_by=scaled_by,
        estimate=told,
        floor=_floor(using),
        remarks=_remarks(
            is_complete=is_complete,
            scaled_by=scaled_by,
            region=region,
            is_elsewhere=is_elsewhere,
            has_tags=bool(selection.tags),
        ),
    )


def _pages(
    objects: Objects, bucket: str, prefix: str, versions: Versions
) -> Iterator[tuple[tuple[ObjectRef, ...], bool]]:
    """Each page's objects, and whether it is the last."""
    cursor = marker = None
    while versions == "current":
        page = objects.list_page(bucket, prefix=prefix, start_after=cursor)
        yield page.objects, page.is_last
        cursor = page.objects[-1].key
    while True:
        told = objects.list_versions(bucket, prefix=prefix, after=marker)
        yield told.chosen(versions), told.marker is None
        marker = told.marker


def _account(objects: Any) -> Account | None:
    try:
        account: Account = objects.account()
    except InvalidInput:
        return None
    return account


def _scale(account: Account | None, bucket: str, seen: int) -> float | None:
    """How many times the listed part goes into the bucket; None when that is not known."""
    if account is None or seen == 0:
        return None
    try:
        there = account.object_count(bucket)
    except ScannerError:
        return None
    return there / seen if there and there > seen else None


def _encryption(account: Account | None, bucket: str) -> str | None:
    if account is None:
        return None
    try:
        return account.posture(bucket).encryption
    except ScannerError:
        log.info("encryption_not_known")
        return None


def _floor(using: Api) -> dict[str, float]:
    try:
        return monthly_floor(using.settings.deployment, using.settings.price_list)
    except KeyError as error:
        name = str(error.args[0])
        raise InvalidInput(f"S3SCAN_PRICES: give {name!r}, the price of the database in S3SCAN_DEPLOYMENT.") from None


def _remarks(
    *, is_complete: bool, scaled_by: float | None, region: str, is_elsewhere: bool, has_tags: bool
) -> tuple[str, ...]:
    told = []
    if not is_complete and scaled_by is None:
        told.append("Only the part in front was listed: the real figures are larger.")
    if scaled_by is not None:
        told.append(
            f"Only the part in front was listed, and taken {scaled_by:,.1f} times after S3's daily count of objects: "
            "what lies behind may be of another kind."
        )
    if has_tags:
        told.append(
            "A listing has no tags: the figures are those of a job in which every object's tags fit, so at most."
        )
    if is_elsewhere:
        told.append(f"The bucket is in {region}: its bytes cross Regions, which needs the NAT gateway.")
    if not region:
        told.append("The bucket's Region is not known: transfer between Regions is left out.")
    told.append("Compressed data is reckoned as listed; archives and columns cost more for each byte than text.")
    return tuple(told)
