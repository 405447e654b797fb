"""Tables that a finished run worked with and did not publish: found in its scratch, or made again by the stages that made them.

What a run publishes is read. What it kept only while it worked (prompt samples of the window, words, account records) is taken from scratch where a file there
has the SHA-256 that run.json recorded; anybody may delete or change scratch, so a file that is gone or another is no error. Then it is made again, from the
tables of its days and from the accounts table and context folder that the run was given. Each must be the table that the run had: the days carry the keys
that run.json recorded, inputs and made tables the same SHA-256, else it is said what differs and nothing is answered. Everything is made in a temporary
folder that goes when the answer is there; scratch is never written. What runs stages (the database, the readers of logs) takes a quarter of a cpu second to
load, so it is loaded when a stage has to run.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from pipeline.config import Config, recorded_config
from pipeline.errors import InputError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.origins import Origins
from pipeline.kinds import kind_table
from pipeline.provenance import sha256_file
from pipeline.schema import FEATURES
from pipeline.stages import STAGES, TABLES, Stage
from pipeline.stages.clusters import joined_accounts, joining_clients
from pipeline.stages.coupling import REWRITTEN
from pipeline.stages.population import population
from pipeline.store import Store

if TYPE_CHECKING:
    from pipeline.run.execute import Bench

MEMORY_BYTES = 4_000_000_000
_MAKERS = {name: stage for stage in STAGES for name in stage.writes}
_ALONE = frozenset(("account_records", "joining_clients"))
"""Tables that are made again by a function of their own: no rule makes the first, the stage of the second makes much more."""
_YOUNG = frozenset(("account_records", "joining_clients", "word_users", "day_levels", "sent_prompts"))
"""Tables of which an older run recorded no hash, because it did not have them."""
Frames = dict[str, pl.DataFrame]


class Workings:
    """The tables of one finished run, those it did not publish too, while the `with` block lasts. Raises InputError where they cannot be had any more."""

    def __init__(self, run: FinishedRun, origins: Origins, threads: int, memory_bytes: int = MEMORY_BYTES) -> None:
        self._run, self._origins, self._manifest = run, origins, run.manifest()
        self._sizes = (threads, memory_bytes)
        self._stack = ExitStack()
        self.remade: list[str] = []
        """Names of tables that were made again, in the order in which they were."""

    def __enter__(self) -> Self:
        self.config: Config = recorded_config(self._manifest["config"], str(self._run.folder / "run.json"))
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="stillhunt-")))
        self._found_folder = self._folder / "found"
        self._found_folder.mkdir()
        self._constants = {"kinds": kind_table(self.config.links)}
        self._tables: dict[str, Sequence[Path]] = {name: [self._run.folder / "tables" / f"{name}.parquet"] for name in self._manifest["tables"] if name in TABLES}
        return self

    @functools.cached_property
    def _bench(self) -> Bench:
        """Where stages run, over the tables that are here by then and those to come."""
        from pipeline.engines.duckdb import DuckEngine
        from pipeline.run.execute import Bench

        engine = self._stack.enter_context(DuckEngine(threads=self._sizes[0], memory_bytes=self._sizes[1], temp_dir=self._folder / "spill"))
        bench = Bench(engine, self.config, self._folder)
        bench.tables = self._tables
        return bench

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def frames(self, names: Iterable[str]) -> Frames:
        """Tables by name, each as the run had it."""
        return {name: self.frame(name) for name in names}

    def frame(self, name: str) -> pl.DataFrame:
        """One table as the run had it."""
        if name in self._constants:
            return self._constants[name]
        if name == "features":
            return self._run.table("accounts").select(FEATURES.column_names).sort("account_key")
        if name in self._manifest["tables"]:
            return self._run.table(name)  # says which file it is if it is gone
        self._make(name)
        files = list(self._tables[name])
        return pl.read_parquet(files, columns=list(TABLES[name].column_names), hive_partitioning=False, glob=False) if files else self._bench.frame(name)

    def among(self, name: str, column: str, values: Sequence[int], *columns: str) -> pl.DataFrame:
        """The rows of a published table whose column holds one of some values; all its columns, or some."""
        return self._run.among(name, {column: values}, *columns)

    def columns(self, name: str, *columns: str) -> pl.DataFrame:
        """Some columns of a whole published table."""
        return self._run.columns(name, *columns)

    def first_of(self, name: str, **equals: int | list[int] | list[date]) -> pl.DataFrame:
        """The first row of a table whose columns hold these values or one of them each; none if there is no such row."""
        self._have(name)
        rows = pl.scan_parquet(list(self._tables[name]), glob=False, hive_partitioning=False).select(TABLES[name].column_names)
        matches = [pl.col(column).is_in(value if isinstance(value, list) else [value]) for column, value in equals.items()]
        return rows.filter(pl.all_horizontal(*matches)).head(1).collect()

    def column(self, name: str, column: str) -> pl.Series:
        """One column of a whole table that was not published."""
        self._have(name)
        return pl.scan_parquet(list(self._tables[name]), glob=False, hive_partitioning=False).select(column).collect().to_series()

    def put(self, given: Mapping[str, pl.DataFrame]) -> None:
        """Let tables stand in for the run's own, in what is made from now on."""
        for name, frame in given.items():
            self._bench.put(name, frame)

    def make(self, stages: Iterable[Stage]) -> Frames:
        """Run stages over the run's tables and those that were put in place of some; gives what they wrote."""
        made: Frames = {}
        for stage in stages:
            for read in stage.reads:
                self._have(read)
            self._run_stage(stage)
            made |= {name: self._bench.frame(name) for name in stage.writes}
        return made

    def rows_of(self, name: str, keys: Sequence[int], column: str = "account_key") -> pl.DataFrame:
        """Rows of a table, published or not, whose column holds one of some keys; where it is no longer in scratch it is made whole. No keys: no rows."""
        if name in self._manifest["tables"]:
            return self.among(name, column, keys)
        self._have(name)
        rows = pl.scan_parquet(list(self._tables[name]), glob=False, hive_partitioning=False)
        return rows.filter(pl.col(column).is_in(list(keys))).select(TABLES[name].column_names).collect()

    def _have(self, name: str) -> None:
        """Make sure that the bench has a table, and that one which the run published is as it was."""
        if name in self._constants or name in self._tables:
            self._run.verify((name,))
            return
        if name == "features":
            self._bench.put(name, self.frame(name))
        else:
            self._make(name)

    def _make(self, name: str) -> None:
        if name in self._tables:
            return
        stage = _MAKERS[name]
        if stage.per_day:
            self._tables[name] = self._day_files(name)
        elif self._found(stage):
            return
        elif name in _ALONE:
            self._bench.put(name, self._records() if name == "account_records" else self._joining_clients())
            self._compare(stage, (name,))
            self.remade += [name] if name in self._recorded(stage) or name == "account_records" else []  # a table that older runs did not have is none of theirs
        else:
            for read in stage.reads:
                self._have(read)
            self._run_stage(stage)
            self._compare(stage, stage.writes)
            self.remade += stage.writes

    def _found(self, stage: Stage) -> bool:
        """Take the tables of a stage from the run's scratch, if all of them are there as the run left them."""
        recorded = self._recorded(stage)
        kept = {name: Store(self._run.out).scratch / str(self._manifest["run_id"]) / f"{name}.parquet" for name in stage.writes}
        try:
            here = {name: self._linked(path) for name, path in kept.items()}
            if any(sha256_file(path) != recorded.get(name) for name, path in here.items()):
                return False
        except OSError:  # gone: anybody may tidy up there
            return False
        for name, path in here.items():
            self._tables.setdefault(name, [path])  # what stands in for a table of the run stays
        return True

    def _recorded(self, stage: Stage) -> Mapping[str, str]:
        """The SHA-256 that run.json recorded of each table of a stage."""
        found: Mapping[str, Mapping[str, Any]] = self._manifest["stages"].get(stage.label, {}).get("tables", {})
        return {name: str(table["sha256"]) for name, table in found.items()}

    def _linked(self, path: Path) -> Path:
        """The file under a second name, which stays when the next run clears scratch; where no link can be made (another file system), the file itself.

        Apart from what is made here: a table that is written again must not be written into the run's own file.
        """
        second = self._found_folder / path.name
        try:
            os.link(path, second)
        except OSError:
            return path
        return second

    def _run_stage(self, stage: Stage) -> None:
        from pipeline.run.execute import flat_settings

        bench = self._bench
        first = min(self._manifest["days"])
        params = {**flat_settings(self.config), "night": date.fromisoformat(self._manifest["night"]), "first_day": date.fromisoformat(first)}
        if stage.is_sql:
            bench.run_sql(stage, params)
        elif stage.streams:
            bench.run_stream(stage)
        else:
            bench.run_python(stage)

    def _compare(self, stage: Stage, names: Iterable[str]) -> None:
        """What was made again must be what the run had; of a table of `_YOUNG` a run of an older version recorded nothing."""
        recorded = self._recorded(stage)
        for name in names:
            if sha256_file(self._tables[name][0]) != recorded.get(name) and (name in recorded or name not in _YOUNG):
                self._differs(f"the table '{name}', made again from the days, is not the one that this run had; another version of stillhunt or of a library made it")

    def _day_files(self, name: str) -> list[Path]:
        store = Store(self._run.out)
        files = []
        for day, recorded in sorted(self._manifest["days"].items()):
            kept = store.day_record(date.fromisoformat(day))
            if kept is None or kept.key != recorded["key"]:
                self._differs(f"the tables of {day} are no longer kept as this run read them")
            files.append(store.day_folder(date.fromisoformat(day)) / f"{name}.parquet")
        return files

    def _records(self) -> pl.DataFrame:
        from pipeline.ingest import account_records, read_context

        found = self._origins.verified(self._manifest)
        ids = pl.read_parquet(self._day_files("account_ids"), hive_partitioning=False, glob=False)
        return account_records(found.accounts, ids, read_context(found.context)).records

    def _joining_clients(self) -> pl.DataFrame:
        """Accounts of each rewritten client that puts a network together. Words are asked for only if an account holds such a client."""
        tables = {name: self._run.table(name) if name in self._manifest["tables"] else self.frame(name) for name in ("shared_values", "account_records", "kinds")}
        if not (tables["shared_values"]["kind"] == REWRITTEN).any():
            return joined_accounts([], np.empty(0, dtype=np.int64))
        people = population(tables)
        return joined_accounts(joining_clients({**tables, "account_words": self.frame("account_words")}, people, self.config.networks), people.keys)

    def _differs(self, what: str) -> None:
        raise InputError(f"{self._run.out}: {what}. Run once more over the same logs (stillhunt run LOGS --out {self._run.out}), then ask again.")
