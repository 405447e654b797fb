"""The scorer of one question answers as the run's own: on random holdings, for lists of accounts against lists, however often and however many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evidence import rescoring
from pipeline.evidence.rescoring import RememberingScorer
from pipeline.measures.pairs import PairScorer, SharedKind

CAPS = {"identity": 30_000_000, "templates": 9_000_000}
KINDS = (("payment", "identity", 20_000_000, 1), ("device", "identity", 12_000_000, 1), ("template", "templates", 8_000_000, 2))


def _scorer(count: int, columns: int, density: float, seed: int) -> PairScorer:
    rng = np.random.default_rng(seed)
    kinds = []
    for kind, family, cap, support in KINDS:
        row, column = np.nonzero(rng.random((count, columns)) < density)
        share = np.round(rng.random(len(row)), 6) if kind == "template" else np.ones(len(row))
        kinds.append(SharedKind(kind, family, cap, support, row, column, share, rng.integers(1, 9_000_000, columns)[column]))
    return PairScorer(count, kinds, CAPS)


def _check(scorer: PairScorer, own: RememberingScorer, a: np.ndarray, b: np.ndarray) -> None:
    wanted = scorer.total(a, b)
    found = own.total(a, b)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)
    found[:] = np.nan  # the caller's own: what is asked again is not touched
    np.testing.assert_array_equal(own.total(a, b), wanted)
    np.testing.assert_array_equal(own.by_family(a, b), scorer.by_family(a, b))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 90), st.integers(1, 40), st.sampled_from([0.0, 0.05, 0.4, 1.0]), st.integers(0, 10_000))
def test_lists_against_lists_and_all_against_all(count: int, columns: int, density: float, seed: int) -> None:
    scorer, rng = _scorer(count, columns, density, seed), np.random.default_rng(seed)
    own = RememberingScorer(scorer)
    _check(scorer, own, *np.triu_indices(count, k=1))
    accounts, sample = (np.sort(rng.choice(count, int(rng.integers(1, count + 1)), replace=False)) for _ in range(2))
    _check(scorer, own, np.repeat(accounts, len(sample)), np.tile(sample, len(accounts)))
    a, b = np.divmod(np.flatnonzero(rng.random(count * count) < 0.3), count)
    _check(scorer, own, a, b)


def test_once_many_were_asked_for_the_compiled_half_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "_UNCOMPILED", 1_000)
    scorer = _scorer(60, 30, 0.3, 6)
    own = RememberingScorer(scorer)
    for _ in range(2):
        _check(scorer, own, *np.triu_indices(60, k=1))
        _check(scorer, own, *np.triu_indices(50, k=1))


def test_no_list_is_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    own, seen = RememberingScorer(_scorer(30, 10, 0.5, 7)), []
    whole = PairScorer.total
    monkeypatch.setattr(PairScorer, "total", lambda self, a, b: (seen.append(len(a)), whole(self, a, b))[1])
    for _ in range(3):
        own.total(*np.triu_indices(30, k=1))
    assert seen == [435]
    own.total(np.arange(3), np.arange(3) + 5)
    assert seen == [435, 3]


def test_no_pairs_no_bits() -> None:
    nobody = np.empty(0, dtype=np.int64)
    assert RememberingScorer(_scorer(5, 3, 0.5, 8)).total(nobody, nobody).shape == (0,)
