"""Tippett curves: which share of groups of known truth get a ratio at least so large, those of one operator and innocent ones apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.pages.incident.drawings.canvas import BLUE, ORANGE, WIDTH, Canvas

if TYPE_CHECKING:
    from markupsafe import Markup

LEFT, RIGHT, TOP, HEIGHT = 60, 20, 22, 220
Curve = tuple[str, Sequence[tuple[float, float]]]
"""Label, and (log10 of a ratio, share of groups with at least that ratio) ascending."""


def tippett(curves: Sequence[Curve], name: str, description: str) -> Markup:
    """One step line a kind over powers of ten, with the ratio 1 that speaks for neither. In: at least one curve with a point."""
    reach = max(1, math.ceil(max(abs(place) for _, points in curves for place, _ in points)))
    width = WIDTH - LEFT - RIGHT
    canvas = Canvas(WIDTH, TOP + HEIGHT + 54 + 16 * len(curves))
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _up(share)
        canvas.line(LEFT, y, LEFT + width, y, opacity=0.14)
        canvas.text(LEFT - 6, y + 4, "all" if share == 1 else f"{share:.0%}", size=10, anchor="end")
    for power in range(-reach, reach + 1):
        canvas.text(_across(power, reach), TOP + HEIGHT + 16, f"{10**power:,}" if power >= 0 else f"1/{10**-power:,}", size=10, anchor="end" if power == reach else "middle")
    canvas.line(_across(0, reach), TOP - 6, _across(0, reach), TOP + HEIGHT, dash="4 3", width=1.5)
    canvas.text(_across(0, reach) + 4, TOP - 8, "speaks for neither", size=10)
    canvas.text(LEFT + width / 2, TOP + HEIGHT + 32, "ratio at least so large", anchor="middle")
    for place, (label, points) in enumerate(curves):
        colour, dash = (BLUE, ORANGE)[place % 2], ("", "6 3")[place % 2]
        canvas.polyline([(_across(at, reach), _up(share)) for at, share in _steps(points, reach)], colour, dash=dash)
        y = TOP + HEIGHT + 52 + 16 * place
        canvas.line(LEFT, y - 4, LEFT + 26, y - 4, stroke=colour, width=2, dash=dash)
        canvas.text(LEFT + 34, y, label)
    return canvas.drawn(name, "Share of groups of known truth with a ratio at least so large", description)


def _steps(points: Sequence[tuple[float, float]], reach: int) -> list[tuple[float, float]]:
    """Corners of the curve: level up to each ratio, and then down to what is left above it."""
    corners, before = [], -float(reach)
    for at, share in points:
        corners += [(before, share), (at, share)]
        before = at
    return [*corners, (before, 0.0), (float(reach), 0.0)]


def _up(share: float) -> float:
    return TOP + HEIGHT * (1 - share)


def _across(power: float, reach: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (power + reach) / (2 * reach)
