"""Days side by side: every row once, accounts whole, days in order, pieces of the size that was asked for; accounts numbered and rows ordered as Python does it."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.days import SideBySide, numbered, ordered

KEYS = st.integers(0, 5) | st.sampled_from([2**40, 2**60, 2**60 + 1, 2**63 - 1])
DAY = st.lists(st.tuples(st.sampled_from(["a", "ab", "b"]), KEYS), max_size=30).map(sorted)


def reader(day, number, by_kind):
    """A day as a file has it: kinds as a dictionary whose words come in any order."""

    def read(columns, rows):
        kinds = pa.DictionaryArray.from_arrays(pa.array([["b", "a", "ab"].index(kind) for kind, _ in day], pa.int32()), ["b", "a", "ab"])
        table = pa.table({"kind": kinds, "account_key": pa.array([account for _, account in day], pa.int64()), "row": pa.array([f"{number}.{at}" for at in range(len(day))])})
        assert list(columns) == (["kind"] if by_kind else []) + ["account_key", "row"]
        return iter(table.select(columns).to_batches(max_chunksize=min(rows, 4)))

    return read


@settings(max_examples=200, deadline=None)
@given(st.lists(DAY, max_size=5), st.integers(1, 40))
def test_pieces_hold_every_row_once_kind_by_kind_and_account_by_account(days, rows):
    readers = [reader(day, number, by_kind=True) for number, day in enumerate(days)]
    side = SideBySide(readers, ["kind", "account_key", "row"], rows, by_kind=True)
    found, bounds = [], []
    while (bound := side.bound()) is not None:
        bounds.append(bound)
        piece = side.upto(bound)
        assert len(piece)
        assert piece.column_names == ["account_key", "row"]
        found += [(bound, account, *map(int, row.split("."))) for account, row in zip(*(piece[name].to_pylist() for name in ("account_key", "row")), strict=True)]
    assert bounds == sorted(set(bounds))
    expected = []
    for number, day in enumerate(days):
        for at, held in enumerate(day):
            expected.append((min(bound for bound in bounds if bound >= held), held[1], number, at))
    assert found == sorted(expected, key=lambda row: (row[0], row[2], row[3]))
    ahead = max(rows // max(1, len(days)), 1)
    for bound in bounds:  # no day gives more than its share but for the rows of one account
        for number, day in enumerate(days):
            held = [day[at] for at_bound, _, of, at in found if at_bound == bound and of == number]
            assert len([row for row in held if row < bound]) < ahead


@settings(max_examples=100, deadline=None)
@given(st.lists(DAY.map(lambda day: sorted(day, key=lambda row: row[1])), max_size=5), st.integers(1, 40))
def test_days_without_kinds_come_account_by_account(days, rows):
    pieces = list(SideBySide([reader(day, number, by_kind=False) for number, day in enumerate(days)], ["account_key", "row"], rows).pieces())
    found = [(at, int(account)) for at, piece in enumerate(pieces) for account in piece["account_key"].to_pylist()]
    assert sorted(account for _, account in found) == sorted(account for day in days for _, account in day)
    spans = [(min(accounts), max(accounts)) for accounts in ([account for of, account in found if of == at] for at in range(len(pieces)))]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
    assert sorted(row for piece in pieces for row in piece["row"].to_pylist()) == sorted(f"{number}.{at}" for number, day in enumerate(days) for at in range(len(day)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(KEYS, KEYS | st.integers(2**60, 2**60 + 40)), max_size=40))
def test_rows_are_ordered_by_account_and_key_and_accounts_numbered(rows):
    account, key = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    assert [rows[at] for at in ordered(account, key).tolist()] == sorted(rows)
    known, place = numbered(account)
    assert known.tolist() == sorted({owner for owner, _ in rows})
    assert known[place].tolist() == account.tolist()
