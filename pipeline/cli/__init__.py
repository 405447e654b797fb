"""The command line: parse, call one function, hand the result to the console. One module a group of commands.

Heavy packages are imported inside the commands, so `stillhunt --help` stays fast. Exit codes are those of errors.py, 0 and 3
(found at or above the asked level), 5 (finished, but less than asked), 130 and 143 (interrupted; the next run goes on).
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import __version__, console
from pipeline.cli import (
    bundling,
    canarying,
    check,
    diagnosing,
    differing,
    explaining,
    feedback,
    groups,
    opening,
    operating,
    pivoting,
    prompting,
    querying,
    reading,
    reference,
    rejudging,
    running,
    showing,
    similarity,
    simulating,
    timelines,
    tips,
    validating,
)
from pipeline.cli.guard import under_guard

EXAMPLE = "Example: stillhunt demo"

app = typer.Typer(
    name="stillhunt",
    help="Find networks of accounts that distil a model, in the request logs of its API.",
    epilog=EXAMPLE,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    no_args_is_help=True,
    add_completion=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        console.data(f"stillhunt {__version__}")
        raise typer.Exit


@app.callback()
def root(version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")] = False) -> None:
    """Find networks of accounts that distil a model, in the request logs of its API."""


COMMANDS = (running, check, reading, showing, explaining, pivoting, similarity, timelines, prompting, differing, querying, rejudging, tips)
for module in (*COMMANDS, feedback, operating, canarying, groups, bundling, simulating, validating, reference, opening, diagnosing):
    module.register(app)


def start(arguments: list[str]) -> int:
    """Run one command line; gives the exit code."""
    opening.prepare_completion()
    return under_guard(lambda: app(arguments, prog_name="stillhunt"))
