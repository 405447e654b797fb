"""The null in two steps: p-values keep their level, what stands out is always measured on every group, and what does not costs a tenth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.measures.null_groups import ENOUGH, FIRST, NullGroups, null_of
from pipeline.measures.nulls import permutation_p

POOL = np.arange(100, 400)


def _groups(seed: int, count: int = 2999) -> NullGroups:
    return NullGroups(POOL, 8, count, np.random.default_rng(seed))


def test_groups_are_of_the_pool_distinct_inside_and_differ_between_the_steps() -> None:
    groups = _groups(1)
    assert groups.first.shape == (FIRST, 8)
    assert groups.rest.shape == (2999 - FIRST, 8)
    everything = np.concatenate([groups.first, groups.rest])
    assert np.isin(everything, POOL).all()
    assert all(len(set(group)) == 8 for group in everything.tolist())
    assert len({tuple(group) for group in everything.tolist()}) == 2999


def test_the_second_step_does_not_depend_on_who_asked_first() -> None:
    one, other = _groups(2), _groups(2)
    np.testing.assert_array_equal(one.rest, other.rest)
    np.testing.assert_array_equal(one.first, other.first)
    assert one.rest is one.rest


@pytest.mark.parametrize(("reach", "asked"), [(ENOUGH, FIRST), (ENOUGH - 1, 999)])
def test_the_second_step_is_asked_where_few_of_the_first_reach_the_observation(reach: int, asked: int) -> None:
    groups = _groups(3, 999)

    def statistic(some: NDArray[np.int64]) -> NDArray[np.float64]:
        is_first = some is groups.first
        return np.where(np.arange(len(some)) < reach, 1.0, 0.0) if is_first else np.zeros(len(some))

    assert len(null_of(1.0, groups, statistic)) == asked


def test_few_groups_fit_the_first_step() -> None:
    groups = _groups(4, 199)
    assert len(null_of(5.0, groups, lambda some: np.zeros(len(some)))) == 199


def test_p_values_of_what_is_random_itself_keep_every_level() -> None:
    values, rng = np.random.default_rng(5).normal(size=400), np.random.default_rng(6)
    p_values = []
    for seed in range(600):
        groups = _groups(seed, 1999)
        observed = round(float(values[rng.choice(POOL, 8, replace=False)].mean()), 6)
        p_values.append(permutation_p(observed, null_of(observed, groups, lambda some: values[some].mean(axis=1))))
    for level in (0.01, 0.05, 0.06, 0.1, 0.3):
        assert np.mean(np.array(p_values) <= level) <= level + 3 * np.sqrt(level / 600)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.05)
