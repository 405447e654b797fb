"""`config` and `features`: what can be set, and what each feature means."""

from __future__ import annotations

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import Form


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt config > mine.toml")(config)
    app.command(epilog="Example: stillhunt features --format csv")(features)


def config() -> None:
    """Print every setting with its default, meaning, unit, direction and source, as a TOML file to change and pass with --config."""

    def body() -> None:
        from pipeline.config import DEFAULT_FILE, load_config

        load_config()  # a template that does not load would be worse than none
        console.data(DEFAULT_FILE.read_text(encoding="utf-8"))
        console.say("next: save it, change what you need, and type: stillhunt run LOGS --config FILE")

    guarded(body)


def features(form: Form = "table") -> None:
    """Print the features of an account: name, unit, range, formula, what empty gives, where the formula is from."""

    def body() -> None:
        from pipeline.features import FEATURES

        lines = [(f.group, f.name, f.unit, f"{f.low:g} .. {f.high:g}", f.formula, f.empty, f.source) for f in FEATURES]
        console.rows(("group", "feature", "unit", "range", "formula", "empty", "source"), lines, form, "stillhunt.features/1")
        console.say("next: stillhunt show ACCOUNT")

    guarded(body)
