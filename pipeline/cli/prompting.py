"""`prompts`: what a network sends, masked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out, hash_without_compiling

if TYPE_CHECKING:
    from pipeline.evidence.prompts import Prompts

_SCHEMA = "stillhunt.prompts/1"
CHANGED, GONE = 4, 6
"""Exit codes: a log file is not the one that was read; one is not there."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt prompts @1 --limit 10")(prompts)


def prompts(
    network: Annotated[str, typer.Argument(metavar="NET", help="A network_id; @1 is the first network of the queue.")],
    logs: Annotated[list[Path] | None, typer.Option(metavar="DIR", help="Where the logs of the run lie now (repeatable): examples are read from there again.")] = None,
    accounts: Annotated[Path | None, typer.Option(metavar="FILE", help="The accounts table of the run, to tell organisations apart if the log names none.")] = None,
    by: Annotated[Literal["skeleton", "opening"] | None, typer.Option(help="Count whole masked prompts, or their first eight words; default: what tells more.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, metavar="N", help="At most N masked prompts.")] = 20,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """List the masked prompts of a network with counts. With --logs, one example of each is read again, its file's hash checked, and words that few others use masked."""
    guarded(lambda: _prompts(network, logs or [], accounts, by, limit, out, form))


def _prompts(name: str, logs: list[Path], accounts: Path | None, by: str | None, limit: int, out: Path, form: console.Format) -> int:
    hash_without_compiling()
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.names import find_network
    from pipeline.evidence.prompts import prompts as masked

    run = VerifiedRun(out)
    found = masked(run, find_network(run, name)["network_id"], limit, logs, accounts, by)
    rows = [dataclasses.asdict(one) for one in found.skeletons]
    if form == "json":
        console.document(dataclasses.asdict(found), _SCHEMA)
    elif form == "csv":
        columns = tuple(rows[0]) if rows else ("rank",)
        console.rows(columns, [tuple(row.values()) for row in rows], "csv", _SCHEMA)
    else:
        _print(found)
    for note in found.notes:
        console.say(note)
    key = found.skeletons[0].key if found.skeletons else None
    console.say_next(*(("pivot", "--template", f"key:{key}") if key is not None else ("show", found.network_id)), "--out", out)
    states = {one.state for one in found.skeletons}
    return CHANGED if "changed" in states else GONE if states & {"gone", "unreadable"} else 0


def _print(found: Prompts) -> None:
    forms = "once masked" if found.by == "skeleton" else "in their first eight words, numbers apart"
    console.line((found.network_id, "title"))
    console.paragraph(f"{found.request_total:,} prompts of {found.skeleton_total:,} {'form' if found.skeleton_total == 1 else 'forms that differ'} {forms}")
    console.data("")
    heads = ("no", "requests", "accounts", "prompts", "elsewhere", "key", "request_id", "row", "file")
    lines = [
        (
            one.rank,
            one.request_count,
            one.account_count,
            one.prompt_count,
            one.elsewhere_count,
            f"key:{one.key}",
            one.request_id,
            one.source_row,
            redact.file_path(one.source_file),
        )
        for one in found.skeletons
    ]
    console.rows(heads, lines, "table", "", ("file", "row", "request_id", "prompts"))
    shown = [one for one in found.skeletons if one.state != "not asked"]
    if shown:
        console.heading("AN EXAMPLE OF EACH, masked")
    for one in shown:
        console.paragraph(one.text if one.text is not None else f"({one.state})", " " * 5, f"{one.rank:>3}  ")
