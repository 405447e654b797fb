"""Drawings: altair specifications through vl-convert into SVG, then through the one gate into markup.

Sizes are fixed (no layout depends on how wide a label is, so no drawing depends on the fonts of the machine). Colours are Okabe-Ito
for classes and cividis for amounts; ink is the page's own. altair and vl-convert are imported with the first drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.pages import numbers
from pipeline.pages.svg_gate import INK, picture
from pipeline.pages.traffic import DAYS, DayVolume, Week

if TYPE_CHECKING:
    from markupsafe import Markup

BLUE = "#0072B2"
_FONT = "Liberation Sans"
_LABEL = {"labelColor": INK, "titleColor": INK, "domainColor": INK, "tickColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
_FIXED = {"labelOverlap": False, "labelLimit": 0, "labelBound": False, "labelFlush": False}
_GRID = {"gridColor": INK, "gridOpacity": 0.14, "domainOpacity": 0.5, "tickOpacity": 0.5}


def week_map(week: Week, weekdays: frozenset[int], top_share: float, name: str, title: str, description: str) -> Markup:
    """Hour by weekday, coloured by share of the group's requests from 0 to `top_share`; a weekday outside the window stays blank."""
    alt = _altair()
    total = sum(map(sum, week)) or 1
    values = [{"day": DAYS[day][:3], "hour": hour, "share": requests / total} for day in sorted(weekdays) for hour, requests in enumerate(week[day])]
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_rect()
        .encode(
            x=alt.X("hour:O", scale=alt.Scale(domain=list(range(24)), padding=0), axis=_axis(alt, values=list(range(0, 24, 3)), title="hour of day, UTC", labelAngle=0, extent=22)),
            y=alt.Y("day:O", scale=alt.Scale(domain=[day[:3] for day in DAYS], padding=0), axis=_axis(alt, title=None, extent=34)),
            color=alt.Color("share:Q", scale=alt.Scale(scheme="cividis", domain=[0, top_share]), legend=None),
        )
    )
    return _drawn(chart.properties(width=24 * 15, height=7 * 19), {"left": 42, "right": 10, "top": 8, "bottom": 44}, name, title, description)


def week_scale(top_share: float, name: str) -> Markup:
    """The colour scale of both week maps, from 0 to `top_share`."""
    alt = _altair()
    steps = 36
    values = [{"step": step, "share": top_share * (step + 0.5) / steps} for step in range(steps)]
    ends = {0: "0 %", steps - 1: numbers.percent(top_share, 2).replace("\u202f", " ")}
    axis = _axis(alt, values=list(ends), title=None, labelAngle=0, ticks=False, domain=False, labelExpr=_mapped_labels({str(step): text for step, text in ends.items()}), extent=18)
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_rect()
        .encode(
            x=alt.X("step:O", scale=alt.Scale(padding=0), axis=axis),
            color=alt.Color("share:Q", scale=alt.Scale(scheme="cividis", domain=[0, top_share]), legend=None),
        )
    )
    words = f"dark is none, light is {numbers.percent(top_share, 2)} of the group's requests in one hour of the week"
    return _drawn(chart.properties(width=steps * 8, height=12), {"left": 24, "right": 24, "top": 4, "bottom": 22}, name, "Colour scale", words)


def sparkline(days: Sequence[DayVolume], name: str, title: str) -> Markup:
    """A word-sized picture of requests a day: one bar a day on the network's own scale."""
    top = max((volume.request_count for volume in days), default=0) or 1
    step = max(2, 84 // max(1, len(days)))
    bars = "".join(f"M{place * step},20v-{max(1, round(18 * volume.request_count / top))}h{step - 1}V20z" for place, volume in enumerate(days) if volume.request_count)
    source = f'<svg xmlns="http://www.w3.org/2000/svg" width="{step * max(1, len(days))}" height="20"><path fill="{BLUE}" d="{bars}"/></svg>'
    description = f"Highest: {numbers.counted(max((volume.request_count for volume in days), default=0), 'requests')} in a day."
    return picture(source, name, title, description)


def _altair() -> Any:
    """Altair without its check of every part against the grammar's schema, which costs more than the drawing; tests/pages/test_charts.py checks each chart whole."""
    import altair as alt
    from altair.utils import schemapi

    schemapi.disable_debug_mode()
    return alt


def _axis(alt: Any, *, extent: int, **settings: Any) -> Any:
    return alt.Axis(minExtent=extent, maxExtent=extent, titlePadding=4, **{**_LABEL, **_FIXED, **_GRID, "grid": False, **settings})


def _drawn(chart: Any, padding: dict[str, int], name: str, title: str, description: str) -> Markup:
    """The SVG of a chart. `autosize: none` keeps the size of text out of the layout."""
    import vl_convert

    sized = chart.properties(padding=padding, autosize="none").configure(aria=False, font=_FONT).configure_view(stroke=None, fill=None)
    specification = {**sized.to_dict(validate=False), "background": None}
    return picture(vl_convert.vegalite_to_svg(specification, allowed_base_urls=[]), name, title, description)


def round_ticks(top: int) -> list[int]:
    """Zero and up to five round steps that reach `top`."""
    step = next(base * 10**power for power in range(16) for base in (1, 2, 5) if base * 10**power * 4 >= top)
    return [step * place for place in range(max(1, -(-top // step)) + 1)]


def _mapped_labels(texts: dict[str, str]) -> str:
    """A Vega expression that gives each value its prepared text, so that no number is formatted twice in two ways."""
    return "".join(f"datum.value == {value} ? '{text}' : " for value, text in texts.items()) + "''"
