"""P-values and their corrections against definitions written out the slow way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.nulls import benjamini_hochberg, combined_p, percentile_of, permutation_p, tail_bits

P = st.floats(1e-9, 1.0)
DRAWS = st.lists(st.floats(-100, 100), max_size=60)


def _slow_q_values(p_values: list[float]) -> list[float]:
    """The definition: for each test, the least m p_j / rank_j over all tests whose p is at least its own, ranks counting ties in full, cut at 1."""
    found = []
    for p in p_values:
        larger = [other for other in p_values if other >= p]
        found.append(min(1.0, *(other * len(p_values) / sum(q <= other for q in p_values) for other in larger)))
    return found


@settings(max_examples=80, deadline=None)
@given(st.lists(P, max_size=30))
def test_q_values_are_those_of_the_definition(p_values: list[float]) -> None:
    assert benjamini_hochberg(np.array(p_values)).tolist() == pytest.approx(_slow_q_values(p_values))


@settings(max_examples=60, deadline=None)
@given(st.lists(P, min_size=1, max_size=30))
def test_q_values_are_monotone_never_below_p_and_at_most_one(p_values: list[float]) -> None:
    p = np.array(p_values)
    q = benjamini_hochberg(p)
    order = np.argsort(p, kind="stable")
    assert (q >= p * (1 - 1e-12)).all()
    assert (q <= 1).all()
    assert (np.diff(q[order]) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(P, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_q_values_do_not_depend_on_the_order_of_tests(p_values: list[float], random) -> None:
    order = random.sample(range(len(p_values)), len(p_values))
    q = benjamini_hochberg(np.array(p_values))
    assert benjamini_hochberg(np.array(p_values)[order]).tolist() == pytest.approx(q[order].tolist())


def test_a_known_table_of_q_values() -> None:
    q = benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005]))
    assert q.tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_no_tests_have_no_q_values() -> None:
    assert benjamini_hochberg(np.array([])).tolist() == []


@settings(max_examples=60, deadline=None)
@given(st.floats(-100, 100), DRAWS)
def test_a_permutation_p_counts_the_observation_among_the_draws(observed: float, draws: list[float]) -> None:
    p = permutation_p(observed, np.array(draws))
    assert p == pytest.approx(sum(draw >= observed for draw in [*draws, observed]) / (len(draws) + 1))
    assert 0 < p <= 1


@settings(max_examples=40, deadline=None)
@given(st.floats(-100, 100), st.floats(0, 50), DRAWS)
def test_a_larger_observation_is_never_less_surprising(observed: float, step: float, draws: list[float]) -> None:
    assert permutation_p(observed + step, np.array(draws)) <= permutation_p(observed, np.array(draws))


def test_under_the_null_a_permutation_p_is_not_below_a_level_more_often_than_that_level() -> None:
    rng = np.random.default_rng(3)
    p = np.array([permutation_p(float(draws[0]), draws[1:]) for draws in rng.normal(size=(4000, 100))])
    for level in (0.01, 0.05, 0.2):
        assert (p <= level).mean() <= level + 3 * math.sqrt(level / 4000)


@settings(max_examples=60, deadline=None)
@given(st.integers(-5, 5), st.lists(st.integers(-5, 5), max_size=40))
def test_a_percentile_counts_half_of_the_ties(observed: int, draws: list[int]) -> None:
    found = percentile_of(float(observed), np.array(draws, dtype=np.float64))
    expected = 50.0 if not draws else 100 * sum(1.0 if draw < observed else 0.5 if draw == observed else 0.0 for draw in draws) / len(draws)
    assert found == pytest.approx(expected)
    assert 0 <= found <= 100


@settings(max_examples=60, deadline=None)
@given(st.lists(P, max_size=20))
def test_a_combined_p_is_never_below_the_smallest_part_and_at_most_one(p_values: list[float]) -> None:
    combined = combined_p(np.array(p_values))
    assert combined == pytest.approx(min(1.0, min(p_values) * len(p_values)) if p_values else 1.0)
    assert all(combined >= min(p_values) for _ in p_values)
    assert 0 < combined <= 1


@settings(max_examples=40, deadline=None)
@given(P)
def test_tail_bits_are_halvings(p_value: float) -> None:
    bits = tail_bits(p_value)
    assert bits >= 0
    assert 2.0**-bits == pytest.approx(p_value)
