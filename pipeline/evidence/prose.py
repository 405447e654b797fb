"""A report's HTML as pieces of text with their place: what `report lint` reads.

A piece is a paragraph, list item, caption, heading, description, cell (of a table or a list of facts) or text of a drawing. Style, script and quotations are left
out, the content of <code> is one word. Its place is the number or name of its section and the nearest anchor before or around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal

Kind = Literal["prose", "cell", "label"]
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("p", "li", "figcaption", "caption", "summary", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "div", "section", "body", "header", "footer"), "prose"),
    **dict.fromkeys(("td", "th", "dt", "dd", "text", "tspan"), "cell"),
    **dict.fromkeys(("title", "desc"), "label"),
}
_SKIPPED = frozenset({"style", "script", "q", "blockquote"})
_VOID = frozenset("area base br col embed hr img input link meta source track wbr path rect circle line use stop".split())
_SENTENCE_END = re.compile(r"(?<![Nn]o)(?<!e\.g)(?<!i\.e)(?<=[.!?])[)\u201d\"]?\s+(?=[(\u201c\"]?[A-Z0-9])")


@dataclass(frozen=True)
class Piece:
    """A text and where it stands."""

    text: str
    """white space as single spaces"""
    kind: Kind
    """prose, cell (of a table, a list of facts or a drawing), label (a title that is not printed with the text)"""
    section: str
    """heading of its section, '' before the first"""
    anchor: str
    """nearest id, '' if none"""

    @property
    def place(self) -> str:
        """Section and anchor as a reader looks them up."""
        return f"{self.section or 'cover'}{f' (#{self.anchor})' if self.anchor else ''}"

    def sentences(self) -> list[str]:
        """The text cut at full stops, question and exclamation marks that end a sentence."""
        return _SENTENCE_END.split(self.text)


@dataclass
class Prose:
    """Everything that a page says and points to."""

    pieces: list[Piece] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    """every id"""
    links: list[tuple[str, str]] = field(default_factory=list)
    """(href, place) of every link"""


def read_prose(html: str) -> Prose:
    """The pieces of a page in their order. Any text gives a result; what is not closed ends with the page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.flush()
    return reader.prose


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.prose = Prose()
        self._open: list[str] = []
        self._parts: list[str] = []
        self._section = self._anchor = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        values = {name: value or "" for name, value in attrs}
        if tag in _KINDS:
            self.flush()
        if anchor := values.get("id"):
            self.prose.anchors.add(anchor)
            self._anchor = anchor
        if tag == "a" and "href" in values:
            self.prose.links.append((values["href"], self._place()))
        if tag == "meta" and values.get("content") and values.get("name"):
            self.prose.pieces.append(Piece(" ".join(values["content"].split()), "label", "page head", ""))
        if tag in ("br", "img"):
            self._parts.append(" ")
        for name in ("alt", "aria-label", "title"):
            if values.get(name):
                self.prose.pieces.append(Piece(" ".join(values[name].split()), "label", self._section, self._anchor))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that ends where it starts."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element and whatever was left open in it."""
        if tag in _KINDS:
            text, is_heading = self.flush(), tag == "h2"
            self._section = text if is_heading else self._section
        if tag in self._open:
            place = len(self._open) - 1 - self._open[::-1].index(tag)
            del self._open[place:]

    def handle_data(self, data: str) -> None:
        """Text."""
        if not _SKIPPED & set(self._open):
            self._parts.append(" code " if "code" in self._open and data.strip() else data)

    def flush(self) -> str:
        """End the piece under way; gives its text."""
        text = " ".join("".join(self._parts).split())
        self._parts.clear()
        if text:
            kind: Kind = next((_KINDS[tag] for tag in reversed(self._open) if tag in _KINDS), "prose")
            self.prose.pieces.append(Piece(text, kind, self._section, self._anchor))
        return text

    def _place(self) -> str:
        return Piece("", "prose", self._section, self._anchor).place
