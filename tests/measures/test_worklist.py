"""Work-lists: expected repeats known by counting, dealt-out work told, independent draws of any list not told, and corpora that come from outsiders alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.worklist import Holdings, best_p, fewest_p


def _held(lists: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(account, entry) for account, entries in enumerate(lists) for entry in sorted(entries)]
    return np.array([a for a, _ in pairs], dtype=np.int64), np.array([e for _, e in pairs], dtype=np.int64)


def _world(rng: np.random.Generator, corpus: int, members: int, each: int, *, dealt: bool, weights: np.ndarray | None = None) -> list[set[int]]:
    """Members, then 40 outsiders of one corpus who each hold 60 of its entries."""
    order = rng.permutation(corpus)
    if dealt:
        own = [set(order[n * each : (n + 1) * each].tolist()) for n in range(members)]
    else:
        own = [set(rng.choice(corpus, each, replace=False, p=weights).tolist()) for _ in range(members)]
    return own + [set(rng.choice(corpus, 60, replace=False, p=weights).tolist()) for _ in range(40)]


def _best(lists: list[set[int]], members: int):
    found = Holdings(*_held(lists), len(lists)).draws_of(np.arange(members))
    return found[0] if found else None


def test_a_small_world_counted_by_hand():
    outside = [{0, 1, 2, 3, 4}, {3, 4, 5, 6, 7}, {3, 4, 6, 8, 9}]  # each two share 3 and 4; U is what one alone holds: 0 1 2 5 7 8 9
    draws = _best([{0, 1, 5}, {0, 7, 90}, {6, 91}, *outside], 3)
    assert (draws.entries, draws.hits, draws.hitters, draws.repeats) == (7, 5, 2, 1)
    assert draws.expected == pytest.approx((5**2 - (9 + 4)) / 14, abs=1e-6)
    assert draws.drawn.tolist() == [0, 1, 5, 7]


def test_work_that_is_dealt_out_is_told_and_drawn_work_is_not():
    rng = np.random.default_rng(1)
    dealt, drawn = (_best(_world(rng, 4000, 40, 60, dealt=dealt), 40) for dealt in (True, False))
    assert dealt.repeats == 0
    assert dealt.p_value < 1e-4
    assert drawn.p_value > 0.01


@pytest.mark.parametrize("skewed", [False, True])
def test_independent_draws_are_told_no_more_often_than_the_level_says(skewed):
    rng = np.random.default_rng(2)
    weights = (1.0 / np.arange(1, 1501)) if skewed else np.ones(1500)
    p_values = [_best(_world(rng, 1500, 12, 60, dealt=False, weights=weights / weights.sum()), 12).p_value for _ in range(60)]
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p_values) <= level) <= level + 3 * math.sqrt(level * (1 - level) / 60)


def test_too_few_outsiders_are_no_corpus():
    assert _best([{0, 1}, {1, 2}, {0, 1, 2, 3}, {0, 1, 2, 3}], 2) is None
    assert Holdings(np.empty(0, np.int64), np.empty(0, np.int64), 0).draws_of(np.empty(0, np.int64)) == []


def test_two_corpora_are_not_laid_together():
    """Who has a corpus of his own repeats nobody, and that is no wonder."""
    rng = np.random.default_rng(3)
    lists = [set(rng.choice(800, 50, replace=False).tolist()) for _ in range(2)]
    lists = [lists[0], {entry + 5000 for entry in lists[1]}]
    outside = [{int(entry) + shift for entry in rng.choice(800, 60, replace=False)} for shift in (0, 5000) for _ in range(20)]
    found = Holdings(*_held([*lists, *outside]), 42).draws_of(np.arange(2))
    assert [draws.hitters for draws in found] == [1, 1]
    assert all(draws.expected == 0 and draws.p_value == 1 for draws in found)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(31, 200))
def test_the_p_value_is_one_and_even_draws_expect_what_is_said(each, entries):
    """By enumeration of pairs: two members meet on each entry with the product of their shares."""
    x = np.array(each, dtype=np.int64)
    pairs = sum(a * b / entries for i, a in enumerate(each) for b in each[i + 1 :])
    assert (sum(each) ** 2 - sum(a * a for a in each)) / (2 * entries) == pytest.approx(pairs)
    p_values = [fewest_p(x, entries, repeats, min(repeats, max(sum(each) - 1, 0))) for repeats in range(0, 40, 5)]
    assert all(0 < p <= 1 for p in p_values)
    assert p_values == sorted(p_values)
    assert p_values[0] >= best_p(pairs) * (1 - 1e-9)
