"""A scorer of pairs for one question over a finished run: it looks at no list of pairs twice, and waits for no compiler where few pairs are asked for.

Putting accounts together again asks for the same lists many times: how alike a part is within, for each other part that it might join. Loading numba takes as long as scoring
some hundred thousand pairs without it. What is answered is what the run's own scorer answers, to the bit (tests/evidence/test_rescoring.py).
"""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.measures.pairs import PairScorer
from pipeline.stages.population import Population, scorer_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_UNCOMPILED = 50_000
"""Pairs scored before the compiled half of the run's scorer is loaded."""
_AT_ONCE = 1_000
"""Pairs that the run's scorer scores without its compiled half, if nothing else has loaded that."""


class RememberingScorer(PairScorer):
    """As the scorer it is made from."""

    def __init__(self, scorer: PairScorer) -> None:
        vars(self).update(vars(scorer))
        self._known: dict[bytes, Floats] = {}
        self._asked = 0

    def total(self, a: Ints, b: Ints) -> Floats:
        """See PairScorer; the array is the caller's own."""
        question = hashlib.blake2b(np.stack([a, b]).tobytes(), digest_size=32).digest()
        if question not in self._known:
            self._asked += len(a)
            self._known[question] = self._in_steps(a, b) if self._asked <= _UNCOMPILED else super().total(a, b)
        return self._known[question].copy()

    def _in_steps(self, a: Ints, b: Ints) -> Floats:
        steps = [super(RememberingScorer, self).total(a[start : start + _AT_ONCE], b[start : start + _AT_ONCE]) for start in range(0, len(a), _AT_ONCE)]
        return np.concatenate([np.empty(0), *steps])


def rescoring(people: Population, values: pl.DataFrame, kinds: pl.DataFrame) -> Population:
    """The same accounts, scored by some rows of shared_values: those of every account that is asked for."""
    return dataclasses.replace(people, make_scorer=lambda: RememberingScorer(scorer_of(values, kinds, people.keys)))
