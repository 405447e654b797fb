"""Likelihood ratios out of counts: by hand, and by law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.ratio_scale import cllr, likelihood_ratios


def counts(*rows):
    return np.array(rows, dtype=np.int64)


def test_a_cell_is_worth_its_shares_with_one_case_added_on_either_side():
    ratios = likelihood_ratios(counts([0, 9]), counts([99, 0]))
    assert ratios[0].tolist() == pytest.approx([(1 / 10) / (100 / 100), (10 / 10) / (1 / 100)])


def test_where_a_higher_score_is_found_less_often_the_two_are_pooled():
    ratios = likelihood_ratios(counts([6, 3]), counts([4, 7]))
    assert ratios[0].tolist() == pytest.approx([(10 / 10) / (12 / 12)] * 2)


def test_strata_are_weighed_against_all_groups_and_not_against_their_own():
    ratios = likelihood_ratios(counts([8], [0]), counts([0], [18]))
    assert ratios[:, 0].tolist() == pytest.approx([(9 / 9) / (1 / 19), (1 / 9) / (19 / 19)])


def test_a_score_that_was_never_seen_is_worth_the_one_below():
    ratios = likelihood_ratios(counts([0, 0, 9, 0]), counts([50, 0, 1, 0]))
    assert ratios[0][0] == ratios[0][1] < ratios[0][2] == ratios[0][3]


def test_nothing_counted_says_nothing():
    assert likelihood_ratios(counts([0, 0]), counts([0, 0])).tolist() == [[1.0, 1.0]]


TABLES = st.integers(1, 3).flatmap(
    lambda strata: st.integers(1, 6).flatmap(
        lambda bins: st.tuples(*(st.lists(st.lists(st.integers(0, 40), min_size=bins, max_size=bins), min_size=strata, max_size=strata) for _ in range(2)))
    )
)


@settings(deadline=None)  # the machine may be busy
@given(TABLES)
def test_ratios_rise_with_the_score_and_stay_within_what_the_groups_can_carry(tables):
    operated, innocent = counts(*tables[0]), counts(*tables[1])
    ratios = likelihood_ratios(operated, innocent)
    assert (np.diff(ratios, axis=1) >= -1e-9).all()
    assert (ratios >= 1 / (operated.sum() + 1) - 1e-12).all()
    assert (ratios <= innocent.sum() + 1 + 1e-9).all()


def test_the_cost_of_ratios_is_nothing_for_perfect_ones_and_one_for_none():
    assert cllr(np.array([1e12]), np.array([1e-12])) == pytest.approx(0.0, abs=1e-9)
    assert cllr(np.ones(3), np.ones(5)) == 1.0
    assert cllr(np.array([3.0]), np.array([1.0])) == pytest.approx((math.log2(4 / 3) + 1) / 2)
    assert math.isnan(cllr(np.empty(0), np.ones(2)))
