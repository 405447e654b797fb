"""Figures of likeness against plain Python, and compiled products against plain ones."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures import likeness, likeness_numba

PROMPTS = st.lists(st.lists(st.sets(st.integers(0, 5), max_size=4), min_size=1, max_size=6), min_size=2, max_size=6)
"""Of each account its prompts, each a set of words."""
COUNTS = st.lists(st.lists(st.integers(0, 9), min_size=48, max_size=48), min_size=1, max_size=5)


def _topics(world: list[list[set[int]]]) -> likeness.Topics:
    counted = [(a, word, sum(word in prompt for prompt in prompts)) for a, prompts in enumerate(world) for word in sorted(set().union(*prompts))]
    account, word, prompts = (np.array([row[part] for row in counted], dtype=np.int64) for part in range(3))
    return likeness.topics(account, word, prompts, np.array([len(prompts) for prompts in world], dtype=np.int64))


def _vectors(world: list[list[set[int]]]) -> list[list[list[float]]]:
    """Every prompt written out as a vector of six words."""
    users = [sum(any(word in prompt for prompt in prompts) for prompts in world) for word in range(6)]
    talking = sum(any(prompts) for prompts in world)
    weight = [math.log(max(2, talking) / count) if count else 0.0 for count in users]
    return [[[weight[word] * (word in prompt) for word in range(6)] for prompt in prompts] for prompts in world]


@settings(max_examples=80, deadline=None)
@given(PROMPTS)
def test_exchangeability_is_that_of_the_prompts_written_out(world: list[list[set[int]]]) -> None:
    vectors = _vectors(world)
    mean = [[statistics.fmean(column) for column in zip(*prompts, strict=True)] for prompts in vectors]
    noise = [sum(statistics.variance(column) for column in zip(*prompts, strict=True)) / len(prompts) if len(prompts) > 1 else math.nan for prompts in vectors]
    found = _topics(world)
    for a in range(len(world)):
        for b in range(len(world)):
            figure = likeness.exchangeability(found, np.array([a]), np.array([b]))[0]
            apart, chance = math.dist(mean[a], mean[b]) ** 2, noise[a] + noise[b]
            if math.isnan(chance) or chance < 1e-9 or not any(mean[a]) or not any(mean[b]):
                assert math.isnan(figure) or chance > 0
            elif apart > 1e-6:
                assert figure == pytest.approx(math.log(apart / chance), abs=1e-3)
            else:
                assert figure < math.log(1e-5 / chance)


def test_draws_of_one_pool_are_exchangeable_and_strangers_are_not() -> None:
    draw = np.random.default_rng(3)
    pools = [range(40), range(40), range(40, 80), range(80, 120)]
    found = _topics([[set(draw.choice(pool, 6).tolist()) for _ in range(30)] for pool in pools])
    assert abs(likeness.exchangeability(found, np.array([0]), np.array([1]))[0]) < 0.5
    assert likeness.exchangeability(found, np.array([0]), np.array([2]))[0] > 1.5


def test_ranks_become_normal_scores_with_ties_in_the_middle_and_unknown_apart() -> None:
    columns = np.array([[5.0, 1.0], [1.0, np.nan], [9.0, 1.0], [1.0, 1.0]])
    scores, unknown = likeness.rank_normal(columns), np.iinfo(np.int64).min
    normal = statistics.NormalDist()
    assert scores[:, 0].tolist() == [round(1000 * normal.inv_cdf(rank / 5)) for rank in (3, 1.5, 4, 1.5)]
    assert scores[:, 1].tolist() == [0, unknown, 0, 0]
    found = likeness.profile_distance(scores, np.array([0, 0, 0]), np.array([2, 1, 1]), 1)
    assert found.tolist() == pytest.approx([((scores[0, 0] - scores[2, 0]) / 1000) ** 2 / 2, *[((scores[0, 0] - scores[1, 0]) / 1000) ** 2] * 2], abs=1e-6)
    assert np.isnan(likeness.profile_distance(scores, np.array([0]), np.array([1]), 2)).all()


@settings(max_examples=40, deadline=None)
@given(COUNTS)
def test_timing_is_one_less_the_cosine_of_what_day_and_hour_leave(worlds: list[list[int]]) -> None:
    counts = np.array(worlds, dtype=float).reshape(-1, 2, 24)
    left = []
    for account in counts.tolist():
        roots = [[math.sqrt(count) for count in day] for day in account]
        whole = max(1.0, sum(map(sum, roots)))
        left.append([root - sum(day) * sum(other[hour] for other in roots) / whole for day in roots for hour, root in enumerate(day)])
    rows, place = likeness.hour_residuals(counts), np.arange(len(counts))
    for a in range(len(counts)):
        for b in range(len(counts)):
            length = math.hypot(*left[a]) * math.hypot(*left[b])
            cosine = sum(x * y for x, y in zip(left[a], left[b], strict=True)) / length if length > 1e-6 else 0.0
            assert likeness.timing_distance(rows, place, np.array([a]), np.array([b]))[0] == pytest.approx(1 - cosine, abs=2e-3)


def test_an_account_of_steady_hours_has_nothing_left_and_one_without_hours_is_not_compared() -> None:
    steady = np.outer([1.0, 4.0, 9.0], np.arange(24.0) ** 2)
    rows = likeness.hour_residuals(np.stack([steady, np.zeros((3, 24))]))
    assert not rows.any()
    assert np.isnan(likeness.timing_distance(rows, np.array([0, -1]), np.array([0]), np.array([1]))).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_compiled_products_are_the_plain_ones(seed: int) -> None:
    draw = np.random.default_rng(seed)
    held = draw.random((6, 9)) < 0.5
    ends = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int64)
    columns, weights = np.nonzero(held)[1].astype(np.int64), draw.integers(0, 2**24, int(held.sum()))
    a, b = draw.integers(0, 6, 20), draw.integers(0, 6, 20)
    whole = np.zeros((6, 9), dtype=np.int64)
    whole[held] = weights
    expected = (whole[a] * whole[b]).sum(axis=1)
    assert likeness.plain_dots(ends, columns, weights, a, b).tolist() == expected.tolist() == likeness_numba.dots(ends, columns, weights, a, b).tolist()
    rows = draw.integers(-(2**14), 2**14, (6, 70)).astype(np.int16)
    expected = (rows[a].astype(np.int64) * rows[b]).sum(axis=1)
    assert likeness.plain_row_dots(rows, a, b).tolist() == expected.tolist() == likeness_numba.row_dots(rows, a, b).tolist()


def test_nothing_gives_nothing() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert len(likeness.exchangeability(likeness.topics(none, none, none, none), none, none)) == 0
    assert likeness.rank_normal(np.zeros((0, 3))).shape == (0, 3)
    assert len(likeness.profile_distance(likeness.rank_normal(np.zeros((0, 3))), none, none, 1)) == 0
    assert len(likeness.timing_distance(likeness.hour_residuals(np.zeros((0, 2, 24))), none, none, none)) == 0
    assert likeness.plain_dots(np.zeros(3, dtype=np.int64), none, none, np.array([0]), np.array([1])).tolist() == [0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 3).map(float), st.just(math.nan)), min_size=1, max_size=12))
def test_ranks_are_those_of_counting(column: list[float]) -> None:
    known, normal = [value for value in column if not math.isnan(value)], statistics.NormalDist()
    for score, value in zip(likeness.rank_normal(np.array([column]).T)[:, 0].tolist(), column, strict=True):
        rank = sum(other < value for other in known) + (1 + sum(other == value for other in known)) / 2
        assert score == (np.iinfo(np.int64).min if math.isnan(value) else round(1000 * normal.inv_cdf(rank / (len(known) + 1))))
