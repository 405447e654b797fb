"""The tables of a report as CSV files, read from its page: what the page shows, and nothing that it does not.

Every table that has an anchor gives data/<anchor>.csv: its header, then its rows, each cell the text of the page remarks behind a bar. The data
tables of figures are among them. No cell can be read as a formula by a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from html.parser import HTMLParser

from pipeline import redact


def table_files(html: str) -> Mapping[str, bytes]:
    """CSV in UTF-8 by name, in the order of the page; a page without tables gives none, two tables of one anchor are told apart by a number."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    files: dict[str, bytes] = {}
    for anchor, rows in reader.tables:
        name = f"data/{redact.for_filename(anchor)}"
        taken = sum(1 for known in files if known == f"{name}.csv" or known.startswith(f"{name}--"))
        files[f"{name}--{taken + 1}.csv" if taken else f"{name}.csv"] = _csv(rows)
    return files


def _csv(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([redact.for_csv(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode("utf-8")


class _Reader(HTMLParser):
    """Rows of each table below the nearest anchor; tables in tables do not occur on our pages."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[str, list[list[str]]]] = []
        self._anchor = ""
        self._rows: list[list[str]] | None = None
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        values = dict(attrs)
        if values.get("id") and self._rows is None:
            self._anchor = str(values["id"])
        if tag == "table":
            self._rows = []
        elif self._rows is None:
            return
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif self._cell is not None and (values.get("class") or "").split()[:1] == ["note"]:
            self._cell.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        """Close a cell or a table."""
        if tag in ("td", "th") and self._rows and self._cell is not None:
            self._rows[-1].append(" ".join("".join(self._cell).split()))
            self._cell = None
        elif tag == "table" and self._rows is not None:
            self.tables.append((self._anchor or "table", self._rows))
            self._rows = None

    def handle_data(self, data: str) -> None:
        """Text of a cell."""
        if self._cell is not None:
            self._cell.append(data)
