"""Shares over groups: known answers from another library, coverage by drawing, laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.measures.cluster_shares import share_interval, share_intervals

GROUPS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (min(pair), max(pair))), max_size=30)


def test_single_cases_give_the_exact_binomial_interval_of_one_case_less() -> None:
    hits = np.array([1.0] * 10 + [0.0] * 91)
    low, high = share_interval(hits, np.ones(101), 101)
    share = 10 / 101
    assert low == pytest.approx(stats.beta.ppf(0.025, 100 * share, 100 * (1 - share) + 1))
    assert high == pytest.approx(stats.beta.ppf(0.975, 100 * share + 1, 100 * (1 - share)))


@pytest.mark.parametrize("groups", [2, 12, 60])
def test_where_all_groups_say_nothing_or_everything_groups_are_counted_and_not_their_requests(groups: int) -> None:
    sizes = np.full(groups, 1000.0)
    assert share_interval(np.zeros(groups), sizes, 40 * groups) == (0.0, pytest.approx(1 - 0.025 ** (1 / groups)))
    assert share_interval(sizes, sizes, 40 * groups) == (pytest.approx(0.025 ** (1 / groups)), 1.0)


def test_a_rounding_error_is_not_something() -> None:
    sizes = np.array([50.0, 60.0, 70.0]) / 3
    assert share_interval(sizes - sizes * (1 - 1e-16) + 1e-15, sizes, 90) == share_interval(np.zeros(3), sizes, 90)
    assert share_interval(sizes * (1 - 1e-15), sizes, 90) == share_interval(sizes, sizes, 90)


@pytest.mark.parametrize("sizes", [[], [7.0], [7.0, 0.0, 0.0]])
def test_fewer_than_two_groups_tell_nothing(sizes: list[float]) -> None:
    assert share_interval(np.array(sizes) / 2, np.array(sizes), 5) == (0.0, 1.0)


def test_accounts_that_differ_are_worth_less_than_their_requests() -> None:
    sizes = np.full(20, 100.0)
    alike, apart = np.full(20, 50.0), np.array([0.0, 100.0] * 10)
    narrow, wide = (share_interval(hits, sizes, 2000) for hits in (alike, apart))
    assert narrow[1] - narrow[0] < 0.06
    assert wide[1] - wide[0] == pytest.approx(np.diff(share_interval(np.array([0.0, 1.0] * 10), np.ones(20), 20))[0], abs=0.05)


@pytest.mark.parametrize(("share", "groups", "alike"), [(0.3, 12, 4.0), (0.3, 60, 4.0), (0.05, 30, 6.0), (0.8, 14, 2.0)])
def test_it_covers_the_truth_as_often_as_it_says_where_binomial_counting_does_not(share: float, groups: int, alike: float) -> None:
    rng, covered, naive = np.random.default_rng(7), [], []
    for _ in range(500):
        sizes = rng.integers(20, 200, groups)
        hits = rng.binomial(sizes, rng.beta(share * alike, (1 - share) * alike, groups))
        low, high = share_interval(hits.astype(float), sizes.astype(float), int(sizes.sum()))
        covered.append(low <= share <= high)
        total, of = int(hits.sum()), int(sizes.sum())
        naive.append(stats.beta.ppf(0.025, total, of - total + 1) <= share <= stats.beta.ppf(0.975, total + 1, of - total))
    assert np.mean(covered) >= 0.92
    assert np.mean(naive) < 0.6


@given(GROUPS, st.integers(0, 500))
def test_the_share_lies_inside_and_the_ends_are_mirrored(groups: list[tuple[int, int]], documents: int) -> None:
    hits, sizes = (np.array([group[at] for group in groups], np.float64) for at in (0, 1))
    low, high = share_interval(hits, sizes, documents)
    other_low, other_high = share_interval(sizes - hits, sizes, documents)
    assert 0 <= low <= high <= 1
    if sizes.sum():
        assert low - 1e-9 <= hits.sum() / sizes.sum() <= high + 1e-9
    assert (1 - high, 1 - low) == (pytest.approx(other_low, abs=1e-6), pytest.approx(other_high, abs=1e-6))


@given(st.lists(st.tuples(GROUPS, st.integers(0, 500)), max_size=5))
def test_several_totals_at_once_are_each_alone(totals: list[tuple[list[tuple[int, int]], int]]) -> None:
    rows = [(number, *group) for number, (groups, _) in enumerate(totals) for group in groups]
    owner, hits, sizes = (np.array([row[at] for row in rows], dtype) for at, dtype in ((0, np.int64), (1, np.float64), (2, np.float64)))
    low, high = share_intervals(hits, sizes, owner, np.array([documents for _, documents in totals], np.int64))
    for number, (groups, documents) in enumerate(totals):
        own = (np.array([group[at] for group in groups], np.float64) for at in (0, 1))
        assert (low[number], high[number]) == share_interval(*own, documents)
