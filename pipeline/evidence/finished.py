"""The tables of a finished run, read and never written: those of runs/<run_id>/tables and the day tables they were made of.

A table that is gone or broken is an IntegrityError that names it, never an empty answer; to a VerifiedRun so is one that was changed since. Day tables carry no hash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import InputError, IntegrityError
from pipeline.provenance import sha256_file
from pipeline.store import latest_run, read_json


class FinishedRun:
    """The run that DIR/latest points to, or the one whose folder is given. Raises InputError if there is none."""

    def __init__(self, out: Path, folder: Path | None = None) -> None:
        self.out, self.folder = out, folder or latest_run(out)
        if not (self.folder / "run.json").is_file():
            raise InputError(f"{out}: the run {self.folder.name} is not kept any more.")
        self._manifest: dict[str, Any] | None = None
        self._sound: set[str] = set()

    def manifest(self) -> dict[str, Any]:
        """run.json."""
        if self._manifest is None:
            self._manifest = read_json(self.folder / "run.json")
        return self._manifest

    def holds(self, name: str) -> bool:
        """Whether the run has a table of this name; one made by an earlier version may lack it."""
        return name in self.manifest()["tables"]

    def verify(self, names: Iterable[str] | None = None) -> None:
        """Raises IntegrityError for the first table of the run, or of those named, whose bytes are not those that run.json recorded. Each is read once."""
        recorded = self.manifest().get("tables", {})
        for name in sorted(set(recorded if names is None else names) & set(recorded) - self._sound):
            path = self.folder / "tables" / f"{name}.parquet"
            if not path.is_file() or sha256_file(path) != recorded[name]["sha256"]:
                raise IntegrityError(f"{path}: is not what the run wrote: its SHA-256 is not the one in run.json. Restore it, or run again with another --out.")
            self._sound.add(name)

    def _path(self, name: str) -> Path:
        return self.folder / "tables" / f"{name}.parquet"

    def table(self, name: str) -> pl.DataFrame:
        """One whole table."""
        return self.among(name, {})

    def where(self, name: str, **equals: str | int) -> pl.DataFrame:
        """The rows of a table whose columns equal these values."""
        return self.among(name, {column: [value] for column, value in equals.items()})

    def among(self, name: str, wanted: Mapping[str, Iterable[str | int]], *columns: str) -> pl.DataFrame:
        """The rows of a table whose columns hold one of these values each; all its columns, or some."""
        return _filtered(self._path(name), wanted, columns)

    def columns(self, name: str, *columns: str) -> pl.DataFrame:
        """Some columns of a whole table."""
        return _filtered(self._path(name), {}, columns)

    def lazy_days(self, name: str, days: Iterable[str] | None = None) -> tuple[pl.LazyFrame, ...]:
        """A day table over all days of the run or some of them, unread: one frame, or none if no day is left. Collect it inside `reading`."""
        paths = self._day_paths(name, self.manifest()["days"] if days is None else days)
        return (pl.scan_parquet(paths, glob=False, hive_partitioning=False),) if paths else ()

    def scan_days(self, name: str, columns: Iterable[str | pl.Expr], predicate: pl.Expr | None = None, days: Iterable[str] | None = None) -> pl.DataFrame:
        """The columns of a day table where a predicate holds, over all days of the run or some of them; a day that was dropped since gives no rows."""
        found = self.lazy_days(name, days)
        if not found:
            return pl.DataFrame(schema={one if isinstance(one, str) else one.meta.output_name(): pl.Null for one in columns})
        with self.reading(name):
            return (found[0] if predicate is None else found[0].filter(predicate)).select(*columns).collect()

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """While a day table is read: what cannot be read becomes an IntegrityError that names the file."""
        try:
            yield
        except (OSError, pl.exceptions.PolarsError):
            for path in self._day_paths(name, self.manifest()["days"]):
                _filtered(path, {})  # raises for the one that is broken
            raise

    def _day_paths(self, name: str, days: Iterable[str]) -> list[Path]:
        folders = (self.out / "days" / f"date={day}" for day in sorted(days))
        return [folder / f"{name}.parquet" for folder in folders if folder.is_dir()]

    def dropped_days(self) -> tuple[str, ...]:
        """Days of the run whose tables are gone."""
        return tuple(day for day in sorted(self.manifest()["days"]) if not (self.out / "days" / f"date={day}").is_dir())

    def days_among(self, name: str, columns: Iterable[str], wanted: Mapping[str, Iterable[str | int]], days: Iterable[str] | None = None) -> pl.DataFrame:
        """As `among`, of a day table, over all days of the run in their order or over some of them; a day that was dropped since gives no rows."""
        matches = [_is_one_of(column, values) for column, values in wanted.items()]
        return self.scan_days(name, columns, pl.all_horizontal(*matches) if matches else None, days)


class VerifiedRun(FinishedRun):
    """The same for who answers people: a table of the run whose bytes are not those that run.json recorded is an IntegrityError, because somebody may act on the answer."""

    def _path(self, name: str) -> Path:
        self.verify((name,))
        return super()._path(name)


def _is_one_of(column: str, values: Iterable[str | int]) -> pl.Expr:
    some = list(values)
    return pl.col(column) == some[0] if len(some) == 1 else pl.col(column).is_in(some)


def _filtered(path: Path, wanted: Mapping[str, Iterable[str | int]], columns: tuple[str, ...] = ()) -> pl.DataFrame:
    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        for column, values in wanted.items():
            scan = scan.filter(_is_one_of(column, values))
        return (scan.select(columns) if columns else scan).collect()
    except (OSError, pl.exceptions.PolarsError):
        raise IntegrityError(f"{path}: is missing or not the Parquet file that the run wrote. Run again with another --out, or restore it.") from None
