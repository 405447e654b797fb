"""Drawings of amounts.

Steps of the method (F3), bits by family (F6), without one family (F7), tests against chance (F11), traits (F12), concentration (F13), size over threshold (F16).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.pages import numbers
from pipeline.pages.incident.drawings.canvas import BLUE, FAMILY_COLOURS, GREY, SERIES_COLOURS, VERMILION, WIDTH, Canvas, round_steps, short
from pipeline.pages.incident.parts import Concentration, Waterfall
from pipeline.pages.svg_gate import INK

if TYPE_CHECKING:
    from markupsafe import Markup


def steps(boxes: Sequence[tuple[str, str]], name: str, description: str) -> Markup:
    """(what, how many) in reading order, four to a row, with arrows between."""
    columns, width, height = 4, 166, 58
    canvas = Canvas(WIDTH, -(-len(boxes) // columns) * (height + 34))
    for place, (what, many) in enumerate(boxes):
        x, y = place % columns * (width + 30) + 3, place // columns * (height + 34) + 6
        canvas.rect(x, y, width, height, BLUE, opacity=0.08, stroke=INK)
        canvas.text(x + width / 2, y + 25, many, size=15, anchor="middle", bold=True)
        canvas.text(x + width / 2, y + 44, short(what, 28), anchor="middle")
        if place + 1 < len(boxes):
            _arrow(canvas, x, y, width, height, last=place % columns == columns - 1)
    return canvas.drawn(name, "Steps of the method", description)


def _arrow(canvas: Canvas, x: float, y: float, width: float, height: float, *, last: bool) -> None:
    if not last:
        canvas.line(x + width + 2, y + height / 2, x + width + 22, y + height / 2, width=1.5)
        canvas.path(f"M{x + width + 21:.1f},{y + height / 2 - 4:.1f}l7,4l-7,4z", fill=INK)
        return
    middle, down = y + height + 16, x + width / 2
    canvas.path(f"M{down:.1f},{y + height + 2:.1f}V{middle:.1f}H86V{y + height + 30:.1f}", stroke=INK, width=1.5)
    canvas.path(f"M82,{y + height + 27:.1f}l4,7l4,-7z", fill=INK)


def waterfalls(falls: Sequence[Waterfall], words: dict[str, str], edge_bits: float | None, name: str, description: str) -> Markup:
    """Mean bits by family of each member, one step a family, with the total and the threshold of a link."""
    families = [family for family, _ in falls[0].families]
    left, gap, row = 128, 16, 20
    width = (WIDTH - left - gap * len(falls)) / max(1, len(falls))
    top = max([*(sum(max(0.0, bits) for _, bits in fall.families) for fall in falls), edge_bits or 0.0, 1.0])
    height = 44 + row * (len(families) + 1)
    canvas = Canvas(WIDTH, height + 30)
    for place, family in enumerate([*families, "total"]):
        canvas.text(left - 8, 44 + row * place + 13, words.get(family, family), anchor="end", bold=family == "total")
    for at, fall in enumerate(falls):
        x = left + at * (width + gap)
        scale = (width - 40) / top
        canvas.text(x, 14, f"{fall.which} member", bold=True)
        canvas.text(x, 29, short(fall.name, 26), size=10)
        canvas.line(x, 36, x, height, opacity=0.5)
        reached = 0.0
        for place, (family, bits) in enumerate(fall.families):
            y = 44 + row * place
            start, end = sorted((reached, reached + bits))
            canvas.rect(x + start * scale, y + 3, max(1.0, (end - start) * scale) if bits else 0, row - 7, FAMILY_COLOURS.get(family, GREY))
            canvas.text(x + width, y + 13, numbers.decimal(bits), size=10, anchor="end")
            reached += bits
        y = 44 + row * len(families)
        canvas.rect(x, y + 3, max(0.0, fall.total_bits) * scale, row - 7, INK, opacity=0.65)
        canvas.text(x + width, y + 13, numbers.decimal(fall.total_bits), size=10, anchor="end", bold=True)
        if edge_bits is not None:
            canvas.line(x + edge_bits * scale, 38, x + edge_bits * scale, height, stroke=VERMILION, dash="4 3", width=1.5)
            canvas.text(x + edge_bits * scale, height + 13, f"link from {numbers.decimal(edge_bits)}", size=10, anchor="middle")
    return canvas.drawn(name, "Bits by family of evidence", description)


def bars(rows: Sequence[tuple[str, float, str]], top: float, name: str, title: str, description: str, *, marked: Sequence[bool] = ()) -> Markup:
    """One bar a row with its words after it; a marked one in another colour and hatched at its end by a line."""
    left, row = 190, 24
    canvas = Canvas(WIDTH, row * len(rows) + 8)
    for place, (label, value, words) in enumerate(rows):
        y = row * place + 4
        length = (WIDTH - left - 250) * value / (top or 1)
        is_marked = bool(marked) and marked[place]
        canvas.text(left - 8, y + 14, short(label, 30), anchor="end")
        canvas.rect(left, y + 3, length, row - 8, VERMILION if is_marked else BLUE)
        canvas.text(left + length + 6, y + 14, words, bold=is_marked)
    canvas.line(left, 2, left, row * len(rows) + 4, opacity=0.5)
    return canvas.drawn(name, title, description)


@dataclass(frozen=True)
class Chance:
    """A test: what was observed, the mean of the random groups, what to write beside it, and how many groups fell below and at or above the observation (None: not known)."""

    label: str
    observed: float
    expected: float
    words: str
    groups: tuple[int, int] | None


def against_chance(rows: Sequence[Chance], name: str, description: str) -> Markup:
    """The observation as a bar and, under it, the random groups in two boxes, below it and from it on, with a tick at their mean; each test on its own scale."""
    left, row, right = 334, 50, 200
    canvas = Canvas(WIDTH, row * len(rows) + 8)
    for place, one in enumerate(rows):
        y, scale = row * place + 4, (WIDTH - left - right) / (1.12 * max(one.observed, one.expected, 1e-9))
        at, end = left + one.observed * scale, float(WIDTH - right)
        canvas.text(left - 8, y + 15, short(one.label, 56), anchor="end")
        canvas.rect(left, y + 4, one.observed * scale, 13, BLUE)
        canvas.text(at + 6, y + 15, one.words)
        if one.groups is not None:
            below, above = one.groups
            canvas.text(left - 8, y + 33, "random groups", size=10, anchor="end")
            canvas.rect(left, y + 22, at - left, 14, GREY, opacity=0.4 if below else 0.0, stroke=INK)
            canvas.rect(at, y + 22, end - at, 14, VERMILION, opacity=0.55 if above else 0.0, stroke=INK)
            canvas.text(end + 6, y + 33, f"{numbers.count(below)} below, {numbers.count(above)} from there on", size=10)
        canvas.line(left + one.expected * scale, y + 19, left + one.expected * scale, y + 39, width=2.5)
    canvas.line(left, 4, left, row * len(rows), opacity=0.5)
    return canvas.drawn(name, "Tests against chance", description)


Span = tuple[float, float, float]


def spans(rows: Sequence[tuple[str, Span | None, Span | None, str, str]], name: str, description: str) -> Markup:
    """(feature, members, controls, words of each): the middle half as a line and the median as a dot (members) or a box (controls), each feature on its own scale."""
    left, row, right = 220, 34, 170
    canvas = Canvas(WIDTH, row * len(rows) + 30)
    _span_key(canvas, left)
    for place, (label, members, controls, own, others) in enumerate(rows):
        y = 24 + row * place
        top = max([*(members or (0.0,)), *(controls or (0.0,)), 1e-9])
        canvas.text(left - 8, y + 18, short(label, 36), anchor="end")
        canvas.line(left, y + 30, WIDTH - right, y + 30, opacity=0.1)
        for span, at, words in ((members, y + 9, own), (controls, y + 22, others)):
            if span is None:
                continue
            scale = (WIDTH - left - right) / top
            colour = BLUE if at == y + 9 else GREY
            canvas.line(left + span[0] * scale, at, left + span[2] * scale, at, stroke=colour, width=3)
            if at == y + 9:
                canvas.circle(left + span[1] * scale, at, 5, BLUE)
            else:
                canvas.rect(left + span[1] * scale - 4, at - 4, 8, 8, "#ffffff", stroke=INK)
            canvas.text(WIDTH - right + 10, at + 4, words, size=10)
    return canvas.drawn(name, "Members and matched accounts", description)


def _span_key(canvas: Canvas, left: float) -> None:
    canvas.circle(left + 6, 10, 5, BLUE)
    canvas.text(left + 16, 14, "median member", size=10)
    canvas.rect(left + 116, 6, 8, 8, "#ffffff", stroke=INK)
    canvas.text(left + 130, 14, "median matched account; a line is the middle half", size=10)


def concentration(curves: Sequence[tuple[str, Concentration]], name: str, description: str) -> Markup:
    """Share of requests in the most frequent skeletons, their number on a scale of tens."""
    left, right, height = 60, 20, 220
    most = max(curve.skeletons for _, curve in curves)
    tens = max(1, math.ceil(math.log10(max(10, most))))
    width = WIDTH - left - right
    canvas = Canvas(WIDTH, height + 62 + 16 * len(curves))
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = 8 + height * (1 - share)
        canvas.line(left, y, left + width, y, opacity=0.14)
        canvas.text(left - 6, y + 4, "all" if share == 1 else f"{share:.0%}", size=10, anchor="end")
    for power in range(tens + 1):
        x = left + width * power / tens
        canvas.line(x, 8, x, 8 + height, opacity=0.1)
        canvas.text(x, height + 24, numbers.count(10**power), size=10, anchor="end" if power == tens else "middle")
    canvas.text(left + width / 2, height + 40, "most frequent skeletons, number", anchor="middle")
    for place, (label, curve) in enumerate(curves):
        colour, dash = SERIES_COLOURS[place % 7], "" if place == 0 else "6 3"
        canvas.polyline([(left + width * math.log10(step) / tens, 8 + height * (1 - share)) for step, share in curve.points], colour, dash=dash)
        y = height + 58 + 16 * place
        canvas.line(left, y - 4, left + 26, y - 4, stroke=colour, width=2, dash=dash)
        canvas.text(left + 34, y, label)
    return canvas.drawn(name, "How requests gather on skeletons", description)


def sizes(curves: Sequence[tuple[str, Sequence[tuple[float, int]]]], thresholds: Sequence[tuple[str, float]], name: str, description: str) -> Markup:
    """Members left when more median bits are asked for, a line a network, with the thresholds in use."""
    left, right, height = 60, 20, 200
    top_bits = max([level for _, curve in curves for level, _ in curve] + [value for _, value in thresholds] + [1.0])
    ticks = round_steps(max(count for _, curve in curves for _, count in curve))
    width = WIDTH - left - right
    canvas = Canvas(WIDTH, height + 62 + 16 * len(curves))
    for tick in ticks:
        y = 20 + height * (1 - tick / ticks[-1])
        canvas.line(left, y, left + width, y, opacity=0.14)
        canvas.text(left - 6, y + 4, numbers.compact(tick), size=10, anchor="end")
    for step in round_steps(top_bits):
        if step <= top_bits:
            canvas.text(left + width * step / top_bits, height + 34, numbers.decimal(step, 0), size=10, anchor="middle")
    canvas.text(left + width / 2, height + 50, "median bits asked for", anchor="middle")
    for label, value in thresholds:
        canvas.line(left + width * value / top_bits, 16, left + width * value / top_bits, 20 + height, stroke=VERMILION, dash="4 3", width=1.5)
        canvas.text(left + width * value / top_bits + 4, 13, label, size=10)
    for place, (label, curve) in enumerate(curves):
        colour = SERIES_COLOURS[place % 7]
        canvas.polyline([(left + width * level / top_bits, 20 + height * (1 - count / ticks[-1])) for level, count in curve], colour, dash=("", "6 3", "2 3", "9 3 2 3")[place % 4])
        y = height + 68 + 16 * place - 4
        canvas.line(left, y - 4, left + 26, y - 4, stroke=colour, width=2, dash=("", "6 3", "2 3", "9 3 2 3")[place % 4])
        canvas.text(left + 34, y, label)
    return canvas.drawn(name, "Size over threshold", description)
