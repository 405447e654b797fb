"""The one full scan: log files in, day tables out. Text is read once and leaves only fingerprints.

Batches may be worked on in any order and split: the tables of a day depend only on its rows. A day is finished as soon as no later file can
hold its rows, by the files' footers; a footer that is wrong about that is an error, not a wrong table.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import IngestConfig
from pipeline.errors import InputError
from pipeline.ingest.cleaning import REASONS, Rejects, clean
from pipeline.ingest.context import Context
from pipeline.ingest.days import DayCounts, Finisher, day_of
from pipeline.ingest.listing import DAY_US, LogFile
from pipeline.ingest.narrow import narrow
from pipeline.ingest.reader import NEVER, Work, plan, read
from pipeline.ingest.rejects import rejects_table, write_rejects
from pipeline.ingest.samples import sketch_rows, smallest
from pipeline.ingest.shards import DayBuffers

Progress = Callable[[str, int, int], None]
_REJECTS = pa.schema([("day", pa.int32()), ("source_file", pa.int32()), ("source_row", pa.int64()), ("reason", pa.int8())])
_LEAST_BATCH, _MOST_BATCH = 4 << 20, 64 << 20


@dataclass(frozen=True)
class IngestReport:
    """What a scan did: the days it wrote, and the rows whose day is not known."""

    days: tuple[DayCounts, ...]
    undated: dict[str, int]
    """Rejected rows without a usable timestamp, by reason (listed in undated/rejects.parquet)."""

    @property
    def rows_read(self) -> int:
        """Rows of the days, rejected ones and undated ones included."""
        return sum(day.rows_read for day in self.days) + sum(self.undated.values())

    @property
    def rows_rejected(self) -> int:
        """Rows that were read and not kept, duplicates apart."""
        return sum(number for day in self.days for reason, number in day.rejected.items() if reason != "duplicate") + sum(self.undated.values())


@dataclass(frozen=True)
class _Done:
    """What became of a piece of work."""

    parts: tuple[tuple[str, pa.RecordBatch], ...]
    """(stream, rows)."""
    rows: int
    next_day: int
    """See Work."""


@dataclass(frozen=True)
class _Job:
    """What working on a piece needs."""

    files: Sequence[LogFile]
    days: frozenset[int] | None
    context: Context
    config: IngestConfig
    batch_bytes: int

    def __call__(self, work: Work) -> _Done:
        """Read, clean, narrow and sketch."""
        parts: list[tuple[str, pa.RecordBatch]] = []
        total = 0
        for batch in read(work, self.files, self.batch_bytes):
            total += len(batch)
            rows, rejects = clean(batch, self.config)
            parts.append(("rejects", self._wanted(_rejects_batch(rejects), undated=True)))
            if len(rows):
                made = narrow(rows, self.context.preambles)
                keys = made.rows.column("account_key").to_numpy(), made.rows.column("prompt_key").fill_null(-1).to_numpy(zero_copy_only=False)
                sampled = np.flatnonzero(made.prompts.sampled)
                chosen = sampled[smallest(rows.day[sampled], keys[0][sampled], keys[1][sampled], self.config.samples_per_account_day)]
                parts.append(("requests", self._wanted(made.rows)))
                parts.append(("sketches", self._wanted(sketch_rows(made.prompts.texts, chosen, rows.day, *keys))))
                parts += [("names", self._wanted(names)) for names in made.names.to_batches()]
        return _Done(tuple(part for part in parts if len(part[1])), total, work.next_day)

    def _wanted(self, rows: pa.RecordBatch, *, undated: bool = False) -> pa.RecordBatch:
        """The rows of the days asked for."""
        if self.days is None:
            return rows
        day = rows.column("day").to_numpy()
        wanted = np.isin(day, np.fromiter(self.days, np.int32, len(self.days))) | ((day < 0) & undated)
        return rows if wanted.all() else rows.filter(pa.array(wanted))


def ingest_days(
    files: Sequence[LogFile],
    days: frozenset[date] | None,
    out: Path,
    context: Context,
    config: IngestConfig,
    *,
    threads: int,
    memory_bytes: int,
    progress: Progress = lambda _label, _done, _total: None,
) -> IngestReport:
    """Scan the files once and write out/date=D/ for each day found (or each of `days` that has rows).

    Writes requests, prompt_samples, labels, account_ids and rejects as Parquet and day.json; rejects without a usable timestamp go to
    out/undated/rejects.parquet, written only if there are any. Memory stays near a third of `memory_bytes` whatever the number of rows; while a caller keeps the
    heap (heap.py), what was freed stays with the process.
    `progress(label, rows done, rows in all)` is called after each batch. Raises InputError for a page that cannot be decoded. No file gives an empty report.
    """
    files = sorted(files, key=lambda log: log.name)
    numbers = None if days is None else frozenset((day - date(1970, 1, 1)).days for day in days)
    order = _order(files, numbers)
    batch_bytes = int(np.clip(memory_bytes // 64, _LEAST_BATCH, _MOST_BATCH))
    finisher = Finisher(files, out, context.preambles, config.samples_per_account_day, max(20_000, memory_bytes // 8192))
    buffers = DayBuffers(out / ".scratch", memory_bytes // 4)
    try:
        return _Scan(files, order, finisher, buffers, progress).run(_Job(files, numbers, context, config, batch_bytes), threads)
    finally:
        buffers.close()


def _order(files: Sequence[LogFile], days: frozenset[int] | None) -> list[int]:
    """Numbers of the files to read, those of unknown time first, the others by their first row; files outside the days are left out."""
    wanted = [at for at, log in enumerate(files) if log.row_count and (days is None or log.first_us is None or log.last_us is None or _touches(log.first_us, log.last_us, days))]
    return sorted(wanted, key=lambda at: (files[at].first_us if files[at].first_us is not None else -(2**63), at))


def _touches(first_us: int, last_us: int, days: frozenset[int]) -> bool:
    return any(first_us // DAY_US <= day <= last_us // DAY_US for day in days)


def _rejects_batch(rejects: Rejects) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(rejects.day), pa.array(rejects.file), pa.array(rejects.row), pa.array(rejects.reason)], schema=_REJECTS)


class _Scan:
    """The walk over the files: results into buffers, days out as they are complete."""

    def __init__(self, files: Sequence[LogFile], order: Sequence[int], finisher: Finisher, buffers: DayBuffers, progress: Progress) -> None:
        self._files, self._order, self._finisher, self._buffers, self._progress = files, order, finisher, buffers, progress
        self._counts: dict[int, DayCounts] = {}

    def run(self, job: _Job, threads: int) -> IngestReport:
        """All files, all days."""
        total, rows = sum(self._files[at].row_count for at in self._order), 0
        for done in _worked(job, plan(self._files, self._order, job.batch_bytes), threads):
            for stream, part in done.parts:
                self._buffers.add(stream, part)
            rows += done.rows
            self._progress("reading logs", rows, total)
            self._finish_before(done.next_day)
        self._finish_before(NEVER)
        return IngestReport(tuple(self._counts[day] for day in sorted(self._counts)), self._undated())

    def _finish_before(self, limit: int) -> None:
        """Finish every day before `limit`."""
        for day in self._buffers.days():
            if 0 <= day < limit:
                if day in self._counts:
                    raise InputError(f"A log file holds rows of {day_of(day)} although its footer says otherwise. Export the files of that day again.")
                self._counts[day] = self._finisher.finish(self._buffers, day)

    def _undated(self) -> dict[str, int]:
        table = rejects_table(list(self._buffers.pieces("rejects", -1)), self._files, [])
        if not len(table):
            return {}
        folder = self._finisher.out / "undated"
        folder.mkdir(parents=True, exist_ok=True)
        write_rejects(folder / "rejects.parquet", table)
        reasons = table.column("reason").to_pylist()
        return {reason: reasons.count(reason) for reason in REASONS if reason in reasons}


def _worked(job: _Job, works: Sequence[Work], threads: int) -> Iterator[_Done]:
    """The results in the order of the work, with at most `threads` pieces under way."""
    if threads == 1:
        yield from map(job, works)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="ingest") as pool:
        under_way: deque[Future[_Done]] = deque()
        try:
            for work in works:
                under_way.append(pool.submit(job, work))
                if len(under_way) > threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()
