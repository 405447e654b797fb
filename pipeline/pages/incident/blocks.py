"""What a section is made of: paragraphs, lists, facts, tables, figures and judgements, in the order of reading; the template prints each kind in one way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.pages.incident.wording import words
from pipeline.pages.pieces import unnumbered_table
from pipeline.pages.records import Cell, Fact, Figure, Picture, Table

if TYPE_CHECKING:
    from markupsafe import Markup

Kind = Literal["text", "bullets", "facts", "table", "exhibits", "figure", "heading", "judgement", "missing", "command"]


@dataclass(frozen=True)
class Judgement:
    """An inference: its likelihood in one sentence, the confidence in another, and where its grounds stand."""

    likelihood: str
    confidence: str
    grounds: str


@dataclass(frozen=True)
class Block:
    """One piece of a section; `item` is what its kind says: text, list of texts, facts, a table, a figure, a judgement."""

    kind: Kind
    item: str | tuple[str, ...] | tuple[Fact, ...] | Table | Figure | Judgement
    anchor: str = ""


@dataclass(frozen=True)
class Section:
    """A numbered section with an anchor, or an annex with a letter."""

    number: str
    anchor: str
    title: str
    blocks: tuple[Block, ...]


def text(words_: str) -> Block:
    """A paragraph."""
    return Block("text", words_)


def missing(words_: str) -> Block:
    """What cannot be said, and what would be needed for it."""
    return Block("missing", words_)


def bullets(items: Iterable[str]) -> Block:
    """A list of sentences."""
    return Block("bullets", tuple(items))


def heading(words_: str, anchor: str) -> Block:
    """A heading inside a section."""
    return Block("heading", words_, anchor)


def facts(items: Iterable[Fact]) -> Block:
    """Figures with their labels."""
    return Block("facts", tuple(items))


def command(line: str) -> Block:
    """A command to type."""
    return Block("command", line)


def table(number: str, caption: str, columns: str, rows: Iterable[Sequence[Cell | str]], *, empty: str = "", left_out: str = "", part: str = "") -> Block:
    """Table `T4`; `part` tells apart the same table of several networks."""
    label = f"Table {number.removeprefix('T')}{f'.{part}' if part else ''}"
    return Block("table", unnumbered_table(label.lower().replace(" ", "-").replace(".", "-"), label, caption, columns, rows, empty=empty, left_out=left_out))


@dataclass(frozen=True)
class Plot:
    """What a figure is made from, before it is drawn."""

    number: str
    part: str

    @property
    def label(self) -> str:
        """`Figure 4` or `Figure 4.2`."""
        return f"Figure {self.number.removeprefix('F')}{f'.{self.part}' if self.part else ''}"

    @property
    def anchor(self) -> str:
        """`fig-4` or `fig-4-2`."""
        return self.label.lower().replace("figure ", "fig-").replace(".", "-")


def left_out(plot: Plot) -> str:
    """What every figure of this number leaves out."""
    said: str = words()["figure"][plot.number]["left"]
    return said


def figure(
    plot: Plot,
    answer: str,
    *,
    counted: str,
    left_out: str,
    columns: str,
    rows: Iterable[Sequence[Cell | str]],
    pictures: Sequence[tuple[str, Markup]] = (),
    absent: str = "",
) -> Block:
    """A numbered figure with its question, its answer in a sentence, n, what is left out, and its data; without a picture it says why."""
    data = unnumbered_table(f"{plot.anchor}-data", plot.label, f"Data of {plot.label.lower()}", columns, rows, empty="no data")
    drawn = tuple(Picture(head, svg) for head, svg in pictures)
    question: str = words()["figure"][plot.number]["question"]
    return Block("figure", Figure(plot.anchor, plot.label, answer, question, counted, left_out, drawn, data, absent))
