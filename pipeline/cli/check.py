"""`check`: are these logs fit for a run? Reads footers, writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import Form

DEGRADED = 5


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt check /logs/requests --format json")(check)


def check(
    logs: Annotated[list[str], typer.Argument(metavar="LOGS...", help="Parquet files, folders (flat or date=/hour=), globs or s3:// URLs.")],
    form: Form = "table",
) -> None:
    """Say what the logs hold: files, rows, days, each column's fill, and what a run will be blind to."""
    guarded(lambda: _check(tuple(logs), form))
