"""What a workload costs: requests, minutes, dollars; and what stands there each month though nothing is scanned.

All arithmetic is here, all prices in core/prices.py, and what is assumed is a field: it can be checked by hand.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.prices import GIB, HOURS_A_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner_tasks.core.workload import Workload

#: Requests to SQS for a batch: a tenth of a SendMessageBatch; at most one receive, one delete and one event, as an idle
#: fleet has them (docs/celery-on-sqs.md): a busy one shares them among ten.
SQS_A_BATCH: Final = 3.1
#: State transitions of a Feed turn; its function's memory, which is one vCPU (terraform/modules/step_functions).
TRANSITIONS_A_TURN: Final = 3
FEED_GB: Final = 1769 / 1024
#: Seconds of that function for a page: 16 connections keep its processor busy, for 10 to 16 ms (docs/SCALING.md).
PAGE_S: Final = 0.02
_IA: Final = frozenset({"STANDARD_IA", "ONEZONE_IA"})
#: Storage classes whose objects cost something by the byte when they are read.
CHARGED_CLASSES: Final = _IA | {"GLACIER_IR"}
#: Macie's tiers, in GB a month.
_MACIE_TIERS: Final = (
    ("macie_gb", 50_000.0),
    ("macie_gb_above_50000", 450_000.0),
    ("macie_gb_above_500000", float("inf")),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What an estimate assumes of the workers; settings S3SCAN_ESTIMATE_… and the task's size."""

    #: vCPU seconds of an object besides its bytes, and bytes of listed size that one vCPU scans in a second.
    object_s: float
    bytes_per_s: float
    #: Size of a task.
    vcpu: float = 1.0
    memory_gb: float = 2.0
    #: Tasks for which the minutes are told.
    tasks: tuple[int, ...] = (1, 5, 20, 50)
    #: Seconds of a Feed turn.
    turn_s: float = 240.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Requests:
    """Requests that the workload takes."""

    list: int
    get: int
    #: GetObjectTagging.
    tagging: int
    sqs: int
    transitions: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Dollars are list prices; ``dollars`` and ``dollars_spot`` are sums of their parts."""

    #: What would be scanned.
    objects: int
    bytes: int
    requests: Requests
    #: vCPU seconds of all tasks together.
    cpu_s: float
    minutes_by_tasks: dict[int, float]
    #: By what they are for; "compute" is Fargate's price, and "compute_spot" stands beside it in no sum but the second.
    parts: dict[str, float]
    dollars: float
    dollars_spot: float
    #: Macie's price for the same bytes, its monitoring of buckets left out.
    macie_dollars: float
    #: Of requests to S3, where a trail logs data events of the bucket.
    cloudtrail_dollars: float
    assumptions: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the API and the ledger have it."""
        told = {name: _rounded(value) for name, value in asdict(self).items()}
        told["minutes_by_tasks"] = {str(tasks): minutes for tasks, minutes in told["minutes_by_tasks"].items()}
        return told


def _rounded(value: Any) -> Any:
    """Nine places: a billionth of a dollar, and of a second."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 9) if isinstance(value, float) else value


def estimate(
    work: Workload,
    model: Model,
    prices: Mapping[str, float],
    *,
    is_other_region: bool = False,
    has_kms: bool = False,
    cpu_s: float | None = None,
) -> Estimate:
    """What the workload costs under the model.

    Args:
        work: what would be scanned.
        model: rates and sizes.
        prices: as ``price_list`` gives them.
        is_other_region: the bucket's bytes cross Regions.
        has_kms: its objects are encrypted with KMS; reckoned without a bucket key, so at most.
        cpu_s: vCPU seconds that were measured; None takes the model's.
    """
    scanned = work.total
    # A text in ranges: its head once, and for each range head and body.
    gets = scanned.scanned_objects + 2 * work.ranges
    batches = work.batches + work.ranges
    turns = 1 + int(work.pages * PAGE_S / model.turn_s)
    requests = Requests(
        list=work.pages,
        get=gets,
        tagging=work.tagged,
        sqs=round(SQS_A_BATCH * batches),
        transitions=TRANSITIONS_A_TURN * turns,
    )
    data_events = requests.list + requests.get + requests.tagging
    if cpu_s is None:
        cpu_s = compute_s(scanned.scanned_objects, scanned.scanned_bytes, model)
    parts = {
        "compute": compute_dollars(cpu_s, model, prices),
        "compute_spot": compute_dollars(cpu_s, model, prices, kind="fargate_spot"),
        "s3_get": _get_dollars(work, gets, prices),
        "s3_tagging": work.tagged / 1000 * prices["s3_tagging_per_1000"],
        "s3_retrieval": _retrieval_dollars(work, prices),
        "s3_list": requests.list / 1000 * prices["s3_list_per_1000"],
        "sqs": requests.sqs / 1e6 * (prices["sqs_per_million"] + prices["sqs_fair_per_million"]),
        "listing": requests.transitions / 1000 * prices["states_per_1000"]
        + work.pages * PAGE_S * FEED_GB * prices["lambda_gb_second"],
        "cross_region": scanned.scanned_bytes / GIB * prices["cross_region_gb"] if is_other_region else 0.0,
        "kms": gets / 10_000 * prices["kms_per_10000"] if has_kms else 0.0,
    }
    besides = sum(dollars for name, dollars in parts.items() if not name.startswith("compute"))
    return Estimate(
        objects=scanned.scanned_objects,
        bytes=scanned.scanned_bytes,
        requests=requests,
        cpu_s=cpu_s,
        minutes_by_tasks={tasks: cpu_s / model.vcpu / tasks / 60 for tasks in model.tasks},
        parts=parts,
        dollars=besides + parts["compute"],
        dollars_spot=besides + parts["compute_spot"],
        macie_dollars=macie_dollars(scanned.scanned_bytes, prices),
        cloudtrail_dollars=data_events / 100_000 * prices["cloudtrail_per_100000"],
        assumptions={
            "object_s": model.object_s,
            "bytes_per_s": model.bytes_per_s,
            "vcpu": model.vcpu,
            "memory_gb": model.memory_gb,
        },
    )


def compute_s(objects: int, size_bytes: int, model: Model) -> float:
    """The vCPU seconds that scanning them takes."""
    return objects * model.object_s + size_bytes / model.bytes_per_s


def compute_dollars(cpu_s: float, model: Model, prices: Mapping[str, float], *, kind: str = "fargate") -> float:
    """Fargate's price of so many vCPU seconds, on tasks of the model's size that are busy all the time."""
    hour = model.vcpu * prices[f"{kind}_vcpu_hour"] + model.memory_gb * prices[f"{kind}_gb_hour"]
    return cpu_s / model.vcpu / 3600 * hour


def _get_dollars(work: Workload, gets: int, prices: Mapping[str, float]) -> float:
    dollars, others = 0.0, gets
    for name, one in work.storage_classes.items():
        price = {"GLACIER_IR": "s3_gir_get_per_1000"}.get(name, "s3_ia_get_per_1000" if name in _IA else "")
        if price:
            dollars += one.scanned_objects / 1000 * prices[price]
            others -= one.scanned_objects
    return dollars + others / 1000 * prices["s3_get_per_1000"]


def _retrieval_dollars(work: Workload, prices: Mapping[str, float]) -> float:
    dollars = 0.0
    for name, one in work.storage_classes.items():
        if name in _IA:
            dollars += one.scanned_bytes / GIB * prices["s3_ia_retrieval_gb"]
        elif name == "GLACIER_IR":
            dollars += one.scanned_bytes / GIB * prices["s3_gir_retrieval_gb"]
    return dollars


def macie_dollars(size_bytes: int, prices: Mapping[str, float]) -> float:
    """What Macie asks for inspecting so many bytes within a month.

    Examples:
        >>> from scanner_tasks.core.prices import price_list
        >>> macie_dollars(60_000 * 1024**3, price_list())
        55000.0
    """
    left, dollars = size_bytes / GIB, 0.0
    for name, most in _MACIE_TIERS:
        here = min(left, most)
        dollars += here * prices[name]
        left -= here
    return dollars


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What stands there although nothing is scanned; the defaults are Terraform's preset ``small``."""

    interface_endpoints: int = 10
    zones: int = 2
    database: str = "db.t3.medium"
    database_vcpu: int = 2
    multi_az: bool = False
    storage_gb: int = 50
    min_tasks: int = 1
    lanes: int = 8
    secrets: int = 4
    kms_keys: int = 1
    nat: bool = False
    flower: bool = True
    #: Buckets are watched: Lambda polls the queue of their events.
    watches: bool = False
    vcpu: float = 1.0
    memory_gb: float = 2.0


def monthly_floor(deployed: Deployment, prices: Mapping[str, float]) -> dict[str, float]:
    """Dollars of a month of 730 hours in which nothing is scanned, by what they are for.

    Raises KeyError for a database class without a price.
    """
    copies = 2 if deployed.multi_az else 1
    task = deployed.vcpu * prices["fargate_vcpu_hour"] + deployed.memory_gb * prices["fargate_gb_hour"]
    # 8 lanes: 24 receives and 4 events a minute for a worker, 8 for Flower (benchmarks/bench_idle_requests.py).
    a_minute = deployed.min_tasks * (3 * deployed.lanes + 4) + (8 if deployed.flower else 0)
    # Lambda holds five long polls of 20 s on a queue that calls a function (Lambda developer guide, "Using Lambda with
    # Amazon SQS").
    a_minute += 5 * 3 if deployed.watches else 0
    flower = 0.25 * prices["fargate_vcpu_hour"] + 0.5 * prices["fargate_gb_hour"]
    return {
        "interface_endpoints": deployed.interface_endpoints * deployed.zones * prices["endpoint_hour"] * HOURS_A_MONTH,
        "database": copies * prices[f"rds_hour_{deployed.database}"] * HOURS_A_MONTH
        + copies * deployed.storage_gb * prices["rds_gb_month"],
        # AWS bills a proxy for two vCPUs at least.
        "database_proxy": max(2, deployed.database_vcpu) * prices["rds_proxy_vcpu_hour"] * HOURS_A_MONTH,
        "idle_tasks": deployed.min_tasks * task * HOURS_A_MONTH,
        "flower": flower * HOURS_A_MONTH if deployed.flower else 0.0,
        "polling": a_minute * 60 * HOURS_A_MONTH / 1e6 * prices["sqs_per_million"],
        # Settle, and the look at schedules: a call of each a minute, together some 2.5 seconds of half a GB.
        "settle": 60 * HOURS_A_MONTH * 2.5 * 0.5 * prices["lambda_gb_second"],
        "keys_and_secrets": deployed.secrets * prices["secret_month"] + deployed.kms_keys * prices["kms_key_month"],
        "nat": deployed.zones * prices["nat_hour"] * HOURS_A_MONTH if deployed.nat else 0.0,
    }
