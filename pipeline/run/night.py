"""run_night: one window from logs to published pages; run_nights: several, in date order.

Everything is made beside the published runs and moved into place at the end; `latest` is switched last. The same
inputs, settings, code and prior state are recognised before any stage runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import platform
import shutil
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.engines.duckdb import DuckEngine
from pipeline.errors import InputError, MemoryTooSmall
from pipeline.history import Past, health_of, read_past
from pipeline.ingest import Context, LogListing, account_records, blind_spots, context_events, coverage_of, list_logs, read_context
from pipeline.ingest.columns import READ_COLUMNS
from pipeline.pages.error_rates import Validation, choose, find_validations, summary
from pipeline.provenance import run_id, sha256_file
from pipeline.run.days import WindowDays, keep_days, kept_window
from pipeline.run.execute import Bench, empty, flat_settings, peak_rss_bytes
from pipeline.run.history import earlier_tables, is_of_before, previous_of, read_table, replaced_tables, stale_nights
from pipeline.run.manifest import base_sha256, manifest, recipe
from pipeline.run.options import MINIMUM_MEMORY_BYTES, Progress, RunOptions, RunOutcome
from pipeline.run.publish import count_tiers, fresh_folder, lay_out, write_manifest, write_pages, write_rejects
from pipeline.run.remembered import remember, remembered_files
from pipeline.run.window import Window, footer_counts, read_window
from pipeline.stages import STAGES, TABLES
from pipeline.store import Store, open_store

SPILL = "spill"
"""Folder of DIR/scratch where the engine puts what does not fit in memory."""


class NoRequests(InputError):
    """The logs hold no usable request in the window."""


def run_night(options: RunOptions, progress: Progress) -> RunOutcome:
    """Judge one window. Raises StillhuntError; writes a line to the ledger however it ends."""
    if options.memory_bytes < MINIMUM_MEMORY_BYTES:
        raise MemoryTooSmall(f"--memory of {options.memory_bytes} bytes is below {MINIMUM_MEMORY_BYTES}, which every run needs. Raise --memory.")
    with open_store(options.out) as store, _ledger(store) as entry:
        with DuckEngine(threads=options.threads, memory_bytes=options.memory_bytes, temp_dir=store.scratch / SPILL) as engine:
            outcome = _night(store, Bench(engine, options.config, store.scratch), options, progress)
        entry |= {"run_id": outcome.run_id, "night": outcome.night.isoformat(), "outcome": "already done" if outcome.already_done else "degraded" if outcome.degraded else "done"}
        entry |= {name: [day.isoformat() for day in found] for name, found in (("days_made", outcome.days_made), ("judged_again", outcome.judged_again)) if found}
        return outcome


def run_nights(options: RunOptions, since: date, until: date, progress: Progress) -> list[RunOutcome]:
    """Replay the nights from since to until in date order, each judged on its own window. Nights without a request in their window are left out."""
    outcomes = []
    for offset in range((until - since).days + 1):
        with contextlib.suppress(NoRequests):
            outcomes.append(run_night(dataclasses.replace(options, night=since + timedelta(days=offset)), progress))
    if not outcomes:
        raise NoRequests(f"no usable request in any window from {since} to {until}. Check LOGS, --since and --until.")
    return outcomes


@contextlib.contextmanager
def _ledger(store: Store) -> Iterator[dict[str, Any]]:
    """Write one line about the run when it ends, whatever the end."""
    entry: dict[str, Any] = {"started_at": dt.datetime.now(dt.UTC).isoformat(), "host": platform.node(), "process": os.getpid(), "outcome": "interrupted"}
    began = time.perf_counter()
    try:
        yield entry
    except Exception as error:
        entry["outcome"] = type(error).__name__
        raise
    finally:
        entry |= {"wall_s": round(time.perf_counter() - began, 3), "peak_rss_bytes": int(peak_rss_bytes())}
        with contextlib.suppress(OSError):  # a full disk must not hide why the run ended
            store.append_ledger(entry)


@dataclasses.dataclass(frozen=True)
class _Case:
    """A window that is known but not yet judged."""

    run_id: str
    made_from: dict[str, Any]
    night: date
    days: WindowDays
    earlier: dict[str, Path]
    """Tables that nights before left, and those that this judgement replaces."""
    previous_night: date | None
    past: Past
    """What earlier nights and people left for the pages; no stage reads it."""
    listing: LogListing
    context: Context
    quoted: Validation | None
    """The error rates that the pages quote."""


def _night(store: Store, bench: Bench, options: RunOptions, progress: Progress) -> RunOutcome:
    """List, keep days, recognise or judge, point to the result."""
    progress("logs", 0, 1)
    listing, context = _listed(store, options), read_context(options.context)
    account_records(options.accounts, empty(TABLES["account_ids"]), context)  # a broken accounts table ends the run before anything is written
    progress("logs", 1, 1)
    days = keep_days(store, bench, options, listing, context, progress)
    remember(store, (*listing.files, *listing.elsewhere))
    if not days.has_requests:
        where = f" in the window of night {options.night}" if options.night else ""
        raise NoRequests(f"{' '.join(options.logs)}: no usable request{where}. Look at the logs with: stillhunt check")
    again = _judge_again(store, bench, options, listing, context, progress)
    case = _case(store, options, days, listing, context)
    known = store.finished(case.run_id)
    result = known if known is not None else _judge(case, store, bench, options, progress)
    store.point_to(case.run_id, case.night)
    return dataclasses.replace(_outcome(result, store.run_folder(case.run_id), case.night, already_done=known is not None), judged_again=again, days_made=days.made)


def _listed(store: Store, options: RunOptions) -> LogListing:
    """The log files; of a night's, only those that may hold a row of its window are read."""
    within = None
    if options.night:
        last = dt.datetime.combine(options.night, dt.time.max, dt.UTC)
        within = (_micros(last - dt.timedelta(days=options.config.window.window_days)) + 1, _micros(last))
    return list_logs(options.logs, on_bad_file=options.on_bad_file, known=remembered_files(store), within=within, apart=options.not_logs)


def _micros(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _judge_again(store: Store, bench: Bench, options: RunOptions, listing: LogListing, context: Context, progress: Progress) -> tuple[date, ...]:
    """Judge the stale nights before this one again, in date order; gives those whose result changed. `latest` stays."""
    changed = []
    for night in stale_nights(store, options.night, options.config.window.window_days) if options.night else ():
        then = dataclasses.replace(options, night=night)
        days = kept_window(store, then, listing, context)
        if days.has_requests:
            case = _case(store, then, days, listing, context)
            if store.finished(case.run_id) is None:
                _judge(case, store, Bench(bench.engine, options.config, store.scratch), then, progress)
            changed += [night] if store.nights().get(night) != case.run_id else []
            store.speak(case.run_id, night)
    return tuple(changed)


def _case(store: Store, options: RunOptions, days: WindowDays, listing: LogListing, context: Context) -> _Case:
    night, nights = options.night or days.last_day, store.nights()
    previous = previous_of(nights, night)
    earlier = earlier_tables(store, nights, previous)
    quoted = choose(find_validations(options.out), options.config)
    hashes = {"accounts": sha256_file(options.accounts) if options.accounts else None, **{name: sha256_file(path) for name, path in earlier.items()}}
    hashes["validation"] = sha256_file(quoted.path) if quoted else None
    past = read_past(store, night)
    hashes |= past.hashes()
    made_from = recipe(days, night, listing, {**hashes, "previous_night": previous.isoformat() if previous else None}, context, options.config, is_night=options.night is not None)
    spoken = store.finished(nights[night]) if night in nights else None
    if spoken is not None and spoken["recipe"].get("base") == base_sha256(made_from):
        return _Case(spoken["run_id"], made_from, night, days, earlier, previous, past, listing, context, quoted)
    replaced = replaced_tables(store, nights, night)
    made_from |= {"replaced": {name: sha256_file(path) for name, path in replaced.items()}} if replaced else {}
    return _Case(run_id(made_from), made_from, night, days, earlier | replaced, previous, past, listing, context, quoted)


def _judge(case: _Case, store: Store, bench: Bench, options: RunOptions, progress: Progress) -> dict[str, Any]:
    """Walk the stages over the window, lay the run out, put it in place; gives run.json."""
    bench.folder = _own_scratch(store, case.run_id)
    window = read_window(case.days.records, case.night, case.days.undated)
    edge = _lay_edge(bench, case, window, options)
    records = next(stage for stage in STAGES if "account_records" in stage.writes)  # not published: only a hash tells whether a file is what the run had
    stages = {records.label: bench.account(records)} | bench.walk({**flat_settings(options.config), "night": case.night, "first_day": case.days.records[0].day}, progress)
    folder = fresh_folder(bench.folder / "publish")
    tables = lay_out(bench, dict(bench.frame("network_ids").iter_rows()), folder)
    rejected = write_rejects(window.rejects, folder / "rejects.parquet")
    result = manifest(case.run_id, case.made_from, case.days, window, rejected, stages, case.listing, options.config)
    result |= edge | {"tables": tables, "tiers": count_tiers(folder), "error_rates": summary(case.quoted.document, options.config) if case.quoted else None}
    result["counts"] |= {"accounts": tables["accounts"]["rows"], "networks": tables["networks"]["rows"]}
    if options.pages:
        result["health"] = health_of([(record.day, record.folder) for record in window.days], folder / "tables" / "accounts.parquet")
        bench.timed("90 pages", lambda: write_pages(bench, folder, result, options.config, case.past, progress))
    result = write_manifest(folder, result, _measured(bench, options))
    store.replace_folder(folder, store.run_folder(case.run_id))
    return result


def _own_scratch(store: Store, name: str) -> Path:
    """The scratch folder of this run; that of any other run is removed."""
    for other in store.scratch.iterdir():
        if other.name not in (name, SPILL):  # the engine is using its spill folder now
            shutil.rmtree(other, ignore_errors=True)
    folder = store.scratch / name
    folder.mkdir(exist_ok=True)
    return folder


def _lay_edge(bench: Bench, case: _Case, window: Window, options: RunOptions) -> dict[str, Any]:
    """Put on the bench what no rule makes: the days' tables, account records, blind spots, the night, what earlier nights left; gives their part of run.json."""
    bench.tables = {name: window.files(name) for stage in STAGES if stage.per_day for name in stage.writes}
    ids = bench.frame("account_ids")
    accounts = account_records(options.accounts, ids, case.context)
    footers = {} if options.night else {name: count for name, count in footer_counts(case.listing.files).items() if name not in READ_COLUMNS}
    coverage = coverage_of(window.non_null, window.rows_kept, accounts.coverage, ids=ids, unread=footers)
    bench.put("account_records", accounts.records)
    bench.put("blind_spots", blind_spots(coverage, case.context))
    bench.put("context_events", context_events(case.context, accounts.records))
    night = {"night": [case.night], "first_day": [window.days[0].day], "day_count": [len(window.days)], "previous_night": [case.previous_night]}
    bench.put("night", pl.DataFrame(night, schema_overrides={"previous_night": pl.Date}))
    for name, path in case.earlier.items():
        if is_of_before(path, name):
            bench.put(name, read_table(path, TABLES[name]))
        else:
            bench.tables[name] = [path]
    misfits, unknown = dict(accounts.misfits), list(accounts.unknown_columns)
    return {
        "coverage": {column: {"non_null": count, "rows": coverage.rows} for column, count in sorted(coverage.row_counts.items())},
        "accounts_table": {"values": dict(coverage.record_counts), "misfits": misfits, "unknown_columns": unknown, "accounts": coverage.accounts},
    }


def _measured(bench: Bench, options: RunOptions) -> dict[str, Any]:
    """What may differ between two runs of one id."""
    return {"stages": bench.measured, "peak_rss_bytes": peak_rss_bytes(), "threads": options.threads, "memory_bytes": options.memory_bytes}


def _outcome(result: dict[str, Any], folder: Path, night: date, *, already_done: bool) -> RunOutcome:
    return RunOutcome(result["run_id"], night, folder, already_done, tuple(result["degraded"]), result["tiers"], result)
