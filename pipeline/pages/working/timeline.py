"""The timeline of a network's page: requests a day under what happened around it, out of the run's context, its lineage and the journal.

Releases and bans are those that the run was given with --context, matches are those of lineage, and what people said is the journal's. Terms are in no table
of a run: a case holds them, and its report draws them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipeline import redact
from pipeline.pages import numbers
from pipeline.pages.incident.drawings.time import Mark, campaign
from pipeline.pages.pieces import Numbering, table, unnumbered_table
from pipeline.pages.records import Cell, Figure, Picture, Table
from pipeline.pages.source import Source
from pipeline.pages.traffic import DAYS, DayVolume, GroupTraffic

if TYPE_CHECKING:
    from markupsafe import Markup

ROWS = 100
LANES = ("release", "ban", "match", "person")
"""From the top of the drawing down; of one day, the order of the table."""
_NO_TRAFFIC = "No figure: account_days holds no request of these accounts."


@dataclass(frozen=True)
class Event:
    """Something that happened on a UTC day: its lane, a word or two for the drawing, and what the table says beside it."""

    day: dt.date
    lane: str
    text: str
    detail: str
    accounts: int | None = None
    """how many members it happened to, or how many the network had"""


def events(source: Source, network_id: str) -> tuple[Event, ...]:
    """Everything on record around a network, by day, whether or not it lies in the window."""
    found = [*_context(source, network_id), *_matches(source, network_id), *_said(source, network_id)]
    return tuple(sorted(found, key=lambda one: (one.day, LANES.index(one.lane), one.text, one.detail)))


def _context(source: Source, network_id: str) -> list[Event]:
    """Releases, and bans of members by day."""
    given = source.table("context_events").with_columns((pl.col("at_us") // 86_400_000_000).cast(pl.Int32).cast(pl.Date).alias("day"))
    releases = [Event(day, "release", redact.for_html(model), "released") for day, model in given.filter(pl.col("kind") == "release").select("day", "model").iter_rows()]
    members = source.of_network("members", network_id).select("account_id").join(source.table("accounts"), on="account_id")
    banned = Counter(given.filter(pl.col("kind") == "ban").join(members.select("account_key"), on="account_key", how="semi")["day"].to_list())
    return [*releases, *(Event(day, "ban", numbers.count(count), "members banned", count) for day, count in banned.items())]


def _matches(source: Source, network_id: str) -> list[Event]:
    """What lineage says of each night, and the first night with a referral."""
    rows = [row for row in source.lineage_of(network_id) if row["night"] is not None]
    told = [Event(row["night"], "match", source.wording.word("event", row["event"]).lower(), _other(row["other_id"]), row["account_count"]) for row in rows]
    flagged = source.nights_of.get(network_id, (None, None))[1]
    return [*told, *([Event(flagged, "match", "flagged", "for referral for the first time")] if flagged else [])]


def _other(network_id: str | None) -> str:
    return f"with {redact.identifier(network_id)}" if network_id else ""


def _said(source: Source, network_id: str) -> list[Event]:
    """Notes, dispositions and allow entries that stand."""
    standing = source.past.standing
    said = [(note.on, "note", note.text, note.by) for note in standing.notes_on(network_id)]
    said += [(entry.on, "allowed", entry.reason, entry.by) for entry in standing.allowed if entry.subject == network_id]
    word = standing.dispositions.get(network_id)
    said += [(word.on, source.wording.word("disposition", word.verdict).lower(), word.reason, word.by)] if word else []
    return [Event(dt.date.fromisoformat(on), "person", what, f"{redact.for_html(by)}: {redact.for_html(text)}") for on, what, text, by in said]


def timeline_figure(source: Source, network_id: str, numbering: Numbering) -> Figure:
    """Requests of the members on each day of the window, under lanes of events."""
    anchor, label = numbering.figure()
    traffic = source.traffic.get(network_id, GroupTraffic())
    found, days = events(source, network_id), traffic.days
    caption = _caption(days)
    rows = [(Cell(volume.day.isoformat()), DAYS[volume.day.weekday()], numbers.count(volume.request_count), numbers.count(volume.active_accounts)) for volume in days]
    return Figure(
        anchor=anchor,
        label=label,
        caption=caption,
        question="When did it operate, how much, and what happened around it?",
        counted=f"n = {numbers.counted(traffic.total, 'requests')} of members; one request is one API call, counted on its UTC day.",
        left_out=_left_out(source, found),
        pictures=(Picture("", _drawn(source, network_id, days, found, f"{anchor}-a", caption)),) if days else (),
        data=unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}", "Day | Weekday | Requests # | Active accounts #", rows, empty="No data."),
        absent="" if days else _NO_TRAFFIC,
    )


def events_table(source: Source, network_id: str, numbering: Numbering) -> Table:
    """The events with the day of each, oldest first; the last ones if there are many."""
    found = events(source, network_id)
    rows = [_row(source, event) for event in found[-ROWS:]]
    rest = len(found) - len(rows)
    left_out = f"{numbers.counted(rest, 'earlier events')} not shown; context_events.parquet, lineage.parquet and the journal hold all." if rest else ""
    empty = "no release, ban, match or word of a person is on record."
    return table(numbering, "What happened around this network", "Day | In the window | Of what | What | Accounts # | Details", rows, empty=empty, left_out=left_out)


def _row(source: Source, event: Event) -> tuple[Cell | str, ...]:
    inside = "yes" if event.day in source.calendar else "no"
    what = event.text if event.lane != "ban" else "banned"
    accounts = "" if event.accounts is None else numbers.count(event.accounts)
    return event.day.isoformat(), inside, source.wording.line("lane", event.lane), what, accounts, event.detail


def _drawn(source: Source, network_id: str, days: tuple[DayVolume, ...], found: tuple[Event, ...], name: str, caption: str) -> Markup:
    marks = [Mark(source.wording.line("lane", event.lane), event.day, event.text) for lane in LANES for event in found if event.lane == lane]
    calendar = [volume.day for volume in days]
    drawn = [mark for mark in marks if mark.day in calendar]
    return campaign([(f"Requests a day of {redact.identifier(network_id)}", [volume.request_count for volume in days])], calendar, drawn, name, caption)


def _left_out(source: Source, found: tuple[Event, ...]) -> str:
    outside, given = sum(event.day not in source.calendar for event in found), source.table("context_events").height
    parts = ["Rejected rows are left out, and requests outside the window."]
    parts += [f"Outside the window, so not drawn: {numbers.counted(outside, 'events')}; the table below has them."] if outside else []
    parts += [] if given else [source.wording.line("lane", "no_context")]
    return " ".join([*parts, source.wording.line("lane", "no_terms")])


def _caption(days: tuple[DayVolume, ...]) -> str:
    active = [volume for volume in days if volume.request_count]
    if not active:
        return "No request of a member falls on a day of the window."
    busiest = max(active, key=lambda volume: (volume.request_count, volume.day))
    first = f"The members were active on {numbers.count(len(active))} of {numbers.counted(len(days), 'days')}"
    return (
        f"{first}; the busiest was {busiest.day.isoformat()} with {numbers.counted(busiest.request_count, 'requests')} from {numbers.counted(busiest.active_accounts, 'accounts')}."
    )
