"""`similar`: the accounts nearest to one, by shared facts first and by the look of their traffic second."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.nextsteps import say_next_about
from pipeline.cli.options import DEFAULT_OUT, Form, Out

if TYPE_CHECKING:
    from pipeline.evidence.similar import Neighbours

_SCHEMA = "stillhunt.similar/1"
REASONS_FIT = 150
"""Columns from which reasons stand in the table."""
LIKENESS = "Likeness is not control: who does the same work looks the same. Nothing about one operator follows from it."


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt similar @1.1 --limit 5")(similar)


def similar(
    account: Annotated[str, typer.Argument(metavar="ACCT", help="An account_id; @1.2 is the second member of the first network of the queue.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most N accounts of each sort.")] = 10,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """List the accounts nearest to one: those linked to it, by bits; then those of a similar profile, with what is alike. Likeness is not control."""
    guarded(lambda: _similar(account, limit, out, form))


def _similar(name: str, limit: int, out: Path, form: console.Format) -> None:
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.names import find_account
    from pipeline.evidence.similar import similar as nearest

    run = VerifiedRun(out)
    found = nearest(run, find_account(run, name), limit)
    if form == "json":
        console.document({**dataclasses.asdict(found), "linked": found.linked[:limit], "note": LIKENESS}, _SCHEMA)
    elif form == "csv":
        console.rows(_COLUMNS, _lines(found, limit), "csv", _SCHEMA)
    else:
        _print(found, limit)
    other = found.linked[0]["other_account_id"] if found.linked else found.alike[0].account_id if found.alike else None
    if other is None:
        say_next_about("show", found.account_id, out)
    elif found.account_id.startswith("-"):
        console.say_next("explain", f"--vs={other}", "--out", out, "--", found.account_id)
    else:
        console.say_next("explain", found.account_id, f"--vs={other}", "--out", out)


_COLUMNS = ("account_id", "network_id", "by", "bits", "distance", "why", "unlike_in")


def _lines(found: Neighbours, limit: int) -> list[tuple[object, ...]]:
    """Both sorts as one list: linked first."""
    linked = [(row["other_account_id"], row["network_id"], "links", row["bits"], None, row["kind"], None) for row in found.linked[:limit]]
    return [*linked, *((one.account_id, one.network_id, "profile", None, one.distance, one.alike_in, one.unlike_in) for one in found.alike)]


def _print(found: Neighbours, limit: int) -> None:
    console.line((redact.for_cell(found.account_id), "title"), f": {len(found.linked):,} linked, {found.compared:,} compared by {found.features} features")
    console.heading("BY LINKS: what they share that is rare")
    linked = [(row["other_account_id"], row["network_id"], row["bits"], row["kind"], row["family"]) for row in found.linked[:limit]]
    console.rows(("account_id", "network_id", "bits", "shares", "families"), linked, "table", "", ("families",))
    if len(found.linked) > limit:
        console.data(f"({len(found.linked) - limit:,} more: --limit)")
    console.heading("BY PROFILE, not linked: what their traffic looks like (value of this account/of the other)")
    _print_alike(found)
    console.paragraph(LIKENESS)


def _print_alike(found: Neighbours) -> None:
    """A table where there is room for the reasons, else each account with its reasons below."""
    from pipeline.evidence.cards import percent

    room = console.width()
    short = [(one.account_id, one.network_id, one.distance, percent(one.nearer_than)) for one in found.alike]
    heads = ("account_id", "network_id", "distance", "nearer than")
    if room is None or room >= REASONS_FIT:
        why = [(one.alike_in or "nothing unusual", one.unlike_in or "nothing") for one in found.alike]
        console.rows(
            (*heads, "both unusual in", "most unlike in"), [(*left, *right) for left, right in zip(short, why, strict=True)], "table", "", ("most unlike in", "nearer than")
        )
        return
    for one in found.alike:
        console.line(redact.for_cell(one.account_id), f"  {one.network_id or 'in no network'}, distance {one.distance:.2f}, nearer than {percent(one.nearer_than)}")
        console.paragraph(f"both unusual in {one.alike_in or 'nothing'}", "    ")
        console.paragraph(f"most unlike in {one.unlike_in or 'nothing'}", "    ")
