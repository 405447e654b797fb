"""`simulate`: a world with known truth, to try a run on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline import console
from pipeline.cli.guard import guarded


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt simulate world --scenario quiet --seed 7 --accounts 200 --days 2")(simulate)


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to: requests/, accounts.parquet, context/, truth.parquet, scenario.json.")],
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Equal arguments and seed give equal bytes.")],
    scenario: Annotated[
        str, typer.Option(metavar="NAME", help="quiet, planted, demo, mixed, lookalike, ladder, ladder-L3 (one rung) or preset:NAME; an unknown name lists all.")
    ] = "demo",
    accounts: Annotated[int, typer.Option(min=40, metavar="N", help="Accounts, campaigns included.")] = 900,
    days: Annotated[int, typer.Option(min=1, metavar="N", help="UTC days.")] = 10,
    share: Annotated[float, typer.Option(min=0.0, max=0.5, metavar="SHARE", help="Share of the accounts that belong to campaigns, 0 to 0.5.")] = 0.1,
    text: Annotated[str, typer.Option(metavar="KIND", help="full, or cheap: prompts from a small stock, for work on scale; no measure of detection may rest on it.")] = "full",
) -> None:
    """Write an invented request log with its accounts table and, for scoring only, the truth."""

    def body() -> None:
        from pipeline.simulate import write_world

        write_world(out, scenario, accounts, days, seed, share, text)
        console.say(f"wrote {accounts} accounts over {days} days to {out}")
        context = ("--context", out / "context") if (out / "context").exists() else ()
        console.say_next("run", out / "requests", "--accounts", out / "accounts.parquet", *context)

    guarded(body)
