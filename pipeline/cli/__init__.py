"""The command line: parse, call one function, hand the result to the console. One module a group of commands.

Heavy packages are imported inside the commands, so `stillhunt --help` stays fast; of the modules here a command loads its own. Exit codes are those of errors.py, 0 and 3
(found at or above the asked level), 5 (finished, but less than asked), 130 and 143 (interrupted; the next run goes on).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Annotated

import typer

from pipeline import __version__, console
from pipeline.cli.guard import under_guard
from pipeline.cli.opening import prepare_completion

EXAMPLE = "Example: stillhunt demo"

HOMES = {
    "running": ("run", "demo"),
    "check": ("check",),
    "reading": ("networks",),
    "showing": ("show",),
    "explaining": ("explain",),
    "pivoting": ("pivot",),
    "similarity": ("similar",),
    "timelines": ("timeline",),
    "prompting": ("prompts",),
    "differing": ("diff",),
    "querying": ("query",),
    "rejudging": ("whatif",),
    "tips": ("expand", "test"),
    "feedback": ("note", "disposition", "allow", "journal"),
    "operating": ("runs", "gc", "erase"),
    "canarying": ("canary",),
    "groups": ("bundle", "case", "report"),
    "bundling": ("verify", "rerun"),
    "simulating": ("simulate",),
    "validating": ("validate",),
    "reference": ("config", "features"),
    "opening": ("open", "completion"),
    "diagnosing": ("doctor",),
}
"""Modules of this folder with the commands of each, in the order in which help lists them. Describing all commands takes longer than many a command."""


def _print_version(asked: bool) -> None:
    if asked:
        console.data(f"stillhunt {__version__}")
        raise typer.Exit


def root(version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")] = False) -> None:
    """Find networks of accounts that distil a model, in the request logs of its API."""


def app_of(modules: Iterable[str] = HOMES) -> typer.Typer:
    """The command line with the commands of some modules of HOMES, or of all."""
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
    app.callback()(root)
    for module in modules:
        importlib.import_module(f"pipeline.cli.{module}").register(app)
    return app


def start(arguments: list[str]) -> int:
    """Run one command line; gives the exit code."""
    prepare_completion()
    return under_guard(lambda: _app_for(arguments)(arguments, prog_name="stillhunt"))


def _app_for(arguments: list[str]) -> typer.Typer:
    """What the first word needs. Whatever is no command's name needs all of them: help, a shell that completes, a name that is nearly one."""
    own = [module for module, names in HOMES.items() if arguments and arguments[0] in names]
    return app_of(own or HOMES)
