"""Searching networks: every operator against a plain comparison, every mistake against what it is told, and names that are nearly right."""

from __future__ import annotations

import datetime as dt
import operator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, UsageError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.names import find, find_account, find_network, nearest, queue, ranked_members
from pipeline.evidence.search import FIELDS, field_lines, parse, parse_sort, searchable, sort
from tests.nights import with_an_earlier_night


@pytest.fixture(scope="module")
def run(finished: Path) -> FinishedRun:
    return FinishedRun(finished)


@pytest.fixture(scope="module")
def row(run: FinishedRun) -> dict[str, object]:
    (found,) = searchable(run)
    return found


def _holds(text: str, row: dict[str, object]) -> bool:
    return all(term(row) for term in parse(text))


def test_tokens_and_nights_of_a_network_are_those_of_its_members_and_of_lineage(row: dict[str, object], tiny_log: Path) -> None:
    """Counted once more from the log itself."""
    pool = [line for path in tiny_log.rglob("*.parquet") for line in pq.read_table(path, partitioning=None).to_pylist() if line["account_id"].startswith("pool")]
    assert row["token_count"] == sum(line["input_tokens"] + line["output_tokens"] for line in pool)
    assert row["output_tokens"] == sum(line["output_tokens"] for line in pool)
    assert (row["first_night"], row["age_days"], row["events"]) == (dt.date(2026, 5, 3), 0, ["new"])
    assert (row["first_day"], row["last_day"]) == (dt.date(2026, 5, 1), dt.date(2026, 5, 3))
    assert "identity" in row["families"]


def test_every_field_reads_a_column_that_is_there_and_has_a_meaning(row: dict[str, object]) -> None:
    assert all(field.column in row and field.meaning for field in FIELDS)
    assert [name for name, _, _ in field_lines()] == [field.name for field in FIELDS]


@given(st.sampled_from([">=", "<=", ">", "<", "="]), st.integers(0, 20))
def test_a_comparison_is_that_of_numbers(sign: str, number: int) -> None:
    compare = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}[sign]
    for count in (0, 7, 8, 20):
        assert _holds(f"accounts:{sign}{number}", {"account_count": count}) == compare(count, number)
        assert _holds(f"-accounts:{sign}{number}", {"account_count": count}) != compare(count, number)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_a_range_holds_both_its_ends(low: int, high: int, count: int) -> None:
    assert _holds(f"accounts:{low}..{high}", {"account_count": count}) == (low <= count <= high)
    assert _holds(f"accounts:{low}..", {"account_count": count}) == (low <= count)


@pytest.mark.parametrize(
    ("text", "row", "holds"),
    [
        ("accounts:8", {"account_count": 8}, True),
        ("tokens:>=1.5k tokens:<2M", {"token_count": 1500}, True),
        ("new:7d", {"age_days": 7}, True),
        ("new:7d", {"age_days": 8}, False),
        ("new:1w", {"age_days": 7}, True),
        ("new:>7d", {"age_days": 8}, True),
        ("first:>=2026-05-01", {"first_day": dt.date(2026, 5, 1)}, True),
        ("last:2026-05-01..2026-05-02", {"last_day": dt.date(2026, 5, 3)}, False),
        ("tier:refer,watch", {"tier": "watch"}, True),
        ("tier:REFER", {"tier": "refer"}, True),
        ("-tier:explained", {"tier": "explained"}, False),
        ("reason:*extraction", {"reason": "no_extraction"}, True),
        ("family:identity", {"families": ["identity", "handoff"]}, True),
        ("family:none", {"families": []}, True),
        ("q:<=0.01", {"q_value": None}, False),
        ("q:none", {"q_value": None}, True),
        ("-q:none", {"q_value": 0.5}, True),
        ("alternative:none", {"best_alternative": "none"}, True),
        ("margin:>=-1.5", {"alternative_margin_bits": -1.0}, True),
    ],
)
def test_what_a_term_means(text: str, row: dict[str, object], holds: bool) -> None:
    assert _holds(text, row) == holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acounts:>3", "'accounts'"),
        ("bits", "field:value"),
        ("bits:", "field:value"),
        (":20", "field:value"),
        ("bits:many", "a number"),
        ("bits:>=", "a number"),
        ("bits:20q", "a number"),
        ("new:soon", "7d"),
        ("first:May", "2026-05-01"),
        ("accounts:1..b", "a number"),
        ("bits:\x1b[2J", "a number"),
    ],
)
def test_a_wrong_term_is_quoted_and_set_right(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        parse(f"tier:refer {text}")
    assert raised.value.exit_code == 2
    assert "\x1b" not in str(raised.value)


def test_sorting_goes_both_ways_and_unknown_values_come_last() -> None:
    rows = [{"token_count": value, "network_id": name} for value, name in ((5, "a"), (None, "b"), (9, "c"), (5, "d"))]
    for text, names in (("tokens", "cadb"), ("tokens-desc", "cadb"), ("tokens-asc", "adcb"), ("id-desc", "dcba"), ("id", "abcd")):
        field, largest_first = parse_sort(text)
        assert "".join(row["network_id"] for row in sort(rows, field, largest_first=largest_first)) == names
    with pytest.raises(UsageError, match="'tokens'"):
        parse_sort("token-desc")


def test_a_second_night_makes_a_network_older(finished: Path, tmp_path: Path) -> None:
    out = with_an_earlier_night(finished, tmp_path / "out")
    assert len(searchable(FinishedRun(out, out / "runs" / "0123456789ab"))) == 2


def test_places_in_the_queue_are_names(run: FinishedRun) -> None:
    (network,) = queue(run)
    members = ranked_members(run, network["network_id"])["account_id"].to_list()
    assert find(run, "@1") == ("network", find_network(run, network["network_id"]))
    assert [find_account(run, f"@1.{place}")["account_id"] for place in range(1, 9)] == members
    for name in ("@2", "@0", "@1.9", "@1.0"):
        with pytest.raises(InputError, match="has"):
            find(run, name)
    with pytest.raises(InputError, match="no account"):
        find_account(run, "@1")
    with pytest.raises(InputError, match="no network"):
        find_network(run, "@1.1")


@pytest.mark.parametrize(("typed", "meant"), [("pool-0003", "pool-003"), ("pol-003", "pool-003"), ("pool-03", "pool-003"), ("Pool-003", "pool-003")])
def test_two_slips_of_the_hand_are_forgiven(run: FinishedRun, typed: str, meant: str) -> None:
    with pytest.raises(InputError, match="Did you mean") as raised:
        find_account(run, typed)
    assert meant in str(raised.value)


def test_what_is_like_nothing_is_suggested_nothing(run: FinishedRun) -> None:
    with pytest.raises(InputError) as raised:
        find(run, "zzzzzzzz")
    assert "Did you mean" not in str(raised.value)
    assert nearest("", ["a"]) == []


@settings(deadline=None, max_examples=40)
@given(st.text("0123456789abcdef", min_size=12, max_size=12), st.integers(0, 11), st.sampled_from("0123456789abcdefx"))
def test_one_wrong_letter_finds_the_id_among_thousands(name: str, place: int, letter: str) -> None:
    known = [f"acct_{number:012x}" for number in range(0, 2**32, 2**23)] + [f"acct_{name}"]
    typed = f"acct_{name[:place]}{letter}{name[place + 1 :]}"
    assert f"acct_{name}" in nearest(typed, known)
