"""Likeness of users: cosines against a dense computation, one pool against strangers, p-values that hold under their null."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.unlikeness import cosines, halfway, halves, likeness, one_pool_p, stranger_ratios, word_weights

WORDS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 8), st.floats(0.1, 4)), max_size=60, unique_by=lambda row: row[:3])
LAWS = settings(max_examples=60, deadline=None)


def bags(rows, accounts):
    columns = [np.array(column) for column in zip(*rows, strict=True)] if rows else [np.zeros(0, dtype=np.int64)] * 3 + [np.zeros(0)]
    return halves(*columns, accounts)


def users(pools, size, prompts, seed):
    """Cosines of `size` users in turn of each pool; a pool is 60 words of its own."""
    draw = np.random.default_rng(seed)
    rows = {}
    for account in range(size):
        for half in (0, 1):
            for word in draw.integers(0, 60, size=prompts):
                place = (account, half, int(word) + 60 * (account % pools))
                rows[place] = rows.get(place, 0) + 1
    return cosines(bags([(*place, float(np.log1p(count))) for place, count in rows.items()], size), np.arange(size))


@LAWS
@given(WORDS)
def test_cosines_are_those_of_dense_vectors(rows):
    found = cosines(bags(rows, 6), np.arange(6))
    dense = np.zeros((6, 2, 9))
    for account, half, word, weight in rows:
        dense[account, half, word] = weight
    for a in range(6):
        for b in range(6):
            length = np.linalg.norm(dense[a, 0]) * np.linalg.norm(dense[b, 1])
            assert found[a, b] == pytest.approx(dense[a, 0] @ dense[b, 1] / length if length else 0.0, abs=1e-8)


@LAWS
@given(WORDS, st.permutations(range(6)))
def test_the_order_of_accounts_changes_no_likeness(rows, order):
    whole = bags(rows, 6)
    assert likeness(cosines(whole, np.arange(6))) == likeness(cosines(whole, np.array(order)))


@pytest.mark.parametrize("prompts", [12, 60, 300])
def test_users_of_one_pool_are_as_alike_as_a_user_to_itself_however_much_they_send(prompts):
    assert likeness(users(1, 40, prompts, 1)).ratio == pytest.approx(1.0, abs=0.15)


def test_strangers_are_not_alike():
    assert likeness(users(40, 40, 60, 1)).ratio == 0.0


def test_a_pool_with_a_fifth_of_outsiders_is_still_one_pool():
    """Four users in five of one pool and the rest strangers: the median pair is inside the pool."""
    between = users(1, 40, 60, 1)
    own = np.diagonal(between).copy()
    between[:, 32:] = between[32:, :] = 0.0
    np.fill_diagonal(between, own)
    assert likeness(between).ratio > 0.85


def test_pairs_of_one_identity_do_not_count():
    between = np.array([[0.5, 0.4, 0.1], [0.4, 0.5, 0.1], [0.1, 0.1, 0.5]])
    assert likeness(between, np.array([7, 7, 8])).across == 0.1
    assert likeness(between).across == 0.1
    assert likeness(between[:2, :2]).across == 0.4
    assert likeness(between, np.array([7, 7, 7])) == likeness(np.zeros((0, 0)))


def test_accounts_that_are_not_like_themselves_count_as_one_pool():
    assert likeness(np.zeros((5, 5))).ratio == 1.0


def test_the_p_value_refutes_one_pool_for_strangers_only():
    assert one_pool_p(users(40, 40, 60, 1), 999, np.random.default_rng(1)) == 0.001
    p_values = np.array([one_pool_p(users(1, 20, 40, seed), 99, np.random.default_rng(seed)) for seed in range(200)])
    assert 0.02 <= np.mean(p_values <= 0.1) <= 0.18  # one in ten under the null
    assert p_values.min() >= 0.01


def test_an_own_half_never_stands_for_anothers():
    assert one_pool_p(np.eye(2), 50, np.random.default_rng(1)) == pytest.approx(1 / 51)


def test_strangers_come_in_groups_of_one_size_and_never_from_too_small_a_pool():
    between, names = users(40, 40, 60, 1), np.arange(40)
    ratios = stranger_ratios(between, names, 20, 30, np.random.default_rng(1))
    assert len(ratios) == 30
    assert (ratios == stranger_ratios(between, names, 20, 30, np.random.default_rng(1))).all()
    assert len(stranger_ratios(between[:39, :39], names[:39], 20, 30, np.random.default_rng(1))) == 0


def test_strangers_who_share_a_product_are_not_compared():
    between = users(2, 40, 60, 1)  # two pools in turn
    apart = stranger_ratios(between, np.arange(40) % 2, 20, 50, np.random.default_rng(1))
    assert apart.max() == 0.0


@LAWS
@given(st.lists(st.floats(0, 3), min_size=1, max_size=50), st.floats(0, 1))
def test_the_threshold_lies_between_the_quantile_and_one_pool(null, quantile):
    threshold = halfway(np.array(null), quantile)
    assert 0.5 <= threshold <= 1.0
    assert threshold >= min(1.0, np.quantile(null, quantile)) - 1e-6


def test_without_strangers_nothing_is_unlike():
    assert halfway(np.zeros(0), 0.95) == 0.0


def test_a_word_that_all_use_weighs_nothing_and_a_rarer_one_more():
    weights = word_weights(np.array([5, 5, 5, 1]), np.array([8, 4, 1, 1]), 8)
    assert weights[0] == 0.0
    assert weights[2] == pytest.approx(np.log(6) * 3)
    assert weights[1] < weights[2]
    assert weights[3] < weights[2]
