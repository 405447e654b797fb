"""What other nights of the folder mean for one night: what it follows, what it replaces, and which nights before it must be judged again.

A night follows the last one judged before it. When late, corrected or deleted files have changed the days of a night that was
judged, or the night it follows was judged again, it is stale: it is judged again, in date order, before the night that was asked for. So ids and lineage are always those of
a replay of the nights in date order over the logs as they are now, save that published ids stay and that superseded lines are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.schema import Table
from pipeline.stages import TABLES
from pipeline.stages.frames import conform
from pipeline.store import Store

EARLIER = {"earlier_networks": "known_networks", "earlier_values": "known_values", "earlier_lineage": "lineage", "earlier_returns": "returned_values"}
"""Table that stage 80 reads <- published table that the night before left."""
REPLACED = {"published_networks": "known_networks", "published_lineage": "lineage"}
"""Table that stage 80 reads <- published table of the last night that was judged already, if that is this night or a later one."""

SPOKEN = {"published_tonight": "known_networks"}
"""The same, of this night itself: its networks as they were then."""


def previous_of(nights: Mapping[date, str], night: date) -> date | None:
    """The last night judged before this one; None if there is none."""
    return max((day for day in nights if day < night), default=None)


def earlier_tables(store: Store, nights: Mapping[date, str], previous: date | None) -> dict[str, Path]:
    """Tables that the night before left, by the name under which stage 80 reads them."""
    return _tables(store, nights[previous], EARLIER) if previous else {}


def replaced_tables(store: Store, nights: Mapping[date, str], night: date) -> dict[str, Path]:
    """Tables of what was published for this night before, or for nights after it; empty if nothing was."""
    last = max(nights, default=None)
    if last is None or last < night:
        return {}
    return _tables(store, nights[last], REPLACED) | (_tables(store, nights[night], SPOKEN) if night in nights else {})


def _tables(store: Store, run_id: str, names: Mapping[str, str]) -> dict[str, Path]:
    paths = {name: store.run_folder(run_id) / "tables" / f"{source}.parquet" for name, source in names.items()}
    return {name: path for name, path in paths.items() if path.is_file()}


def stale_nights(store: Store, night: date, window_days: int) -> list[date]:
    """Judged nights before this one, as far back as its window, from the first one that is stale.

    A night that reaches back to days that are no longer kept is left as it was judged: it would be judged on less.
    """
    nights, first_day = store.nights(), night - timedelta(days=window_days - 1)
    records = {day: store.day_record(day) for day in (first_day + timedelta(days=offset) for offset in range(window_days))}
    kept = {day: set(record.files) for day, record in records.items() if record is not None}
    found: list[date] = []
    for day in sorted(day for day in nights if first_day <= day < night):
        manifest = store.finished(nights[day])
        if manifest is None or not manifest["recipe"]["is_night"] or not _can_be_judged(store, manifest, first_day):
            continue
        if found or _follows_another(store, nights, day, manifest) or _has_other_files(kept, day, manifest, first_day):
            found.append(day)
    return found


def _can_be_judged(store: Store, manifest: Mapping[str, Any], first_day: date) -> bool:
    return all(store.day_folder(day).is_dir() for day in map(date.fromisoformat, manifest["days"]) if day < first_day)


def _has_other_files(kept: Mapping[date, set[tuple[str, str]]], night: date, manifest: Mapping[str, Any], first_day: date) -> bool:
    """Whether a day that both nights see is made from other files now than when the night was judged."""
    then = {date.fromisoformat(day): {(file["name"], file["sha256"]) for file in made["files"]} for day, made in manifest["days"].items()}
    return any(kept.get(day, set()) != then.get(day, set()) for day in (first_day + timedelta(days=offset) for offset in range((night - first_day).days + 1)))


def _follows_another(store: Store, nights: Mapping[date, str], night: date, manifest: Mapping[str, Any]) -> bool:
    """Whether the night before it was judged again, or a night between was judged first, since."""
    before, now = manifest["recipe"]["tables"].get("previous_night"), previous_of(nights, night)
    if now is None or (before is not None and before > now.isoformat()):
        return False
    if before != now.isoformat():
        return True
    left = store.finished(nights[now])
    then = manifest["recipe"]["tables"]
    return left is not None and any(left["tables"][source]["sha256"] != then.get(name) for name, source in EARLIER.items() if source in left["tables"])


def read_table(path: Path, table: Table) -> pl.DataFrame:
    """A table that an earlier run published, as this version has it: what a version before did not write down is null, or what follows from the rest."""
    found = pl.read_parquet(path)
    missing = [column.name for column in table.columns if column.name not in found.columns]
    known = {name: value for name, value in _SINCE.items() if name in missing}
    return conform(found.with_columns(**known), table)


def _at(column: str, moment: time) -> pl.Expr:
    return pl.col(column).dt.combine(moment, time_unit="us").dt.replace_time_zone("UTC")


_SINCE: dict[str, pl.Expr] = {
    "first_flagged_night": pl.lit(None, dtype=pl.Date),
    "tier": pl.lit(None, dtype=pl.String),
    "first_seen_at": _at("first_night", time.min),
    "last_seen_at": _at("last_night", time.max),
    "matched_by": pl.lit(None, dtype=pl.String),
    "matched_bits": pl.lit(None, dtype=pl.Float64),
    "is_superseded": pl.lit(value=False),
}
"""Columns that tables of the first layout lack, and what stands for them."""


def is_of_before(path: Path, name: str) -> bool:
    """Whether a published table lacks a column of today's."""
    return bool(set(TABLES[name].column_names) - set(pl.read_parquet_schema(path)))
