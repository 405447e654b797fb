"""The report's sentences (reports/incident.toml) and its way of writing numbers: all and none in words, every amount with its unit."""

from __future__ import annotations

import functools
import string
import tomllib
from typing import Any

from pipeline import assets
from pipeline.pages import numbers
from pipeline.pages.incident.parts import Attribute
from pipeline.pages.words import Wording, load_wording


@functools.cache
def words() -> dict[str, Any]:
    """The tables of incident.toml."""
    return tomllib.loads((assets.reports_folder() / "incident.toml").read_text(encoding="utf-8"))


def shared() -> Wording:
    """The wording that all pages share (wording.toml)."""
    return load_wording(assets.reports_folder() / "wording.toml")


def say(table: str, name: str, /, **values: str) -> str:
    """A sentence of incident.toml, filled. Raises KeyError for a sentence that is not there or a value that it needs and did not get."""
    template: str = words()[table][name]
    wanted = {field for _, field, _, _ in string.Formatter().parse(template) if field}
    return template.format_map({field: values[field] for field in wanted})


def share(value: float | None) -> str:
    """A share of 0..1: `none`, `12.3 %` or `all`, so that no figure reads as if it were certain."""
    if value is None:
        return numbers.UNKNOWN
    return "all" if value >= 1 else "none" if value <= 0 else numbers.percent(value)


def of(part: int, whole: int, unit: str) -> str:
    """`412 of 500 accounts`, `all 500 accounts`, `none of 500 accounts`."""
    if part == whole:
        return f"all {numbers.counted(whole, unit)}" if whole != 1 else f"the one {numbers.counted(1, unit).removeprefix('1 ')}"
    return f"{numbers.count(part) if part else 'none'} of {numbers.counted(whole, unit)}"


def measured(value: float | None, unit: str) -> str:
    """A value with its unit; shares as words at their ends."""
    return share(value) if unit in ("share", "0..1") else numbers.measured(value, unit)


def attribute(one: Attribute) -> str:
    """`card 3`, `4-gram 1 (118 alike)`, `18 other cards`: a shared value by its kind, never by itself."""
    entry = words()["kind"].get(one.kind)
    single, plural = (entry["one"], entry["many"]) if entry else (one.kind.replace("_", " "), one.kind.replace("_", " "))
    if one.number == 0:
        return f"{numbers.count(one.values)} {'' if one.band else 'other '}{plural if one.values != 1 else single}{_band(one)}"
    return f"{single} {one.number}" + (f" ({numbers.count(one.values)} alike)" if one.values > 1 else "")


def _band(one: Attribute) -> str:
    """` of 3-5`: how many members hold each of these values."""
    if one.band is None:
        return ""
    least, most = one.band
    return f" of {least}" if least == most else f" of {least}+" if most is None else f" of {least}-{most}"


def money(micro_usd: int) -> str:
    """Integer micro-USD with the amount in USD beside it, cut to cents."""
    return f"{micro_usd:,} micro-USD (USD {micro_usd // 1_000_000:,}.{micro_usd % 1_000_000 // 10_000:02d})"


def sentence(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]
