"""The only writer to the terminal: data to stdout, talk to stderr.

A terminal gets colour and moving bars; a pipe, NO_COLOR or TERM=dumb gets plain lines. Every value passes the redaction gate in the
form of its output (talk, table, CSV, JSON), and every line passes it once more on its way out, so that nothing that a command
prints, whatever it forgot, can steer a terminal.
"""

from __future__ import annotations

import csv
import io
import os
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO

from pipeline import redact

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Format = Literal["table", "json", "csv"]


def say(text: str) -> None:
    """One line of talk, on stderr."""
    _write(sys.stderr, redact.for_terminal(text))


def say_next(*words: object) -> None:
    """What to type next, on stderr: the words of a `stillhunt` command, each an id or a path as it is, quoted for a shell here."""
    say("next: " + shlex.join(["stillhunt", *(redact.for_cell(str(word)) for word in words)]))


def data(text: str) -> None:
    """Text of our own as data, on stdout. It ends in a newline of its own or gets one."""
    _write(sys.stdout, text)


def _write(stream: TextIO, text: str) -> None:
    """The one way out. Lines are ours; what stands in them holds no control, escape or direction mark."""
    stream.write("\n".join(map(redact.visible, text.removesuffix("\n").split("\n"))) + "\n")
    stream.flush()


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
    data(redact.for_json({"schema": schema, **value}))


def _csv(columns: Sequence[str], records: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([redact.for_csv(name) for name in columns])
    writer.writerows([_csv_cell(value) for value in record] for record in records)
    return buffer.getvalue()


def _csv_cell(value: Any) -> Any:
    """Numbers stay numbers, nothing stays nothing; all else is text and passes the gate."""
    return value if value is None or isinstance(value, bool | int | float) else redact.for_csv(redact.as_text(value))


def _table(columns: Sequence[str], records: Sequence[Sequence[Any]]) -> str:
    """Aligned columns: numbers to the right, text to the left, nothing cut, no lines."""
    if not records:
        return "(none)"
    cells = [[_table_cell(value) for value in record] for record in records]
    right = [all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in column) for column in zip(*records, strict=True)]
    names = [redact.for_cell(name) for name in columns]
    widths = [max(len(name), *(len(row[index]) for row in cells)) for index, name in enumerate(names)]
    lines = [names, *cells]
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
    return f"{value:,}" if isinstance(value, int) else redact.for_cell(redact.as_text(value))


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

            parts = (TextColumn("{task.description:<28}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._live = Progress(*parts, console=Console(stderr=True, no_color="NO_COLOR" in os.environ))
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are finished of `what`, which may go on after a colon with the step under way."""
        what = redact.for_terminal(what)
        part = what.partition(":")[0]
        if self._live is not None:
            task = self._tasks.get(part)
            if task is None:
                task = self._tasks[part] = self._live.add_task(what, total=max(total, 1))
            self._live.update(task, description=what, completed=done, total=max(total, 1))
        elif what != self._last and (done >= total or what != part):
            self._last = what
            say(f"{time.monotonic() - self._began:7.1f} s  {what}" + (f": {total}" if done >= total else ""))
