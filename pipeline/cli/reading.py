"""`networks`: what the latest run found, searched and sorted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.marking import say_marks, say_recalls
from pipeline.cli.nextsteps import say_next_about
from pipeline.cli.options import DEFAULT_OUT, Form, Out
from pipeline.drawing import sparkline

if TYPE_CHECKING:
    from pipeline.evidence.finished import FinishedRun

_SCHEMA = "stillhunt.networks/1"
_ONLY_SEARCHED = ("first_day", "last_day", "weighed_bits")
"""What a search makes of other columns for its own use."""
_LEAST = ("reason", "innocent", "last", "training", "q", "new", "tokens")
SPARK, NARROW_SPARK, NARROW = 20, 14, 100
"""Columns of a sparkline, of one on a terminal narrower than this."""
SHOWN = 30
"""Networks that a terminal is shown without --limit, and every one to be referred: the head of a queue must not scroll away."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt networks --where 'tier:refer,watch accounts:>=5 new:7d' --sort tokens-desc")(networks)


def networks(
    out: Out = DEFAULT_OUT,
    where: Annotated[str, typer.Option(metavar="TERMS", help="Only networks for which every term field:value holds, as in 'bits:>=20 accounts:>=20 new:7d -tier:explained'.")] = "",
    sort: Annotated[str | None, typer.Option(metavar="FIELD", help="A field, with -desc or -asc behind it; default: gravest first.")] = None,
    fields: Annotated[bool, typer.Option("--fields", help="List the fields that --where and --sort know, and leave.")] = False,
    tier: Annotated[Literal["refer", "watch", "explained"] | None, typer.Option(help="Only this tier.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most N networks.")] = None,
    form: Form = "table",
) -> None:
    """List the networks of the latest run, gravest first, or those that a search finds."""
    guarded(lambda: _fields(form) if fields else _networks(out, where, sort, tier, limit, form))


def _fields(form: console.Format) -> None:
    from pipeline.evidence.search import field_lines

    lines = field_lines()
    if form == "table":
        for name, value, meaning in lines:
            console.paragraph(meaning, " " * 35, f"{name:<13} {value:<20} ")
    else:
        console.rows(("field", "value", "meaning"), lines, form, "stillhunt.network_fields/1")
    console.say_next("networks", "--where", "tier:refer new:7d", "--sort", "tokens-desc")


def _networks(out: Path, where: str, order: str | None, tier: str | None, limit: int | None, form: console.Format) -> None:
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.search import parse, parse_sort, searchable, sort

    terms, by = parse(where), parse_sort(order) if order else None
    run = VerifiedRun(out)
    every = searchable(run)
    found = [row for row in every if (tier is None or row["tier"] == tier) and all(term(row) for term in terms)]
    ordered = sort(found, by[0], largest_first=by[1]) if by else found
    chosen = ordered[: limit or (_screenful(ordered) if form == "table" else None)]
    if form == "table":
        _print(run, chosen)
    else:
        _export(chosen, every, form)
    _say(out, run, chosen, len(found), len(every), f" of tier {tier}" if tier and not where else " that fit" if where else "")


def _screenful(ordered: list[dict[str, Any]]) -> int | None:
    """How many networks a terminal is shown; a pipe gets all."""
    return None if console.width() is None else max(SHOWN, sum(row["tier"] == "refer" for row in ordered))


def _print(run: FinishedRun, chosen: list[dict[str, Any]]) -> None:
    from pipeline.evidence.activity import network_days

    days = network_days(run, [row["network_id"] for row in chosen]) if chosen else {}
    room = SPARK if (console.width() or NARROW) >= NARROW else NARROW_SPARK
    lines = [_line(row, sparkline(days.get(row["network_id"], ()), room)) for row in chosen]
    console.rows(tuple(lines[0]) if lines else ("network_id",), [tuple(line.values()) for line in lines], "table", "", _LEAST)


def _line(row: dict[str, Any], drawn: str) -> dict[str, Any]:
    """A network as a line for people: short heads, what matters least can go first; what was not weighed or tested has no bits."""
    is_tested = row["weighed_bits"] is not None or row["q_value"] is not None
    return {
        "network_id": row["network_id"],
        "tier": row["tier"],
        "new": "-" if row["age_days"] is None else f"{row['age_days']}d",
        "accounts": row["account_count"],
        "requests": row["request_count"],
        "tokens": row["token_count"],
        "bits": row["weighed_bits"],
        "training": row["extraction_bits"] if is_tested else None,
        "q": row["q_value"],
        "a day": drawn,
        "last": row["last_day"],
        "innocent": row["best_alternative"] or "none",
        "reason": row["reason"],
    }


def _export(chosen: list[dict[str, Any]], every: list[dict[str, Any]], form: console.Format) -> None:
    columns = tuple(name for name in (every[0] if every else {"network_id": ""}) if name not in _ONLY_SEARCHED)
    plain = [[",".join(row[name]) if form == "csv" and isinstance(row[name], list) else row[name] for name in columns] for row in chosen]
    console.rows(columns, plain, form, _SCHEMA)


def _say(out: Path, run: FinishedRun, chosen: list[dict[str, Any]], found: int, total: int, which: str) -> None:
    manifest = run.manifest()
    for reason in manifest["degraded"]:
        console.say(f"not all ran: {reason}")
    if manifest["recipe"]["tables"].get("previous_night") is None and total:
        console.say("This is the first night of the folder, so every network is new.")
    if not chosen:
        console.say(f"no network{which}, of {total}. What was not looked at: {out / 'latest' / 'index.html'}")
        console.say_next("networks", "--fields" if total else "--help")
        return
    shown = f"{len(chosen)} shown of " if len(chosen) < found else ""
    rest = f" All of them: --limit {found}." if shown else ""
    fit = f"{found}{which}, " if found < total else ""
    console.say(f"{shown}{fit}{total} {'network' if total == 1 else 'networks'} in all; night {manifest['night']}, run {manifest['run_id']}.{rest}")
    say_marks(out, [row["network_id"] for row in chosen], date.fromisoformat(manifest["night"]))
    say_recalls(run, {row["network_id"] for row in chosen})
    say_next_about("show", chosen[0]["network_id"], out)
