"""Drawings along time: the campaign (F1), the coverage of the input (F2), accounts side by side (F9), lives of accounts (F10), models (F14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.pages import numbers
from pipeline.pages.incident.drawings.canvas import BLUE, GREY, SERIES_COLOURS, VERMILION, WIDTH, Canvas, cividis, round_steps, short
from pipeline.pages.incident.parts import Life, LifeDay, Series
from pipeline.pages.svg_gate import INK

if TYPE_CHECKING:
    from markupsafe import Markup

_LEFT, _RIGHT = 96, 12
_HATCH = 4


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day: which lane it stands in, and the short text beside its sign."""

    lane: str
    day: dt.date
    text: str


@dataclass(frozen=True)
class _Axis:
    """Where each day stands."""

    days: Sequence[dt.date]

    @property
    def step(self) -> float:
        return (WIDTH - _LEFT - _RIGHT) / max(1, len(self.days))

    def x(self, day: dt.date) -> float:
        """Left edge of a day."""
        return _LEFT + (day - self.days[0]).days * self.step if self.days else _LEFT

    def holds(self, day: dt.date) -> bool:
        return bool(self.days) and self.days[0] <= day <= self.days[-1]

    def label(self, canvas: Canvas, y: float) -> None:
        """Dates under the axis: at most nine, at equal steps."""
        every = max(1, -(-len(self.days) // 9))
        for day in self.days[::every]:
            canvas.text(self.x(day) + self.step / 2, y, day.isoformat()[5:], size=11, anchor="middle")


def campaign(rows: Sequence[tuple[str, Sequence[int]]], calendar: Sequence[dt.date], marks: Sequence[Mark], name: str, description: str) -> Markup:
    """Requests of each network, a row each on its own scale, under lanes of marks."""
    axis = _Axis(calendar)
    lanes = list(dict.fromkeys(mark.lane for mark in marks))
    top, row = 12 + 20 * len(lanes), 104
    canvas = Canvas(WIDTH, top + row * len(rows) + 26)
    bottom = top + row * len(rows)
    for place, lane in enumerate(lanes):
        _lane(canvas, axis, 8 + 20 * place, lane, [mark for mark in marks if mark.lane == lane], bottom)
    for place, (label, counts) in enumerate(rows):
        _bars(canvas, axis, top + row * place + 16, row - 26, label, counts)
    axis.label(canvas, bottom + 14)
    return canvas.drawn(name, "Campaign timeline", description)


def _lane(canvas: Canvas, axis: _Axis, y: float, lane: str, marks: Sequence[Mark], bottom: float) -> None:
    canvas.text(_LEFT - 8, y + 12, lane, anchor="end")
    canvas.line(_LEFT, y + 8, WIDTH - _RIGHT, y + 8, opacity=0.2)
    free = 0.0
    drawn = sorted((mark for mark in marks if axis.holds(mark.day)), key=lambda mark: (mark.day, mark.text))
    places = [axis.x(mark.day) + axis.step / 2 for mark in drawn]
    for mark, x, following in zip(drawn, places, [*places[1:], float(WIDTH)], strict=True):
        canvas.line(x, y + 8, x, bottom, stroke=VERMILION, opacity=0.45, dash="3 3")
        canvas.path(f"M{x - 5:.1f},{y + 3:.1f}h10l-5,10z", fill=VERMILION)
        width = 6.2 * len(mark.text) + 10
        if x + 8 >= free and x + 8 + width < following:
            canvas.text(x + 8, y + 12, mark.text)
            free = x + 8 + width
        elif x - 8 - width >= free:
            canvas.text(x - 8, y + 12, mark.text, anchor="end")
            free = x + 8


def _bars(canvas: Canvas, axis: _Axis, y: float, height: float, label: str, counts: Sequence[int]) -> None:
    steps = round_steps(max(counts, default=0))
    top = steps[-1]
    canvas.text(_LEFT, y - 4, short(label, 60), bold=True)
    for step in (steps[0], steps[len(steps) // 2], top):
        at = y + height * (1 - step / top)
        canvas.line(_LEFT, at, WIDTH - _RIGHT, at, opacity=0.14)
        canvas.text(_LEFT - 6, at + 4, numbers.compact(step), size=10, anchor="end")
    gap = axis.step * 0.12
    canvas.boxes(
        [(_LEFT + place * axis.step + gap, y + height * (1 - count / top), axis.step - 2 * gap, height * count / top) for place, count in enumerate(counts) if count], BLUE
    )


def coverage(sources: Sequence[tuple[str, Sequence[int]]], calendar: Sequence[dt.date], name: str, description: str) -> Markup:
    """Rows of the log in each hour, a panel a source: bright is much, hatched is none."""
    axis, cell, panel = _Axis(calendar), 6, 24 * 6 + 34
    canvas = Canvas(WIDTH, panel * len(sources) + 20)
    for place, (source, hours) in enumerate(sources):
        y = panel * place + 18
        canvas.text(4, y - 5, short(source, 60), bold=True)
        for hour in (0, 6, 12, 18):
            canvas.text(_LEFT - 6, y + hour * cell + 9, f"{hour:02d}:00", size=10, anchor="end")
        _hour_cells(canvas, axis, y, cell, hours)
        axis.label(canvas, y + 24 * cell + 13)
    return canvas.drawn(name, "Rows of the log by hour", description)


def _hour_cells(canvas: Canvas, axis: _Axis, y: float, cell: float, hours: Sequence[int]) -> None:
    top = max(hours, default=0) or 1
    shades: dict[int, list[tuple[float, float, float, float]]] = {}
    gaps: list[str] = []
    for place, rows in enumerate(hours):
        x, at = _LEFT + place // 24 * axis.step, y + place % 24 * cell
        if rows:
            shades.setdefault(max(1, round(rows / top * 12)), []).append((x, at, axis.step, cell))
        else:
            gaps.append(
                "".join(
                    f"M{x + offset:.1f},{at + cell:.1f}l{min(cell, axis.step - offset):.1f},{-min(cell, axis.step - offset):.1f}"
                    for offset in range(0, int(axis.step) or 1, _HATCH)
                )
            )
    for shade, boxes in sorted(shades.items()):
        canvas.boxes(boxes, cividis(shade / 12))
    if gaps:
        canvas.path("".join(gaps), stroke=INK, width=1, opacity=0.6)


def multiples(series: Sequence[Series], name: str, description: str) -> Markup:
    """Requests a day of single accounts, all on one scale."""
    columns, width, height = 5, WIDTH / 5, 62
    top = max((max(one.counts, default=0) for one in series), default=0) or 1
    canvas = Canvas(WIDTH, -(-len(series) // columns) * height + 4)
    for place, one in enumerate(series):
        x, y = place % columns * width + 6, place // columns * height + 6
        step = (width - 16) / max(1, len(one.counts))
        canvas.text(x, y + 9, short(one.name, 22), size=10)
        canvas.line(x, y + 50, x + width - 16, y + 50, opacity=0.4)
        canvas.boxes([(x + at * step + 0.3, y + 50 - 36 * count / top, max(0.8, step - 0.6), 36 * count / top) for at, count in enumerate(one.counts) if count], BLUE)
    return canvas.drawn(name, "Requests a day of single accounts", description)


def lives(accounts: Sequence[Life], days: Sequence[LifeDay], calendar: Sequence[dt.date], name: str, description: str) -> Markup:
    """One bar an account from first to last request, a cross at its ban; below, how many began, ended and were banned each day."""
    axis, row = _Axis(calendar), 7 if len(accounts) > 30 else 12
    top, block = 6, 46
    chart = top + row * len(accounts)
    shown = [(label, counts, colour) for label, counts, colour in _life_rows(days) if any(counts)]
    canvas = Canvas(WIDTH, chart + 22 + block * len(shown) + 4)
    canvas.text(_LEFT - 8, top + 10, "accounts", anchor="end")
    for place, life in enumerate(accounts):
        y = top + row * place + 1
        first, last = max(life.first, calendar[0]), min(life.last, calendar[-1])
        canvas.rect(axis.x(first), y, axis.x(last) + axis.step - axis.x(first), row - 2, BLUE, opacity=0.75)
        if life.banned and axis.holds(life.banned):
            x, middle = axis.x(life.banned) + axis.step / 2, y + row / 2 - 1
            canvas.path(f"M{x - 4:.1f},{middle - 4:.1f}l8,8m-8,0l8,-8", stroke=VERMILION, width=2)
    axis.label(canvas, chart + 14)
    for place, (label, counts, colour) in enumerate(shown):
        _day_counts(canvas, axis, chart + 24 + block * place, label, counts, colour)
    return canvas.drawn(name, "From first to last request", description)


def _life_rows(days: Sequence[LifeDay]) -> list[tuple[str, list[int], str]]:
    return [("first seen", [day.first for day in days], BLUE), ("last seen", [day.last for day in days], GREY), ("banned", [day.banned for day in days], VERMILION)]


def _day_counts(canvas: Canvas, axis: _Axis, y: float, label: str, counts: Sequence[int], colour: str) -> None:
    top = max(counts)
    canvas.text(_LEFT - 8, y + 20, label, anchor="end")
    canvas.text(_LEFT - 8, y + 33, f"most: {numbers.count(top)}", size=10, anchor="end")
    canvas.line(_LEFT, y + 36, WIDTH - _RIGHT, y + 36, opacity=0.4)
    canvas.boxes([(_LEFT + at * axis.step + 1, y + 36 - 32 * count / top, axis.step - 2, 32 * count / top) for at, count in enumerate(counts) if count], colour)


def models(series: Sequence[Series], calendar: Sequence[dt.date], releases: Mapping[str, dt.date], name: str, description: str) -> Markup:
    """Share of each day's requests by model, stacked, each model named in its legend; a line where one was released."""
    axis, top, height, line = _Axis(calendar), 26, 170, 17
    canvas = Canvas(WIDTH, top + height + 38 + line * len(series))
    totals = [sum(one.counts[at] for one in series) for at in range(len(calendar))]
    base = [0.0] * len(calendar)
    for share in (0, 0.5, 1):
        y = top + height * (1 - share)
        canvas.line(_LEFT, y, WIDTH - _RIGHT, y, opacity=0.14)
        canvas.text(_LEFT - 6, y + 4, "all" if share == 1 else f"{share:.0%}", size=10, anchor="end")
    for place, one in enumerate(series):
        boxes = []
        for at, total in enumerate(totals):
            part = one.counts[at] / total if total else 0.0
            boxes.append((_LEFT + at * axis.step + 1, top + height * (1 - base[at] - part), axis.step - 2, height * part))
            base[at] += part
        colour = SERIES_COLOURS[place % len(SERIES_COLOURS)]
        canvas.boxes(boxes, colour)
        y = top + height + 36 + line * place
        canvas.rect(_LEFT, y - 9, 11, 11, colour)
        canvas.text(_LEFT + 17, y, short(one.name, 60))
    for model, day in sorted(releases.items(), key=lambda pair: (pair[1], pair[0])):
        if axis.holds(day):
            canvas.line(axis.x(day), 8, axis.x(day), top + height, width=2)
            canvas.text(axis.x(day) + 4, 18, f"release of {short(model, 30)}", bold=True)
    axis.label(canvas, top + height + 15)
    return canvas.drawn(name, "Share of requests by model", description)
