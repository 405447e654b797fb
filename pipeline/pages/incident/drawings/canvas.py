"""A sheet to draw on: shapes at fixed places in pixels, so that no drawing depends on fonts, a layout engine or a random number.

Everything leaves through pipeline/pages/svg_gate.py. Amounts are cividis, classes Okabe-Ito; ink is the page's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import escape

from pipeline.pages.svg_gate import INK, picture

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH = 760
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#888888"
FAMILY_COLOURS = {
    "identity": VERMILION,
    "infrastructure": BLUE,
    "settings": GREY,
    "client": PURPLE,
    "handoff": GREEN,
    "duplicates": SKY,
    "templates": ORANGE,
}
SERIES_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, GREY)
_CIVIDIS = ("#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838")


class Canvas:
    """Shapes in the order in which they were drawn."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = round(width), round(height)
        self._shapes: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1.0, stroke: str = "") -> None:
        """A filled box; nothing for an empty one."""
        if width > 0 and height > 0:
            edge = f' stroke="{stroke}" stroke-width="1"' if stroke else ""
            self._shapes.append(f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{fill}"{_opacity("fill-opacity", opacity)}{edge}/>')

    def boxes(self, boxes: Sequence[tuple[float, float, float, float]], fill: str, *, opacity: float = 1.0) -> None:
        """Many boxes of one colour as one path."""
        drawn = "".join(f"M{_n(x)},{_n(y)}h{_n(width)}v{_n(height)}h{_n(-width)}z" for x, y, width, height in boxes if width > 0 and height > 0)
        if drawn:
            self._shapes.append(f'<path d="{drawn}" fill="{fill}"{_opacity("fill-opacity", opacity)}/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, *, stroke: str = INK, width: float = 1.0, opacity: float = 1.0, dash: str = "") -> None:
        """A straight line."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._shapes.append(
            f'<path d="M{_n(x1)},{_n(y1)}L{_n(x2)},{_n(y2)}" fill="none" stroke="{stroke}" stroke-width="{_n(width)}"{_opacity("stroke-opacity", opacity)}{dashes}/>'
        )

    def path(self, d: str, *, fill: str = "none", stroke: str = "", width: float = 1.0, opacity: float = 1.0, dash: str = "") -> None:
        """A path in SVG's own words."""
        line = f' stroke="{stroke}" stroke-width="{_n(width)}"{_opacity("stroke-opacity", opacity)}' if stroke else _opacity("fill-opacity", opacity)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._shapes.append(f'<path d="{d}" fill="{fill}"{line}{dashes}/>')

    def polyline(self, points: Sequence[tuple[float, float]], stroke: str, *, width: float = 2.0, dash: str = "") -> None:
        """Straight lines from point to point."""
        if points:
            self.path("M" + "L".join(f"{_n(x)},{_n(y)}" for x, y in points), stroke=stroke, width=width, dash=dash)

    def circle(self, x: float, y: float, radius: float, fill: str, *, stroke: str = "", opacity: float = 1.0) -> None:
        """A disc."""
        edge = f' stroke="{stroke}" stroke-width="1.5"' if stroke else ""
        self._shapes.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}"{_opacity("fill-opacity", opacity)}{edge}/>')

    def text(self, x: float, y: float, words: str, *, size: float = 11, anchor: str = "start", bold: bool = False, fill: str = INK, turn: float = 0) -> None:
        """Words, `y` being their base line; `turn` in degrees about that place."""
        weight = ' font-weight="bold"' if bold else ""
        turned = f' transform="rotate({_n(turn)} {_n(x)} {_n(y)})"' if turn else ""
        self._shapes.append(f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}px" text-anchor="{anchor}" fill="{fill}"{weight}{turned}>{escape(words)}</text>')

    def drawn(self, name: str, title: str, description: str) -> Markup:
        """The sheet as markup, through the gate."""
        body = "".join(self._shapes)
        return picture(f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}">{body}</svg>', name, title, description)


def cividis(share: float) -> str:
    """The colour of an amount from 0 (dark) to 1 (bright)."""
    place = min(1.0, max(0.0, share)) * (len(_CIVIDIS) - 1)
    low = min(int(place), len(_CIVIDIS) - 2)
    part = place - low
    first, second = (tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in _CIVIDIS[low : low + 2])
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(first, second, strict=True))


def round_steps(top: float) -> list[float]:
    """Zero and up to five round steps that reach `top`; `[0, 1]` for nothing."""
    if top <= 0:
        return [0.0, 1.0]
    step = next(base * 10.0**power for power in range(-6, 16) for base in (1, 2, 5) if base * 10.0**power * 4 >= top * (1 - 1e-9))
    count = next(count for count in range(1, 6) if step * count >= top * (1 - 1e-9))
    return [step * place for place in range(count + 1)]


def short(words: str, most: int) -> str:
    """Words cut to what fits."""
    return words if len(words) <= most else words[: most - 1] + "\u2026"


def _n(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _opacity(name: str, value: float) -> str:
    return "" if value >= 1 else f' {name}="{value:.2f}"'
