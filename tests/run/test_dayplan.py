"""Which days are made, from which files: fresh, grown, late, corrected, moved."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.run.dayplan import Examined, FileId, Kept, Listed, Plan, batches, plan_all, plan_window, span_days

START = date(2026, 5, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def days(*numbers: int) -> frozenset[date]:
    return frozenset(day(number) for number in numbers)


def file(name: str, span: tuple[int, int] | None, sha: str = "1", folder: str = "/logs") -> Listed:
    return Listed((name, sha), f"{folder}/{name}", (day(span[0]), day(span[1])) if span else None)


def listing(*files: Listed) -> dict[FileId, Listed]:
    return {item.id: item for item in files}


def kept(*names: str, is_current: bool = True) -> Kept:
    return Kept(frozenset((name, "1") for name in names), is_current)


A, B = file("a", (0, 0)), file("b", (1, 1))
READ = {A.id: Examined(days(0), days(0)), B.id: Examined(days(1), days(1))}
PATHS = {A.id: "/logs/a", B.id: "/logs/b"}


def test_fresh_logs_are_read_for_the_days_they_span() -> None:
    assert plan_all(listing(A, B), {}, {}) == Plan(days(0, 1), (A.id, B.id))


def test_a_file_that_does_not_say_its_span_is_read_for_every_day() -> None:
    assert plan_all(listing(A, file("c", None)), {}, {}).days is None


def test_a_span_of_decades_is_not_walked() -> None:
    assert plan_all(listing(file("c", (0, 5000))), {}, {}).days is None


def test_nothing_is_made_twice() -> None:
    assert plan_all(listing(A, B), READ, {day(0): kept("a"), day(1): kept("b")}) == Plan(frozenset(), ())


def test_one_more_file_makes_its_own_day_only() -> None:
    plan = plan_all(listing(A, B, file("c", (1, 1))), READ, {day(0): kept("a"), day(1): kept("b")})
    assert plan == Plan(days(1), (("b", "1"), ("c", "1")))


def test_a_corrected_file_makes_its_own_day_only() -> None:
    corrected = file("b", (1, 1), sha="2")
    assert plan_all(listing(A, corrected), READ, {day(0): kept("a"), day(1): kept("b")}) == Plan(days(1), (corrected.id,))


def test_other_code_makes_every_day_again() -> None:
    assert plan_all(listing(A, B), READ, {day(0): kept("a", is_current=False), day(1): kept("b", is_current=False)}).days == days(0, 1)


def test_a_night_uses_kept_days_that_are_not_listed() -> None:
    assert plan_window(days(0, 1), listing(B), {}, {day(0): kept("a")}, PATHS) == Plan(days(1), (B.id,))


def test_a_night_fetches_days_that_are_not_kept_from_the_logs() -> None:
    assert plan_window(days(0, 1), listing(A, B), {}, {}, PATHS).days == days(0, 1)


def test_a_night_leaves_days_outside_its_window_alone() -> None:
    assert plan_window(days(1), listing(A, B), {}, {}, PATHS) == Plan(days(1), (B.id,))


def test_late_rows_join_the_files_that_made_the_day() -> None:
    late = file("late", (0, 1))
    plan = plan_window(days(0, 1), listing(late), {}, {day(0): kept("a")}, PATHS)
    assert plan == Plan(days(0, 1), (A.id, late.id))


def test_a_corrected_file_replaces_the_one_at_its_place() -> None:
    corrected = file("a", (0, 0), sha="2")
    assert plan_window(days(0), listing(corrected), {}, {day(0): kept("a")}, PATHS) == Plan(days(0), (corrected.id,))


def test_the_same_name_in_another_folder_is_no_correction_and_is_refused() -> None:
    other = file("a", (0, 1), sha="2", folder="/logs/date=2026-05-02")
    with pytest.raises(InputError, match="folder above both"):
        plan_window(days(0, 1), listing(other), {}, {day(0): kept("a")}, PATHS)


def test_a_file_without_rows_of_the_day_is_read_once_to_find_out() -> None:
    vague = file("v", None)
    first = plan_window(days(0), listing(A, vague), READ, {day(0): kept("a")}, PATHS)
    then = plan_window(days(0), listing(A, vague), {**READ, vague.id: Examined(frozenset(), days(0))}, {day(0): kept("a")}, PATHS)
    assert first == Plan(days(0), (A.id, vague.id))
    assert then == Plan(frozenset(), ())


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(0, 86_400_000_000, (date(1970, 1, 1), date(1970, 1, 2))), (-1, -1, (date(1969, 12, 31),) * 2), (None, 5, None), (0, 10**18 * 9, None)]
)
def test_spans_of_microseconds(first: int | None, last: int | None, expected: tuple[date, date] | None) -> None:
    assert span_days(first, last) == expected


SPANS = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1)


@settings(max_examples=150, deadline=None)
@given(SPANS, st.frozensets(st.integers(0, 12)), st.integers(1, 400))
def test_parts_hold_every_file_and_day_once_and_no_day_without_one_of_its_files(spans: dict[str, tuple[int, int]], asked: frozenset[int], least: int) -> None:
    files = {(name, "1"): (day(first), day(first + more)) for name, (first, more) in spans.items()}
    plan = Plan(days(*asked), tuple(sorted(files)))
    parts = batches(plan, files, dict.fromkeys(files, 100), least)
    assert sorted(key for part in parts for key in part.files) == sorted(files)
    assert sorted(one for part in parts for one in part.days or ()) == sorted(days(*asked))
    for part in parts:
        for one in part.days or ():
            assert {key for key, span in files.items() if span[0] <= one <= span[1]} <= set(part.files)
    assert all(100 * len(part.files) >= least for part in parts[:-1])


def test_an_unknown_span_makes_one_part() -> None:
    plan = Plan(days(0, 1), (A.id, B.id))
    assert batches(plan, {A.id: None, B.id: (day(1), day(1))}, {A.id: 1, B.id: 1}, 1) == [plan]
    assert batches(Plan(frozenset(), ()), {}, {}, 1) == []


TRUTH = st.dictionaries(st.sampled_from("abcde"), st.frozensets(st.integers(0, 4), min_size=1), min_size=1)


@settings(max_examples=80, deadline=None)
@given(TRUTH, TRUTH)
def test_after_any_two_listings_every_day_is_made_from_exactly_its_files(first: dict[str, frozenset[int]], second: dict[str, frozenset[int]]) -> None:
    """Simulates a store: whatever was run before, a run over all rows ends with each day made from all listed files that hold it."""
    memo: dict[FileId, Examined] = {}
    store: dict[date, Kept] = {}
    for version, truth in enumerate((first, second)):
        files = {(name, f"{name}{sorted(held)}"): held for name, held in truth.items()}
        listed = {key: Listed(key, key[0], (day(min(held)), day(max(held)))) for key, held in files.items()}
        plan = plan_all(listed, memo, store)
        for made in plan.days or ():
            holders = frozenset(key for key in plan.files if (made - START).days in files[key])
            store.pop(made, None)
            if holders:
                store[made] = Kept(holders, is_current=True)
        for key in plan.files:
            held = frozenset(day(number) for number in files[key]) & (plan.days or frozenset())
            before = memo.get(key, Examined(frozenset(), frozenset()))
            memo[key] = Examined(before.days | held, (before.looked_for or frozenset()) | (plan.days or frozenset()))
        for number in range(5):
            expected = frozenset(key for key, held in files.items() if number in held)
            if expected:
                assert store[day(number)].files == expected, version
