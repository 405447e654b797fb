"""Bits of a tail: what strangers get, what a stratum can give at most, and who is compared with whom."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.tails import Null, Strata, null_of

EDGES = (10, 40)


def _everyone(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.ones(len(a), dtype=np.bool_)


def _of_the_first_unknown(a: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.where(a == 0, np.nan, 1.0)


def _world(seed: int, accounts: int = 700) -> tuple[Strata, np.ndarray]:
    """Accounts at random places of a line whose scale depends on their manner and sample, so that one null for all would be wrong."""
    draw = np.random.default_rng(seed)
    manner, size = draw.integers(0, 3, accounts), draw.integers(5, 80, accounts)
    return Strata(manner, size, EDGES), draw.normal(size=accounts) * (1.0 + 5 * manner) + 300.0 / size


@pytest.mark.parametrize("seed", range(3))
def test_of_strangers_a_share_of_two_to_the_minus_b_reaches_b_bits_in_every_stratum(seed: int) -> None:
    strata, place = _world(seed)

    def figure(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.abs(place[a] - place[b])

    null = null_of(strata, figure, np.ones(len(place), dtype=np.bool_), _everyone, 60_000, seed)
    a, b = np.random.default_rng(seed + 99).integers(0, len(place), (2, 60_000))
    a, b = a[a != b], b[a != b]
    stratum = strata.of(a, b)
    bits = null.bits(stratum, figure(a, b))
    assert (bits[stratum < 0] == 0).all()
    for number in np.unique(stratum[stratum >= 0]):
        own = bits[stratum == number]
        for level in (1.0, 3.0, 5.0):
            expected = 2.0**-level
            assert abs(float((own >= level).mean()) - expected) < 0.15 * expected + 4 * math.sqrt(expected / len(own)) + 4 * math.sqrt(expected / 2_000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 9), max_size=30), st.floats(0, 9))
def test_bits_are_counted_with_the_pair_itself(null: list[float], seen: float) -> None:
    found = Null(np.sort(np.array(null)), np.array([0, len(null)])).bits(np.zeros(1, dtype=np.int64), np.array([seen]))[0]
    assert found == pytest.approx(-math.log2((1 + sum(figure <= seen for figure in null)) / (1 + len(null))), abs=1e-6)
    assert 0 <= found <= math.log2(1 + len(null)) + 1e-6


def test_a_stratum_is_the_two_manners_and_the_smaller_sample() -> None:
    strata = Strata(np.array([0, 1, 1, 0]), np.array([9, 10, 50, 99]), EDGES)
    a, b = (np.array(side) for side in zip(*itertools.combinations(range(4), 2), strict=True))
    assert (strata.of(a, b) == strata.of(b, a)).all()
    named = dict(zip(itertools.combinations(range(4), 2), strata.of(a, b).tolist(), strict=True))
    assert {pair for pair, number in named.items() if number < 0} == {(0, 1), (0, 2), (0, 3)}
    assert named[1, 3] != named[2, 3] != named[1, 2]


def test_no_pair_counts_twice_and_a_few_accounts_give_few_bits() -> None:
    strata, asked = Strata(np.zeros(6, dtype=np.int64), np.full(6, 50), (10,)), []

    def figure(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        asked.extend(zip(a.tolist(), b.tolist(), strict=True))
        return np.ones(len(a))

    null = null_of(strata, figure, np.arange(6) != 5, lambda a, b: a + b != 7, 10_000, 1)
    assert sorted(asked) == [pair for pair in itertools.combinations(range(5), 2) if pair != (3, 4)]
    assert null.bits(np.zeros(1, dtype=np.int64), np.array([0.5]))[0] == pytest.approx(math.log2(10), abs=1e-6)


def test_unknown_figures_and_nobody_give_nothing() -> None:
    strata = Strata(np.zeros(3, dtype=np.int64), np.full(3, 50), (10,))
    null = null_of(strata, _of_the_first_unknown, np.ones(3, dtype=np.bool_), _everyone, 1_000, 1)
    assert null.figures.tolist() == [1.0]
    assert null.bits(np.array([0, 0]), np.array([np.nan, 2.0])).tolist() == [0.0, 0.0]
    none = np.zeros(0, dtype=np.int64)
    assert len(null_of(Strata(none, none, EDGES), _of_the_first_unknown, none > 0, _everyone, 1_000, 1).bits(none, np.zeros(0))) == 0
