"""Groups drawn at random and their statistics, against double loops and exact counts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial import cKDTree

from pipeline.measures.groups import (
    Neighbours,
    daily_residuals,
    day_means,
    draw_groups,
    draw_pairs,
    draw_sets,
    likeness_to_rest,
    mean_cosine,
    mean_cosine_sparse,
    nearest,
    smallest,
    smallest_by_partition,
    standardise,
    tied_share_sparse,
    unit_rows,
    walked_distance,
)
from pipeline.measures.groups_numba import smallest as smallest_compiled

SEEDS = st.integers(0, 10_000)


def _unit(rows: int, width: int, seed: int) -> np.ndarray:
    """Rows of length 1, about a fifth of them empty."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, width)) * (rng.random((rows, 1)) > 0.2)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.divide(values, length, out=np.zeros_like(values), where=length > 0)


def _slow_mean_cosine(unit: np.ndarray, group: np.ndarray) -> float:
    cosines = [float(unit[a] @ unit[b]) for a, b in itertools.combinations(group.tolist(), 2)]
    return sum(cosines) / len(cosines)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(1, 6), st.integers(1, 4), SEEDS)
def test_mean_cosine_is_that_of_a_double_loop_dense_or_sparse(size: int, width: int, count: int, seed: int) -> None:
    unit = _unit(12, width, seed)
    groups = draw_groups(np.arange(12), size, count, np.random.default_rng(seed))
    slow = [_slow_mean_cosine(unit, group) for group in groups]
    assert mean_cosine(unit, groups) == pytest.approx(slow, abs=1e-9)
    assert mean_cosine_sparse(sparse.csr_matrix(unit), groups) == pytest.approx(slow, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_mean_cosine_does_not_depend_on_the_order_of_a_group(seed: int) -> None:
    unit = _unit(9, 4, seed)
    order = np.random.default_rng(seed).permutation(9)
    assert mean_cosine(unit, order[None, :]) == pytest.approx(mean_cosine(unit, np.arange(9)[None, :]))


def test_accounts_of_one_mix_have_cosine_one_and_strangers_have_none() -> None:
    same = unit_rows(np.array([0, 1, 2]), np.array([0, 0, 0]), np.array([2.0, 5.0, 1.0]), 3)
    apart = unit_rows(np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([2.0, 5.0, 1.0]), 3)
    assert mean_cosine_sparse(same, np.array([[0, 1, 2]])) == pytest.approx([1.0])
    assert mean_cosine_sparse(apart, np.array([[0, 1, 2]])) == pytest.approx([0.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 30), SEEDS)
def test_drawn_groups_hold_accounts_of_the_pool_once(size: int, more: int, groups: int, seed: int) -> None:
    pool = np.arange(100, 100 + size + more) * 3
    found = draw_groups(pool, size, groups, np.random.default_rng(seed))
    assert found.shape == (groups, size)
    assert all(len(set(group)) == size and set(group) <= set(pool.tolist()) for group in found.tolist())


def test_every_account_of_the_pool_is_drawn_equally_often() -> None:
    found = draw_groups(np.arange(10), 3, 20_000, np.random.default_rng(5))
    share = np.bincount(found.ravel(), minlength=10) / 20_000
    assert share == pytest.approx(np.full(10, 0.3), abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 25), st.integers(1, 80), SEEDS)
def test_drawn_pairs_are_distinct_ordered_and_all_of_them_if_few(size: int, wanted: int, seed: int) -> None:
    i, j = draw_pairs(size, wanted, np.random.default_rng(seed))
    pairs = list(zip(i.tolist(), j.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) == min(wanted, size * (size - 1) // 2)
    assert all(0 <= a < b < size for a, b in pairs)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 25), st.integers(1, 4), st.integers(1, 12), SEEDS)
def test_the_nearest_are_those_of_a_sort_by_distance(count: int, width: int, wanted: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = rng.integers(0, 4, (count + 3, width)).astype(np.float64)  # whole numbers make ties
    members, eligible = np.arange(3), np.arange(3, count + 3)
    distance = {e: round(min(float(np.linalg.norm(columns[e] - columns[m])) for m in members), 9) for e in eligible.tolist()}
    expected = sorted(sorted(distance, key=lambda e: (distance[e], e))[:wanted])
    assert nearest(columns, members, eligible, wanted).tolist() == expected
    assert nearest(columns, members, rng.permutation(eligible), wanted).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 6), st.booleans(), SEEDS)
def test_distances_are_those_of_the_tree_to_the_bit(points: int, asked: int, width: int, is_tied: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (rng.integers(0, 3, (rows, width)).astype(np.float64) if is_tied else rng.standard_normal((rows, width)) for rows in (points, asked))
    assert walked_distance(one, other).tobytes() == cKDTree(one).query(other)[0].tobytes()


def test_nobody_is_near_to_nobody() -> None:
    nobody = np.empty(0, dtype=np.int64)
    columns = np.zeros((4, 2))
    assert nearest(columns, nobody, np.arange(4), 3).tolist() == []
    assert nearest(columns, np.arange(2), nobody, 3).tolist() == []


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 15), st.integers(1, 4), SEEDS)
def test_standardised_columns_have_mean_zero_and_deviation_one_or_are_zero(rows: int, width: int, seed: int) -> None:
    columns = np.random.default_rng(seed).integers(0, 3, (rows, width)).astype(np.float64)
    scaled = standardise(columns)
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(width), abs=1e-9)
    for before, after in zip(columns.T, scaled.T, strict=True):
        assert after.std() == pytest.approx(0.0 if len(set(before.tolist())) == 1 else 1.0)


def test_standardising_nothing_gives_nothing() -> None:
    assert standardise(np.zeros((0, 3))).shape == (0, 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(1, 6), SEEDS)
def test_likeness_to_the_rest_is_the_cosine_to_the_sum_of_the_others(count: int, width: int, seed: int) -> None:
    unit = np.abs(_unit(count, width, seed))
    found = likeness_to_rest(sparse.csr_matrix(unit), np.arange(count))
    for place in range(count):
        rest = unit[[other for other in range(count) if other != place]].sum(axis=0)
        length = float(np.linalg.norm(rest))
        assert found[place] == pytest.approx(float(unit[place] @ rest) / length if length > 1e-12 else 0.0, abs=1e-5)
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(5, 14), SEEDS)
def test_residuals_of_some_accounts_are_those_among_all_where_the_days_levels_are_given(accounts: int, days: int, seed: int) -> None:
    counts = np.random.default_rng(seed).poisson(3.0, (accounts + 2, days)).astype(np.float64)
    assert daily_residuals(counts[:2], day_means(counts)).tobytes() == daily_residuals(counts)[:2].tobytes()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(1, 6), SEEDS)
def test_daily_residuals_have_length_one_or_zero_and_no_level_of_their_own(accounts: int, days: int, seed: int) -> None:
    counts = np.random.default_rng(seed).integers(0, 30, (accounts, days)).astype(np.float64)
    unit = daily_residuals(counts)
    length = np.linalg.norm(unit, axis=1)
    assert all(value == pytest.approx(1.0) or value == 0.0 for value in length)
    assert unit.sum(axis=1) == pytest.approx(np.zeros(accounts), abs=1e-6)


def test_a_flat_account_among_flat_accounts_has_no_residual_and_shared_bursts_show() -> None:
    assert daily_residuals(np.full((4, 7), 9.0)).tolist() == np.zeros((4, 7)).tolist()
    counts = np.full((12, 10), 16.0)
    counts[:3, 4] = 100.0
    unit = daily_residuals(counts)
    assert mean_cosine(unit, np.array([[0, 1, 2]]))[0] > 0.99
    assert mean_cosine(unit, np.array([[0, 5, 6]]))[0] < 0


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(1, 12), st.integers(1, 4), SEEDS)
def test_the_tied_share_is_that_of_a_double_loop_over_sets(size: int, width: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = rng.random((14, width)) < 0.2
    groups = draw_groups(np.arange(14), size, count, rng)
    slow = [np.mean([bool((held[a] & held[b]).any()) for a, b in itertools.combinations(group.tolist(), 2)]) for group in groups]
    assert tied_share_sparse(sparse.csr_matrix(held.astype(float)), groups) == pytest.approx(slow, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 120), st.integers(1, 3), st.integers(1, 9), st.integers(1, 60), st.booleans(), SEEDS)
def test_the_index_finds_whom_the_walk_finds_ties_too(count: int, width: int, size: int, wanted: int, coarse: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = standardise(rng.integers(0, 4, (count, width)).astype(float) if coarse else rng.normal(size=(count, width)))
    members = np.sort(rng.choice(count, min(size, count), replace=False))
    eligible = np.flatnonzero(rng.random(count) < 0.7)
    assert Neighbours(columns).nearest(members, eligible, wanted).tolist() == nearest(columns, members, eligible, wanted).tolist()


ROWS = st.integers(1, 40).flatmap(lambda width: st.lists(st.lists(st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.999]), min_size=width, max_size=width), min_size=1, max_size=5))


@given(ROWS, st.data())
@settings(max_examples=150, deadline=None)
def test_the_smallest_are_those_that_a_sort_gives_compiled_or_not(rows: list[list[float]], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(rows[0])))
    expected = [sorted(sorted(range(len(row)), key=lambda place: (row[place], place))[:size]) for row in rows]
    for found in (smallest_by_partition(np.array(rows), size), smallest_compiled(np.array(rows), size), smallest(np.array(rows), size)):
        assert found.tolist() == expected


@given(st.integers(1, 30), st.integers(30, 300), st.integers(1, 600), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_sets_are_the_groups_that_one_generator_gives(size: int, pool: int, groups: int, seed: int) -> None:
    accounts = np.sort(np.random.default_rng(seed).choice(10_000, pool, replace=False))
    one, other = np.random.default_rng(seed), np.random.default_rng(seed)
    assert np.array_equal(draw_sets(accounts, size, groups, one), np.sort(draw_groups(accounts, size, groups, other), axis=1))
    assert one.random() == other.random()


@given(st.integers(5, 60), st.integers(0, 40), st.integers(0, 40), SEEDS)
@settings(max_examples=40, deadline=None)
def test_the_nearest_of_the_nearest_are_the_nearest_of_all(count: int, wanted: int, more: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns, members = rng.integers(0, 4, size=(count, 2)).astype(float), np.arange(3)
    eligible = np.arange(3, count)
    pool = nearest(columns, members, eligible, wanted + more)
    assert nearest(columns, members, pool, wanted).tolist() == nearest(columns, members, eligible, wanted).tolist()
