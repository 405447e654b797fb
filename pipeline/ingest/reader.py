"""From log files to batches in the contract's types: only the columns that a table needs, each row with where it came from.

A piece of work is a run of row groups of about as many bytes as a batch may have; many small files make one piece. Whatever the pieces, the
rows are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types as pt

from pipeline.contract import REQUEST_COLUMNS
from pipeline.errors import InputError
from pipeline.ingest.casting import cast_values
from pipeline.ingest.listing import LogFile

Bools = NDArray[np.bool_]

_PLAIN = frozenset({"request_id", "prompt", "response"})
"""String columns whose values hardly repeat: a dictionary would only cost."""
_UNREAD = frozenset(
    "workspace_id provider response_model endpoint source_region messages_json prompt_language prompt_embedding tool_call_names input_modalities cache_creation_input_tokens "
    "top_k seed top_logprobs reasoning_effort output_type service_tier ttft_ms error_type sample_weight".split()
)
"""Columns that no table holds; their coverage comes from the footers."""
READ_COLUMNS = tuple(column for column in REQUEST_COLUMNS if column not in _UNREAD)
"""The columns that the scan reads, in the contract's order: bit i of a row's `columns_seen` is READ_COLUMNS[i]."""
_DICTIONARIES = tuple(column for column in READ_COLUMNS if REQUEST_COLUMNS[column].type == pa.string() and column not in _PLAIN)
MAX_ROWS = 131_072


@dataclass(frozen=True)
class Piece:
    """Row groups of one file: the file's number in the listing, the groups, and the row number of the first one's first row."""

    file: int
    groups: tuple[int, ...]
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
    """Pieces that are read one after the other, about one batch in all."""

    pieces: tuple[Piece, ...]
    last_file: int
    """Number of the last file of which this is the end, for knowing when a file is done."""


def plan(files: Sequence[LogFile], order: Sequence[int], batch_bytes: int) -> Iterator[Work]:
    """Pieces of work over the files in the given order, each of about `batch_bytes` or one row group, whichever is more."""
    pieces: list[Piece] = []
    size = rows = 0
    for number in order:
        for piece, piece_bytes, piece_rows in _pieces(files[number], number):
            pieces.append(piece)
            size, rows = size + piece_bytes, rows + piece_rows
            if size >= batch_bytes or rows >= MAX_ROWS or len(pieces) >= 512:
                yield Work(tuple(pieces), number)
                pieces, size, rows = [], 0, 0
    if pieces:
        yield Work(tuple(pieces), pieces[-1].file)


def _pieces(log: LogFile, number: int) -> Iterator[tuple[Piece, int, int]]:
    with log.open() as file:
        first = 0
        for group in range(file.metadata.num_row_groups):
            meta = file.metadata.row_group(group)
            yield Piece(number, (group,), first), _read_bytes(meta), meta.num_rows
            first += meta.num_rows


def _read_bytes(group: Any) -> int:
    """Bytes that the read columns of a row group take once decompressed."""
    wanted = frozenset(READ_COLUMNS)
    chunks = (group.column(at) for at in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in wanted)


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
        size = sum(_read_bytes(file.metadata.row_group(group)) for group in piece.groups)
        rows = max(1, sum(file.metadata.row_group(group).num_rows for group in piece.groups))
        step = min(MAX_ROWS, max(1, int(batch_bytes / (size / rows + 64))))
        try:
            for part in file.iter_batches(step, row_groups=list(piece.groups), columns=present, use_threads=False):
                if part.num_rows:
                    yield _conform(part, piece.file, row)
                    row += part.num_rows
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{log.name}: its footer is sound but a page cannot be read ({str(error).splitlines()[0]}). Export it again, or leave it out.") from None


def _as_dictionaries(log: LogFile) -> list[str]:
    """The string columns of a file that are worth reading as dictionaries."""
    other = {column for column, found, _ in log.casts if "string" not in found or "list" in found}
    return [column for column in _DICTIONARIES if column not in log.missing_columns and column not in other]


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
        return pa.nulls(length, REQUEST_COLUMNS[name].type)
    return values.dictionary_decode() if pt.is_dictionary(values.type) else values


def _joined(arrays: list[pa.Array]) -> pa.Array:
    return pa.concat_arrays(arrays)
