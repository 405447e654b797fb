"""Intervals of rates: known answers, coverage computed exactly, and what too few cases must not show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.measures import rates

COUNTS = st.integers(1, 400).flatmap(lambda cases: st.tuples(st.integers(0, cases), st.just(cases)))


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high"),
    [
        (10, 100, 0.04900469, 0.17622260),  # R: binom.test(10, 100)$conf.int
        (1, 10, 0.00252858, 0.44501612),  # R: binom.test(1, 10)
        (0, 59, 0.0, 0.04950761),  # 1 - 0.05^(1/59), the smallest n that bounds a rate below 5 %
        (0, 300, 0.0, 0.00993608),  # the rule of three says 3/300 = 0.01
        (20, 20, 0.86089166, 1.0),  # 0.05^(1/20)
    ],
)
def test_known_intervals(hits, cases, low, high):
    found = rates.clopper_pearson(hits, cases)
    assert found.low == pytest.approx(low, abs=1e-7)
    assert found.high == pytest.approx(high, abs=1e-7)


def test_the_kind_of_bound_is_told():
    assert [rates.clopper_pearson(hits, 8).bound for hits in (0, 3, 8)] == ["upper", "two_sided", "lower"]
    assert rates.clopper_pearson(0, 0).bound == "none"
    assert math.isnan(rates.clopper_pearson(0, 0).high)


@pytest.mark.parametrize(("hits", "cases"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(hits, cases):
    with pytest.raises(ValueError, match="cases"):
        rates.clopper_pearson(hits, cases)


@given(COUNTS)
def test_the_interval_holds_the_share_and_mirrors(counts):
    hits, cases = counts
    found, mirrored = rates.clopper_pearson(hits, cases), rates.clopper_pearson(cases - hits, cases)
    assert 0 <= found.low <= hits / cases <= found.high <= 1
    assert found.low < found.high
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)


@given(COUNTS.filter(lambda counts: 0 < counts[0] < counts[1]))
def test_the_tails_at_both_ends_are_the_error_allowed(counts):
    hits, cases = counts
    found = rates.clopper_pearson(hits, cases)
    assert stats.binom.sf(hits - 1, cases, found.low) == pytest.approx(0.025, rel=1e-6)
    assert stats.binom.cdf(hits, cases, found.high) == pytest.approx(0.025, rel=1e-6)


@given(st.integers(1, 60), st.floats(0.001, 0.999))
def test_no_share_is_missed_more_often_than_stated(cases, share):
    """Exact coverage over all counts: one-sided bounds at the ends may add at most another 2.5 % to the 5 % of the two sides."""
    intervals = [rates.clopper_pearson(hits, cases) for hits in range(cases + 1)]
    missed = sum(float(stats.binom.pmf(hits, cases, share)) for hits, found in enumerate(intervals) if not found.low <= share <= found.high)
    assert missed <= 0.075 + 1e-9


@given(st.integers(0, 500))
def test_more_cases_support_a_smaller_bound(cases):
    assert rates.supported_bound(cases + 1) < rates.supported_bound(cases)
    assert rates.supported_bound(cases) <= 1


def test_a_bootstrap_needs_six_worlds_and_a_difference():
    hits, cases = np.array([1.0, 0, 2, 0, 1]), np.full(5, 10.0)
    assert rates.bootstrap_ratio(hits, cases).bound == "none"
    assert rates.bootstrap_ratio(np.zeros(20), np.full(20, 10.0)).bound == "none"
    assert rates.bootstrap_ratio(np.append(hits, 3.0), np.full(6, 10.0)).bound == "two_sided"
    assert rates.bootstrap_ratio(np.append(hits, 3.0), np.append(cases, 0.0)).bound == "none", "a world without a case is no world"


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(20, 40)), min_size=6, max_size=30).filter(lambda rows: len({hits / cases for hits, cases in rows}) > 1), st.integers(0, 99)
)
def test_a_bootstrap_interval_lies_inside_the_worlds_own_range_and_depends_on_the_seed_only(rows, seed):
    hits, cases = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    found = rates.bootstrap_ratio(hits, cases, seed)
    assert (hits / cases).min() <= found.low <= found.high <= (hits / cases).max()
    assert found == rates.bootstrap_ratio(hits, cases, seed)


def test_a_bootstrap_interval_is_about_as_wide_as_theory_says():
    """200 equal worlds of one case each: the interval of a share of 0.5 is 1.96 standard errors to either side."""
    hits = np.tile([0.0, 1.0], 100)
    found = rates.bootstrap_ratio(hits, np.ones(200))
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(200), rel=0.1)


def test_a_difference_is_taken_inside_each_world():
    cases = np.full(8, 10.0)
    base = np.arange(8, dtype=np.float64)
    assert rates.bootstrap_difference(base + 1, base, cases).bound == "none", "the same difference everywhere"
    found = rates.bootstrap_difference(base + np.tile([1.0, 2.0], 4), base, cases)
    assert 0.1 <= found.low < 0.15 < found.high <= 0.2


@pytest.mark.parametrize(("count", "first"), [(6, 1), (9, 2), (20, 6), (100, 40)])
def test_a_median_lies_between_the_right_ranks(count, first):
    """Ranks from the usual tables of the sign test's interval."""
    found = rates.median_interval(np.arange(1.0, count + 1))
    assert (found.low, found.high) == (first, count + 1 - first)
    assert stats.binom.cdf(first - 1, count, 0.5) <= 0.025
    assert stats.binom.cdf(first, count, 0.5) > 0.025


def test_a_median_of_few_values_has_no_interval_and_never_is_the_greatest_value():
    assert rates.median_interval(np.arange(5.0)).bound == "none"
    assert rates.median_interval(np.array([1, 2, 3, np.inf, np.inf, np.inf])).high == np.inf


def test_brier_of_a_fair_forecast_and_of_none():
    assert rates.brier(np.full(4, 0.5), np.array([0.0, 1, 0, 1])) == 0.25
    assert rates.brier(np.array([1.0, 0]), np.array([1.0, 0])) == 0
    assert math.isnan(rates.brier(np.empty(0), np.empty(0)))
