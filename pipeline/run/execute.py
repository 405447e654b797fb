"""The bench on which stages run: lays out the tables that a stage declares, runs it, checks what it made, keeps it.

A stage's tables are checked (columns and types of schema.py, the checks of tablechecks.py, every query of sql/checks that names the
table) before they count. A finished stage leaves a mark with the hashes of its tables, so a run that was killed goes on
after the last one. A failed check ends the run: nothing is published.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from pipeline.config import Config
from pipeline.engines.duckdb import DuckEngine, arrow_schema
from pipeline.engines.parquet import write_parquet
from pipeline.engines.sqlfile import load, sql_files
from pipeline.errors import CheckFailed, IntegrityError
from pipeline.ingest import kept_heap
from pipeline.kinds import kind_table
from pipeline.provenance import sha256_file
from pipeline.run.dayreaders import open_days
from pipeline.run.options import Progress
from pipeline.run.tablechecks import check_counted, check_grain, check_within, checked
from pipeline.schema import Table
from pipeline.stages import STAGES, TABLES, Stage
from pipeline.store import read_json, write_json


class Bench:
    """Stages of one run on one engine. `tables` says where each table's files are; `folder` receives new ones."""

    def __init__(self, engine: DuckEngine, config: Config, folder: Path, clock: Callable[[], float] = time.process_time) -> None:
        self.engine, self.config, self.folder, self._clock = engine, config, folder, clock
        self.tables: dict[str, Sequence[Path]] = {}
        self.constants = {"kinds": kind_table(config.links)}
        self.measured: dict[str, dict[str, float]] = {}

    def day_tables(self, folders: Mapping[date, Path]) -> dict[date, dict[str, int]]:
        """Make the tables of some days beside those of the ingest, with SQL all days in one query; rows of every table by day and name."""
        bench = Bench(self.engine, self.config, next(iter(folders.values())), self._clock)
        bench.measured = self.measured
        for stage in STAGES:
            if stage.per_day:
                made = {name: {day: folder / f"{name}.parquet" for day, folder in folders.items()} for name in stage.writes}
                if not stage.is_edge:
                    bench.timed(stage.label, lambda stage=stage, made=made: (bench._run_day_sql if stage.is_sql else bench._run_day_stream)(stage, made))  # type: ignore[misc]
                bench.tables |= {name: list(files.values()) for name, files in made.items()}
                bench.timed(f"{stage.label} checks", lambda stage=stage: bench.check(stage))  # type: ignore[misc]
        bench.timed("20 account_days checks", lambda: _check_days(folders))
        names = [name for stage in STAGES if stage.per_day for name in stage.writes]
        return {day: {name: row_count(folder / f"{name}.parquet") for name in names} for day, folder in folders.items()}

    def _run_day_sql(self, stage: Stage, made: Mapping[str, Mapping[date, Path]]) -> None:
        ((name, files),) = made.items()
        self._lay_out(stage.reads)
        self.engine.write_days(stage.source, {}, files, TABLES[name])

    def _run_day_stream(self, stage: Stage, made: Mapping[str, Mapping[date, Path]]) -> None:
        """The same with the function of a stage, day by day: it works on one day at a time, so a query of many is not cheaper."""
        (read,), (files,) = stage.reads, made.values()
        for source, path in zip(self.tables[read], files.values(), strict=True):
            self._stream(stage, [source], path)

    def walk(self, params: Mapping[str, object], progress: Progress) -> dict[str, dict[str, Any]]:
        """Run the window's stages in order; per stage its source, its hash, and rows and hash of each table."""
        stages = [stage for stage in STAGES if not stage.per_day and not stage.is_edge]
        account = {}
        for done, stage in enumerate(stages):
            progress(f"stages: {stage.label}", done, len(stages))
            account[stage.label] = self._marked(stage) or self._run(stage, params)
        progress("stages", len(stages), len(stages))
        return account

    def put(self, name: str, frame: pl.DataFrame) -> None:
        """Keep a table that was made at the edge of the run (not by a stage), for stages to read."""
        self._write(name, frame)

    def frame(self, name: str) -> pl.DataFrame:
        """A table as a frame with exactly the columns of schema.py; no file gives an empty one."""
        if name in self.constants:
            return self.constants[name]
        table, files = TABLES[name], self.tables.get(name, ())
        if not files:
            return empty(table)
        return pl.read_parquet(list(files), columns=list(table.column_names), hive_partitioning=False, glob=False)

    def timed(self, label: str, action: Callable[[], None]) -> None:
        """Run an action and add what it took to `measured`."""
        wall, cpu = time.perf_counter(), self._clock()
        action()
        self.add_measured({label: {"wall_s": time.perf_counter() - wall, "cpu_s": self._clock() - cpu, "peak_rss_bytes": peak_rss_bytes()}})

    def add_measured(self, more: Mapping[str, Mapping[str, float]]) -> None:
        """Add what some steps took: seconds add up, of the peak the highest counts."""
        for label, spent in more.items():
            before = self.measured.get(label, {"wall_s": 0.0, "cpu_s": 0.0, "peak_rss_bytes": 0.0})
            times = {name: before[name] + spent[name] for name in ("wall_s", "cpu_s")}
            self.measured[label] = {**times, "peak_rss_bytes": max(before["peak_rss_bytes"], spent["peak_rss_bytes"])}

    def run_sql(self, stage: Stage, params: Mapping[str, object]) -> None:
        """Run a SQL stage on the tables it declares, into a file of its table."""
        (name,) = stage.writes
        self._lay_out(stage.reads)
        values = {key: params[key] for key, _ in load(stage.source).params}
        path = self.folder / f"{name}.parquet"
        self.engine.write(stage.source, values, path, TABLES[name])
        self.tables[name] = [path]

    def check(self, stage: Stage) -> None:
        """Raise CheckFailed if a table of the stage has two rows of one grain, or a query of sql/checks finds a row."""
        for name in stage.writes:
            if name != "requests" and name in self.tables and not stage.streams:  # requests: the ingest asks before it writes them, as `_stream` does
                for path in self.tables[name]:
                    check_grain(TABLES[name], path)
        for file in sql_files():
            if file.startswith("checks/") and _checked_table(file) in stage.writes:
                self._lay_out(load(file).reads)
                rows = self.engine.select(file, {key: flat_settings(self.config)[key] for key, _ in load(file).params})
                if rows.num_rows:
                    keys = tuple(str(value) for value in rows.column(0).slice(0, 5).to_pylist())
                    raise CheckFailed(Path(file).stem, rows.num_rows, keys)

    def _run(self, stage: Stage, params: Mapping[str, object]) -> dict[str, Any]:
        self.timed(stage.label, lambda: self.run_sql(stage, params) if stage.is_sql else self.run_stream(stage) if stage.streams else self.run_python(stage))
        self.timed(f"{stage.label} checks", lambda: self.check(stage))
        account = self.account(stage)
        write_json(self._mark(stage), account)
        return account

    def account(self, stage: Stage) -> dict[str, Any]:
        """What run.json says of a stage: its source, the hash of that, and rows and hash of each table that it made."""
        return {"source": stage.source, "sha256": source_sha256(stage), "tables": {name: describe(self.tables[name][0]) for name in stage.writes}}

    def run_stream(self, stage: Stage) -> None:
        """Call the function of a stage with the batches of the first table it reads (a day table: day by day), the others whole by name, and write the batches it gives."""
        (read, *others), (written,) = stage.reads, stage.writes
        path = self.folder / f"{written}.parquet"
        with kept_heap():  # every batch takes and frees the same memory, which the system would clear each time
            self._stream(stage, self.tables.get(read, ()), path, **{table: self.frame(table) for table in others})
        self.tables[written] = [path]

    def _stream(self, stage: Stage, files: Sequence[Path], path: Path, **others: pl.DataFrame) -> None:
        module, _, name = stage.source.partition(":")
        rule = importlib.import_module(module)
        read, written = TABLES[stage.reads[0]], TABLES[stage.writes[0]]
        with ExitStack() as open_files:
            rows = open_days(read, files, open_files) if read.per_day else _batches(files, rule.COLUMNS)
            write_parquet(checked(written, getattr(rule, name)(rows, self.config, **others)), path, arrow_schema(written))

    def run_python(self, stage: Stage) -> None:
        """Call the function of a stage with the tables it declares and keep what it gives; linear algebra runs on one thread."""
        module, _, name = stage.source.partition(":")
        function = getattr(importlib.import_module(module), name)
        with threadpool_limits(limits=1):  # here, because it reaches only libraries that are loaded
            made = function({table: self.frame(table) for table in stage.reads}, self.config)
        if set(made) != set(stage.writes):
            raise CheckFailed(f"{stage.number}_{name}__tables", len(made), tuple(sorted(made)))
        for table, frame in made.items():
            self._write(table, frame)

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        path = self.folder / f"{name}.parquet"
        write_frame(frame, TABLES[name], path)
        self.tables[name] = [path]

    def _lay_out(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self.constants:
                self.engine.register(name, self.constants[name])
            else:
                self.engine.view(name, list(self.tables.get(name, ())), TABLES[name])

    def _mark(self, stage: Stage) -> Path:
        return self.folder / f"stage-{stage.number}-{stage.writes[0]}.json"

    def _marked(self, stage: Stage) -> dict[str, Any] | None:
        """The account of a stage that this run finished before it was killed; its tables must still be what it says."""
        if not self._mark(stage).is_file():
            return None
        account = read_json(self._mark(stage))
        for name, known in account["tables"].items():
            path = self.folder / f"{name}.parquet"
            if not path.is_file() or sha256_file(path) != known["sha256"]:
                raise IntegrityError(f"{path}: is not the table that stage {stage.label} left. Delete {self.folder} and run again.")
            self.tables[name] = [path]
        return account


def _batches(files: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for path in files:
        with pq.ParquetFile(path, pre_buffer=False) as file:  # else all row groups are in memory at once
            yield from file.iter_batches(columns=list(columns), use_threads=False)


def empty(table: Table) -> pl.DataFrame:
    """A table without rows, of the right types."""
    found = pl.from_arrow(arrow_schema(table).empty_table())
    assert isinstance(found, pl.DataFrame)
    return found


def write_frame(frame: pl.DataFrame, table: Table, path: Path) -> None:
    """Write a frame as the table's Parquet file, sorted by its grain. Raises CheckFailed if columns or types differ from schema.py."""
    expected = empty(table).schema
    wrong = sorted(set(expected) ^ set(frame.columns))
    wrong += [name for name, kind in expected.items() if name in frame.columns and frame.schema[name] not in (kind, pl.Null)]
    if wrong:
        raise CheckFailed(f"{table.stage}_{table.name}__columns", len(wrong), tuple(wrong))
    ordered = frame.select(pl.col(name).cast(kind) for name, kind in expected.items()).sort(table.grain, nulls_last=True, maintain_order=True)
    schema = arrow_schema(table)
    write_parquet(ordered.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema).to_reader(), path, schema)


def _check_days(folders: Mapping[date, Path]) -> None:
    """What a day's tables promise of each other."""
    for day, folder in folders.items():
        check_within(folder / "requests.parquet", day)
        check_counted(folder / "requests.parquet", folder / "account_days.parquet", day)


def _checked_table(file: str) -> str:
    return Path(file).stem.split("__")[0].partition("_")[2]


def source_sha256(stage: Stage) -> str:
    """Hash of the SQL file or of the module that makes the stage's tables."""
    if stage.is_sql:
        return load(stage.source).sha256
    found = importlib.util.find_spec(stage.source.partition(":")[0])
    origin = found.origin if found else None
    if origin is None:
        raise FileNotFoundError(f"{stage.source}: its module has no source file")
    return sha256_file(Path(origin))


def describe(path: Path) -> dict[str, Any]:
    """Rows and hash of a table's file."""
    return {"rows": row_count(path), "sha256": sha256_file(path)}


def row_count(path: Path) -> int:
    """Rows of a Parquet file, from its footer."""
    return int(pq.read_metadata(path).num_rows)


def peak_rss_bytes() -> float:
    """Highest resident memory of this process so far, bytes."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def flat_settings(config: Config) -> dict[str, object]:
    """Every setting by its name, as SQL parameters. Names are unique over all sections."""
    return {key: value for section in dataclasses.asdict(config).values() for key, value in section.items()}
