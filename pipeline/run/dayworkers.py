"""Small days side by side: each on an engine of its own with one thread.

A query over some hundred thousand rows costs a third more on two threads than on one, because each thread builds its own hash tables and they are
merged in the end. Days that are large enough to gain from all threads are made one after the other instead; the tables are the same either way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from pipeline.engines.duckdb import MINIMUM_BYTES, DuckEngine
from pipeline.run.execute import Bench

LARGE_DAY = 1_000_000
"""Rows from which a day gains from all threads."""

Folders = Mapping[date, Path]
Rows = dict[date, dict[str, int]]


class DayWorkers:
    """The engines that make small days, open from their first use to the end of the `with` block.

    They share `memory_bytes` with the bench's own engine; where that leaves one too little, the bench does all by itself.
    """

    def __init__(self, bench: Bench, threads: int, memory_bytes: int, spill: Path) -> None:
        self._bench, self._threads, self._share, self._spill = bench, threads, memory_bytes // (threads + 1), spill
        self._stack, self._workers = ExitStack(), list[Bench]()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._bench.engine.keeping_memory())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def open(self) -> None:
        """Open the engines now, if there are to be any: to open one gives back what memory the process holds free, which is best done while it holds none."""
        if self._threads == 1 or self._share < MINIMUM_BYTES:
            return
        while len(self._workers) < self._threads:
            engine = DuckEngine(threads=1, memory_bytes=self._share, temp_dir=self._spill / f"day-{len(self._workers)}")
            self._workers.append(Bench(self._stack.enter_context(engine), self._bench.config, self._bench.folder, clock=time.thread_time))

    def make(self, groups: Sequence[Folders], largest: int) -> Iterator[Rows]:
        """Make the tables of each group of days, `largest` rows at most in one; gives each group's rows of every table by day and name, in order."""
        if len(groups) > 1 and largest <= LARGE_DAY:
            self.open()
            if self._workers:
                yield from self._side_by_side(groups)
                return
        yield from map(self._bench.day_tables, groups)

    def _side_by_side(self, groups: Sequence[Folders]) -> Iterator[Rows]:
        free: SimpleQueue[Bench] = SimpleQueue()
        for worker in self._workers:
            worker.measured = {}
            free.put(worker)
        with ThreadPoolExecutor(self._threads, thread_name_prefix="days") as pool:
            yield from pool.map(lambda group: _made(free, group), groups)
        for worker in self._workers:
            self._bench.add_measured(worker.measured)


def _made(free: SimpleQueue[Bench], group: Folders) -> Rows:
    worker = free.get()
    try:
        return worker.day_tables(group)
    finally:
        free.put(worker)
