"""Tallies of rows that come owner after owner: as Python counts them, by both backends, and over any cut of the rows."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures import tallies, tallies_numba

BACKENDS = [tallies.by_sorting, tallies_numba.by_owner, tallies.tallied]
KEYS = st.integers(0, 3) | st.sampled_from([-(2**63), -1, 2**60, 2**63 - 1])
ROWS = st.lists(st.tuples(KEYS, KEYS), max_size=40).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def arrays(rows):
    return tuple(np.array([row[at] for row in rows], np.int64) for at in (0, 1))


def rows_of(tally):
    return list(zip(*(part.tolist() for part in tally), strict=True))


def counted(rows):
    return [(*pair, count) for pair, count in sorted(Counter(rows).items())]


@pytest.mark.parametrize("tally", BACKENDS)
@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_tally_is_that_of_a_dictionary(tally, rows):
    assert rows_of(tally(*arrays(rows))) == counted(rows)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.lists(st.integers(0, 40), max_size=6))
def test_parts_of_the_rows_give_what_all_rows_give(rows, cuts):
    ends = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [tallies.tallied(*arrays(rows[start:end])) for start, end in itertools.pairwise(ends)]
    found = [rows_of(part) for part in tallies.whole(parts)]
    assert [row for part in found for row in part] == counted(rows)
    assert not any({row[0] for row in part} & {row[0] for row in later} for at, part in enumerate(found) for later in found[at + 1 :])
    assert all(found)


def test_backends_agree_on_owners_of_many_rows_and_on_arrays_that_may_not_be_written():
    draw = np.random.default_rng(3)
    owner = np.sort(np.concatenate([draw.integers(0, 3000, 20_000), np.full(20_000, 7)]))
    key = draw.integers(0, 60, len(owner)) << 54
    owner.flags.writeable = key.flags.writeable = False
    found = tallies.tallied(owner, key)
    for tally in BACKENDS[:2]:
        assert all(np.array_equal(mine, other) for mine, other in zip(found, tally(owner.copy(), key.copy()), strict=True))
    assert found[2].sum() == len(owner)
    assert len(found[2]) == len({*zip(owner.tolist(), key.tolist(), strict=True)})
