"""run.json: what a run was made from, what it made, what it could not do.

`recipe` holds exactly what determines the run and gives it its id; no path, clock, host or thread count is in it. The manifest
adds what came out. Only `measured` may differ between two runs of one id.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from typing import Any

from pipeline import __version__
from pipeline.config import Config
from pipeline.ingest import Context, LogListing
from pipeline.provenance import code_sha256, sha256_json, versions
from pipeline.run.days import WindowDays
from pipeline.run.window import Window
from pipeline.store import DayRecord

SCHEMA = "stillhunt.run/1"


def recipe(days: WindowDays, night: date, listing: LogListing, tables: Mapping[str, str | None], context: Context, config: Config, *, is_night: bool) -> dict[str, Any]:
    """What determines a run. `tables` are hashes of the other tables that go in: accounts and what earlier nights left (None if absent)."""
    return {
        "night": night.isoformat(),
        "is_night": is_night,
        "days": {record.day.isoformat(): record.key for record in days.records},
        "files": [list(file) for file in days.files],
        "skipped": [[file.name, file.reason] for file in listing.skipped],
        "tables": dict(tables),
        "context": dict(context.files or {}),
        "config": config.as_dict(),
        "code": code_sha256(),
        "versions": versions(),
    }


def base_sha256(made_from: Mapping[str, Any]) -> str:
    """Hash of what determines a run, apart from what it replaces: asked for again, it is already done."""
    return sha256_json({key: value for key, value in made_from.items() if key != "replaced"})


def degraded(listing: LogListing, window: Window, config: Config) -> list[str]:
    """Why the run is less than was asked for, in sentences; empty if it is all that was asked for."""
    reasons = [f"{file.name} was skipped: {file.reason}" for file in listing.skipped]
    if not any(day.day == window.night and day.rows_kept for day in window.counts):
        reasons.append(f"{window.night} itself holds no request: only the days before it were judged.")
    rejected = window.rows_read - window.rows_kept - window.duplicates
    if rejected > config.ingest.max_rejected_share * window.rows_read:
        reasons.append(f"{rejected} of {window.rows_read} rows were rejected, more than {config.ingest.max_rejected_share:.2%}. rejects.parquet says which and why.")
    return reasons


def manifest(
    run_id: str, made_from: dict[str, Any], days: WindowDays, window: Window, rejected: Mapping[str, int], stages: Mapping[str, Any], listing: LogListing, config: Config
) -> dict[str, Any]:
    """run.json without pages and `measured`."""
    return {
        "schema": SCHEMA,
        "run_id": run_id,
        "version": __version__,
        "night": made_from["night"],
        "window": _window(window, is_night=made_from["is_night"], config=config),
        "recipe": {**{key: made_from[key] for key in ("code", "context", "is_night", "tables", "replaced") if key in made_from}, "base": base_sha256(made_from)},
        "versions": made_from["versions"],
        "config": made_from["config"],
        "config_sha256": sha256_json(made_from["config"]),
        "seeds": {f"{section}.{key}": value for section, keys in made_from["config"].items() for key, value in keys.items() if "seed" in key},
        "inputs": [_input(file, place) for file, place in days.files.items()],
        "skipped_files": [{"name": file.name, "reason": file.reason} for file in listing.skipped],
        "counts": {"rows_read": window.rows_read, "rows_kept": window.rows_kept, "duplicates_resolved": window.duplicates},
        "rejected": dict(rejected),
        "days": {record.day.isoformat(): _day(record) for record in days.records},
        "stages": dict(stages),
        "degraded": degraded(listing, window, config),
    }


def _window(window: Window, *, is_night: bool, config: Config) -> dict[str, Any]:
    last = window.night
    first = date.fromordinal(last.toordinal() - config.window.window_days + 1) if is_night else window.days[0].day
    return {"first_day": first.isoformat(), "last_day": last.isoformat(), "days": (last - first).days + 1, "days_with_requests": len(window.days)}


def _input(file: tuple[str, str], place: Any) -> dict[str, Any]:
    known = dataclasses.asdict(place)
    return {"name": file[0], "sha256": file[1], **{key: known[key] for key in ("rows", "size_bytes", "conforms")}}


def _day(record: DayRecord) -> dict[str, Any]:
    return {"key": record.key, "files": [{"name": name, "sha256": sha} for name, sha in record.files], "tables": record.tables}
