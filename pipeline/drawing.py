"""What a terminal can draw: tables that fit its width, text that is broken into lines, sparklines, bars that begin anywhere.

Promises: nothing is written here, and no text is changed but by cutting it where the caller said how much room there is. Widths are those of a terminal: letters
of East Asian scripts take two columns, combining marks none. Where the locale has no block characters, ASCII stands in for them.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import redact

GAP = 2
"""Columns between two columns of a table."""
LEAST_ROOM = 12
"""A text column is not cut shorter than this."""
_TIERS = ("refer", "watch", "explained")
_BLOCKS, _STEPS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588", "_.-:=+*#"
_FULL, _AXIS, _CUT = "\u2588", "\u2502", "\u2026"
ASCII_TWINS = str.maketrans({**dict(zip(_BLOCKS, _STEPS, strict=True)), _AXIS: "|", _CUT: "~"})
"""For a stream that lacks the marks although the locale has them; a full block is the highest step, `#`."""


@dataclass(frozen=True)
class Fit:
    """Which columns of a table are shown, in their order, how wide each is, and what to say about the others ('' if all is shown)."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    note: str


def cut(text: str, room: int, *, keeps_end: bool = False) -> str:
    """The beginning of a text (or its end, which tells files apart) that takes at most `room` columns, with a mark where something was cut."""
    if redact.columns(text) <= room:
        return text
    mark = _CUT if draws_blocks() else "~"
    kept, used = "", 0
    for one in reversed(text) if keeps_end else text:
        used += redact.columns(one)
        if used > room - 1:
            break
        kept += one
    return "" if room < 1 else mark + kept[::-1] if keeps_end else kept + mark


def fitted(names: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool], least: Sequence[str], room: int | None) -> Fit:
    """How a table (its first row the heads) fits into `room` columns; None is room without end.

    First the columns in `least` go, the first first; then the widest text is shortened, ids never; then columns go from the right, never the first.
    """
    widths = [max(redact.columns(row[at]) for row in cells) for at in range(len(names))]
    shown = list(range(len(names)))
    if room is None:
        return Fit(tuple(shown), tuple(widths), "")
    for name in least:
        if _total(widths, shown) > room and name in names:
            shown.remove(list(names).index(name))
    short = [at for at in shown if not right[at] and not names[at].endswith("id") and widths[at] > LEAST_ROOM]
    floor = sum(min(widths[at], LEAST_ROOM) if at in short else widths[at] for at in shown) + GAP * (len(shown) - 1)
    while floor > room and len(shown) > 1:
        gone = shown.pop()
        floor -= GAP + (min(widths[gone], LEAST_ROOM) if gone in short else widths[gone])
    cut_columns = _shorten(widths, shown, [at for at in short if at in shown], room)
    return Fit(tuple(shown), tuple(widths), _note(names, [at for at in range(len(names)) if at not in shown], cut_columns))


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[at] for at in shown) + GAP * (len(shown) - 1)


def _shorten(widths: list[int], shown: Sequence[int], short: Sequence[int], room: int) -> list[int]:
    """Take from the widest column until the table fits; gives the columns that lost something."""
    before = list(widths)
    while (over := _total(widths, shown) - room) > 0 and any(widths[at] > LEAST_ROOM for at in short):
        widest = max(short, key=lambda at: (widths[at], at))
        second = max((widths[at] for at in short if widths[at] < widths[widest]), default=LEAST_ROOM)
        widths[widest] = max(LEAST_ROOM, min(widths[widest] - 1, max(second, widths[widest] - over)))
    return [at for at in shown if widths[at] < before[at]]


def _note(names: Sequence[str], gone: Sequence[int], shortened: Sequence[int]) -> str:
    parts = [f"not shown: {', '.join(names[at] for at in gone)}"] if gone else []
    parts += [f"cut short: {', '.join(names[at] for at in shortened)}"] if shortened else []
    return f"({'; '.join(parts)}; a wider terminal has room)" if parts else ""


def wrapped(text: str, first: str, indent: str, room: int | None) -> list[str]:
    """A text as lines of at most `room` columns (one line if that is None), the first behind `first`, the others behind `indent`."""
    if room is None:
        return [first + text]
    return textwrap.wrap(text, max(room, 20), initial_indent=first, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False) or [first]


def tone_of(column: str, text: str) -> str:
    """The tone of a cell: a tier shows as itself, whatever else it stands beside; '' for all else."""
    return text if "tier" in column and text in _TIERS else ""


def draws_blocks() -> bool:
    """Whether the locale says UTF-8."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")
    return "utf8" in locale.lower().replace("-", "")


def sparkline(values: Sequence[float | None], room: int = 40) -> str:
    """One mark a value, its height between 0 and the largest; None is a blank, and only 0 has the lowest mark.

    More values than `room` are taken together evenly, each mark the largest of its stretch. No values give ''.
    """
    parts = [_largest(values[at * len(values) // room : (at + 1) * len(values) // room]) for at in range(room)] if len(values) > room else list(values)
    top = max((value for value in parts if value is not None), default=0)
    marks = _BLOCKS if draws_blocks() else _STEPS
    return "".join(" " if value is None else marks[0] if not value or value < 0 else marks[1 + min(6, int(value / top * 6.999))] for value in parts)


def _largest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def bar(start: float, end: float, low: float, high: float, room: int = 40) -> str:
    """A bar from `start` to `end` on a scale from `low` to `high`, with a mark at 0 where no bar covers it. A length above nothing shows at least one column."""
    span = max(high - low, 1e-12)
    left, right = sorted((_place(start, low, span, room), _place(end, low, span, room)))
    if left == right and start != end:
        left, right = (left, left + 1) if left < room else (left - 1, left)
    full, axis = (_FULL, _AXIS) if draws_blocks() else ("#", "|")
    zero = min(room - 1, _place(0.0, low, span, room)) if low <= 0 <= high else -1
    return "".join(full if left <= at < right else axis if at == zero else " " for at in range(room)).rstrip()


def _place(value: float, low: float, span: float, room: int) -> int:
    return max(0, min(room, round((value - low) / span * room)))
