"""`validate`: how often is this wrong? Error rates with bounds, on simulated worlds or on labelled logs of the user's."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Memory, Out, Threads, usable_threads

Suite = Literal["quick", "ladder", "lookalike", "rare", "all"]
_COLUMNS = ("measure", "stratum", "value", "low", "high", "n", "unit", "cases", "bound")
_EXAMPLES = "Example: stillhunt validate --suite quick --worlds /cases --truth /cases/labels.csv"
DEGRADED = 5


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog=_EXAMPLES)(validate)


def validate(
    suite: Annotated[
        Suite,
        typer.Option(
            help="quick: minutes. ladder: rising evasion. lookalike: innocents only. all: both, and what columns, evidence and thresholds carry. "
            "rare: 60,000 accounts, three in a thousand bad."
        ),
    ],
    worlds: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Labelled logs instead of simulated ones: a world (requests/, accounts.parquet, truth.parquet) or a folder of them.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(metavar="FILE", help="Labels for --worlds: account_id, truth, network, malicious, and decided_on for a split by time.")] = None,
    out: Out = DEFAULT_OUT,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML over the defaults, to measure other thresholds.")] = None,
    memory: Memory = 4_000_000_000,
    threads: Threads = None,
    form: Form = "table",
) -> None:
    """Measure error rates on worlds with known truth; write DIR/validation/validation.html, .json and .parquet."""
    if truth is not None and worlds is None:
        raise typer.BadParameter("--truth labels the log of --worlds: name both.")

    def body() -> int:
        count = threads or usable_threads()
        os.environ.setdefault("POLARS_MAX_THREADS", str(count))
        from pipeline.config import load_config
        from pipeline.validate import Asked, find_worlds
        from pipeline.validate import validate as measure

        given = find_worlds(worlds, truth) if worlds else None
        asked = Asked(suite, _command(suite, worlds, truth, config), _today(), is_simulated=given is None)
        with console.Bars() as bars:
            made, files = measure(asked, load_config(config), out / "validation", given, memory, count, bars)
        return _finish(made, files, form)

    guarded(body)


def _today() -> date:
    return datetime.now(UTC).date()


def _command(suite: str, worlds: Path | None, truth: Path | None, config: Path | None) -> str:
    """The command without paths of this machine: names only."""
    options = (("--worlds", worlds), ("--truth", truth), ("--config", config))
    return " ".join(["stillhunt validate --suite", suite, *(f"{name} {path.name}" for name, path in options if path)])


def _finish(made: dict[str, Any], files: tuple[Path, ...], form: console.Format) -> int:
    if form == "json":
        console.document({key: value for key, value in made.items() if key != "schema"}, made["schema"])
    else:
        console.rows(_COLUMNS, [[row[name] for name in _COLUMNS] for row in made["figures"]], form, made["schema"])
    for reason in made["degraded"]:
        console.say(f"  not all ran: {reason}")
    console.say(f"{len(made['worlds'])} worlds, {made['accounts']:,} accounts, {made['requests']:,} requests; page: {files[-1]}")
    return DEGRADED if made["degraded"] else 0
