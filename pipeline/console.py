"""The only writer to the terminal: data to stdout, talk to stderr.

A terminal gets colour and moving bars; a pipe, NO_COLOR or TERM=dumb gets plain lines. Whatever comes out of a log is printed
with its control characters made visible, so that a name in the data cannot steer the terminal; a CSV cell that a spreadsheet
would run as a formula gets a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Format = Literal["table", "json", "csv"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def say(text: str) -> None:
    """One line of talk, on stderr."""
    sys.stderr.write(visible(text) + "\n")
    sys.stderr.flush()


def data(text: str) -> None:
    """Data, on stdout. The text ends in a newline of its own or gets one."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def visible(text: str) -> str:
    """The text with terminal escapes, other controls and direction marks shown as <U+001B>; newlines and tabs become spaces."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t\r\x0b\x0c\x85\u2028\u2029":
        return " "
    return f"<U+{ord(character):04X}>" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character


def rows(columns: Sequence[str], records: Iterable[Sequence[Any]], form: Format, schema: str) -> None:
    """Print records as a table for people, as JSON ({schema, columns, rows}) or as CSV."""
    found = list(records)
    if form == "json":
        document({"rows": [dict(zip(columns, record, strict=True)) for record in found]}, schema)
    elif form == "csv":
        data(_csv(columns, found))
    else:
        data(_table(columns, found))


def document(value: dict[str, Any], schema: str) -> None:
    """Print one JSON object that names its schema."""
    data(json.dumps({"schema": schema, **value}, indent=2, ensure_ascii=True, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _csv(columns: Sequence[str], records: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(value) for value in record] for record in records)
    return buffer.getvalue()


def _csv_cell(value: Any) -> Any:
    """Numbers stay numbers; text that begins like a formula is quoted by an apostrophe, and controls are made visible."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _plain(value)
    return visible(f"'{text}" if text.startswith(_FORMULA) else text)


def _table(columns: Sequence[str], records: Sequence[Sequence[Any]]) -> str:
    """Aligned columns: numbers to the right, text to the left, nothing cut, no lines."""
    if not records:
        return "(none)"
    cells = [[_table_cell(value) for value in record] for record in records]
    right = [all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in column) for column in zip(*records, strict=True)]
    widths = [max(len(name), *(len(row[index]) for row in cells)) for index, name in enumerate(columns)]
    lines = [list(columns), *cells]
    return "\n".join("  ".join(text.rjust(width) if flush else text.ljust(width) for text, width, flush in zip(line, widths, right, strict=True)).rstrip() for line in lines)


def _table_cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 0.01 and value else f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return f"{value:,}" if isinstance(value, int) else visible(_plain(value))


def is_terminal() -> bool:
    """Whether talk goes to a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class Bars:
    """Progress of a run, called with (what, done, total): bars on a terminal, else one line when a part ends or its name changes."""

    def __init__(self) -> None:
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last, self._began = "", time.monotonic()

    def __enter__(self) -> Self:
        if is_terminal():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            parts = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._live = Progress(*parts, console=Console(stderr=True, no_color="NO_COLOR" in os.environ))
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are finished of `what`, which may go on after a colon with the step under way."""
        part = what.partition(":")[0]
        if self._live is not None:
            task = self._tasks.get(part)
            if task is None:
                task = self._tasks[part] = self._live.add_task(visible(what), total=max(total, 1))
            self._live.update(task, description=visible(what), completed=done, total=max(total, 1))
        elif what != self._last and (done >= total or what != part):
            self._last = what
            say(f"{time.monotonic() - self._began:7.1f} s  {what}" + (f": {total}" if done >= total else ""))
