"""Groups of rows: numbered as Python does it, by both backends, and in numbers where a table of hashes fills up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures import grouping, grouping_numba

BACKENDS = [grouping.numbered, grouping_numba.numbered, grouping.grouped]
KEYS = st.integers(0, 3) | st.sampled_from([2**32, 2**60, 2**63 - 1])


@pytest.mark.parametrize("numbered", BACKENDS)
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(KEYS, KEYS), max_size=40))
def test_groups_are_numbered_in_the_order_of_their_first_rows(numbered, rows):
    owner, key = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    group, first = numbered(owner, key)
    known = list(dict.fromkeys(rows))
    assert group.tolist() == [known.index(row) for row in rows]
    assert first.tolist() == [rows.index(row) for row in known]


def test_backends_agree_on_many_rows_and_on_arrays_that_may_not_be_written():
    draw = np.random.default_rng(3)
    owner, key = draw.integers(0, 300, 50_000), draw.integers(0, 60, 50_000) << 54
    owner.flags.writeable = False
    found = grouping.grouped(owner, key)
    for numbered in BACKENDS[:2]:
        assert all(np.array_equal(mine, other) for mine, other in zip(found, numbered(owner, key), strict=True))
    assert len(found[1]) == len({*zip(owner.tolist(), key.tolist(), strict=True)})
