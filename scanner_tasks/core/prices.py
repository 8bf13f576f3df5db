"""Every price that an estimate reckons with, once: dollars, unit, where and when it was read.

US East (N. Virginia), Linux, list prices without free tiers, savings plans or taxes. AWS changes them and other Regions
cost more: S3SCAN_PRICES replaces any of them by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

#: When the table was last gone through.
PRICES_AS_OF: Final = "2026-11-23"
REGION: Final = "us-east-1"
GIB: Final = 1024**3
HOURS_A_MONTH: Final = 730.0


@dataclass(frozen=True, slots=True)
class Price:
    """One price."""

    name: str
    dollars: float
    unit: str
    #: Who told it, and when; "unread" marks what nobody has looked up for this table.
    source: str


_FARGATE = "vantage.sh/blog/fargate-pricing; cloudburn.io, 2026-04"
_S3 = "c3x.dev/blog/s3-request-fees-explained, 2026"
_RDS = "infratally.com aws-rds-pricing-explained-2026; usage.ai, 2026-06"
PRICES: Final = (
    Price("fargate_vcpu_hour", 0.04048, "vCPU-hour, x86-64", _FARGATE),
    Price("fargate_gb_hour", 0.004445, "GB-hour, x86-64", _FARGATE),
    Price("fargate_spot_vcpu_hour", 0.01334053, "vCPU-hour, x86-64; moves with demand", "tomgregory.com, 2020"),
    Price(
        "fargate_spot_gb_hour", 0.00146489, "GB-hour, x86-64; moves with demand", "tomgregory.com, 2020, in proportion"
    ),
    Price("s3_get_per_1000", 0.0004, "1,000 GET or HEAD, STANDARD", _S3),
    Price("s3_tagging_per_1000", 0.0004, "1,000 GetObjectTagging, one for each object where tags are asked", _S3),
    Price("s3_list_per_1000", 0.005, "1,000 LIST", _S3),
    Price("s3_ia_get_per_1000", 0.001, "1,000 GET, STANDARD_IA and ONEZONE_IA", _S3),
    Price("s3_ia_retrieval_gb", 0.01, "GB read, STANDARD_IA and ONEZONE_IA", _S3),
    Price("s3_gir_get_per_1000", 0.01, "1,000 GET, GLACIER_IR", _S3),
    Price("s3_gir_retrieval_gb", 0.03, "GB read, GLACIER_IR", _S3),
    Price("cross_region_gb", 0.02, "GB read from another Region", "unread"),
    Price("kms_per_10000", 0.03, "10,000 requests, where a bucket has SSE-KMS without a bucket key", "unread"),
    Price("sqs_per_million", 0.40, "1,000,000 requests", "cloudburn.io/blog/amazon-sqs-pricing, 2026-03"),
    Price("sqs_fair_per_million", 0.10, "1,000,000 requests with a message group, besides", "cloudburn.io, 2026-03"),
    Price("states_per_1000", 0.025, "1,000 state transitions, Standard", "AWS's quotas and pricing pages, 2026-10"),
    Price("lambda_gb_second", 0.0000166667, "GB-second, x86-64", "unread"),
    Price(
        "cloudtrail_per_100000",
        0.10,
        "100,000 data events, where a trail logs them",
        "aws.amazon.com/cloudtrail/pricing",
    ),
    Price("endpoint_hour", 0.01, "interface endpoint, hour and zone", "unread"),
    Price("nat_hour", 0.045, "NAT gateway, hour", "a stored copy of AWS's price list"),
    Price("rds_proxy_vcpu_hour", 0.015, "vCPU-hour of the database", "AWS's price list, USE1-RDS:ProxyUsage"),
    Price("rds_gb_month", 0.115, "GB-month, gp3", _RDS),
    Price("rds_hour_db.t3.medium", 0.072, "hour, PostgreSQL, one zone", "public price tables, 2025"),
    Price("rds_hour_db.t3.large", 0.145, "hour, PostgreSQL, one zone", "public price tables, 2025"),
    Price("rds_hour_db.t4g.medium", 0.065, "hour, PostgreSQL, one zone", _RDS),
    Price("rds_hour_db.r6g.large", 0.225, "hour, PostgreSQL, one zone", "public price tables, 2025"),
    Price("rds_hour_db.r6g.xlarge", 0.45, "hour, PostgreSQL, one zone", "twice db.r6g.large"),
    Price("secret_month", 0.40, "secret, month", "unread"),
    Price("kms_key_month", 1.00, "key, month", "unread"),
    Price("macie_gb", 1.00, "GB inspected, up to 50,000 GB a month", "aws.amazon.com/macie/pricing, 2026-10"),
    Price("macie_gb_above_50000", 0.50, "GB inspected, the next 450,000", "unread"),
    Price("macie_gb_above_500000", 0.25, "GB inspected, above", "unread"),
    Price("macie_bucket_month", 0.10, "bucket watched, month", "aws.amazon.com/macie/pricing, 2026-10"),
)
_BY_NAME: Final = {price.name: price for price in PRICES}


def price_list(changed: Mapping[str, float] | None = None) -> dict[str, float]:
    """Dollars by name, with the operator's own instead of ours; InvalidInput for a name that is none or below 0.

    Examples:
        >>> price_list({"macie_gb": 0.5})["macie_gb"], price_list()["sqs_per_million"]
        (0.5, 0.4)
    """
    for name, dollars in (changed or {}).items():
        is_database = name.startswith("rds_hour_db.")
        if name not in _BY_NAME and not is_database:
            raise InvalidInput(f"S3SCAN_PRICES: there is no price {name!r}; docs/settings.md lists them.")
        if dollars < 0:
            raise InvalidInput(f"S3SCAN_PRICES: {name} is below 0.")
    return {**{price.name: price.dollars for price in PRICES}, **(changed or {})}


def table() -> list[str]:
    """The prices as lines of a Markdown table."""
    lines = ["| Price | Dollars | For | Read at |", "|---|---|---|---|"]
    return lines + [f"| `{p.name}` | {p.dollars:.10g} | {p.unit} | {p.source} |" for p in PRICES]
