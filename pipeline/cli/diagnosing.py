"""`doctor`: whether this machine is fit for a run, and the line to type where it is not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out, usable_threads

DEGRADED = 5
_INDENT = " " * 9
_COLUMNS = ("what", "status", "found", "to_do")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt doctor --format json")(doctor)


def doctor(out: Out = DEFAULT_OUT, form: Form = "table") -> None:
    """Look at Python, packages, memory, disk and the output folder, and say what is missing and what to type. Ends with 5 if a run cannot be made."""
    guarded(lambda: _doctor(out, form))


def _doctor(out: Path, form: console.Format) -> int:
    from pipeline.evidence.condition import checks

    found = list(checks(out, usable_threads()))
    if form == "table":
        for check in found:
            console.paragraph(f"{check.what}: {check.found}", indent=_INDENT, first=check.status.ljust(len(_INDENT)))
            if check.to_do:
                console.paragraph(check.to_do, indent=f"{_INDENT}    ", first=f"{_INDENT}to do: ")
    else:
        console.rows(_COLUMNS, [dataclasses.astuple(check) for check in found], form, "stillhunt.doctor/1")
    missing = [check.what for check in found if check.status == "missing"]
    console.say(f"missing: {', '.join(missing)}" if missing else "nothing that a run needs is missing")
    if not missing:
        console.say_next(*(("networks", "--out", out) if (out / "latest").exists() else ("demo", "--out", out)))
    return DEGRADED if missing else 0
