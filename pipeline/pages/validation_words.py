"""Figures of a validation in words: values with their unit, bounds as sentences, names of measures and strata (reports/validation.toml)."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from typing import Any

from pipeline import assets
from pipeline.pages import numbers
from pipeline.pages.words import spaced

Row = Mapping[str, Any]
"""One figure of validation.json."""


@functools.cache
def words() -> dict[str, Any]:
    """The tables of validation.toml."""
    return tomllib.loads((assets.reports_folder() / "validation.toml").read_text(encoding="utf-8"))


def measure_name(measure: str) -> str:
    """The measure in words."""
    text: str = words()["measure"].get(measure, spaced(measure))
    return text


def value_text(row: Row | None, value: float | None) -> str:
    """A value of a figure with its unit."""
    if row is None or value is None:
        return numbers.UNKNOWN
    if row["unit"].startswith("share"):
        return ("\u2212" if value < 0 else "") + numbers.percent(abs(value))
    if row["unit"].startswith("per ") or row["unit"] in ("accounts", "networks", "nights"):
        return numbers.count(round(value, 1) + 0.0)
    return numbers.decimal(value, 3)


def bounds_text(row: Row | None) -> str:
    """The interval in words: `12 % to 34 %`, `at most 5 %`, `at least 86 %`, or that n carries none."""
    if row is None or row["bound"] == "none":
        return str(words()["text"]["no_interval"])
    if row["bound"] == "upper":
        return f"at most {value_text(row, row['high'])}"
    if row["bound"] == "lower":
        return f"at least {value_text(row, row['low'])}"
    low, high = (value_text(row, row[end]) if row[end] is not None else "beyond the nights watched" for end in ("low", "high"))
    return f"{low} to {high}"


def stratum_name(stratum: str) -> str:
    """A stratum in words; a campaign without its prefix."""
    return spaced(stratum.removeprefix("campaign:"))
