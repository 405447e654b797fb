"""What an analyst may ask of a finished run in SQL: its tables by name, and the saved questions of sql/adhoc with typed parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from pipeline.engines.sqlfile import SqlFile, load, sql_files
from pipeline.errors import UsageError
from pipeline.evidence.finished import FinishedRun
from pipeline.schema import Table
from pipeline.stages import TABLES
from pipeline.store import Store

FOLDER = "adhoc/"
REJECTS = "rejects"
REJECT_COLUMNS = (
    ("source_file", "VARCHAR", "", "POSIX path below the LOGS root"),
    ("source_row", "BIGINT", "", "zero-based row in that file"),
    ("reason", "VARCHAR", "", "why the row was left out: null_required, timestamp_out_of_range, duplicate, invalid_utf8, value_out_of_range"),
)
_BOOLEANS = {"true": True, "false": False}


def run_tables(run: FinishedRun) -> dict[str, list[Path]]:
    """Files of every table of a run by name: those it published, its rejected rows, and the tables of its days that are still kept."""
    manifest = run.manifest()
    found = {name: [run.folder / "tables" / f"{name}.parquet"] for name in manifest["tables"]}
    found[REJECTS] = [run.folder / "rejects.parquet"]
    folders = [run.out / "days" / f"date={day}" for day in sorted(manifest["days"])]
    for name in sorted(table.name for table in TABLES.values() if table.per_day):
        files = [path for folder in folders if (path := folder / f"{name}.parquet").is_file()]
        found |= {name: files} if files else {}
    return dict(sorted(found.items()))


def other_days(run: FinishedRun) -> tuple[str, ...]:
    """Days of the run whose tables are gone, or were made anew of other files since: what is asked of day tables is not what the run saw of them."""
    store = Store(run.out)
    kept = {day: store.day_record(date.fromisoformat(day)) for day in run.manifest()["days"]}
    return tuple(sorted(day for day, record in kept.items() if record is None or record.key != run.manifest()["days"][day]["key"]))


def columns_of(table: str) -> tuple[tuple[str, str, str, str], ...]:
    """Name, type, unit and meaning of each column of a table; none of a table that this version does not know."""
    if table == REJECTS:
        return REJECT_COLUMNS
    known: Table | None = TABLES.get(table)
    return tuple((column.name, column.type, column.unit, column.meaning) for column in known.columns) if known else ()


def saved() -> tuple[SqlFile, ...]:
    """The saved questions, by name."""
    return tuple(load(name) for name in sql_files() if name.startswith(FOLDER))


def saved_name(file: SqlFile) -> str:
    """Its name as an analyst types it: sql/adhoc/account_days.sql is account_days."""
    return Path(file.name).stem


def find_saved(name: str) -> SqlFile:
    """A saved question by name. Raises UsageError that names the nearest."""
    import difflib

    known = {saved_name(file): file for file in saved()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise UsageError(f"there is no saved query '{name}'.{f' Did you mean {near[0]}?' if near else ''} See: stillhunt query --list")
    return known[name]


def typed_values(file: SqlFile, given: Mapping[str, str]) -> dict[str, object]:
    """The parameters of a saved question, each as its type. Raises UsageError for one that is missing, unknown or of another type."""
    declared = dict(file.params)
    wanted = ", ".join(f"--set {name}={kind}" for name, kind in file.params) or "none"
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise UsageError(f"'{saved_name(file)}' has no parameter '{unknown[0]}'. It takes: {wanted}")
    missing = [name for name in declared if name not in given]
    if missing:
        raise UsageError(f"'{saved_name(file)}' also needs {', '.join(missing)}. It takes: {wanted}")
    return {name: _typed(name, kind, given[name]) for name, kind in declared.items()}


def _typed(name: str, kind: str, text: str) -> object:
    try:
        return _TYPES[kind](text)
    except (ValueError, KeyError):
        raise UsageError(f"--set {name}={text}: {name} is {kind}. {_LOOKS_LIKE[kind]}") from None


def _whole(text: str, bits: int) -> int:
    number = int(text)
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueError
    return number


_TYPES: dict[str, Callable[[str], object]] = {
    "BIGINT": lambda text: _whole(text, 64),
    "INTEGER": lambda text: _whole(text, 32),
    "DOUBLE": float,
    "VARCHAR": str,
    "BOOLEAN": lambda text: _BOOLEANS[text.lower()],
    "DATE": date.fromisoformat,
}
_LOOKS_LIKE = {
    "BIGINT": "Write a whole number, like 42.",
    "INTEGER": "Write a whole number, like 42.",
    "DOUBLE": "Write a number, like 0.5.",
    "VARCHAR": "Write a text.",
    "BOOLEAN": "Write true or false.",
    "DATE": "Write it like 2026-05-01.",
}
