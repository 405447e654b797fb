"""The ledger of the index: the nights before this one, each with its verdict, versions and hashes. No wall clock, host or duration: those are in ledger.jsonl."""

from __future__ import annotations

import datetime as dt

from pipeline import redact
from pipeline.history.nights import EarlierNight
from pipeline.pages import numbers
from pipeline.pages.pieces import Numbering, table
from pipeline.pages.records import Cell, Table
from pipeline.pages.source import Source

_MISSING_NAMED = 5


def ledger_sentence(source: Source) -> str:
    """How many nights there are, how many were good, and which days between them were never judged."""
    nights = source.past.nights
    if not nights:
        return "This is the first night of this output folder."
    good = sum(night.is_good for night in nights)
    missing = _missing(source)
    named = numbers.listed([day.isoformat() for day in missing[-_MISSING_NAMED:]])
    more = f" and {numbers.count(len(missing) - _MISSING_NAMED)} before" if len(missing) > _MISSING_NAMED else ""
    gaps = f" No run speaks for {named}{more}." if missing else ""
    return (
        f"{numbers.counted(len(nights), 'earlier nights').capitalize()}, {numbers.count(good)} good.{gaps} When each ran, where and how long is in ledger.jsonl: `stillhunt runs`."
    )


def _missing(source: Source) -> list[dt.date]:
    """Days without a run between the first earlier night listed and this one."""
    judged = {night.night for night in source.past.nights}
    first, last = min(judged), source.past.night
    return [day for offset in range((last - first).days) if (day := first + dt.timedelta(days=offset)) not in judged]


def ledger_table(source: Source, numbering: Numbering) -> Table:
    """The earlier nights, newest first."""
    nights = list(reversed(source.past.nights))[: source.past.operations.ledger_nights]
    rows = [_row(source, night) for night in nights]
    columns = "Night | Status | Requests # | Refer # | Watch # | Explained # | Version | Configuration | Run | Manifest, first 16 digits"
    return table(numbering, "Earlier nights, the newest first", columns, rows, empty="there is none.")


def _row(source: Source, night: EarlierNight) -> tuple[Cell | str, ...]:
    other = "" if night.config_sha256[:16] == source.facts.config_sha256[:16] else "not tonight's"
    return (
        night.night.isoformat(),
        Cell("OK") if night.is_good else Cell("DEGRADED", note=redact.for_html(night.degraded[0]), tone="strong"),
        numbers.count(night.counts.get("rows_kept")),
        *(numbers.count(night.tiers.get(tier, 0)) for tier in ("refer", "watch", "explained")),
        redact.for_html(night.version),
        Cell(night.config_sha256[:16], note=other, tone="code"),
        Cell(f"runs/{redact.identifier(night.run_id)}/index.html", tone="code"),
        Cell(night.manifest_sha256[:16], tone="code"),
    )
