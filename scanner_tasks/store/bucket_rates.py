"""How many requests a second a bucket gets from all workers together.

One row for a bucket that has a cap or was asked to slow down; every other bucket costs nothing but a look now and then.
Granting is one short UPDATE for many requests, so it is safe behind a pooler and cheap: at 100 requests a second, one
statement a second for the whole fleet.

    Cap 50/s. Worker A asks for 50 requests at 12:00:00 and gets the second from :00 to :01. B asks at :00.2 and gets
    the second from :01 to :02. Neither knows of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: S3 serves at least so many GETs a second for a prefix (S3 User Guide, "Best practices design patterns"): a rate
#: that has come back to it is none.
S3_PER_S = 5500.0
#: The rate that S3's request to slow down leaves doubles in so many seconds without another.
DOUBLES_IN_S = 30.0
#: What a bucket whose rate nobody has measured is taken to get, and the least that slowing down leaves.
UNMEASURED_PER_S, LEAST_PER_S = 100.0, 5.0
#: Workers that were refused within so many seconds tell of the same trouble.
SAME_TROUBLE_S = 2.0
#: Objects of a batch, for the rate that settle measures in batches.
_OBJECTS_A_BATCH = 100


def _slow(row: str) -> str:
    """What S3 has asked for, by now, in SQL; null when that is over."""
    doubled = f"power(2, least(60, extract(epoch from now() - {row}.slowed_at) / :doubles_in_s))"
    return f"nullif(least({row}.slow_per_s * {doubled}, :s3_per_s), :s3_per_s)"


def _rate(row: str) -> str:
    """Requests a second now, in SQL; null: as fast as may be."""
    return f"least({row}.max_per_s, {_slow(row)})"


_CONSTANTS = {"doubles_in_s": DOUBLES_IN_S, "s3_per_s": S3_PER_S}


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketRate:
    """A bucket's cap and what it gets now."""

    bucket: str
    max_per_s: float | None
    now_per_s: float | None


def set_cap(connection: Connection, bucket: str, per_s: float | None) -> None:
    """Give the bucket this cap, or none; it is in force within seconds."""
    execute(
        connection,
        """
        insert into bucket_rates (bucket, max_per_s) values (:bucket, :per_s)
        on conflict (bucket) do update set max_per_s = excluded.max_per_s
        """,
        bucket=bucket,
        per_s=per_s,
    )


def slow_down(connection: Connection, bucket: str) -> None:
    """S3 refused a request: the fleet gets half of what it had, unless somebody has just told so."""
    execute(
        connection,
        f"""
        insert into bucket_rates (bucket, slow_per_s, slowed_at)
        select :bucket, greatest(:least, coalesce((
            select greatest(:unmeasured, b.batches_per_s * :objects) from buckets b where b.bucket = :bucket
          ), :unmeasured) / 2), now()
        on conflict (bucket) do update set slowed_at = now(),
          slow_per_s = greatest(:least, coalesce({_rate("bucket_rates")}, 2 * excluded.slow_per_s) / 2)
        where bucket_rates.slowed_at is null or bucket_rates.slowed_at < now() - make_interval(secs => :same_trouble_s)
        """,
        bucket=bucket,
        least=LEAST_PER_S,
        unmeasured=UNMEASURED_PER_S,
        objects=_OBJECTS_A_BATCH,
        same_trouble_s=SAME_TROUBLE_S,
        **_CONSTANTS,
    )


def rate_of(connection: Connection, bucket: str) -> float | None:
    """Requests a second that the fleet may send to the bucket now; None: as fast as may be."""
    rate = execute(
        connection,
        f"select {_rate('r')} as rate from bucket_rates r where bucket = :bucket",
        bucket=bucket,
        **_CONSTANTS,
    ).scalar()
    return None if rate is None else float(rate)


def grant(connection: Connection, bucket: str, *, requests: int) -> tuple[float, float] | None:
    """Take so many requests: seconds until the first may be sent, and requests a second from then on.

    None when the bucket has no rate any more. What was granted and not used is lost, so ask for little.
    """
    row = execute(
        connection,
        f"""
        with rated as (
          select bucket, {_rate("r")} as rate from bucket_rates r where bucket = :bucket
        )
        update bucket_rates b set next_at = greatest(b.next_at, now()) + make_interval(secs => :requests / r.rate)
        from rated r where b.bucket = r.bucket and r.rate is not null
        returning extract(epoch from b.next_at - clock_timestamp()) - :requests / r.rate as starts_in_s, r.rate
        """,
        bucket=bucket,
        requests=float(requests),
        **_CONSTANTS,
    ).first()
    return None if row is None else (max(0.0, float(row.starts_in_s)), float(row.rate))


def list_rates(connection: Connection) -> tuple[BucketRate, ...]:
    """Every bucket that has a cap, or is slowed down now."""
    rows = execute(
        connection,
        f"""
        select bucket, max_per_s, {_rate("r")} as now_per_s from bucket_rates r
        where max_per_s is not null or {_slow("r")} is not null order by bucket
        """,
        **_CONSTANTS,
    )
    return tuple(BucketRate(bucket=row.bucket, max_per_s=row.max_per_s, now_per_s=row.now_per_s) for row in rows)
