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

from pipeline.engines.duckdb import MINIMUM_BYTES, DuckEngine
from pipeline.run.execute import Bench

LARGE_DAY = 1_000_000
"""Rows from which a day gains from all threads."""

Folders = Mapping[date, Path]
Rows = dict[date, dict[str, int]]


def make_days(bench: Bench, groups: Sequence[Folders], largest: int, threads: int, memory_bytes: int, spill: Path) -> Iterator[Rows]:
    """Make the tables of each group of days, `largest` rows at most in one; gives each group's rows of every table by day and name, in order.

    Workers share `memory_bytes` with the bench's own engine; where that leaves one too little, the bench does all by itself.
    """
    share = memory_bytes // (threads + 1)
    if threads == 1 or len(groups) < 2 or largest > LARGE_DAY or share < MINIMUM_BYTES:
        yield from map(bench.day_tables, groups)
        return
    with ExitStack() as engines, ThreadPoolExecutor(threads, thread_name_prefix="days") as pool:
        workers = [_worker(bench, engines.enter_context(DuckEngine(threads=1, memory_bytes=share, temp_dir=spill / f"day-{number}"))) for number in range(threads)]
        free: SimpleQueue[Bench] = SimpleQueue()
        for worker in workers:
            free.put(worker)
        yield from pool.map(lambda group: _made(free, group), groups)
        for worker in workers:
            bench.add_measured(worker.measured)


def _worker(bench: Bench, engine: DuckEngine) -> Bench:
    """A bench of one thread; what it uses is that thread's own time."""
    return Bench(engine, bench.config, bench.folder, clock=time.thread_time)


def _made(free: SimpleQueue[Bench], group: Folders) -> Rows:
    worker = free.get()
    try:
        return worker.day_tables(group)
    finally:
        free.put(worker)
