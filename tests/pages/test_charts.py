"""Drawings: the same on every machine, true to the data, readable in both schemes, small."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from pipeline.pages import charts
from pipeline.pages.incident.drawings.time import campaign
from pipeline.pages.traffic import DayVolume

START = dt.date(2026, 4, 9)
WEEK = tuple(tuple((day * 7 + hour * 3) % 40 for hour in range(24)) for day in range(7))


def days(count, top=4_100):
    return [DayVolume(START + dt.timedelta(days=place), (place * 377) % (top + 1), 5) for place in range(count)]


def drawn(count, top=4_100):
    """The drawing of a network's timeline, without events."""
    volumes = days(count, top)
    return str(campaign([("Requests", [volume.request_count for volume in volumes])], [volume.day for volume in volumes], [], "fig-1-a", "d"))


def everything():
    return (
        str(charts.week_map(WEEK, frozenset(range(7)), 0.02, "fig-2-a", "title", "description")),
        str(charts.week_scale(0.02, "fig-2-scale")),
    )


def test_no_drawing_depends_on_the_fonts_of_the_machine(monkeypatch):
    expected = everything()
    for font in ("Caveat", "DejaVu Serif", "no such font"):
        monkeypatch.setattr(charts, "_FONT", font)
        assert everything() == expected


def test_a_drawing_made_twice_is_the_same():
    assert everything() == everything()


def test_bars_are_as_high_as_the_data():
    text = drawn(5, top=1_000)
    path = re.search(r'<path d="([^"]+)" fill="#0072B2"', text).group(1)
    bars = [float(height) for height in re.findall(r"M[\d.]+,[\d.]+h[\d.]+v([\d.]+)h-[\d.]+[zZ]", path)]
    volumes = [volume.request_count for volume in days(5, top=1_000) if volume.request_count]
    assert max(bars) > 70
    assert bars == [pytest.approx(max(bars) * volume / max(volumes), abs=0.1) for volume in volumes]


def test_each_cell_of_the_week_has_its_colour():
    text = str(charts.week_map(WEEK, frozenset(range(7)), 0.02, "fig-2-a", "t", "d"))
    assert len(re.findall(r'<path d="M[\d.]+,[\d.]+h15v19h-15Z"', text)) == 168
    lone = tuple(tuple(100 if (day, hour) == (2, 5) else 0 for hour in range(24)) for day in range(7))
    colours = re.findall(r'<path d="M([\d.]+),([\d.]+)h15v19h-15Z" fill="([^"]+)"', str(charts.week_map(lone, frozenset(range(7)), 1.0, "f", "t", "d")))
    lightest = [(float(x) / 15, float(y) / 19) for x, y, colour in colours if colour == "rgb(252, 230, 71)"]
    assert lightest == [(5.0, 2.0)]


def test_a_weekday_outside_the_window_stays_blank():
    text = str(charts.week_map(WEEK, frozenset({0, 1}), 0.02, "fig-2-a", "t", "d"))
    assert len(re.findall(r'<path d="M[\d.]+,[\d.]+h15v19h-15Z"', text)) == 48


@pytest.mark.parametrize("count", [1, 2, 13, 28, 90, 366])
def test_any_window_fits_and_is_labelled(count):
    text = drawn(count)
    labels = re.findall(r">(\d\d-\d\d)</text>", text)
    assert 1 <= len(labels) <= 12
    assert len(text) < 250_000


@pytest.mark.parametrize("top", [0, 1, 7, 999, 10_000, 123_456_789])
def test_the_scale_starts_at_zero_and_covers_the_top(top):
    ticks = charts.round_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top
    assert 2 <= len(ticks) <= 6


@pytest.mark.parametrize("background", ["#ffffff", "#1a1e22"])
def test_bars_stand_out_on_both_pages(background):
    assert contrast(charts.BLUE, background) >= 3.0


def contrast(one, other):
    """WCAG 2 contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_sparkline_of_nothing_is_a_picture():
    text = str(charts.sparkline([], "spark-0", "title"))
    assert "<title" in text
    assert 'd=""' in text


def test_every_chart_keeps_to_the_grammar(monkeypatch):
    """Drawn without the check of each part (charts._altair), so each whole specification is checked here."""
    import altair as alt
    import jsonschema
    import vl_convert

    seen, draw = [], vl_convert.vegalite_to_svg

    def drawing(specification, **settings):
        seen.append({key: value for key, value in specification.items() if key != "background"})
        return draw(specification, **settings)

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", drawing)
    everything()
    assert len(seen) == 2
    for specification in seen:
        alt.Chart.from_dict(specification, validate=True)
        with pytest.raises(jsonschema.ValidationError):
            alt.Chart.from_dict({**specification, "mark": {"type": "no such mark"}}, validate=True)
