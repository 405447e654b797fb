"""Sorted numbers against numpy's unique, which is what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measures.numbering import counted, distinct, looked_up, ranked, spans

WHOLE = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=60)


@given(WHOLE)
def test_numbers_are_those_of_unique(numbers: list[int]) -> None:
    given_numbers = np.array(numbers, dtype=np.int64)
    known, place, count = np.unique(given_numbers, return_inverse=True, return_counts=True)
    assert distinct(given_numbers).tolist() == known.tolist()
    assert [found.tolist() for found in counted(given_numbers)] == [known.tolist(), count.tolist()]
    assert [found.tolist() for found in ranked(given_numbers)] == [known.tolist(), place.tolist()]


@given(WHOLE, WHOLE)
def test_only_known_numbers_are_found(known: list[int], asked: list[int]) -> None:
    listed = sorted(set(known))
    place, is_known = looked_up(np.array(listed, dtype=np.int64), np.array(asked, dtype=np.int64))
    assert is_known.tolist() == [number in listed for number in asked]
    assert place.tolist() == [listed.index(number) if number in listed else 0 for number in asked]


@given(st.lists(st.integers(0, 4), max_size=8), st.data())
def test_places_come_row_by_row(lengths: list[int], data: st.DataObject) -> None:
    ends = np.cumsum([0, *lengths])
    rows = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=6)) if lengths else []
    expected = [place for row in rows for place in range(ends[row], ends[row + 1])]
    assert spans(ends, np.array(rows, dtype=np.int64)).tolist() == expected


@pytest.mark.parametrize("function", [distinct, lambda none: counted(none)[1], lambda none: ranked(none)[1]])
def test_nothing_gives_nothing(function) -> None:  # type: ignore[no-untyped-def]
    assert function(np.empty(0, dtype=np.int64)).tolist() == []
