"""What a selection chooses, what it refuses to be, and that every listed object is told exactly once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_tasks.core.choosing import choose_page
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.judging import is_sampled, judge
from scanner_tasks.core.model import ObjectRef, Outcome
from scanner_tasks.core.planning import Policy
from scanner_tasks.core.selection import NOTHING_TAKEN, Selection, Taken
from scanner_tasks.core.selection_rules import from_json, read_selection

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLICY = Policy(object_max_bytes=10**12)


def ref(key: str = "a/b.csv", **fields: object) -> ObjectRef:
    return ObjectRef(**{"bucket": "b", "key": key, "size_bytes": 100, "etag": "e", **fields})


@pytest.mark.parametrize(
    ("selection", "key", "outcome"),
    [
        ({"include_prefixes": ["a/", "z/"]}, "a/x", "pending"),
        ({"include_prefixes": ["a/"]}, "b/x", "skipped(excluded_prefix)"),
        ({"exclude_prefixes": ["a//"]}, "a//x", "skipped(excluded_prefix)"),
        ({"exclude_prefixes": ["a//"]}, "a/x", "pending"),
        ({"include_keys": ["*.csv"]}, "deep/er/x.csv", "pending"),
        ({"include_keys": ["*.csv"]}, "x.csv.bak", "skipped(excluded_key)"),
        ({"include_keys": ["logs/?.txt"]}, "logs/é.txt", "pending"),
        ({"include_keys": ["logs/?.txt"]}, "logs/10.txt", "skipped(excluded_key)"),
        ({"include_keys": ["x[0-9].a"]}, "x7.a", "pending"),
        ({"include_keys": ["x[!0-9].a"]}, "x7.a", "skipped(excluded_key)"),
        ({"include_keys": ["x[ab"]}, "x[ab", "pending"),
        ({"include_keys": ["a+b"]}, "aab", "skipped(excluded_key)"),
        ({"include_keys": ["a*b"]}, "a\nb", "pending"),
        ({"exclude_keys": ["*/tmp/*"]}, "x/tmp/y", "skipped(excluded_key)"),
        ({"include_regexes": [r"^20\d\d/"]}, "2026/x", "pending"),
        ({"include_regexes": [r"^20\d\d/"]}, "x/2026/", "skipped(excluded_key)"),
        ({"exclude_regexes": ["secret"]}, "a-secret-b", "skipped(excluded_key)"),
        ({"extensions": [".CSV"]}, "A.Csv", "pending"),
        ({"extensions": ["csv"]}, "a.csv.gz", "skipped(excluded_kind)"),
        ({"extensions": ["csv.gz"]}, "a.csv.gz", "pending"),
        ({"exclude_extensions": ["gz"]}, "a.csv.gz", "skipped(excluded_kind)"),
        ({"kinds": ["table"]}, "a.csv.gz", "pending"),
        ({"kinds": ["table"]}, "a.pdf", "skipped(excluded_kind)"),
        ({"exclude_kinds": ["image", "media"]}, "a.MP4", "skipped(excluded_kind)"),
    ],
)
def test_key_is_chosen_or_told_why_not(selection: dict[str, object], key: str, outcome: str) -> None:
    assert str(judge(read_selection(selection, now=NOW), ref(key))) == outcome


@pytest.mark.parametrize(
    ("selection", "fields", "outcome"),
    [
        ({"min_size_bytes": 100}, {"size_bytes": 100}, "pending"),
        ({"min_size_bytes": "1KB"}, {"size_bytes": 1023}, "skipped(excluded_size)"),
        ({"max_size_bytes": "1KB"}, {"size_bytes": 1024}, "pending"),
        ({"max_size_bytes": "1KB"}, {"size_bytes": 1025}, "skipped(excluded_size)"),
        ({"modified_after": "2026-11-01"}, {"modified_at": "2026-11-01T00:00:00.000Z"}, "pending"),
        ({"modified_after": "30d"}, {"modified_at": "2026-10-24T11:59:59.000Z"}, "skipped(excluded_modified)"),
        ({"modified_before": "2026-11-01T01:00:00+01:00"}, {"modified_at": "2026-11-01T00:00:00.000Z"}, "skipped"),
        ({"modified_after": "2026-11-01"}, {"modified_at": ""}, "pending"),
        ({"storage_classes": ["standard_ia"]}, {"storage_class": "STANDARD_IA"}, "pending"),
        ({"storage_classes": ["STANDARD"]}, {"storage_class": "GLACIER_IR"}, "skipped(excluded_storage_class)"),
        ({"exclude_storage_classes": ["GLACIER_IR"]}, {"storage_class": "GLACIER_IR"}, "skipped"),
    ],
)
def test_what_the_listing_tells_is_chosen_or_told_why_not(
    selection: dict[str, object], fields: dict[str, object], outcome: str
) -> None:
    assert str(judge(read_selection(selection, now=NOW), ref(**fields))).startswith(outcome)


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ({"include": ["x"]}, "selection: it takes include_prefixes"),
        ({"include_regexes": ["(?=x)"]}, "include_regexes: RE2 does not take pattern 1"),
        ({"include_regexes": ["a", "(" * 20]}, "pattern 2"),
        ({"include_keys": ["x" * 513]}, "513 characters"),
        ({"include_keys": ["[z-a]"]}, "include_keys: RE2 does not take"),
        ({"include_keys": [""]}, "an entry is empty"),
        ({"include_keys": [7]}, "give a list of texts"),
        ({"include_prefixes": ["x"] * 101}, "at most 100"),
        ({"min_size_bytes": "ten"}, "min_size_bytes: give a number of bytes"),
        ({"min_size_bytes": -1}, "min_size_bytes: give a number of bytes"),
        ({"min_size_bytes": True}, "min_size_bytes: give a number of bytes"),
        ({"min_size_bytes": "2MB", "max_size_bytes": "1MB"}, "above max_size_bytes"),
        ({"modified_after": "yesterday"}, "modified_after: give 2026-11-01"),
        ({"modified_after": "99999999999d"}, "modified_after: give 2026-11-01"),
        ({"modified_after": "1d", "modified_before": "2d"}, "not before modified_before"),
        ({"storage_classes": ["COLD"]}, "storage_classes: it takes"),
        ({"kinds": ["spreadsheet"]}, "kinds: it takes"),
        ({"include_tags": ["=x"]}, "include_tags: give NAME=VALUE"),
        ({"exclude_tags": ["n" * 129]}, "exclude_tags: give NAME=VALUE"),
        ({"exclude_tags": ["n=" + "v" * 257]}, "values at most 256"),
        ({"include_tags": ["line\nbreak"]}, "include_tags: give NAME=VALUE"),
        ({"sample_percent": 0}, "above 0 and at most 100"),
        ({"sample_percent": 101}, "above 0 and at most 100"),
        ({"sample_percent": float("nan")}, "above 0 and at most 100"),
        ({"sample_of": "bytes"}, "sample_percent: it is missing"),
        ({"sample_percent": 5, "sample_of": "rows"}, "sample_of: give objects or bytes"),
        ({"sample_percent": 5, "sample_seed": ""}, "sample_seed"),
        ({"limit_objects": 0}, "limit_objects: give a whole number"),
        ({"limit_bytes": "0"}, "limit_bytes: give a number of bytes above 0"),
    ],
)
def test_selection_that_makes_no_sense_is_refused_with_what_to_change(selection: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=r"^(selection|[a-z_]+): ") as refused:
        read_selection(selection, now=NOW)
    assert told in str(refused.value)


def test_regex_that_would_backtrack_for_ever_takes_linear_time() -> None:
    chosen = read_selection({"include_regexes": ["^(a+)+$"]}, now=NOW)
    assert judge(chosen, ref("a" * 1000 + "b")) is Outcome.SKIPPED_EXCLUDED_KEY


def test_sample_repeats_nests_and_depends_on_its_seed() -> None:
    refs = [ref(f"k/{n}") for n in range(20_000)]
    drawn = {percent: {r.key for r in refs if is_sampled(r, percent=percent, seed="s")} for percent in (5.0, 10.0)}
    assert drawn[5.0] < drawn[10.0]
    assert 0.09 < len(drawn[10.0]) / len(refs) < 0.11
    other = {r.key for r in refs if is_sampled(r, percent=5.0, seed="t")}
    assert len(other & drawn[5.0]) < 0.2 * len(other)
    assert all(is_sampled(r, percent=100.0, seed="s") for r in refs)


def test_versions_of_a_key_are_sampled_each_by_itself() -> None:
    drawn = [is_sampled(ref("k", version_id=f"v{n}"), percent=50.0, seed="s") for n in range(64)]
    assert set(drawn) == {True, False}


SELECTIONS = st.builds(
    lambda **given: read_selection(given, now=NOW),
    include_keys=st.sampled_from([None, ["*.csv"], ["a*"]]),
    min_size_bytes=st.sampled_from([None, 50]),
    kinds=st.sampled_from([None, ["table", "text"]]),
    sample_percent=st.sampled_from([None, 30.0]),
    limit_objects=st.sampled_from([None, 1, 7]),
    limit_bytes=st.sampled_from([None, 1, 500]),
)
REFS = st.lists(
    st.builds(
        ref,
        st.text(st.sampled_from("ab/."), max_size=4).map(lambda text: text + ".csv") | st.text(max_size=5),
        size_bytes=st.sampled_from([0, 10, 60, 300]),
        storage_class=st.sampled_from(["STANDARD", "GLACIER"]),
    ),
    max_size=40,
)


@given(refs=REFS, selection=SELECTIONS, cut=st.integers(0, 40))
def test_every_listed_object_is_told_once_wherever_pages_are_cut(
    refs: list[ObjectRef], selection: Selection, cut: int
) -> None:
    taken, kept, passed, sizes = NOTHING_TAKEN, [], 0, 0
    listed: list[ObjectRef] = []
    for part in (refs[:cut], refs[cut:]):
        listed += part
        page = choose_page(part, selection, POLICY, taken=taken)
        taken = page.taken
        kept += [planned for batch in page.batches for planned in batch.objects]
        passed += sum(objects for objects, _ in page.passed_over.values())
        sizes += sum(size for _, size in page.passed_over.values())
        if page.is_full:
            break
    assert len(kept) + passed == len(listed)
    assert sum(planned.ref.size_bytes for planned in kept) + sizes == sum(r.size_bytes for r in listed)
    chosen = [planned.ref for planned in kept if planned.outcome is Outcome.PENDING]
    if selection.has_limit or selection.sample_percent:
        assert taken == Taken(objects=len(chosen), size_bytes=sum(r.size_bytes for r in chosen))
    if selection.limit_objects is not None:
        assert len(chosen) <= selection.limit_objects
    if selection.limit_bytes is not None:
        assert sum(r.size_bytes for r in chosen) <= selection.limit_bytes


@given(selection=SELECTIONS)
def test_selection_survives_the_ledger(selection: Selection) -> None:
    assert from_json(selection.to_json()) == selection


def test_selection_of_everything_plans_as_ever_and_counts_nothing_apart() -> None:
    page = choose_page([ref(f"k{n}") for n in range(150)], Selection(), POLICY)
    assert [len(batch.objects) for batch in page.batches] == [100, 50]
    assert page.strata == ()


def test_object_that_chance_left_out_and_that_is_empty_is_told_empty_without_a_row() -> None:
    page = choose_page([ref("x", size_bytes=0)], Selection(sample_percent=1e-9), POLICY)
    assert page.batches == ()
    assert page.passed_over == {Outcome.SKIPPED_EMPTY: (1, 0)}


@pytest.mark.parametrize(
    ("selection", "tags", "fits"),
    [
        ({"include_tags": ["team=a"]}, {"team": "a", "env": "prod"}, True),
        ({"include_tags": ["team=a"]}, {"team": "A"}, False),
        ({"include_tags": ["team=a"]}, {"Team": "a"}, False),
        ({"include_tags": ["team=a"]}, {}, False),
        ({"include_tags": ["team=a", "team=b"]}, {"team": "b"}, True),
        ({"include_tags": ["team"]}, {"team": ""}, True),
        ({"include_tags": ["team=*"]}, {"team": "x"}, True),
        ({"include_tags": ["team="]}, {"team": "x"}, False),
        ({"include_tags": ["team=a=b"]}, {"team": "a=b"}, True),
        ({"exclude_tags": ["public"]}, {}, True),
        ({"exclude_tags": ["public"]}, {"public": "no"}, False),
        ({"exclude_tags": ["public=yes"]}, {"public": "no"}, True),
        ({"include_tags": ["team=a"], "exclude_tags": ["public=yes"]}, {"team": "a", "public": "yes"}, False),
    ],
)
def test_tags_fit_or_do_not(selection: dict[str, object], tags: dict[str, str], fits: bool) -> None:
    chosen = read_selection(selection, now=NOW)
    assert chosen.tags.fits(tags) is fits
    assert from_json(chosen.to_json()) == chosen
    assert judge(chosen, ref()) is Outcome.PENDING, "a listing has no tags"


def test_name_alone_is_kept_as_a_name_with_any_value() -> None:
    assert read_selection({"include_tags": ["a", "a=*"]}, now=NOW).to_json() == {"include_tags": ["a=*"]}
