"""Commands that have commands of their own, loaded when they are used: `stillhunt --help` does not pay for them."""

from __future__ import annotations

import importlib

import typer

GROUPS = {
    "bundle": ("pipeline.cli.bundling", "Seal a case as evidence that anybody can check: a BagIt bag with report, hashes and journal."),
    "case": ("pipeline.cli.casework", "Keep a case: its networks, outside facts, terms, prices, hold, review and journal."),
    "report": ("pipeline.cli.reporting", "Write the incident report of a case, and read it with a red pencil."),
}
"""Name: (module with `group(help)`, which gives its Typer app; what it is for)."""


def register(app: typer.Typer) -> None:
    """Add every group as one command that hands its words on."""
    for name in GROUPS:
        app.command(name, help=GROUPS[name][1], add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(_handed_on)


def _handed_on(context: typer.Context) -> None:
    """Run the group's own command line with the words that follow its name."""
    name = str(context.info_name)
    module, purpose = GROUPS[name]
    found: typer.Typer = importlib.import_module(module).group(purpose)
    found(context.args, prog_name=f"stillhunt {name}")
