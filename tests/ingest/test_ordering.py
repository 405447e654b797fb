"""Laws of the packed orders: what Python's own sort says, for any numbers, also where they do not fit in one integer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.ordering import changes, first_of_each, grouped_order, numbered, run_starts

PAIRS = st.lists(st.tuples(st.integers(0, 2**63 - 1) | st.integers(0, 3), st.integers(0, 2**63 - 1) | st.integers(0, 3) | st.integers(2**62, 2**62 + 3)), max_size=40)


@given(PAIRS)
def test_rows_come_by_group_then_value(pairs):
    group, value = (np.array([pair[at] for pair in pairs], np.int64) for at in (0, 1))
    order = grouped_order(group, value)
    assert sorted(order.tolist()) == list(range(len(pairs)))
    assert [pairs[at] for at in order] == sorted(pairs)


@given(st.lists(st.integers(-2, 5), max_size=30))
def test_each_value_is_found_once(values):
    found = first_of_each(np.array(values, np.int64))
    assert [values[at] for at in found] == sorted(set(values))


@given(st.lists(st.integers(0, 3)))
def test_runs_of_equal_values_number_and_name_the_same_as_a_sort(values: list[int]) -> None:
    rows = np.array(values, np.int32)
    known, codes = numbered(rows)
    assert known.tolist() == sorted(set(values))
    assert known[codes].tolist() == values
    starts = run_starts(rows)
    assert np.repeat(rows[starts], np.diff(starts, append=len(rows))).tolist() == values
    assert all(rows[at] != rows[at - 1] for at in starts[1:])
    assert changes(rows.astype(np.int64)).tolist() == rows[starts].tolist()
