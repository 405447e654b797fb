"""Pieces that both pages are made of: numbered tables, sentences of findings, glossary, command lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from pipeline import redact
from pipeline.config import Config
from pipeline.kinds import OPERATIONAL, SHAPES
from pipeline.pages import numbers
from pipeline.pages.records import Cell, Command, Fact, Head, Table
from pipeline.pages.source import Row
from pipeline.pages.words import Wording

SECOND_MEASURE = "pooled_harvest_share"
"""The test of extraction that is tried where that of the members' own wording shows nothing."""


class Numbering:
    """Hands out `Table 1`, `Figure 2` and their anchors in the order of the page."""

    def __init__(self) -> None:
        self._tables = self._figures = 0

    def table(self) -> tuple[str, str]:
        """Anchor and label of the next table."""
        self._tables += 1
        return f"table-{self._tables}", f"Table {self._tables}"

    def figure(self) -> tuple[str, str]:
        """Anchor and label of the next figure."""
        self._figures += 1
        return f"fig-{self._figures}", f"Figure {self._figures}"


def heads(text: str) -> tuple[Head, ...]:
    """Columns out of `Name | Accounts # | ...`; `#` marks a column of numbers."""
    return tuple(Head(part.strip().removesuffix("#").strip(), part.strip().endswith("#")) for part in text.split("|"))


def table(numbering: Numbering, caption: str, columns: str, rows: Iterable[Sequence[Cell | str]], *, empty: str = "", left_out: str = "") -> Table:
    """A numbered table; a plain string is a plain cell."""
    anchor, label = numbering.table()
    return unnumbered_table(anchor, label, caption, columns, rows, empty=empty, left_out=left_out)


def unnumbered_table(anchor: str, label: str, caption: str, columns: str, rows: Iterable[Sequence[Cell | str]], *, empty: str = "", left_out: str = "") -> Table:
    """A table that belongs to a figure or a finding and has that one's anchor."""
    cells = tuple(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows)
    return Table(anchor, label, caption, heads(columns), cells, empty, left_out)


def finding_sentence(row: Row, wording: Wording) -> str:
    """The finding in words, with its value, its comparison and, where the wording has no sentence of its own, its threshold."""
    unit, measure = redact.for_html(row["unit"] or "", 40), row["measure"] or "unnamed_measure"
    values = {
        "value": numbers.measured(row["value"], unit),
        "threshold": numbers.measured(row["threshold"], unit),
        "baseline": numbers.measured(row["baseline"], unit),
        "n": numbers.count(row["baseline_n"]),
        "p": numbers.probability(row["p_value"]),
        "evidence": numbers.counted(row["evidence_total"], "requests"),
    }
    return wording.finding(measure, values, has_baseline=row["baseline"] is not None)


def speaks_sentence(row: Row, wording: Wording, config: Config) -> str:
    """What the finding says for its question, which is nothing if chance or the comparison gives as much or its threshold is not reached."""
    if row["measure"] in OPERATIONAL:
        return uncounted_sentence(row, wording)
    unit = redact.for_html(row["unit"] or "", 40)
    level = beyond_chance_level(row["measure"], str(row["supports"]), config)
    values = {"supports": wording.word("supports", row["supports"]), "threshold": numbers.measured(row["threshold"], unit), "level": numbers.probability(level)}
    return wording.line("speaks", _speaks(row, level), **values)


def uncounted_sentence(row: Row, wording: Wording) -> str:
    """What a finding of OPERATIONAL points to, and that no verdict counts it; the run has a finding of these only where chance hardly gives it."""
    return wording.line("speaks", "uncounted", supports=wording.word("supports", row["supports"]), look_alike=wording.text("measure", row["measure"], "look_alike"))


def carries_weight(row: Row, config: Config) -> bool:
    """Whether a finding shows more than chance or the comparison does."""
    return _speaks(row, beyond_chance_level(row["measure"], str(row["supports"]), config)) in ("speaks", "below")


def beyond_chance_level(test: str, supports: str, config: Config) -> float:
    """The p-value up to which the verdict counts a test that bears on this question; half of it for the second measure of extraction."""
    if supports != "extraction":
        return config.verdict.max_q_value
    return float(2.0**-config.verdict.min_extraction_bits) / (2 if test == SECOND_MEASURE else 1)


def _speaks(row: Row, level: float) -> str:
    value = row["value"]
    if row["measure"] in SHAPES:
        return "describes"
    if row["p_value"] is not None:
        return "speaks" if row["p_value"] <= level else "chance"
    if value is not None and row["threshold"] is not None and value < row["threshold"]:
        return "below"
    return "no_more" if value is not None and row["baseline"] is not None and value <= row["baseline"] else "speaks"


def glossary(wording: Wording) -> tuple[Fact, ...]:
    """What the words on the page count or mean."""
    return tuple(Fact(name[:1].upper() + name[1:], text) for name, text in wording.terms())


def show_command(identifier: str, meaning: str, options: str = "", verb: str = "show") -> Command:
    """`stillhunt show ID` or another command about one id, quoted for a shell."""
    shown = redact.identifier(identifier)
    guard = "-- " if shown.startswith("-") else ""
    return Command(f"stillhunt {verb}{options} {guard}{shlex.quote(shown)}", meaning)


def page_name(network_id: str) -> str:
    """`networks/<network_id>.html`. Raises ValueError for an id that is not safe in a file name."""
    if redact.for_filename(network_id) != network_id:
        raise ValueError(f"network id {redact.identifier(network_id)!r} cannot be a file name")
    return f"networks/{network_id}.html"
