"""Laws of the pair scorer, against the formula written out in plain Python. That it equals the link SQL is tested with the stages."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.pairs import PairScorer, SharedKind, shared_micro_bits
from pipeline.measures.pairs_numba import shared_micro_bits as compiled

ACCOUNTS = 7
FAMILY_CAPS = {"identity": 16_000_000, "templates": 12_000_000, "settings": 5_000_000}
KINDS = (("payment", "identity", 16_000_000, 1), ("device", "identity", 14_000_000, 1), ("template", "templates", 12_000_000, 2), ("stack", "settings", 4_000_000, 1))
SHARES = (1.0, 0.81, 0.5, 0.25, 0.04)
HOLDING = st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, 4), st.sampled_from(SHARES))
World = list[dict[tuple[int, int], float]]
"""Of each kind the share of each (account, value)."""
WORLDS = st.lists(st.lists(HOLDING, max_size=25).map(lambda rows: {(a, v): s for a, v, s in rows}), min_size=len(KINDS), max_size=len(KINDS))
A, B = (np.array(side, dtype=np.int64) for side in zip(*itertools.combinations(range(ACCOUNTS), 2), strict=True))


def _rarity(held: dict[tuple[int, int], float]) -> dict[int, int]:
    df: dict[int, int] = {}
    for _, value in held:
        df[value] = df.get(value, 0) + 1
    return {value: round(math.log2(100 / count) * 1e6) for value, count in df.items()}


def _scorer(world: World, rarity: list[dict[int, int]] | None = None) -> PairScorer:
    kinds = []
    for (kind, family, cap, support), held, worth in zip(KINDS, world, rarity or [_rarity(held) for held in world], strict=True):
        rows = sorted(held.items())
        row, column = ([place[side] for place, _ in rows] for side in (0, 1))
        columns = np.array(row, dtype=np.int64), np.array(column, dtype=np.int64), np.array([share for _, share in rows])
        kinds.append(SharedKind(kind, family, cap, support, *columns, np.array([worth[value] for value in column], dtype=np.int64)))
    return PairScorer(ACCOUNTS, kinds, FAMILY_CAPS)


def _slow_kind(number: int, world: World, a: int, b: int) -> int:
    """Millionths of a bit of one kind: the rarest shared value in full, the others by a quarter, capped; 0 below the least support."""
    _, _, cap, least = KINDS[number]
    held, worth = world[number], _rarity(world[number])
    found = [math.floor(math.sqrt(held[a, v] * held[b, v]) * worth[v] + 0.5) for v in worth if (a, v) in held and (b, v) in held]
    return min(cap, max(found) + (sum(found) - max(found)) // 4) if len(found) >= max(1, least) else 0


def _slow_family(family: str, world: World, a: int, b: int) -> int:
    parts = sorted((_slow_kind(n, world, a, b) for n, kind in enumerate(KINDS) if kind[1] == family), reverse=True)
    return min(FAMILY_CAPS[family], parts[0] + sum(part // 4 for part in parts[1:]))


@settings(max_examples=60, deadline=None)
@given(WORLDS)
def test_bits_are_those_of_the_formula_written_out(world: World) -> None:
    scorer = _scorer(world)
    by_kind, by_family, total = scorer.by_kind(A, B), scorer.by_family(A, B), scorer.total(A, B)
    for place, (a, b) in enumerate(zip(A.tolist(), B.tolist(), strict=True)):
        families = [_slow_family(family, world, a, b) for family in scorer.families]
        assert by_kind[place].tolist() == [_slow_kind(n, world, a, b) / 1e6 for n in range(len(KINDS))]
        assert by_family[place].tolist() == [micro / 1e6 for micro in families]
        assert total[place] == pytest.approx(sum(families) / 1e6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(WORLDS)
def test_bits_are_symmetric_never_negative_and_capped(world: World) -> None:
    scorer = _scorer(world)
    by_kind, by_family = scorer.by_kind(A, B), scorer.by_family(A, B)
    assert (by_kind >= 0).all()
    assert (by_family >= 0).all()
    assert (by_kind <= np.array([cap for _, _, cap, _ in KINDS]) / 1e6).all()
    assert (by_family <= np.array([FAMILY_CAPS[family] for family in scorer.families]) / 1e6).all()
    assert (scorer.by_kind(B, A) == by_kind).all()
    assert (scorer.total(B, A) == scorer.total(A, B)).all()


@settings(max_examples=40, deadline=None)
@given(WORLDS, st.integers(1, 5_000_000))
def test_a_rarer_value_is_never_worth_fewer_bits(world: World, more: int) -> None:
    common = [_rarity(held) for held in world]
    rarer = [{value: worth + more for value, worth in values.items()} for values in common]
    assert (_scorer(world, rarer).by_kind(A, B) >= _scorer(world, common).by_kind(A, B)).all()
    assert (_scorer(world, rarer).total(A, B) >= _scorer(world, common).total(A, B)).all()


@settings(max_examples=40, deadline=None)
@given(WORLDS, st.integers(0, 3), st.integers(0, ACCOUNTS - 2))
def test_one_more_shared_value_never_takes_bits_away(world: World, kind: int, account: int) -> None:
    fixed = [dict.fromkeys(range(6), 2_000_000) for _ in KINDS]
    more = [dict(held) for held in world]
    more[kind][account, 5] = more[kind][account + 1, 5] = 1.0
    pair = np.array([account]), np.array([account + 1])
    assert _scorer(more, fixed).total(*pair)[0] >= _scorer(world, fixed).total(*pair)[0]


@settings(max_examples=30, deadline=None)
@given(WORLDS, st.randoms(use_true_random=False))
def test_bits_do_not_depend_on_the_order_of_holdings_or_pairs(world: World, random) -> None:
    shuffled = [dict(random.sample(list(held.items()), len(held))) for held in world]
    order = np.array(random.sample(range(len(A)), len(A)))
    assert (_scorer(shuffled).total(A[order], B[order]) == _scorer(world).total(A, B)[order]).all()


def test_nothing_shared_is_worth_nothing_and_no_pairs_have_no_rows() -> None:
    scorer = _scorer([{(0, 0): 1.0, (1, 1): 1.0}, {}, {}, {}])
    nobody = np.empty(0, dtype=np.int64)
    assert not scorer.total(A, B).any()
    assert scorer.by_kind(nobody, nobody).shape == (0, len(KINDS))
    assert scorer.by_family(nobody, nobody).shape == (0, len(FAMILY_CAPS))
    assert scorer.kind_names == tuple(kind for kind, *_ in KINDS)
    assert scorer.families == tuple(FAMILY_CAPS)


def test_the_rarest_value_counts_in_full_and_the_others_by_a_quarter() -> None:
    world: World = [{(0, 0): 1.0, (1, 0): 1.0, (0, 1): 1.0, (1, 1): 1.0, (2, 1): 1.0, (3, 1): 1.0}, {(0, 0): 1.0, (1, 0): 1.0}, {}, {}]
    rarity = [{0: 5_000_000, 1: 2_000_000}, {0: 8_000_000}, {}, {}]
    scorer = _scorer(world, rarity)
    pair = np.array([0]), np.array([1])
    assert scorer.by_kind(*pair)[0].tolist() == [5.5, 8.0, 0.0, 0.0]
    assert scorer.by_family(*pair)[0, 0] == 8.0 + 5.5 / 4


def test_long_lists_of_pairs_are_scored_as_short_ones() -> None:
    scorer = _scorer([{(a, a % 3): 1.0 for a in range(ACCOUNTS)}, {}, {}, {}])
    times = 200_000 // len(A) + 1  # one list longer than the scorer takes at once
    assert (scorer.total(np.tile(A, times), np.tile(B, times)) == np.tile(scorer.total(A, B), times)).all()


@settings(max_examples=60, deadline=None)
@given(WORLDS)
def test_both_implementations_give_equal_values(world: World) -> None:
    scorer = _scorer(world)
    given_rows = (scorer._shares.indptr, scorer._shares.indices, scorer._shares.data, scorer._rarity, scorer._kind_of, len(scorer.kind_names), A, B)
    for one, other in zip(shared_micro_bits(*given_rows), compiled(*given_rows), strict=True):
        assert np.array_equal(one, other)
