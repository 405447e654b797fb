"""What an account or a network did day by day, and the events around it.

Days and requests come of the run's day tables, lineage of its tables. Sign-ups, changes of status, bans and model releases stand in files of which a run keeps only the
hash: they are shown when these files are given again and are the same.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.evidence.activity import account_days, calendar, day_totals
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.given import Record, account_table, context_folder

Row = Mapping[str, Any]
NO_RECORDS = "Sign-ups and changes of status are in no table of the run: --accounts FILE shows them, if it is the accounts table that the run read."
NO_CONTEXT = "Bans and releases are in no table of the run: --context DIR shows them, if it is the folder that the run read."


@dataclass(frozen=True)
class Event:
    """Something that happened on a day, to how many accounts if it happened to accounts."""

    day: dt.date
    event: str
    """signed_up, first_request, last_request, status, banned, released, or an event of lineage"""
    detail: str
    accounts: int | None


@dataclass(frozen=True)
class Timeline:
    """Days of the window in order and events by day, those outside the window too."""

    days: tuple[Row, ...]
    """day, accounts, requests, input_tokens, output_tokens, rate_limited, errors"""
    events: tuple[Event, ...]
    notes: tuple[str, ...]


def timeline(run: FinishedRun, network_id: str | None, accounts: pl.DataFrame, accounts_file: Path | None, context: Path | None) -> Timeline:
    """In: the network whose lineage is told, if any, and account_id, account_key, first_us, last_us of the accounts. Raises InputError, IntegrityError."""
    days = account_days(run, accounts["account_key"].to_list())
    names = set(accounts["account_id"].to_list())
    events = [*_requests(accounts), *(_lineage(run, network_id) if network_id else ())]
    if accounts_file:
        events += _records(account_table(run, accounts_file, names).values())
    if context:
        found = context_folder(run, context)
        events += _counted("banned", [(_day(when), "") for name, when in found.bans if name in names])
        window = calendar(run)
        events += [Event(_day(when), "released", model, None) for model, when in found.releases if window[0] <= _day(when) <= window[-1]]
    gone = run.dropped_days()
    notes = [f"The tables of {len(gone)} days are gone ({gone[0]} ..): nothing is known of them."] if gone else []
    notes += [note for note, given in ((NO_RECORDS, accounts_file), (NO_CONTEXT, context)) if given is None]
    return Timeline(tuple(day_totals(run, days)), tuple(sorted(events, key=lambda one: (one.day, one.event, one.detail))), tuple(notes))


def _requests(accounts: pl.DataFrame) -> list[Event]:
    """First and last requests in the window, by day."""
    first = _counted("first_request", [(_day(when), "") for when in accounts["first_us"].to_list()])
    return [*first, *_counted("last_request", [(_day(when), "") for when in accounts["last_us"].to_list()])]


def _records(records: Iterable[Record]) -> list[Event]:
    found = list(records)
    signed = [(one.created_at.date(), "") for one in found if one.created_at]
    changed = [(one.status_changed_at.date(), one.status or "unknown") for one in found if one.status_changed_at]
    return [*_counted("signed_up", signed), *_counted("status", changed)]


def _lineage(run: FinishedRun, network_id: str) -> list[Event]:
    rows = run.where("lineage", network_id=network_id).rows(named=True)
    return [Event(row["night"], row["event"], f"with {row['other_id']}" if row["other_id"] else "", row["account_count"]) for row in rows]


def _counted(event: str, days: Iterable[tuple[dt.date, str]]) -> list[Event]:
    return [Event(day, event, detail, count) for (day, detail), count in sorted(Counter(days).items())]


def _day(moment_us: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=moment_us // 86_400_000_000)
