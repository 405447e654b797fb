"""`check`: are these logs fit for a run? Reads footers, writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import Form

if TYPE_CHECKING:
    from pipeline.ingest import LogCheck

DEGRADED = 5


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt check /logs/requests --format json")(check)


def check(
    logs: Annotated[list[str], typer.Argument(metavar="LOGS...", help="Parquet files, folders (flat or date=/hour=), globs or s3:// URLs.")],
    accounts: Annotated[Path | None, typer.Option("--accounts", help="The accounts table, which is no log if it lies among them. Not read.")] = None,
    form: Form = "table",
) -> None:
    """Say what the logs hold: files, rows, days, each column's fill, and what a run will be blind to."""
    guarded(lambda: _check(tuple(logs), accounts, form))


def _check(logs: tuple[str, ...], accounts: Path | None, form: console.Format) -> int:
    found = _found(logs, (accounts,) if accounts else ())
    columns = [(name, count, round(found.coverage.percent(name), 2)) for name, count in found.coverage.row_counts.items()]
    if form == "json":
        console.document(_facts(found, columns), "stillhunt.check/1")
    elif form == "csv":
        console.rows(("column", "values", "percent"), columns, "csv", "stillhunt.check/1")
    else:
        console.data(f"{len(found.listing.files)} files, {found.row_count:,} rows, {found.first_day or 'unknown'} to {found.last_day or 'unknown'} (UTC)\n")
        console.rows(("column", "values", "percent"), columns, "table", "")
        console.data("")
        console.rows(("evidence family", "status", "reason"), found.blind_spots, "table", "")
    for problem in found.problems:
        console.say(f"{problem.severity}: {problem.where}: {problem.what}")
    console.say_next("run", *logs, *(("--accounts", accounts) if accounts else ()), *(("--on-bad-file", "skip") if found.has_errors else ()))
    return DEGRADED if found.has_errors else 0


def _found(logs: tuple[str, ...], apart: tuple[Path, ...]) -> LogCheck:
    """The look at the logs. Where no file is of use, the error is that of the first one: it says what is wrong with it, and a list without a file does not."""
    from pipeline.errors import InputError
    from pipeline.ingest import check_logs, list_logs

    try:
        return check_logs(logs, apart=apart)
    except InputError:
        list_logs(logs, on_bad_file="fail", apart=apart)
        raise


def _facts(found: LogCheck, columns: list[tuple[str, int, float]]) -> dict[str, Any]:
    return {
        "files": [{"name": file.name, "rows": file.row_count, "size_bytes": file.size_bytes, "sha256": file.sha256, "conforms": file.conforms} for file in found.listing.files],
        "rows": found.row_count,
        "first_day": found.first_day,
        "last_day": found.last_day,
        "columns": [{"column": name, "values": count, "percent": percent} for name, count, percent in columns],
        "blind_spots": [{"family": family, "status": status, "reason": reason} for family, status, reason in found.blind_spots],
        "problems": [{"severity": problem.severity, "where": problem.where, "what": problem.what} for problem in found.problems],
    }
