"""`config` and `features`: what can be set, what is set, and what each feature means."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import Form

if TYPE_CHECKING:
    from pipeline.evidence.settings import Setting
    from pipeline.features import Feature


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    settings = typer.Typer(rich_markup_mode=None, invoke_without_command=True, epilog="Example: stillhunt config > mine.toml")
    settings.callback()(config)
    settings.command("check", epilog="Example: stillhunt config check mine.toml --changed")(config_check)
    app.add_typer(settings, name="config")
    app.command(epilog="Example: stillhunt features --format csv")(features)


def config(context: typer.Context, form: Form = "table") -> None:
    """Print every setting with its default, meaning, unit, direction and source, as a TOML file to change and pass with --config; or, as JSON or CSV, the values."""
    if context.invoked_subcommand is not None:
        return

    def body() -> None:
        from pipeline.config import DEFAULT_FILE, load_config

        load_config()  # a template that does not load would be worse than none
        if form != "table":
            from pipeline.evidence.settings import effective

            _print_settings(effective(None), form)
            return
        console.data(DEFAULT_FILE.read_text(encoding="utf-8"))
        console.say("next: save it, change what you need, and type: stillhunt run LOGS --config FILE")

    guarded(body)


def config_check(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A TOML file as --config takes it; without one, the defaults.")] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only settings whose value is not the default.")] = False,
    form: Form = "table",
) -> None:
    """Check a configuration and print the value of every setting that a run would go by, with its origin: default, or the file."""

    def body() -> None:
        from pipeline.evidence.settings import effective

        found = effective(file)
        shown = [setting for setting in found if setting.is_changed or not changed]
        _print_settings(shown, form)
        different = [setting for setting in found if setting.is_changed]
        console.say(f"{file or 'defaults'}: correct. {len(found)} settings, {len(different)} not at their default")
        if any(setting.is_judging for setting in different):
            console.say("the shipped error rates were measured with the defaults; pages of a run with these settings say which figures no longer hold")
        console.say_next("run", "LOGS", *(("--config", file) if file else ()))

    guarded(body)


def _print_settings(shown: Iterable[Setting], form: console.Format) -> None:
    columns = ("section", "setting", "value", "origin", "default")
    plain = str if form == "table" else _itself  # a year is not 2,015
    console.rows(columns, [(each.section, each.name, plain(each.value), each.origin, plain(each.default)) for each in shown], form, "stillhunt.config/1")


def _itself(value: Any) -> Any:
    return value


WIDE = 200
"""Columns from which a feature has room for its formula on one line."""


def _print_features(features: Iterable[Feature]) -> None:
    """One feature after the other, by group: on a narrow terminal a table would cut short what counts, name and formula."""
    for group, members in itertools.groupby(features, key=lambda feature: feature.group):
        console.heading(group)
        for one in members:
            unit = f", {one.unit}" if one.unit else ""
            console.data(f"{one.name}  {one.low:g} .. {one.high:g}{unit}")
            console.paragraph(f"{one.formula}. Empty: {one.empty}. {one.source}", indent="    ", first="    ")


def features(form: Form = "table") -> None:
    """Print the features of an account: name, unit, range, formula, what empty gives, where the formula is from."""

    def body() -> None:
        from pipeline.features import FEATURES

        if form == "table" and (console.width() or WIDE) < WIDE:
            _print_features(FEATURES)
        else:
            lines = [(f.group, f.name, f.unit, f"{f.low:g} .. {f.high:g}", f.formula, f.empty, f.source) for f in FEATURES]
            console.rows(("group", "feature", "unit", "range", "formula", "empty", "source"), lines, form, "stillhunt.features/1")
        console.say("next: stillhunt show ACCOUNT")

    guarded(body)
