"""The only writer to the terminal: data to stdout, talk to stderr.

A terminal gets colour, moving bars and tables that fit its width; a pipe, NO_COLOR or TERM=dumb gets plain lines, and a pipe whole tables. Every
value passes the redaction gate in the form of its output (talk, table, CSV, JSON), and every line passes it once more on its way out, before
colour is added, so that nothing that a command prints, whatever it forgot, can steer a terminal. How tables are fitted and bars drawn is in `drawing`.
"""

from __future__ import annotations

import csv
import io
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO

from pipeline import redact
from pipeline.drawing import ASCII_TWINS, cut, fitted, tone_of, wrapped

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Format = Literal["table", "json", "csv"]


def say(text: str) -> None:
    """One line of talk, on stderr; on a terminal it breaks between words."""
    room = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    for row in wrapped(redact.for_terminal(text), "", "", room):
        _write(sys.stderr, row)


def say_next(*words: object, why: str = "next") -> None:
    """What to type next, on stderr, on one line of its own: the words of a `stillhunt` command, each an id or a path as it is, quoted for a shell here."""
    _write(sys.stderr, redact.for_terminal(f"{why}: " + shlex.join(["stillhunt", *(redact.for_cell(str(word)) for word in words)])))


def data(text: str) -> None:
    """Text of our own as data, on stdout. It ends in a newline of its own or gets one."""
    _write(sys.stdout, text)


def line(*pieces: str | tuple[str, str]) -> None:
    """One line of data out of pieces: text, or (text, tone), where a tone is a tier or a name in `TONES`, and shows as colour on a terminal that has some."""
    _write(sys.stdout, "".join(_painted(*((piece, "") if isinstance(piece, str) else piece)) for piece in pieces), is_neutral=True)


def heading(text: str) -> None:
    """The title of a part of what a command shows, after an empty line."""
    data("")
    for row in wrapped(redact.for_terminal(text), "", "", width()):
        line((row, "title"))


def paragraph(text: str, indent: str = "", first: str | None = None) -> None:
    """A text as data, broken into lines that fit the terminal; `first` stands in place of the indent of its first line."""
    for row in wrapped(redact.for_terminal(text), indent if first is None else first, indent, width()):
        data(row)


def width() -> int | None:
    """Columns of the terminal that data goes to; None if it goes elsewhere, where nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


TONES = {"title": "1", "quiet": "2", "refer": "1;31", "watch": "33", "explained": "32"}
"""Tones and their colours: bold red for what is to be referred, yellow for what is watched, green for what is explained; titles are bold, side remarks faint."""


def _painted(text: str, tone: str) -> str:
    """Text made neutral, then coloured where the terminal takes colour."""
    takes_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return redact.painted(text, TONES.get(tone, "") if takes_colour else "")


def _write(stream: TextIO, text: str, *, is_neutral: bool = False) -> None:
    """The one way out. Lines are ours; what stands in them holds no control, escape or direction mark. What the stream's encoding lacks is spelt out."""
    whole = (text if is_neutral else "\n".join(map(redact.visible, text.removesuffix("\n").split("\n")))) + "\n"
    try:
        try:
            stream.write(whole)
        except UnicodeEncodeError:
            stream.write(whole.translate(ASCII_TWINS).encode(stream.encoding, "backslashreplace").decode(stream.encoding))
        stream.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough: the work goes on, and its exit code stays true
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), stream.fileno())


def rows(columns: Sequence[str], records: Iterable[Sequence[Any]], form: Format, schema: str, least: Sequence[str] = ()) -> None:
    """Print records as a table for people, as JSON ({schema, columns, rows}) or as CSV.

    A table that is wider than the terminal loses the columns named by `least`, the first first, then text is shortened, then columns go from the right; a
    line on stderr names them. JSON, CSV and what goes through a pipe are always whole.
    """
    found = list(records)
    if form == "json":
        document({"rows": [dict(zip(columns, record, strict=True)) for record in found]}, schema)
    elif form == "csv":
        data(_csv(columns, found))
    else:
        _table(columns, found, least)


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


def _table(columns: Sequence[str], records: Sequence[Sequence[Any]], least: Sequence[str]) -> None:
    """Aligned columns without lines: numbers to the right, text to the left, tiers in their colours."""
    if not records:
        data("(none)")
        return
    cells = [[redact.for_cell(name) for name in columns], *([_table_cell(value) for value in record] for record in records)]
    right = [all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in column) for column in zip(*records, strict=True)]
    fit = fitted(columns, cells, right, least, width())
    lines = ([_placed(row[at], fit.widths[at], columns[at] if number else "", flush=right[at]) for at in fit.shown] for number, row in enumerate(cells))
    _write(sys.stdout, "\n".join("  ".join(parts).rstrip() for parts in lines), is_neutral=True)
    if fit.note:
        say(fit.note)


def _placed(text: str, room: int, column: str, *, flush: bool) -> str:
    """A cell in its place; one longer than its place is cut, and says so by its last character."""
    shown = text if redact.columns(text) <= room else cut(text, room, keeps_end=column == "file")
    space = " " * (room - redact.columns(shown))
    return space + _painted(shown, tone_of(column, text)) if flush else _painted(shown, tone_of(column, text)) + space


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
