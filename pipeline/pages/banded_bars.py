"""Bars beside the band of what is usual, drawn by hand: a dozen lines of SVG need no charting library, so an index page costs no import of one.

A bar outside its band differs in colour and carries a triangle, so that nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.pages.svg_gate import INK, picture

if TYPE_CHECKING:
    from markupsafe import Markup

USUAL, UNUSUAL, QUIET = "#0072B2", "#D55E00", "#56B4E9"
_WIDTH, _HEIGHT = 760, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 8, 16, 26


@dataclass(frozen=True)
class Bar:
    """One bar: what it is, how much, and between what it usually lies (None: nothing to compare with)."""

    label: str
    """'' for a bar whose place on the axis is not named."""
    value: float
    low: float | None = None
    high: float | None = None
    is_quiet: bool = False
    """An earlier one, drawn paler."""

    @property
    def is_unusual(self) -> bool:
        """Outside its band."""
        return self.low is not None and self.high is not None and not self.low <= self.value <= self.high


def banded_bars(bars: Sequence[Bar], ticks: Sequence[tuple[float, str]], name: str, title: str, description: str, scale: Callable[[float], float] = float) -> Markup:
    """A drawing of some bars with their bands as brackets; `ticks` are values of the axis with their text, from 0 to the top; `scale` maps values to heights."""
    top = scale(ticks[-1][0]) or 1.0
    inner, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def y(value: float) -> float:
        return _TOP + height * (1.0 - min(1.0, scale(value) / top))

    step = inner / max(1, len(bars))
    parts = [_tick(y(value), text) for value, text in ticks]
    parts += [_bar(bar, _LEFT + step * place, step, y) for place, bar in enumerate(bars)]
    return picture(f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">{"".join(parts)}</svg>', name, title, description)


def _tick(y: float, text: str) -> str:
    line = f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="{INK}" stroke-opacity="0.16"/>'
    return f'{line}<text x="{_LEFT - 6}" y="{y + 4:.1f}" font-size="12" text-anchor="end" fill="{INK}">{_escaped(text)}</text>'


def _bar(bar: Bar, x: float, step: float, y: Callable[[float], float]) -> str:
    base, width, middle = y(0.0), max(1.0, step * 0.7), x + step / 2
    colour = UNUSUAL if bar.is_unusual else QUIET if bar.is_quiet else USUAL
    parts = [f'<rect x="{x + step * 0.15:.1f}" y="{y(bar.value):.1f}" width="{width:.1f}" height="{max(0.0, base - y(bar.value)):.1f}" fill="{colour}"/>']
    if bar.low is not None and bar.high is not None:
        half = max(1.5, width / 2)
        ends = "".join(f"M{middle - half:.1f},{y(value):.1f}h{2 * half:.1f}" for value in (bar.low, bar.high))
        parts.append(f'<path d="M{middle:.1f},{y(bar.low):.1f}V{y(bar.high):.1f}{ends}" fill="none" stroke="{INK}" stroke-width="1.5"/>')
    if bar.is_unusual:
        point = max(9.0, min(y(bar.value), y(bar.high or 0.0)) - 3)
        parts.append(f'<path d="M{middle - 4:.1f},{point:.1f}h8l-4,-7z" fill="{UNUSUAL}"/>')
    if bar.label:
        parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 8}" font-size="12" text-anchor="middle" fill="{INK}">{_escaped(bar.label)}</text>')
    return "".join(parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
