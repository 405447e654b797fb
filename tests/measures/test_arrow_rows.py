"""Rows taken run by run are those that Arrow's own take gives: lists, slices, nulls, chunks, any order, repeats."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.arrow_rows import taken, taken_of_chunks, whole

LISTS = st.lists(st.integers(-9, 9), max_size=5)
TEXT = st.text(max_size=3) | st.none()
KINDS = st.sampled_from(
    [
        (pa.list_(pa.int32()), LISTS),
        (pa.large_list(pa.int32()), LISTS),
        (pa.large_list(pa.int32()), LISTS | st.none()),
        (pa.list_(pa.int32()), LISTS | st.none()),
        (pa.int64(), st.integers(0, 9) | st.none()),
        (pa.string(), TEXT),
    ]
)


@st.composite
def columns(draw):
    """A column in slices of longer arrays, and places in it."""
    kind, values = draw(KINDS)
    parts = draw(st.lists(st.lists(values, min_size=1, max_size=8), min_size=1, max_size=4))
    chunks = [pa.array(part, kind).slice(draw(st.integers(0, 2))) for part in parts]
    column = pa.chunked_array(chunks, kind)
    places = draw(st.lists(st.integers(0, len(column) - 1), max_size=12)) if len(column) else []
    return column, np.array(places, np.int64)


@settings(max_examples=300, deadline=None)
@given(columns())
def test_rows_are_arrows_own(column_and_places):
    column, places = column_and_places
    expected = column.to_pylist()
    assert taken_of_chunks(column, places).to_pylist() == [expected[at] for at in places]
    assert taken(whole(column), places).to_pylist() == [expected[at] for at in places]
    narrow = pa.types.is_large_list(column.type) and not any(chunk.null_count for chunk in column.chunks)
    assert taken_of_chunks(column, places).type == (pa.list_(pa.int32()) if narrow else column.type)


def test_a_column_without_chunks_is_empty():
    column = pa.chunked_array([], pa.list_(pa.int32()))
    assert whole(column).to_pylist() == []
    assert taken_of_chunks(column, np.zeros(0, np.int64)).type == column.type
