"""`timeline`: an account or a network day by day."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console, drawing, redact
from pipeline.cli.guard import guarded
from pipeline.cli.nextsteps import say_next_about
from pipeline.cli.options import DEFAULT_OUT, Form, Out

if TYPE_CHECKING:
    import polars as pl

    from pipeline.evidence.finished import FinishedRun
    from pipeline.evidence.timeline import Event, Timeline

_SCHEMA = "stillhunt.timeline/1"
BAR, NARROW_BAR, NARROW, QUIET, OUTSIDE = 20, 10, 120, 3, 20
"""Columns of a day's bar, and on a terminal narrower than this; days without a request that are told one by one, events outside the window that are listed."""
_WORDS = {"signed_up": "signed up", "first_request": "first request", "last_request": "last request", "status": "status", "banned": "banned", "released": "release of"}
_COUNTED = {"signed_up": "signed up", "first_request": "first seen", "last_request": "last seen", "status": "now", "banned": "banned"}
"""The same of a network, behind the number of its accounts."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt timeline @1")(timeline)


def timeline(
    name: Annotated[str, typer.Argument(metavar="ACCT|NET", help="An account_id or a network_id; @1 is the first network of the queue, @1.2 its second member.")],
    accounts: Annotated[Path | None, typer.Option(metavar="FILE", help="The accounts table of the run, for sign-ups and changes of status.")] = None,
    context: Annotated[Path | None, typer.Option(metavar="DIR", help="The context folder of the run, for bans and releases.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Show requests, tokens and events of each day: first and last requests, lineage; sign-ups, bans and releases from the files that the run read."""
    guarded(lambda: _timeline(name, accounts, context, out, form))


def _timeline(name: str, accounts: Path | None, context: Path | None, out: Path, form: console.Format) -> None:
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.names import find
    from pipeline.evidence.timeline import timeline as told

    run = VerifiedRun(out)
    kind, row = find(run, name)
    wanted = _members(run, row["network_id"]) if kind == "network" else run.where("accounts", account_id=row["account_id"])
    found = told(run, row["network_id"], wanted.select("account_id", "account_key", "first_us", "last_us"), accounts, context)
    identity = str(row[f"{kind}_id"])
    if form == "json":
        console.document({"id": identity, "kind": kind, "network_id": row["network_id"], **dataclasses.asdict(found)}, _SCHEMA)
    elif form == "csv":
        columns = tuple(found.days[0])
        console.rows(
            (*columns, "events"),
            [[*(day[column] for column in columns), "; ".join(_word(one, kind) for one in found.events if one.day == day["day"])] for day in found.days],
            "csv",
            _SCHEMA,
        )
    else:
        _print(identity, kind, row, found)
    for note in found.notes:
        console.say(note)
    say_next_about("prompts" if kind == "network" else "explain", identity, out)


def _members(run: FinishedRun, network_id: str) -> pl.DataFrame:
    return run.where("accounts", network_id=network_id)


def _print(identity: str, kind: str, row: dict[str, Any], found: Timeline) -> None:
    requests = [day["requests"] for day in found.days]
    console.line((redact.for_cell(identity), "title"), f"  {row['request_count']:,} requests, {found.days[0]['day']} to {found.days[-1]['day']} UTC")
    console.data(f"requests a day  {drawing.sparkline(requests, 60)}")
    tokens = [None if day["requests"] is None else day["input_tokens"] + day["output_tokens"] for day in found.days]
    console.data(f"tokens a day    {drawing.sparkline(tokens, 60)}")
    console.data("")
    most = max((count for count in requests if count), default=1)
    lines = [_line(days, kind, found.events, most) for days in _stretches(found)]
    console.rows(tuple(lines[0]), [tuple(line.values()) for line in lines], "table", "", ("errors", "throttled", "tokens in", "accounts"))
    outside = [one for one in found.events if not found.days[0]["day"] <= one.day <= found.days[-1]["day"]]
    if outside:
        console.heading("OUTSIDE THE WINDOW")
        for one in outside[:OUTSIDE]:
            console.data(f"{one.day}  {_word(one, kind)}")
        if len(outside) > OUTSIDE:
            console.data(f"({len(outside) - OUTSIDE} more: --format json)")


def _stretches(found: Timeline) -> list[list[Any]]:
    """The days one by one; more than `QUIET` in a row without a request or an event together."""
    eventful = {one.day for one in found.events}
    parts: list[list[Any]] = []
    for day in found.days:
        is_quiet = day["requests"] == 0 and day["day"] not in eventful
        if is_quiet and parts and parts[-1][-1]["requests"] == 0 and parts[-1][-1]["day"] not in eventful:
            parts[-1].append(day)
        else:
            parts.append([day])
    return [piece for part in parts for piece in ([part] if len(part) > QUIET else [[day] for day in part])]


def _line(days: list[Any], kind: str, events: tuple[Event, ...], most: int) -> dict[str, Any]:
    day = days[0]
    counts = {"accounts": day["accounts"]} if kind == "network" else {}
    room = BAR if (console.width() or NARROW) >= NARROW else NARROW_BAR
    bar = drawing.bar(0.0, float(day["requests"]), 0.0, float(most), room) if day["requests"] else "unknown" if day["requests"] is None else ""
    told = "; ".join(_word(one, kind) for one in events if one.day == day["day"]) if len(days) == 1 else f"{len(days)} days without a request"
    return {
        "day": _span(days), **counts, "requests": day["requests"], "": bar, "tokens in": day["input_tokens"], "tokens out": day["output_tokens"],
        "throttled": day["rate_limited"], "errors": day["errors"], "events": told,
    }  # fmt: skip


def _span(days: list[Any]) -> str:
    first: dt.date = days[0]["day"]
    return f"{first} {first:%a}" if len(days) == 1 else f"{first} .."


def _word(one: Event, kind: str) -> str:
    """An event in words; of a network with the number of its accounts."""
    if kind == "network" and one.event in _COUNTED:
        return f"{one.accounts} {_COUNTED[one.event]} {one.detail}".strip()
    return f"{_WORDS.get(one.event, f'network {one.event}')} {one.detail}".strip()
