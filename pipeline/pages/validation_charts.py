"""Drawings of the validation page: values with their bounds, calibration against the diagonal, and what was referred by which night.

Intervals are thin bars, not rules: the gate of pictures keeps paths whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.pages.charts import BLUE, _axis, _drawn, _mapped_labels
from pipeline.pages.svg_gate import INK

if TYPE_CHECKING:
    from markupsafe import Markup

_ROW, _LABELS, _LONGEST, _GAP, _THIN = 22, 310, 46, 9, 2
"""Pixels of a row, of its label and between both; characters of a label; pixels of an interval's line."""


@dataclass(frozen=True)
class Point:
    """A row of a chart: its label, value, and ends of the interval (None: no such end)."""

    label: str
    value: float
    low: float | None
    high: float | None


def intervals(points: Sequence[Point], name: str, title: str, description: str, *, domain: tuple[float, float] = (0.0, 1.0), bars: bool = False) -> Markup:
    """One row a point, top to bottom: the value as a dot (or bar) and its interval as a line. The axis is in percent."""
    import altair as alt

    labels = unlike([point.label for point in points])
    values = [
        {"label": label, "value": point.value, "low": point.value if point.low is None else point.low, "high": point.value if point.high is None else point.high}
        for label, point in zip(labels, points, strict=True)
    ]
    ticks = _ticks(domain)
    y = alt.Y("label:O", sort=None, scale=alt.Scale(domain=labels, padding=0.3), axis=_axis(alt, extent=_LABELS, title=None, ticks=False, domain=False, labelPadding=_GAP))
    scale = alt.Scale(domain=list(domain), nice=False, zero=False, clamp=True)
    x = alt.X(
        "value:Q", scale=scale, axis=_axis(alt, extent=20, title=None, grid=True, values=list(ticks), labelExpr=_mapped_labels({f"{at:g}": text for at, text in ticks.items()}))
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(y=y)
    spread = base.mark_bar(color=INK, height=_THIN).encode(x=alt.X("low:Q", scale=scale, title=None), x2="high:Q")
    mark = base.mark_bar(color=BLUE, height=8).encode(x=x) if bars else base.mark_circle(color=BLUE, opacity=1, size=64).encode(x=x)
    chart = alt.layer(mark, spread) if bars else alt.layer(spread, mark)
    return _drawn(chart.properties(width=480, height=_ROW * len(points)), {"left": _LABELS + 8, "right": 22, "top": 8, "bottom": 28}, name, title, description)


def against_diagonal(points: Sequence[tuple[float, Point]], name: str, title: str, description: str, *, top: float = 1.0) -> Markup:
    """Stated (across) against observed (up), both 0 to `top`, with the diagonal on which both agree."""
    import altair as alt

    ticks = _ticks((0.0, top))
    labels = _mapped_labels({f"{at:g}": text for at, text in ticks.items()})
    scale = alt.Scale(domain=[0, top], nice=False, clamp=True)
    x = alt.X("stated:Q", scale=scale, axis=_axis(alt, extent=34, title="stated", grid=True, values=list(ticks), labelExpr=labels))
    y = alt.Y("observed:Q", scale=scale, axis=_axis(alt, extent=44, title="observed", grid=True, values=list(ticks), labelExpr=labels))
    values: list[dict[str, float | None]] = [{"stated": stated, "observed": point.value, "low": point.low, "high": point.high} for stated, point in points]
    base = alt.Chart(alt.InlineData(values=values))
    diagonal = alt.Chart(alt.InlineData(values=[{"stated": at, "observed": at} for at in (0.0, top)])).mark_line(color=INK, strokeDash=[4, 4], strokeWidth=1)
    bounded: list[dict[str, float | None]] = [value for value in values if value["low"] is not None and value["high"] is not None]
    spread = alt.Chart(alt.InlineData(values=bounded)).mark_bar(color=INK, width=_THIN).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    chart = alt.layer(diagonal.encode(x=x, y=y), spread, base.mark_circle(color=BLUE, opacity=1, size=64).encode(x=x, y=y))
    return _drawn(chart.properties(width=260, height=260), {"left": 66, "right": 30, "top": 10, "bottom": 56}, name, title, description)


def night_map(rows: Sequence[tuple[str, Sequence[float | None]]], name: str, title: str, description: str) -> Markup:
    """One row a kind of campaign, one column a night: the share referred by then, from dark (none) to bright (all). An unknown share stays blank."""
    import altair as alt

    labels = unlike([label for label, _ in rows])
    nights = max(len(shares) for _, shares in rows)
    values = [
        {"kind": label, "night": night, "share": share} for label, (_, shares) in zip(labels, rows, strict=True) for night, share in enumerate(shares, 1) if share is not None
    ]
    places = list(range(1, nights + 1))
    x = alt.X(
        "night:O",
        scale=alt.Scale(domain=places, padding=0),
        axis=_axis(alt, extent=22, title="night since its first request", labelAngle=0, values=places[:: max(1, nights // 14)]),
    )
    y = alt.Y("kind:O", sort=None, scale=alt.Scale(domain=labels, padding=0.08), axis=_axis(alt, extent=_LABELS, title=None, ticks=False, domain=False, labelPadding=_GAP))
    colour = alt.Color("share:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=None)
    chart = alt.Chart(alt.InlineData(values=values)).mark_rect().encode(x=x, y=y, color=colour)
    width = min(34, 480 // nights) * nights
    return _drawn(chart.properties(width=width, height=_ROW * len(rows)), {"left": _LABELS + 8, "right": 22, "top": 8, "bottom": 50}, name, title, description)


def unlike(labels: Sequence[str]) -> list[str]:
    """Labels cut to what fits beside a chart, numbered where cutting makes two equal."""
    cut = [label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…" for label in labels]
    return [label if cut.count(label) == 1 else f"{label[: _LONGEST - 5]} ({cut[: place + 1].count(label)})" for place, label in enumerate(cut)]


def _ticks(domain: tuple[float, float]) -> dict[float, str]:
    """Four or five places of an axis of shares, as percent."""
    low, high = domain
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.25, 0.5) if (high - low) / step <= 6)
    places = range(round(low / step), round(high / step) + 1)
    return {round(place * step, 6): f"{100 * place * step:.0f} %".replace("-", "\u2212") for place in places}
