"""Numbers as text: nothing is invented by rounding, nothing is printed without a unit or as None."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pages import numbers

SPACE = "\u202f"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50 %"),
        (0.123, "12.3 %"),
        (0.0001, "below 0.1 %"),
        (0.99999, "above 99.9 %"),
        (0.9994, "99.9 %"),
        (None, "unknown"),
        (math.nan, "unknown"),
    ],
)
def test_percent(share, text):
    assert numbers.percent(share) == text.replace(" %", f"{SPACE}%")


@given(st.floats(0, 1))
def test_what_is_neither_none_nor_all_never_reads_as_such(share):
    text = numbers.percent(share)
    assert (text == f"0{SPACE}%") == (share == 0)
    assert (text == f"100{SPACE}%") == (share == 1)


@pytest.mark.parametrize(("p", "text"), [(0.0, "below 0.000001"), (5e-7, "below 0.000001"), (1e-6, "0.000001"), (0.001, "0.001"), (0.0321, "0.032"), (1.0, "1"), (None, "unknown")])
def test_probability(p, text):
    assert numbers.probability(p) == text


@given(st.floats(1e-12, 1))
def test_a_probability_is_never_printed_as_zero(p):
    assert numbers.probability(p).strip("0.") != ""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1, "accounts", "1 account"),
        (0, "rows", "0 rows"),
        (12_345, "requests", "12,345 requests"),
        (1, "entities", "1 entity"),
        (1, "families", "1 family"),
        (None, "rows", "unknown rows"),
    ],
)
def test_counted(value, unit, text):
    assert numbers.counted(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999, "999"),
        (9_999, "9,999"),
        (12_345, f"12.3{SPACE}k"),
        (4_560_000, f"4.56{SPACE}M"),
        (7.89e9, f"7.89{SPACE}G"),
        (999_999, f"1,000{SPACE}k"),
        (None, "unknown"),
        (-12_345, f"\u221212.3{SPACE}k"),
    ],
)
def test_compact(value, text):
    assert numbers.compact(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.925, "share", f"92.5{SPACE}%"),
        (7.25, "bits", "7.2\u00a0bits"),
        (40.0, "accounts", "40 accounts"),
        (0.41, "cosine", "0.41 of 1"),
        (0.00004, "share of pairs", "below 0.1\u202f% of pairs"),
        (1.0, "share of pairs", "100\u202f% of pairs"),
        (-2.5, "bits", "\u22122.5\u00a0bits"),
        (1900.0, "tokens", "1,900 tokens"),
        (3.0, "", "3"),
        (0.0, "pairs", "0 pairs"),
        (12.4, "pairs", "12.4 pairs"),
        (0.00544, "ratio", "0.00544"),
        (0.0123, "s", "0.0123 s"),
        (-0.0, "bits", "0.0\u00a0bits"),
        (None, "share", "unknown"),
        (math.inf, "bits", "unknown"),
    ],
)
def test_measured(value, unit, text):
    assert numbers.measured(value, unit) == text


def test_moments_are_utc():
    assert numbers.moment(dt.datetime.fromisoformat("2026-05-06T23:51:07")) == "2026-05-06 23:51"
    assert numbers.moment(dt.datetime.fromisoformat("2026-05-07T01:51:07+02:00")) == "2026-05-06 23:51"
    assert numbers.moment(None) == "unknown"


@pytest.mark.parametrize(("parts", "text"), [([], "none"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_listed(parts, text):
    assert numbers.listed(parts) == text
