"""The timeline of a network's page: requests a day under releases, bans, matches and what people said, and a table of the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import polars as pl
import pytest

from pipeline import assets
from pipeline.config import load_config
from pipeline.history.report import report
from pipeline.pages.pieces import Numbering
from pipeline.pages.run_facts import read_manifest
from pipeline.pages.source import Source
from pipeline.pages.words import load_wording
from pipeline.pages.working.timeline import LANES, events, events_table, timeline_figure
from tests.pages import fixtures
from tests.pages.fixtures import NIGHT, REFER, SILENT


def source(frames: dict[str, pl.DataFrame] | None = None, past=None) -> Source:
    facts, past = fixtures.manifest(), past or fixtures.past()
    wording = load_wording(assets.reports_folder() / "wording.toml")
    return Source(fixtures.frames(12) if frames is None else frames, read_manifest(facts), load_config(), wording, past, report(facts, past.nights, past.operations))


@pytest.fixture(scope="module")
def whole() -> Source:
    return source()


def test_every_kind_of_event_is_told_with_its_day(whole):
    told = {(event.day.isoformat(), event.lane, event.text, event.accounts) for event in events(whole, REFER)}
    assert ("2026-04-22", "release", "large-2", None) in told
    assert ("2026-04-29", "ban", "2", 2) in told, "the stranger's ban is not this network's"
    assert ("2026-05-05", "match", "new", 9) in told
    assert ("2026-05-03", "match", "flagged", None) in told
    assert ("2026-05-03", "person", "note", None) in told
    assert {event.lane for event in events(whole, REFER)} == set(LANES)


def test_the_drawing_holds_what_lies_in_the_window_and_no_more(whole):
    figure = timeline_figure(whole, REFER, Numbering())
    drawn = str(figure.pictures[0].svg)
    assert ">large-2</text>" in drawn
    assert "large-1" not in drawn
    assert "Outside the window, so not drawn: 1 event; the table below has them." in figure.left_out
    rows = {tuple(cell.text for cell in row) for row in events_table(whole, REFER, Numbering()).rows}
    assert ("2025-11-03", "no", "Releases", "large-1", "", "released") in rows
    assert ("2026-04-29", "yes", "Bans", "banned", "2", "members banned") in rows


def test_a_mark_stands_over_its_day(whole):
    """The dashed line of the release stands in the middle of the bar of its day."""
    drawn = str(timeline_figure(whole, REFER, Numbering()).pictures[0].svg)
    lines = {float(x) for x in re.findall(r'<path d="M([\d.]+),[\d.]+L[\d.]+,[\d.]+"[^>]*stroke-dasharray="3 3"', drawn)}
    path = next(d for d in re.findall(r'<path d="([^"]+)" fill="#0072B2"', drawn) if d.count("M") > 20)
    bars = [(float(x), float(width)) for x, width in re.findall(r"M([\d.]+),[\d.]+h([\d.]+)v", path)]
    days = [volume.day for volume in whole.traffic[REFER].days if volume.request_count]
    x, width = bars[days.index(dt.date(2026, 4, 22))]
    assert any(abs(line - (x + width / 2)) < 0.5 for line in lines)


def test_without_context_the_page_says_what_was_not_given():
    frames = fixtures.frames(12)
    bare = source({name: frame for name, frame in frames.items() if name != "context_events"})
    assert "no releases.csv and no bans.csv with --context" in timeline_figure(bare, REFER, Numbering()).left_out
    assert {event.lane for event in events(bare, REFER)} == {"match", "person"}


def test_nothing_on_record_is_said_in_words():
    frames = {name: frame for name, frame in fixtures.frames(12).items() if name not in ("context_events", "lineage", "known_networks")}
    past = fixtures.past()
    none = source(frames, dataclasses.replace(past, standing=dataclasses.replace(past.standing, notes=(), allowed=(), dispositions={})))
    table = events_table(none, SILENT, Numbering())
    assert not table.rows
    assert "no release, ban, match or word of a person is on record" in table.empty


def test_what_a_person_or_a_file_wrote_passes_the_gate():
    frames = fixtures.frames(12)
    frames["context_events"] = frames["context_events"].with_columns(pl.lit("mail ann@example.com\u202e").alias("model"))
    told = " ".join(event.text for event in events(source(frames), REFER))
    assert "ann@example.com" not in told
    assert "\u202e" not in told


def test_many_events_keep_the_last_and_say_so():
    frames = fixtures.frames(12)
    nights = [{"network_id": REFER, "night": NIGHT - dt.timedelta(days=place), "event": "grown", "account_count": 12} for place in range(150)]
    frames["lineage"] = fixtures.table(fixtures.schema.LINEAGE, nights)
    table = events_table(source(frames), REFER, Numbering())
    assert len(table.rows) == 100
    assert "earlier events not shown" in table.left_out
