"""Estimates checked by hand: requests, minutes, dollars, budgets, and what stands there each month."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.core.budget import Budget, Spent, overrun, read_budget
from scanner_tasks.core.choosing import choose_page
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.estimate import Deployment, Model, estimate, macie_dollars, monthly_floor
from scanner_tasks.core.model import ObjectRef
from scanner_tasks.core.planning import Policy
from scanner_tasks.core.prices import GIB, PRICES, price_list, table
from scanner_tasks.core.selection import Selection
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.core.workload import MAX_PREFIXES, OTHERS, Workload

PRICE = price_list()
MODEL = Model(object_s=0.01, bytes_per_s=10_000_000.0, tasks=(1, 10))
POLICY = Policy(object_max_bytes=10**12, alone_above_bytes=1000)


def ref(key: str, size_bytes: int = 100, **fields: object) -> ObjectRef:
    return ObjectRef(**{"bucket": "b", "key": key, "size_bytes": size_bytes, "etag": "e", **fields})


def work_of(refs: list[ObjectRef], selection: Selection | None = None, policy: Policy = POLICY) -> Workload:
    work = Workload()
    for at in range(0, len(refs), 1000):
        work.add_page(refs[at : at + 1000], selection or Selection(), policy, below="", range_bytes=500)
    return work


def test_a_million_objects_of_64_kb_are_reckoned_as_by_hand() -> None:
    work = work_of([ref(f"{n:04d}", 65_536) for n in range(1000)], policy=Policy(object_max_bytes=10**12)).scaled(1000)
    told = estimate(work, MODEL, PRICE)
    seconds = 1e6 * 0.01 + 65_536e6 / 10e6
    assert told.cpu_s == pytest.approx(seconds)
    assert told.minutes_by_tasks == {1: pytest.approx(seconds / 60), 10: pytest.approx(seconds / 600)}
    assert told.requests.get == 1_000_000
    assert told.requests.list == 1000
    assert told.parts["s3_get"] == pytest.approx(0.40)
    assert told.parts["s3_list"] == pytest.approx(0.005)
    assert told.parts["compute"] == pytest.approx(seconds / 3600 * (0.04048 + 2 * 0.004445))
    assert told.parts["listing"] == pytest.approx(3 * 0.025 / 1000 + 1000 * 0.02 * 1769 / 1024 * 0.0000166667)
    assert told.macie_dollars == pytest.approx(65_536e6 / GIB)
    assert told.dollars == pytest.approx(sum(d for name, d in told.parts.items() if name != "compute_spot"))
    assert told.dollars_spot < told.dollars < told.macie_dollars / 50
    assert told.cloudtrail_dollars == pytest.approx(1.001)


def test_what_is_skipped_costs_nothing_but_its_listing() -> None:
    told = estimate(work_of([ref("a", 0), ref("b", 0), ref("c", 50, storage_class="GLACIER")]), MODEL, PRICE)
    assert (told.objects, told.bytes, told.requests.get, told.parts["compute"]) == (0, 0, 0, 0)
    assert told.requests.list == 1


def test_classes_that_charge_for_reading_are_told() -> None:
    work = work_of(
        [ref("a", GIB, storage_class="STANDARD_IA"), ref("b", 2 * GIB, storage_class="GLACIER_IR")],
        policy=Policy(object_max_bytes=10**12, alone_above_bytes=10**12),
    )
    told = estimate(work, MODEL, PRICE, is_other_region=True, has_kms=True)
    assert told.parts["s3_retrieval"] == pytest.approx(0.01 + 2 * 0.03)
    assert told.parts["s3_get"] == pytest.approx(0.001 / 1000 + 0.01 / 1000)
    assert told.parts["cross_region"] == pytest.approx(0.06)
    assert told.parts["kms"] == pytest.approx(2 / 10_000 * 0.03)


def test_tags_cost_a_request_for_each_object_that_may_be_scanned() -> None:
    refs = [ref(f"{n}", 50) for n in range(1000)] + [ref("empty", 0)]
    work = work_of(refs, read_selection({"include_tags": ["team=a"]}, now=datetime.now(UTC)))
    with_tags, without = estimate(work.scaled(1000), MODEL, PRICE), estimate(work_of(refs).scaled(1000), MODEL, PRICE)
    assert with_tags.requests.tagging == 1_000_000
    assert with_tags.parts["s3_tagging"] == pytest.approx(0.40)
    assert with_tags.dollars == pytest.approx(without.dollars + 0.40)
    assert with_tags.cloudtrail_dollars == pytest.approx(without.cloudtrail_dollars + 1.0)


def test_large_texts_cost_the_requests_of_their_ranges() -> None:
    told = estimate(work_of([ref("a", 1600)]), MODEL, PRICE)
    assert told.requests.get == 1 + 2 * 4


def test_selection_and_sum_agree_with_what_a_job_would_choose() -> None:
    refs = [ref(f"logs/{n}.txt", 100 + n) for n in range(300)] + [ref(f"t/{n}.csv", 5) for n in range(300)]
    selection = Selection(include_prefixes=("logs/",), sample_percent=20.0, limit_objects=30)
    work = work_of(refs, selection)
    page = choose_page(refs, selection, POLICY)
    assert work.is_full
    assert page.is_full
    assert work.total.scanned_objects == page.taken.objects == 30
    assert work.total.scanned_bytes == page.taken.size_bytes
    assert {str(outcome): number for outcome, (number, _) in page.passed_over.items()} == {
        name: one.objects for name, one in work.outcomes.items() if name != "pending"
    }
    assert sum(one.objects for one in work.kinds.values()) == len(refs)
    assert {name: one.objects for name, one in work.prefixes.items()} == {"logs/": 300, "t/": 300}


@given(sizes=st.lists(st.sampled_from([0, 1, 500, 1001, 40_000_000]), max_size=250))
def test_batches_are_those_of_the_planner(sizes: list[int]) -> None:
    refs = [ref(f"{n}", size) for n, size in enumerate(sizes)]
    assert work_of(refs).batches == len(choose_page(refs, Selection(), POLICY).batches)


def test_prefixes_beyond_the_most_stand_together() -> None:
    work = work_of([ref(f"{n}/x") for n in range(MAX_PREFIXES + 7)])
    assert len(work.prefixes) == MAX_PREFIXES + 1
    assert work.prefixes[OTHERS].objects == 7


@pytest.mark.parametrize(
    ("gb", "dollars"), [(0, 0), (1, 1), (50_000, 50_000), (50_010, 50_005), (600_000, 50_000 + 225_000 + 25_000)]
)
def test_macie_has_tiers(gb: int, dollars: float) -> None:
    assert macie_dollars(gb * GIB, PRICE) == pytest.approx(dollars)


def test_every_price_has_a_unit_a_source_and_a_line_in_the_table() -> None:
    assert len({price.name for price in PRICES}) == len(PRICES)
    assert all(price.unit and price.source and price.dollars > 0 for price in PRICES)
    assert len(table()) == len(PRICES) + 2


def test_own_prices_replace_ours_and_unknown_ones_are_refused() -> None:
    assert price_list({"sqs_per_million": 0.3, "rds_hour_db.m7g.large": 0.2})["rds_hour_db.m7g.large"] == 0.2
    with pytest.raises(InvalidInput, match="there is no price"):
        price_list({"sqs": 1.0})
    with pytest.raises(InvalidInput, match="below 0"):
        price_list({"sqs_per_million": -1.0})


def test_floor_is_that_of_the_preset_and_of_nothing_scanned() -> None:
    floor = monthly_floor(Deployment(), PRICE)
    assert floor["interface_endpoints"] == pytest.approx(10 * 2 * 0.01 * 730)
    assert floor["database_proxy"] == pytest.approx(2 * 0.015 * 730)
    assert floor["polling"] == pytest.approx((24 + 4 + 8) * 60 * 730 / 1e6 * 0.40)
    assert floor["nat"] == 0
    idle = monthly_floor(Deployment(min_tasks=0, flower=False), PRICE)
    assert (idle["idle_tasks"], idle["polling"], idle["flower"]) == (0, 0, 0)
    watched = monthly_floor(Deployment(watches=True), PRICE)
    assert watched["polling"] - floor["polling"] == pytest.approx(15 * 60 * 730 / 1e6 * 0.40)
    doubled = monthly_floor(Deployment(multi_az=True), PRICE)
    assert doubled["database"] == pytest.approx(2 * floor["database"])


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"euros": 5}, "it takes dollars, objects, bytes"),
        ({"dollars": 0}, "budget.dollars"),
        ({"dollars": float("nan")}, "budget.dollars"),
        ({"objects": 1.5}, "budget.objects"),
        ({"bytes": "0"}, "budget.bytes"),
    ],
)
def test_budget_that_makes_no_sense_is_refused(told: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_budget(told)


def test_whichever_part_of_a_budget_is_spent_first_ends_it() -> None:
    spent = Spent(dollars=1.0, objects=10, bytes=100)
    assert overrun(Budget(), spent) is None
    assert overrun(Budget(dollars=1.01, objects=11, bytes=101), spent) is None
    for budget in (Budget(dollars=1.0), Budget(objects=10), Budget(bytes=100, dollars=50.0)):
        assert "resume it with a larger budget" in str(overrun(budget, spent))


def test_deployment_of_the_floor_is_terraforms_small_preset() -> None:
    terraform = Path(__file__).parents[2] / "terraform"
    small = json.loads((terraform / "presets.json").read_text())["small"]
    ours = Deployment()
    assert (ours.database, ours.multi_az, ours.storage_gb) == (
        small["instance_class"],
        small["multi_az"],
        small["storage_gb"],
    )
    listed = re.search(r"interface_endpoints = concat\(\s*\[([^\]]+)\]", (terraform / "main.tf").read_text())
    assert listed is not None
    assert ours.interface_endpoints == len(listed[1].split(","))
    for preset in json.loads((terraform / "presets.json").read_text()).values():
        assert f"rds_hour_{preset['instance_class']}" in PRICE
