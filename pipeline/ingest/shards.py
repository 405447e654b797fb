"""Rows waiting for their day to be complete: kept in memory as long as they fit, else in scratch files beside the output.

A buffer takes batches whose `day` column may hold several days, and gives a day's rows back as one table, or piece by piece.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import ipc

STREAMS = ("requests", "sketches", "names", "rejects")


class DayBuffers:
    """Rows by stream and day, written to `scratch` whenever more than `limit_bytes` are held."""

    def __init__(self, scratch: Path, limit_bytes: int) -> None:
        self._scratch, self._limit = scratch, limit_bytes
        self._held: dict[tuple[str, int], list[pa.RecordBatch]] = defaultdict(list)
        self._files: dict[tuple[str, int], list[Path]] = defaultdict(list)
        self._bytes = self._spills = 0

    def add(self, stream: str, batch: pa.RecordBatch) -> None:
        """Take rows; spills everything held if the limit is passed."""
        for day, rows in split_days(batch):
            self._held[stream, day].append(rows)
            self._bytes += rows.nbytes
        if self._bytes > self._limit:
            self._spill()

    def days(self) -> list[int]:
        """Every day that has rows in any stream, ascending."""
        return sorted({day for _, day in (*self._held, *self._files)})

    def pieces(self, stream: str, day: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of a stream and day, batch by batch, with only some columns if asked."""
        for path in self._files.get((stream, day), []):
            yield from read_stream(path, columns)
        for rows in self._held.get((stream, day), []):
            yield rows.select(list(columns)) if columns else rows

    def drop(self, day: int) -> None:
        """Forget a day that is finished."""
        for stream in STREAMS:
            self._bytes -= sum(rows.nbytes for rows in self._held.pop((stream, day), []))
            for path in self._files.pop((stream, day), []):
                path.unlink()

    def close(self) -> None:
        """Remove the scratch files."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _spill(self) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        for (stream, day), batches in self._held.items():
            path = self._scratch / f"{stream}-{day}-{self._spills}.arrows"
            write_stream(path, batches)
            self._files[stream, day].append(path)
            self._spills += 1
        self._held.clear()
        self._bytes = 0


def split_days(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of each day of a batch."""
    day = batch.column("day").to_numpy()
    if not len(day):
        return
    if (day == day[0]).all():
        yield int(day[0]), batch
        return
    if (day[1:] < day[:-1]).any():
        order = np.argsort(day, kind="stable")
        batch, day = batch.take(pa.array(order)), day[order]
    days, starts = np.unique(day, return_index=True)
    for value, start, end in zip(days.tolist(), starts.tolist(), [*starts[1:].tolist(), len(day)], strict=True):
        yield value, batch.slice(start, end - start)


def write_stream(path: Path, batches: Sequence[pa.RecordBatch]) -> None:
    """Write batches of one schema to an Arrow stream."""
    table = pa.Table.from_batches(batches).unify_dictionaries()
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def read_stream(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Batches of an Arrow stream."""
    with pa.OSFile(str(path)) as file:
        reader = ipc.open_stream(file)
        if columns:
            file.seek(0)
            reader = ipc.open_stream(file, options=ipc.IpcReadOptions(included_fields=[reader.schema.get_field_index(name) for name in columns]))
        yield from reader
