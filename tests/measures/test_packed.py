"""Lists as bytes: unpacking gives back what was packed, of every width, slice, chunk and null; rows taken are Arrow's own."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.packed import SAMPLE_LISTS, packed, taken, unpacked, whole
from pipeline.schema import PROMPT_SAMPLES, WINDOW_SAMPLES
from tests.packing import as_bytes

ITEMS = st.sampled_from([(pa.int32(), "shingles", 31), (pa.int64(), "prefixes", 63)])


@st.composite
def lists(draw):
    """The type of the numbers, a column that has it, lists."""
    item, name, bits = draw(ITEMS)
    numbers = st.integers(-(2**bits), 2**bits - 1)
    return item, name, draw(st.lists(st.lists(numbers, max_size=5), max_size=8))


@settings(max_examples=300, deadline=None)
@given(lists())
def test_what_is_packed_unpacks_to_itself_and_is_each_number_lowest_byte_first(made):
    item, name, rows = made
    values = np.array([number for row in rows for number in row], item.to_pandas_dtype())
    column = packed(np.cumsum([0, *map(len, rows)]), values)
    column.validate(full=True)
    assert column.to_pylist() == [as_bytes(name, row) for row in rows]
    back = unpacked(column, item)
    back.validate(full=True)
    assert back.type == pa.list_(item)
    assert back.to_pylist() == rows


@settings(max_examples=300, deadline=None)
@given(lists(), st.integers(0, 3), st.integers(0, 8), st.lists(st.booleans(), max_size=8), st.sampled_from([pa.binary(), pa.large_binary()]))
def test_slices_and_nulls_of_any_width_of_offsets_stay_what_they_are(made, start, length, nulls, kind):
    item, name, rows = made
    known = [None if at < len(nulls) and nulls[at] else row for at, row in enumerate(rows)]
    column = pa.array([as_bytes(name, row) for row in known], kind).slice(start, length)
    back = unpacked(column, item)
    back.validate(full=True)
    assert back.to_pylist() == known[start : start + length]


@settings(max_examples=200, deadline=None)
@given(lists(), st.lists(st.integers(0, 7), max_size=12), st.lists(st.integers(0, 8), max_size=3))
def test_rows_taken_of_chunks_are_those_of_one_column(made, places, cuts):
    item, name, rows = made
    at = np.array([place for place in places if place < len(rows)], np.int64)
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    chunks = [pa.array([as_bytes(name, row) for row in rows[start:end]], pa.binary()) for start, end in itertools.pairwise(bounds)]
    assert unpacked(taken(pa.chunked_array(chunks, pa.binary()), at), item).to_pylist() == [rows[place] for place in at]


def test_a_column_without_chunks_is_empty():
    column = pa.chunked_array([], pa.binary())
    assert whole(column).to_pylist() == []
    assert unpacked(taken(column, np.zeros(0, np.int64)), pa.int32()).equals(pa.array([], pa.list_(pa.int32())))


def test_every_packed_column_of_the_days_is_a_list_of_the_window():
    day, window = ({column.name: column.type for column in table.columns} for table in (PROMPT_SAMPLES, WINDOW_SAMPLES))
    assert {name for name, kind in day.items() if kind == "BINARY"} == {name for name, kind in window.items() if kind.endswith("[]")} == set(SAMPLE_LISTS)
    assert all(day[name] == kind for name, kind in window.items() if name not in SAMPLE_LISTS)


@pytest.mark.parametrize("name", sorted(SAMPLE_LISTS))
def test_the_bytes_of_a_number_are_as_many_as_the_schema_says(name):
    (meaning,) = (column.meaning for column in PROMPT_SAMPLES.columns if column.name == name)
    assert meaning.endswith(f"; {len(as_bytes(name, [1]))} bytes each, lowest first")
    assert SAMPLE_LISTS[name].bit_width == 8 * len(as_bytes(name, [1]))
