"""The section of validation.html on what a finding weighs: ratios by verdict, and what they do for networks whose kind did not help to make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.pages import numbers
from pipeline.pages.pieces import Numbering, table, unnumbered_table
from pipeline.pages.ratios import KINDS, LEVELS, MOST_BITS, Scale, Weight, read_scale
from pipeline.pages.records import Figure, Picture, Table
from pipeline.pages.tippett import tippett
from pipeline.pages.weighing import rounded

TEXT = (
    "How many times as often a verdict was given to a network of one operator as to an innocent group that the program had linked. "
    "The weight of links alone is no scale: an innocent class is linked as strongly as a pool."
)


def ratio_parts(document: Mapping[str, Any], numbering: Numbering) -> tuple[Figure, Table]:
    """The Tippett plot with its data, and the table of ratios; both say so where networks of both kinds were not judged."""
    scale, label = read_scale(document.get("ratios")), numbering.figure()
    answer = "Share of groups with a ratio at least so large, each weighed without its own kind"
    rows = [] if scale is None else _rows(scale)
    picture = (
        ()
        if scale is None
        else (Picture("", tippett([(f"{kind}, n = {numbers.count(scale.total(operated=own))}", scale.curve(operated=own)) for own, kind in KINDS], f"{label[0]}-a", _words(rows))),)
    )
    counted = "" if scale is None else f"{numbers.counted(scale.operated, 'networks')} of one operator and {numbers.counted(scale.innocent, 'innocent groups')}."
    cost = "" if scale is None or scale.cost is None else f"Cllr {numbers.decimal(scale.cost, 2)} bits; ratios that are always right cost nothing, ratios that say nothing 1 bit."
    data = unnumbered_table(f"{label[0]}-data", "", f"Figures of {label[1]}", "Ratio | Of | Share # | n #", rows, empty="none")
    absent = "" if scale else "No ratio: networks of one operator and innocent groups were not both judged."
    return Figure(label[0], label[1], answer, "How far do the ratios lie apart?", counted, cost, picture, data, absent), _weights(scale, numbering)


def _weights(scale: Scale | None, numbering: Numbering) -> Table:
    rows = [] if scale is None else [[tier, _bits(least, most), _ratio(weight)] for tier, least, most, weight in reversed(scale.blocks())]
    caption = "Ratio of each finding, made with all kinds: networks of one operator over innocent groups"
    return table(numbering, caption, "Verdict | Bits of extraction # | Ratio #", rows, empty="was not measured in this suite")


def _rows(scale: Scale) -> list[list[str]]:
    return [
        [f"{numbers.count(level)} or more", kind, numbers.percent(scale.above(level, operated=own) / scale.total(operated=own)), numbers.count(scale.total(operated=own))]
        for own, kind in KINDS
        for level in LEVELS
    ]


def _words(rows: list[list[str]]) -> str:
    return "; ".join(f"{level}: {share} of {kind}" for level, kind, share, _ in rows) + "."


def _bits(least: int, most: int) -> str:
    return f"{least} or more" if most == MOST_BITS else f"{least}" if least == most else f"{least} to {most}"


def _ratio(weight: Weight) -> str:
    bound = ("at least " if weight.ratio >= 1 else "at most ") if weight.is_bound else ""
    return f"{bound}{rounded(weight.ratio, cut=weight.is_bound)}" if weight.ratio >= 1 else f"{bound}1/{rounded(1 / weight.ratio, cut=weight.is_bound)}"
