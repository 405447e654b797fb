"""`query`: SQL of one's own, or a saved question, over the tables of the latest run and nothing else."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.engines.locked import Answer

_SCHEMA = "stillhunt.query/1"
LIMIT = 100
"""Rows that people are shown if they do not say how many; programs get as many as there are up to MOST."""
MOST = 1_000_000
_ONLY_ONE = "give a SELECT, or --saved NAME, or --list, or --tables: one of them."


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog='Example: stillhunt query "SELECT tier, count(*) AS networks FROM networks GROUP BY tier ORDER BY tier"')(query)


def query(
    sql: Annotated[str | None, typer.Argument(metavar="SQL", help="One SELECT over the run's tables; - reads it from standard input.")] = None,
    saved: Annotated[str | None, typer.Option("--saved", metavar="NAME", help="A saved question in place of SQL; --list shows them.")] = None,
    values: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the saved question. Once for each.")] = None,
    show_saved: Annotated[bool, typer.Option("--list", help="List the saved questions and their parameters.")] = False,
    show_tables: Annotated[bool, typer.Option("--tables", help="List the tables that can be asked, with rows and columns.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, max=MOST, metavar="N", help=f"At most N rows; default {LIMIT} on screen, {MOST:,} in JSON and CSV.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, metavar="S", help="Stop a query that takes longer.")] = 60.0,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Ask the tables of the latest run in SQL (DuckDB's), read-only: it reaches these tables and nothing else, in 1 GB of memory."""

    def body() -> None:
        if [sql is not None, saved is not None, show_saved, show_tables].count(True) != 1:
            raise UsageError(_ONLY_ONE)
        if values and saved is None:
            raise UsageError("--set belongs to --saved NAME.")
        if show_saved:
            _list_saved(out, form)
        elif show_tables:
            _list_tables(out, form)
        else:
            _ask(sql, saved, values or [], limit or (LIMIT if form == "table" else MOST), seconds, out, form)

    guarded(body)


def _ask(sql: str | None, saved: str | None, values: list[str], limit: int, seconds: float, out: Path, form: console.Format) -> None:
    from pipeline.cli.options import usable_threads
    from pipeline.engines.locked import ask
    from pipeline.evidence.askable import find_saved, other_days, run_tables, typed_values
    from pipeline.evidence.finished import VerifiedRun

    file = find_saved(saved) if saved is not None else None
    parameters = typed_values(file, _pairs(values)) if file else {}
    text = file.text if file else _text(str(sql))
    run = VerifiedRun(out)
    tables = run_tables(run)
    run.verify(name for name in tables if name in text.lower())
    answer = ask(text, parameters, tables, limit, seconds, min(usable_threads(), 4))
    _print(answer, form)
    changed = other_days(run)
    if changed:
        console.say(
            f"day tables are not what the run read: of {len(changed)} days they are gone or were made anew since ({', '.join(changed[:5])}{' ...' if len(changed) > 5 else ''})"
        )
    if answer.is_cut:
        console.say(f"only the first {limit:,} rows are shown: --limit N for more")
    if not answer.rows:
        console.say("no rows. What a column means: stillhunt query --tables --format csv")
    if file:
        console.say_next("query", "--list", "--out", out)
    else:
        console.say_next("query", "--tables", "--out", out)


def _text(sql: str) -> str:
    return sys.stdin.read() if sql == "-" else sql


def _pairs(values: list[str]) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or name in found:
            raise UsageError(f"--set {redact.for_cell(value)}: write --set NAME=VALUE, each name once.")
        found[name] = text
    return found


def _print(answer: Answer, form: console.Format) -> None:
    if form == "json":
        rows = [{name: _finite(value) for name, value in zip(answer.columns, row, strict=True)} for row in answer.rows]
        columns = [{"name": name, "type": kind} for name, kind in zip(answer.columns, answer.types, strict=True)]
        console.document({"columns": columns, "rows": rows, "is_cut": answer.is_cut}, _SCHEMA)
    else:
        console.rows(answer.columns, answer.rows, form, _SCHEMA)


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _list_saved(out: Path, form: console.Format) -> None:
    from pipeline.evidence.askable import saved, saved_name

    columns = ("saved", "parameters", "reads", "purpose")
    found = [(saved_name(file), ", ".join(f"{name} {kind}" for name, kind in file.params), ", ".join(file.reads), file.purpose) for file in saved()]
    if form == "table":
        for name, parameters, _, purpose in found:
            console.data(name)
            console.paragraph(purpose, indent="    ")
            console.paragraph(f"parameters: {parameters or 'none'}", indent="    ")
    else:
        console.rows(columns, found, form, "stillhunt.saved_queries/1")
    first, last = _window(out)
    console.say_next("query", "--saved", "busiest_accounts", "--set", f"first_day={first}", "--set", f"last_day={last}", "--set", "rows=10", "--out", out)


def _window(out: Path) -> tuple[str, str]:
    """First and last day of the latest run; days of an example if there is none."""
    from pipeline.evidence.finished import VerifiedRun

    if not (out / "latest" / "run.json").is_file():
        return "2026-05-01", "2026-05-31"
    window = VerifiedRun(out).manifest()["window"]
    return str(window["first_day"]), str(window["last_day"])


def _list_tables(out: Path, form: console.Format) -> None:
    from pipeline.evidence.askable import columns_of, run_tables
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.run.execute import row_count

    run = VerifiedRun(out)
    tables = run_tables(run)
    if form == "table":
        rows = [(name, "day" if "date=" in files[0].parent.name else "run", sum(map(row_count, files))) for name, files in tables.items()]
        console.rows(("table", "of", "rows"), rows, "table", "")
        console.say("columns and their meaning: --tables --format csv")
    else:
        lines = [(name, *column) for name in tables for column in columns_of(name)]
        console.rows(("table", "column", "type", "unit", "meaning"), lines, form, "stillhunt.tables/1")
    console.say_next("query", "SELECT * FROM networks", "--out", out)
