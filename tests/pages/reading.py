"""Reading pages back in tests: a strict parser that refuses what is not well-formed, and text as a reader sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr", "path", "rect", "line", "circle", "stop"}


class Page(HTMLParser):
    """Elements (tag, attributes), text and the faults of a page: tags that do not nest, ids used twice."""

    def __init__(self, source: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.pieces: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(source.decode("utf-8"))
        self.close()
        self.faults += [f"<{tag}> not closed" for tag in self._open]
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        self.faults += [f"id {name} used twice" for name in sorted({name for name in ids if ids.count(name) > 1})]
        targets = [attributes["href"][1:] for tag, attributes in self.elements if tag == "a" and attributes["href"].startswith("#")]
        self.faults += [f"#{name} leads nowhere" for name in targets if name not in ids]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes another element")

    def handle_data(self, data):
        if not self._open or self._open[-1] not in ("style", "script"):
            self.pieces.append(data)

    @property
    def text(self) -> str:
        """Everything that can be read, spaces folded."""
        return re.sub(r"\s+", " ", " ".join(self.pieces))

    def attributes(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]
