"""From log files to batches in the contract's types: only the columns that a table needs, each row with where it came from.

A piece of work is a run of row groups of about as many bytes as a batch may have; many small files make one piece. Whatever the pieces, the
rows are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types as pt

from pipeline.contract import REQUEST_COLUMNS
from pipeline.errors import InputError
from pipeline.ingest.casting import PAIRS, cast_values
from pipeline.ingest.columns import DICTIONARY_COLUMNS, READ_COLUMNS
from pipeline.ingest.listing import DAY_US, LogFile, RowGroup

Bools = NDArray[np.bool_]

MAX_ROWS = 131_072
NEVER = 2**62
_MOST_PIECES = 512


@dataclass(frozen=True)
class Piece:
    """One row group: the file's number in the listing, the group's, and the row number of its first row in the file."""

    file: int
    group: int
    first_row: int


@dataclass(frozen=True)
class Batch:
    """Rows in the contract's types. A column that the file lacks is absent."""

    columns: dict[str, pa.Array]
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    misfit: Bools
    """Rows where a value did not fit its type (it reads as null)."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.row)


@dataclass(frozen=True)
class Work:
    """Row groups that are read one after the other, about one batch in all."""

    pieces: tuple[Piece, ...]
    rows: int
    next_day: int
    """First UTC day that any later work may hold, as days since 1970; a huge number if none is left."""


def plan(files: Sequence[LogFile], order: Sequence[int], batch_bytes: int) -> list[Work]:
    """All row groups of the files in the given order, gathered to about `batch_bytes` (a row group is never cut)."""
    groups = [(Piece(number, at, first), group) for number in order for at, (first, group) in enumerate(_with_first_row(files[number].groups))]
    later = _days_still_to_come([group for _, group in groups])
    works: list[Work] = []
    pieces: list[Piece] = []
    size = rows = 0
    for at, (piece, group) in enumerate(groups):
        if pieces and (size + group.read_bytes > batch_bytes or rows + group.rows > MAX_ROWS or len(pieces) >= _MOST_PIECES):
            works.append(Work(tuple(pieces), rows, later[at - 1]))
            pieces, size, rows = [], 0, 0
        pieces.append(piece)
        size, rows = size + group.read_bytes, rows + group.rows
    return [*works, Work(tuple(pieces), rows, NEVER)] if pieces else works


def _days_still_to_come(groups: Sequence[RowGroup]) -> list[int]:
    """For each row group the first day that any later one may hold."""
    later, earliest = [], NEVER
    for group in reversed(groups):
        later.append(earliest)
        earliest = min(earliest, -NEVER if group.first_us is None else group.first_us // DAY_US)
    return later[::-1]


def _with_first_row(groups: Sequence[RowGroup]) -> Iterator[tuple[int, RowGroup]]:
    first = 0
    for group in groups:
        yield first, group
        first += group.rows


def read(work: Work, files: Sequence[LogFile], batch_bytes: int) -> Iterator[Batch]:
    """The rows of a piece of work, small ones gathered into batches. Raises InputError if a page cannot be decoded."""
    waiting: list[Batch] = []
    for piece in work.pieces:
        for batch in _read_piece(piece, files[piece.file], batch_bytes):
            waiting.append(batch)
            if sum(len(one) for one in waiting) >= MAX_ROWS // 2:
                yield _gathered(waiting)
                waiting = []
    if waiting:
        yield _gathered(waiting)


def _read_piece(piece: Piece, log: LogFile, batch_bytes: int) -> Iterator[Batch]:
    row = piece.first_row
    with log.open(_as_dictionaries(log)) as file:
        present = [column for column in READ_COLUMNS if column in file.schema_arrow.names]
        group = log.groups[piece.group]
        step = min(MAX_ROWS, max(1, int(batch_bytes / (group.read_bytes / max(1, group.rows) + 64))))
        try:
            for part in file.iter_batches(step, row_groups=[piece.group], columns=present, use_threads=False):
                if part.num_rows:
                    yield _conform(part, piece.file, row)
                    row += part.num_rows
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{log.name}: its footer is sound but a page cannot be read ({str(error).splitlines()[0]}). Export it again, or leave it out.") from None


def _as_dictionaries(log: LogFile) -> list[str]:
    """The string columns of a file that are worth reading as dictionaries."""
    other = {column for column, found, _ in log.casts if "string" not in found or "list" in found}
    return [column for column in DICTIONARY_COLUMNS if column not in log.missing_columns and column not in other]


def _conform(part: pa.RecordBatch, file: int, row: int) -> Batch:
    columns: dict[str, pa.Array] = {}
    misfit = np.zeros(part.num_rows, np.bool_)
    for name in READ_COLUMNS:
        at = part.schema.get_field_index(name)
        if at >= 0:
            columns[name], bad = cast_values(part.column(at), REQUEST_COLUMNS[name].type)
            if bad is not None:
                misfit |= bad
    return Batch(columns, np.full(part.num_rows, file, np.int32), np.arange(row, row + part.num_rows, dtype=np.int64), misfit)


def _gathered(batches: list[Batch]) -> Batch:
    """One batch of several; a column that only some have is null in the others."""
    if len(batches) == 1:
        return batches[0]
    names = [name for name in READ_COLUMNS if any(name in batch.columns for batch in batches)]
    return Batch(
        {name: _joined([_plain(batch.columns.get(name), name, len(batch)) for batch in batches]) for name in names},
        np.concatenate([batch.file for batch in batches]),
        np.concatenate([batch.row for batch in batches]),
        np.concatenate([batch.misfit for batch in batches]),
    )


def _plain(values: pa.Array | None, name: str, length: int) -> pa.Array:
    if values is None:
        return pa.nulls(length, PAIRS if pt.is_map(REQUEST_COLUMNS[name].type) else REQUEST_COLUMNS[name].type)
    return values.dictionary_decode() if pt.is_dictionary(values.type) else values


def _joined(arrays: list[pa.Array]) -> pa.Array:
    return pa.concat_arrays(arrays)
