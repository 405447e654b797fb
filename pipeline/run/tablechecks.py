"""Checks without SQL: rows in the order of the grain, one each, of their day; entities well formed; parts that make the whole; no request lost.

Promises: a check looks at rows batch by batch, on disk or (`checked`) on their way there; it raises CheckFailed with the first keys that are wrong, and never repairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.errors import CheckFailed
from pipeline.schema import REQUESTS, Table

CHECK_ROWS = 1 << 18
"""Rows that a check of order holds in memory."""
_DAY_US = 86_400_000_000
_FEW_WORDS = frozenset({"kind"})
"""Columns of words that are read as numbers of a small dictionary."""
_ENTITY_KINDS = frozenset("ip ip_prefix asn country agent agent_product ja4 stack headers api_key end_user system tools settings model".split())


def check_grain(table: Table, file: Path) -> None:
    """Raise CheckFailed unless the file is sorted by the table's grain with one row each; holds one batch in memory."""
    before: pa.Table | None = None
    for batch in _batches(file, table.grain):
        before = _check_order(table, batch, before)


def checked(table: Table, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches as they come, each looked at before it is passed on: the order of the grain with one row each, and what else the table's rows promise.

    A function's rows cost less to look at on their way into the file than to read back.
    """
    before: pa.Table | None = None
    name, find = _PROMISES.get(table.name, ("", None))
    for batch in batches:
        if batch.num_rows:
            rows = pa.Table.from_batches([batch])
            if find is not None:
                _check(f"{table.stage}_{table.name}__{name}", rows.select(list(table.grain)), np.flatnonzero(find(rows)))
            before = _check_order(table, rows.select(list(table.grain)), before)
        yield batch


def _batches(file: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    with pq.ParquetFile(file, read_dictionary=[name for name in columns if name in _FEW_WORDS]) as parquet:
        for batch in parquet.iter_batches(batch_size=CHECK_ROWS, columns=list(columns), use_threads=False):
            yield pa.Table.from_batches([batch]).select(list(columns))


def _check_order(table: Table, batch: pa.Table, before: pa.Table | None) -> pa.Table:
    """Check a batch and its edge to the row before it, apart, so that no batch is copied; gives the last row of both."""
    wrong = np.flatnonzero(out_of_order(batch)) + 1
    if before is not None and len(batch) and out_of_order(pa.concat_tables([before, batch.slice(0, 1)])).any():
        wrong = np.concatenate([[0], wrong])
    _check(f"{table.stage}_{table.name}__one_row_a_grain_in_order", batch, wrong)
    return batch.slice(len(batch) - 1) if len(batch) or before is None else before


def _check(name: str, rows: pa.Table, wrong: NDArray[np.intp]) -> None:
    if len(wrong):
        first = rows.take(pa.array(wrong[:5])).to_pylist()
        raise CheckFailed(name, len(wrong), tuple("/".join(map(str, row.values())) for row in first))


def _ill_formed(rows: pa.Table) -> NDArray[np.bool_]:
    """For each row: whether its kind is none of schema.py's, a key is missing or negative, or it stands for no request."""
    wrong = np.concatenate([_unknown(chunk) for chunk in rows.column("kind").chunks] or [np.zeros(0, np.bool_)])
    for name, least in (("account_key", 0), ("value_key", 0), ("request_count", 1)):
        values = rows.column(name)
        wrong |= (values.fill_null(-1) if values.null_count else values).to_numpy() < least
    return wrong


def _unknown(kinds: pa.Array) -> NDArray[np.bool_]:
    coded = kinds if pa.types.is_dictionary(kinds.type) else kinds.dictionary_encode()
    words = coded.dictionary.to_pylist()
    if _ENTITY_KINDS.issuperset(words) and not coded.indices.null_count:
        return np.zeros(len(kinds), np.bool_)
    unknown = np.array([*(word not in _ENTITY_KINDS for word in words), True], np.bool_)
    found: NDArray[np.bool_] = unknown[coded.indices.fill_null(len(words)).to_numpy()]
    return found


def _miscounted(rows: pa.Table) -> NDArray[np.bool_]:
    """For each account day: whether its parts do not make the whole. Outcomes, hours, gaps and lengths each add up to the requests they describe, and all are of the day."""

    def number(name: str) -> NDArray[np.int64]:
        found: NDArray[np.int64] = rows.column(name).fill_null(0).to_numpy()
        return found

    def total(*names: str) -> NDArray[np.int64]:
        found: NDArray[np.int64] = np.sum([number(name) for name in names], axis=0, dtype=np.int64)
        return found

    requests, first, last, day = number("request_count"), number("first_us"), number("last_us"), rows.column("day").cast(pa.int32()).fill_null(-1).to_numpy()
    wrong: NDArray[np.bool_] = np.asarray(rows.column("account_key").is_null()) | (requests < 1) | (first // _DAY_US != day) | (last // _DAY_US != day)
    wrong |= (total("ok_count", "error_count", "rate_limited_count") != requests) | (number("harvest_count") > number("ok_count"))
    wrong |= (total(*(f"h{at:02d}" for at in range(24))) != requests) | (total(*(f"g{at:02d}" for at in range(10))) != requests - 1)
    wrong |= (total(*(f"c{at:02d}" for at in range(10))) != number("prompt_known_count")) | (number("single_turn_count") > number("message_known_count"))
    wrong |= last - first < number("longest_gap_us")
    return wrong


_PROMISES: dict[str, tuple[str, Callable[[pa.Table], NDArray[np.bool_]]]] = {"account_days": ("counts_add_up", _miscounted), "account_entities": ("well_formed", _ill_formed)}
"""What rows of a table promise besides their order: the claim's name, and what finds rows that break it."""


def out_of_order(rows: pa.Table) -> NDArray[np.bool_]:
    """For each row but the first: whether it does not come after the one before it (by the columns in turn, nulls last)."""
    keys = _numbers(rows)
    if keys is None:
        return _out_of_order(pl.DataFrame(pl.from_arrow(rows)))
    after, equal = np.zeros(max(len(rows) - 1, 0), np.bool_), np.ones(max(len(rows) - 1, 0), np.bool_)
    for key in keys:
        here, last = key[1:], key[:-1]
        after |= equal & (here > last)
        equal &= here == last
    return ~after


def _numbers(rows: pa.Table) -> list[NDArray[np.int64]] | None:
    """The columns as integers of the same order, those of one word left out; None where one has nulls or words that are not numbered."""
    if any(column.null_count for column in rows.columns):
        return None
    found = []
    for column in rows.unify_dictionaries().columns:
        if pa.types.is_dictionary(column.type):
            if not _is_one_word(column):
                found.append(_ranks(column))
        elif pa.types.is_integer(column.type) or pa.types.is_date32(column.type):
            found.append((column.cast(pa.int32()) if pa.types.is_date32(column.type) else column).to_numpy())
        else:
            return None
    return found


def _is_one_word(column: pa.ChunkedArray) -> bool:
    return column.num_chunks > 0 and len(column.chunk(0).dictionary) == 1


def _ranks(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The place of each word in the order of the words; equal words have equal places."""
    words = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    place = {word: at for at, word in enumerate(sorted(set(words)))}
    ranks = np.array([place[word] for word in words], np.int64)
    return ranks[np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])] if len(words) else ranks


def _out_of_order(rows: pl.DataFrame) -> NDArray[np.bool_]:
    """The same for columns of any type."""
    equal, after = pl.lit(value=True), pl.lit(value=False)
    for name in rows.columns:
        here, last = pl.col(name), pl.col(name).shift(1)
        after = after | (equal & ((here > last) | (here.is_null() & last.is_not_null())).fill_null(value=False))
        equal = equal & here.eq_missing(last)
    return rows.select((~after).alias("wrong")).to_series().slice(1).to_numpy()


def check_within(requests: Path, day: date) -> None:
    """Raise CheckFailed if a day's requests hold a row of another UTC day, by the file's own statistics."""
    column = REQUESTS.column_names.index("ts_us")
    first, past = ((day - date(1970, 1, 1)).days * _DAY_US, ((day - date(1970, 1, 1)).days + 1) * _DAY_US)
    footer = pq.read_metadata(requests)
    spans = [footer.row_group(at).column(column).statistics for at in range(footer.num_row_groups)]
    wrong = sum(1 for span in spans if span is None or not span.has_min_max or span.min < first or span.max >= past)
    if footer.num_rows and wrong:
        raise CheckFailed("10_requests__within_its_day", wrong, (day.isoformat(),))


def check_counted(requests: Path, account_days: Path, day: date) -> None:
    """Raise CheckFailed unless a day's account days hold exactly its requests, all are of the day, and the gaps between requests span each account's first to last."""
    rows = gaps = strangers = 0
    for batch in _batches(requests, ("gap_us",)):
        rows, gaps = rows + len(batch), gaps + _sum(batch.column("gap_us"))
    for batch in _batches(account_days, ("day", "request_count", "first_us", "last_us")):
        rows -= _sum(batch.column("request_count"))
        gaps -= _sum(pc.subtract(batch.column("last_us"), batch.column("first_us")))
        strangers += sum(found["counts"] for found in batch.column("day").value_counts().to_pylist() if found["values"] != day)
    if rows or gaps:
        raise CheckFailed("20_account_days__every_request_counted", 1, (day.isoformat(),))
    if strangers:
        raise CheckFailed("20_account_days__within_its_day", strangers, (day.isoformat(),))


def _sum(values: pa.ChunkedArray) -> int:
    return int(pc.sum(values, min_count=0).as_py())
