"""Finishing a day: duplicates resolved, rows sorted, the day's tables written, its counts taken.

A day with many rows is first split by ranges of account_key, so that one range at a time is in memory; the tables are the same either way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import CheckFailed
from pipeline.ingest.cleaning import REASONS
from pipeline.ingest.columns import READ_COLUMNS
from pipeline.ingest.context import Preamble
from pipeline.ingest.duplicates import losers, places
from pipeline.ingest.listing import LogFile
from pipeline.ingest.narrow import NARROW
from pipeline.ingest.ordering import changes, gaps, numbered, row_order, run_starts
from pipeline.ingest.rejects import rejects_table, write_rejects
from pipeline.ingest.rereading import sketches_again
from pipeline.ingest.samples import SKETCHES, check_samples, sample_table
from pipeline.ingest.shards import DayBuffers, read_stream, write_stream
from pipeline.ingest.tables import TableWriter, write_table
from pipeline.schema import ACCOUNT_IDS, LABELS, PROMPT_SAMPLES, REQUESTS

I64 = NDArray[np.int64]
_EPOCH = date(1970, 1, 1)
_LABEL_KEYS = {"agent": "agent_key", "agent_product": "agent_product_key", "ja4": "ja4_key"}


@dataclass(frozen=True)
class DayCounts:
    """What became of a UTC day's rows. Integers all; counts of columns are of the rows kept."""

    day: date
    rows_read: int
    rows_kept: int
    rejected: Mapping[str, int]
    """Rejected rows by reason, duplicates among them."""
    account_count: int
    non_null: Mapping[str, int]
    """Rows with a value, for each column that the scan reads."""
    accounts_with: Mapping[str, int]
    """Accounts with a value in at least one row, for each column that the scan reads."""
    preambles_cut: Mapping[str, int] = field(default_factory=dict)
    """Rows from which a known client's preamble was cut, by product."""

    @property
    def duplicates_resolved(self) -> int:
        """Rows that lost to another row with the same id."""
        return self.rejected.get("duplicate", 0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for day.json."""
        return {
            "day": self.day.isoformat(), "rows_read": self.rows_read, "rows_kept": self.rows_kept, "rejected": dict(self.rejected), "duplicates_resolved": self.duplicates_resolved,
            "account_count": self.account_count, "non_null": dict(self.non_null), "accounts_with": dict(self.accounts_with), "preambles_cut": dict(self.preambles_cut),
        }  # fmt: skip


def day_of(number: int) -> date:
    """The UTC day that is `number` days after 1970-01-01."""
    return _EPOCH + timedelta(days=number)


@dataclass(frozen=True)
class Finisher:
    """What finishing a day needs besides its rows."""

    files: Sequence[LogFile]
    out: Path
    preambles: tuple[Preamble, ...]
    samples: int
    rows_at_once: int

    def finish(self, buffers: DayBuffers, day: int) -> DayCounts:
        """Write a day's tables and its day.json; the day's rows leave the buffers."""
        folder = self.out / f"date={day_of(day).isoformat()}"
        folder.mkdir(parents=True, exist_ok=True)
        lost = losers(lambda columns: buffers.pieces("requests", day, columns))
        counts = self._write_rows(buffers, day, folder, lost)
        rejected = self._write_rejects(buffers, day, folder, counts.lost)
        result = DayCounts(
            day_of(day), counts.rows + sum(rejected.values()), counts.rows, rejected, counts.accounts, counts.by_bit(counts.row_bits), counts.by_bit(counts.account_bits),
            {product: number for product, number in sorted(counts.products(self.preambles).items()) if number},
        )  # fmt: skip
        (folder / "day.json").write_text(json.dumps(result.as_dict(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        buffers.drop(day)
        return result

    def _write_rows(self, buffers: DayBuffers, day: int, folder: Path, lost: I64) -> _Tally:
        tally, names = _Tally(), _names(buffers, day)
        ranges = self._range_count(buffers, day)
        with (
            TableWriter(folder / "requests.parquet", REQUESTS) as requests,
            TableWriter(folder / "prompt_samples.parquet", PROMPT_SAMPLES) as samples,
            TableWriter(folder / "account_ids.parquet", ACCOUNT_IDS) as accounts,
        ):
            for rows, sketches in self._ranges(buffers, day, ranges):
                kept = tally.keep(rows, lost)
                kept = pc.take(kept, pa.array(row_order(kept)), boundscheck=False)  # an order of these very rows: nothing to look for in each of fifty columns
                tally.count(kept)
                check_complete(kept)
                requests.write(self._with_file_names(kept).append_column("gap_us", gaps(kept)))
                samples.write(self._samples(kept, sketches))
                accounts.write(_account_ids(kept, names))
        write_table(folder / "labels.parquet", LABELS, _labels(names, tally.label_keys))
        return tally

    def _samples(self, kept: pa.Table, sketches: pa.Table) -> pa.Table:
        table, missing = sample_table(kept, sketches, self.samples)
        if len(missing):
            lacking = kept.select(["source_file", "source_row"]).take(pa.array(missing))
            again = sketches_again(self.files, lacking.column("source_file").to_numpy(), lacking.column("source_row").to_numpy(), self.preambles)
            table, _ = sample_table(kept, pa.concat_tables([sketches, again]).combine_chunks(), self.samples)
        check_samples(table)
        return self._with_file_names(table)

    def _with_file_names(self, rows: pa.Table) -> pa.Table:
        """The table with the number of each row's file replaced by its name."""
        numbers, codes = numbered(rows.column("source_file").to_numpy())
        names = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array([self.files[number].name for number in numbers.tolist()], pa.string()))
        return rows.set_column(rows.schema.get_field_index("source_file"), "source_file", names)

    def _range_count(self, buffers: DayBuffers, day: int) -> int:
        """Into how many ranges of account_key the day is cut, so that each has about `rows_at_once` rows."""
        return max(1, -(-sum(len(piece) for piece in buffers.pieces("requests", day, ("id_key",))) // self.rows_at_once))

    def _ranges(self, buffers: DayBuffers, day: int, number: int) -> Iterator[tuple[pa.Table, pa.Table]]:
        """The day's rows and sketches by ascending ranges of account_key."""
        if number == 1:
            yield _table(buffers.pieces("requests", day), NARROW), _table(buffers.pieces("sketches", day), SKETCHES)
            return
        scratch = self.out / f".ranges-{day}"
        scratch.mkdir(parents=True, exist_ok=True)
        parts = {stream: _split(buffers.pieces(stream, day), number, scratch, stream) for stream in ("requests", "sketches")}
        for at in range(number):
            rows, sketches = (
                _table((batch for path in parts[stream][at] for batch in read_stream(path)), schema) for stream, schema in (("requests", NARROW), ("sketches", SKETCHES))
            )
            for stream in parts:
                for path in parts[stream][at]:
                    path.unlink()
            if len(rows):
                yield rows, sketches
        scratch.rmdir()

    def _write_rejects(self, buffers: DayBuffers, day: int, folder: Path, lost: Sequence[pa.Table]) -> dict[str, int]:
        pieces = list(buffers.pieces("rejects", day))
        table = rejects_table(pieces, self.files, lost)
        write_rejects(folder / "rejects.parquet", table)
        counts = Counter(table.column("reason").to_pylist())
        return {reason: counts[reason] for reason in REASONS if counts[reason]}


class _Tally:
    """Counts of a day, range by range."""

    def __init__(self) -> None:
        self.rows = self.accounts = 0
        self.row_bits: Counter[int] = Counter()
        self.account_bits: Counter[int] = Counter()
        self.label_keys: dict[str, I64] = {kind: np.zeros(0, np.int64) for kind in _LABEL_KEYS}
        self.lost: list[pa.Table] = []
        self._preambles: Counter[int] = Counter()

    def keep(self, rows: pa.Table, lost: I64) -> pa.Table:
        """The rows without those that lost, which are remembered as rejects."""
        if not len(lost):
            return rows
        beaten = np.isin(places(rows.column("source_file").to_numpy(), rows.column("source_row").to_numpy()), lost)
        self.lost.append(rows.filter(pa.array(beaten)).select(["source_file", "source_row"]))
        return rows.filter(pa.array(~beaten))

    def count(self, kept: pa.Table) -> None:
        """Add rows sorted by account."""
        self.rows += len(kept)
        seen, account = kept.column("seen").to_numpy(), kept.column("account_key").to_numpy()
        _add_bits(self.row_bits, seen)
        if len(kept):
            starts = np.flatnonzero(np.concatenate([[True], account[1:] != account[:-1]]))
            self.accounts += len(starts)
            _add_bits(self.account_bits, np.bitwise_or.reduceat(seen, starts))
        for kind, column in _LABEL_KEYS.items():
            self.label_keys[kind] = np.union1d(self.label_keys[kind], changes(kept.column(column).drop_null().to_numpy()))
        cut = kept.column("preamble").to_numpy()
        self._preambles.update(dict(zip(*(part.tolist() for part in np.unique(cut[cut >= 0], return_counts=True)), strict=True)))

    def products(self, preambles: tuple[Preamble, ...]) -> Counter[str]:
        """Rows with a cut preamble by product."""
        found: Counter[str] = Counter()
        for place, number in self._preambles.items():
            found[preambles[place].product] += number
        return found

    def by_bit(self, masks: Counter[int]) -> dict[str, int]:
        """How many of the counted masks have each column's bit."""
        return {name: sum(number for mask, number in masks.items() if mask >> bit & 1) for bit, name in enumerate(READ_COLUMNS)}


def check_complete(requests: pa.Table) -> None:
    """Raise CheckFailed if a request lacks a key, a time, an id or a source. Asked before the rows are written: Arrow knows how many nulls a column has."""
    if any(requests.column(name).null_count for name in _NEEDED):
        lacking = np.logical_or.reduce([requests.column(name).is_null().to_numpy() for name in _NEEDED])
        first = requests.select(["source_file", "source_row"]).filter(pa.array(lacking)).slice(0, 5).to_pylist()
        raise CheckFailed("10_requests__complete", int(lacking.sum()), tuple("/".join(map(str, row.values())) for row in first))


_NEEDED = ("account_key", "ts_us", "request_id", "source_file", "source_row")


def _add_bits(counter: Counter[int], masks: I64) -> None:
    starts = run_starts(masks)
    for value, number in zip(masks[starts].tolist(), np.diff(starts, append=len(masks)).tolist(), strict=True):
        counter[value] += number


def _table(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """One table of many batches, its label dictionaries sorted."""
    table = pa.Table.from_batches(list(batches), schema).unify_dictionaries().combine_chunks()
    for at, column in enumerate(schema):
        if pa.types.is_dictionary(column.type) and len(table):
            table = table.set_column(at, column, _sorted_labels(table.column(at).chunk(0)))
    return table


def _sorted_labels(values: pa.DictionaryArray) -> pa.DictionaryArray:
    order = np.argsort(np.array(values.dictionary.to_pylist(), dtype=object), kind="stable") if len(values.dictionary) else np.zeros(0, np.int64)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    codes = pa.array(rank).take(values.indices) if len(order) else values.indices
    return pa.DictionaryArray.from_arrays(codes, values.dictionary.take(pa.array(order)))


def _split(batches: Iterator[pa.RecordBatch], number: int, scratch: Path, stream: str) -> list[list[Path]]:
    """The rows of each range of account_key, in files of one batch each."""
    parts: list[list[Path]] = [[] for _ in range(number)]
    for turn, batch in enumerate(batches):
        part = (((batch.column("account_key").to_numpy() >> 31) * number) >> 32).astype(np.int64)
        order = np.argsort(part, kind="stable")
        ordered, bounds = batch.take(pa.array(order)), np.searchsorted(part[order], np.arange(number + 1))
        for at in range(number):
            if bounds[at + 1] > bounds[at]:
                path = scratch / f"{stream}-{at}-{turn}.arrows"
                write_stream(path, [ordered.slice(bounds[at], bounds[at + 1] - bounds[at])])
                parts[at].append(path)
    return parts


def _names(buffers: DayBuffers, day: int) -> pl.DataFrame:
    """What the day's keys stand for: kind, value_key, label; one row a key, the label that sorts first."""
    pieces = [pl.DataFrame(pl.from_arrow(pa.Table.from_batches([piece]))) for piece in buffers.pieces("names", day)]
    if not pieces:
        return pl.DataFrame(schema={"kind": pl.String, "value_key": pl.Int64, "label": pl.String})
    return pl.concat(pieces).group_by("kind", "value_key").agg(pl.col("label").min())


def _labels(names: pl.DataFrame, keys: Mapping[str, I64]) -> pa.Table:
    wanted = pl.concat([pl.DataFrame({"kind": [kind] * len(found), "value_key": found}, schema={"kind": pl.String, "value_key": pl.Int64}) for kind, found in keys.items()])
    return names.join(wanted, on=["kind", "value_key"], how="semi").sort("kind", "value_key").to_arrow(compat_level=pl.CompatLevel.oldest())


def _account_ids(kept: pa.Table, names: pl.DataFrame) -> pa.Table:
    """Accounts of some rows sorted by account: id, most frequent organisation, and which columns they were logged with."""
    account = kept.column("account_key").to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], account[1:] != account[:-1]])) if len(account) else np.zeros(0, np.int64)
    seen = np.bitwise_or.reduceat(kept.column("seen").to_numpy(), starts) if len(account) else np.zeros(0, np.int64)
    organization = _most_frequent(account, kept.column("organization_key"), starts)
    ids = names.filter(pl.col("kind") == "account").sort("value_key")
    at = np.searchsorted(ids["value_key"].to_numpy(), account[starts])
    return pa.table({"account_key": account[starts], "account_id": ids["label"][at].to_arrow().cast(pa.string()), "organization_key": organization, "columns_seen": seen})


def _most_frequent(account: I64, values: pa.ChunkedArray, starts: I64) -> pa.Array:
    """The most frequent value of each account (ties: the smallest), null where it has none."""
    if not len(starts):
        return pa.nulls(0, pa.int64())
    filled = values.fill_null(-1).to_numpy()
    result = np.maximum.reduceat(filled, starts)
    mixed = np.minimum.reduceat(filled, starts) != result
    rows = np.repeat(mixed, np.diff(np.append(starts, len(account)))) & (filled >= 0)
    if rows.any():
        counted = pl.DataFrame({"account": account[rows], "value": filled[rows]}).group_by("account", "value").len()
        best = counted.sort(["account", "len", "value"], descending=[False, True, False]).unique("account", keep="first", maintain_order=True)
        result[np.searchsorted(account[starts], best["account"].to_numpy())] = best["value"].to_numpy()
    return pa.array(result, mask=result < 0)
