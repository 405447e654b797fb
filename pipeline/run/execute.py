"""The bench on which stages run: lays out the tables that a stage declares, runs it, checks what it made, keeps it.

A stage's tables are checked (columns and types of schema.py, one row a grain, every query of sql/checks that names the
table) before they count. A finished stage leaves a mark with the hashes of its tables, so a run that was killed goes on
after the last one. A failed check ends the run: nothing is published.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipeline.config import Config
from pipeline.engines.duckdb import DuckEngine, arrow_schema, write_parquet
from pipeline.engines.sqlfile import load, sql_files
from pipeline.errors import CheckFailed, IntegrityError
from pipeline.kinds import kind_table
from pipeline.provenance import sha256_file
from pipeline.run.options import Progress
from pipeline.schema import Table
from pipeline.stages import STAGES, TABLES, Stage
from pipeline.store import read_json, write_json


class Bench:
    """Stages of one run on one engine. `tables` says where each table's files are; `folder` receives new ones."""

    def __init__(self, engine: DuckEngine, config: Config, folder: Path) -> None:
        self.engine, self.config, self.folder = engine, config, folder
        self.tables: dict[str, Sequence[Path]] = {}
        self.constants = {"kinds": kind_table(config.links)}
        self.measured: dict[str, dict[str, float]] = {}

    def day_tables(self, folder: Path, day: date) -> dict[str, int]:
        """Make the SQL tables of one day beside those of the ingest; rows of every table of the day by name."""
        made = {name: [folder / f"{name}.parquet"] for stage in STAGES if stage.per_day for name in stage.writes}
        bench = Bench(self.engine, self.config, folder)
        bench.tables, bench.measured = dict(made), self.measured
        for stage in STAGES:
            if stage.per_day and stage.is_sql:
                bench.timed(stage.label, lambda stage=stage: bench.run_sql(stage, {"day": day}))  # type: ignore[misc]
            if stage.per_day:
                bench.check(stage)
        return {name: row_count(files[0]) for name, files in made.items()}

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
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        spent = self.measured.setdefault(label, {"wall_s": 0.0, "cpu_s": 0.0, "peak_rss_bytes": 0.0})
        spent["wall_s"] += time.perf_counter() - wall
        spent["cpu_s"] += time.process_time() - cpu
        spent["peak_rss_bytes"] = peak_rss_bytes()

    def run_sql(self, stage: Stage, params: Mapping[str, object]) -> None:
        """Run a SQL stage on the tables it declares: into a file if schema.py knows the table, else into the engine's memory."""
        (name,) = stage.writes
        self._lay_out(stage.reads)
        values = {key: params[key] for key, _ in load(stage.source).params}
        if name in TABLES:
            path = self.folder / f"{name}.parquet"
            self.engine.write(stage.source, values, path, TABLES[name])
            self.tables[name] = [path]
        else:
            self.engine.materialise(name, stage.source, values)

    def check(self, stage: Stage) -> None:
        """Raise CheckFailed if a table of the stage has two rows of one grain, or a query of sql/checks finds a row."""
        for name in stage.writes:
            if name in TABLES and name in self.tables:
                _check_grain(TABLES[name], self.tables[name])
        for file in sql_files():
            if file.startswith("checks/") and _checked_table(file) in stage.writes:
                self._lay_out(load(file).reads)
                rows = self.engine.select(file, {key: flat_settings(self.config)[key] for key, _ in load(file).params})
                if rows.num_rows:
                    keys = tuple(str(value) for value in rows.column(0).slice(0, 5).to_pylist())
                    raise CheckFailed(Path(file).stem, rows.num_rows, keys)

    def _run(self, stage: Stage, params: Mapping[str, object]) -> dict[str, Any]:
        self.timed(stage.label, lambda: self.run_sql(stage, params) if stage.is_sql else self._run_python(stage))
        self.timed(f"{stage.label} checks", lambda: self.check(stage))
        account = {"source": stage.source, "sha256": source_sha256(stage), "tables": {name: describe(self.tables[name][0]) for name in stage.writes if name in TABLES}}
        if all(name in TABLES for name in stage.writes):
            write_json(self._mark(stage), account)
        return account

    def _run_python(self, stage: Stage) -> None:
        module, _, name = stage.source.partition(":")
        made = getattr(importlib.import_module(module), name)({table: self.frame(table) for table in stage.reads}, self.config)
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
            elif name in TABLES:
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


def _check_grain(table: Table, files: Sequence[Path]) -> None:
    if table.name == "requests":
        return  # sorted and unique by construction; its own query in sql/checks looks at ids
    before: pl.DataFrame | None = None
    for file in files:  # every table is written in the order of its grain, so equal keys are neighbours and one batch at a time is enough
        for batch in pq.ParquetFile(file).iter_batches(columns=list(table.grain)):
            rows = pl.DataFrame(batch)
            joined = rows if before is None else pl.concat([before, rows])
            repeated = joined.filter(pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in table.grain) & (pl.int_range(pl.len()) > 0))
            if repeated.height:
                raise CheckFailed(f"{table.stage}_{table.name}__one_row_a_grain", repeated.height, tuple("/".join(map(str, row)) for row in repeated.head(5).rows()))
            before = rows.tail(1)


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
