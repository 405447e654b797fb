"""Drawings of what is shared: accounts against shared values (F4), and how blocks and values join (F5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.pages import numbers
from pipeline.pages.incident.drawings.canvas import FAMILY_COLOURS, GREY, WIDTH, Canvas, short
from pipeline.pages.incident.parts import Matrix
from pipeline.pages.incident.wording import attribute

if TYPE_CHECKING:
    from markupsafe import Markup

_NAMES, _HEAD = 150, 112


def matrix(sheet: Matrix, name: str, description: str, *, feet: Sequence[str] = ()) -> Markup:
    """Rows of members (or blocks of them), columns of shared values. A full cell: all of the row hold it; a pale one: some do. `feet` stand under the columns."""
    row = 12 if len(sheet.blocks) <= 72 else 10
    step = min(26.0, (WIDTH - _NAMES - 74) / max(1, len(sheet.attributes)))
    canvas = Canvas(WIDTH, _HEAD + row * len(sheet.blocks) + (44 if any(feet) else 22))
    bottom = _HEAD + row * len(sheet.blocks)
    family = ""
    for place, one in enumerate(sheet.attributes):
        x, colour = _NAMES + place * step, FAMILY_COLOURS.get(one.family, GREY)
        canvas.text(x + step / 2 + 3, _HEAD - 8, short(attribute(one), 24), size=10, turn=-52)
        if one.family != family:
            canvas.line(x, _HEAD - 4, x, bottom + 4, opacity=0.55)
            family = one.family
        canvas.rect(x + 1, _HEAD - 4, step - 2, 3, colour)
        _column(canvas, sheet, place, (x, step, row), colour)
    for place, foot in enumerate(feet):
        canvas.text(_NAMES + (place + 1) * step - 2, bottom + 12, foot, size=9, anchor="end", turn=-52)
    if any(feet):
        canvas.text(_NAMES - 6, bottom + 16, "rarity, bits", size=10, anchor="end", bold=True)
    for place, block in enumerate(sheet.blocks):
        label = f"{block.name}: {numbers.counted(block.accounts, 'accounts')}" if sheet.grouped else block.name
        canvas.text(_NAMES - 6, _HEAD + row * place + row - 3, short(label, 25), size=10, anchor="end")
        canvas.line(_NAMES, _HEAD + row * (place + 1), _NAMES + step * len(sheet.attributes), _HEAD + row * (place + 1), opacity=0.08)
    return canvas.drawn(name, "Members and what they share", description)


def _column(canvas: Canvas, sheet: Matrix, place: int, size: tuple[float, float, float], colour: str) -> None:
    """A column's cells, one path for each of five strengths."""
    x, step, row = size
    by_strength: dict[int, list[tuple[float, float, float, float]]] = {}
    for at, block in enumerate(sheet.blocks):
        if block.shares[place] > 0:
            by_strength.setdefault(max(1, round(4 * block.shares[place])), []).append((x + 1, _HEAD + row * at + 1, step - 2, row - 2))
    for strength, boxes in sorted(by_strength.items()):
        canvas.boxes(boxes, colour, opacity=0.1 + 0.225 * strength)


def joins(sheet: Matrix, name: str, description: str) -> Markup:
    """Members (or blocks of them) on the left, shared values on the right, a line for each holding: what hangs together by what."""
    left, right = len(sheet.blocks), len(sheet.attributes)
    height = max(22 * max(left, right), 120) if max(left, right) <= 18 else 15 * max(left, right)
    canvas = Canvas(WIDTH, height + 16)
    places = _right_places(sheet)
    rows = [12 + height * (at + 0.5) / left for at in range(left)]
    values = [12 + height * (places[at] + 0.5) / right for at in range(right)]
    size = sum(block.accounts for block in sheet.blocks) or 1
    for at, one in enumerate(sheet.attributes):
        colour, strength = FAMILY_COLOURS.get(one.family, GREY), 0.75 - 0.6 * one.inside / size
        for place, block in enumerate(sheet.blocks):
            if block.shares[at] > 0:
                y, z = rows[place], values[at]
                canvas.path(
                    f"M196,{y:.1f}C350,{y:.1f} 400,{z:.1f} 548,{z:.1f}",
                    stroke=colour,
                    width=0.8 + 1.6 * block.shares[at],
                    opacity=max(0.1, strength * (0.5 + 0.5 * block.shares[at])),
                )
    most = max((block.accounts for block in sheet.blocks), default=1)
    for place, block in enumerate(sheet.blocks):
        label = f"{block.name}: {numbers.counted(block.accounts, 'accounts')}" if sheet.grouped else block.name
        canvas.circle(190, rows[place], 3 + (5 * (block.accounts / most) ** 0.5 if sheet.grouped else 1), "#ffffff", stroke="#010203")
        canvas.text(178, rows[place] + 4, short(label, 27), size=11, anchor="end")
    for at, one in enumerate(sheet.attributes):
        canvas.rect(548, values[at] - 5, 10, 10, FAMILY_COLOURS.get(one.family, GREY))
        canvas.text(564, values[at] + 4, f"{short(attribute(one), 24)}: {numbers.count(one.inside)}", size=11)
    return canvas.drawn(name, "How the members join", description)


def _right_places(sheet: Matrix) -> list[int]:
    """Values in the order of the middle of their holders, so that few lines cross; ties as they come."""
    middles = []
    for at in range(len(sheet.attributes)):
        weights = [block.shares[at] for block in sheet.blocks]
        middles.append((sum(place * weight for place, weight in enumerate(weights)) / (sum(weights) or 1), at))
    places = [0] * len(middles)
    for place, (_, at) in enumerate(sorted(middles)):
        places[at] = place
    return places
