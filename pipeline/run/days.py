"""Make the day tables that a run lacks, once, and keep them whole in days/date=D.

A day's tables are built in scratch (stage 10 by the ingest, 20 and 21 by functions, 22 by SQL), recorded with the files that made them,
and moved into place as one folder. files.json remembers which days each file holds, so a file that was read is
never read again to find that out.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.config import Config
from pipeline.errors import InputError
from pipeline.ingest import Context, LogFile, LogListing, absolute, folders_of, ingest_days, kept_heap, list_logs, opened_again
from pipeline.provenance import closure_sha256, sha256_bytes, sha256_file, sha256_json
from pipeline.run.dayplan import Examined, FileId, Kept, Listed, Plan, batches, plan_all, plan_window, span_days, together
from pipeline.run.dayworkers import DayWorkers
from pipeline.run.execute import Bench, row_count
from pipeline.run.options import Progress, RunOptions
from pipeline.run.publish import fresh_folder
from pipeline.stages import STAGES
from pipeline.store import DayRecord, Store, read_json, write_json

_MEMO = "files.json"
PART_ROWS = 2_000_000
"""Rows that are read before their days are kept: what a run that is killed has to read again."""
ROWS_TOGETHER = 150_000
"""Rows of small days that one query works on: planning it costs as much as running it on some thousand rows, and a large day runs best alone."""
DAY_STAGES = tuple(stage for stage in STAGES if stage.per_day and not stage.is_edge)


@dataclass(frozen=True)
class Place:
    """Where a file was when it was last listed, its rows, its size in bytes, and whether it conforms to the contract exactly."""

    path: str
    rows: int
    size_bytes: int
    conforms: bool


@dataclass(frozen=True)
class Memo:
    """What is known of files by (name, sha256)."""

    places: dict[FileId, Place]
    examined: dict[FileId, Examined]


@dataclass(frozen=True)
class WindowDays:
    """The days of a window, and the files that this run answers for."""

    records: tuple[DayRecord, ...]
    files: dict[FileId, Place]
    """Files that hold a row of these days; listed files whose rows belong to no day at all too."""
    undated: tuple[Path, ...]
    """Rejected rows of those files that belong to no day."""
    made: tuple[date, ...] = ()
    """Days that were made, or found to be gone, for this run."""

    @property
    def has_requests(self) -> bool:
        """Whether any day kept a row."""
        return any(_kept_rows(record) for record in self.records)

    @property
    def last_day(self) -> date:
        """The last day that kept a row; needs `has_requests`."""
        return max(record.day for record in self.records if _kept_rows(record))


def _kept_rows(record: DayRecord) -> int:
    return int(record.tables["requests"]["rows"])


def made_by(config: Config, context: Context) -> str:
    """Hash of all besides the files that decides a day's tables: ingest settings, known clients, code and SQL."""
    modules = (stage.source.partition(":")[0] for stage in DAY_STAGES if not stage.is_sql)
    code = closure_sha256(("pipeline.ingest", "pipeline.engines", *modules), (stage.source for stage in DAY_STAGES if stage.is_sql))
    return sha256_json({"config": dataclasses.asdict(config.ingest), "preambles": (context.files or {}).get("preambles.toml"), "code": code})


def window_days(night: date, count: int) -> frozenset[date]:
    """The UTC days of the window that ends with night."""
    return frozenset(night - timedelta(days=offset) for offset in range(count))


def keep_days(store: Store, bench: Bench, options: RunOptions, listing: LogListing, context: Context, progress: Progress) -> WindowDays:
    """Make what is missing and return the days of the window that hold rows, in order."""
    maker = made_by(options.config, context)
    files = {(file.name, file.sha256): file for file in listing.files}
    memo = _read_memo(store, maker)
    memo.places.update({key: Place(absolute(file), file.row_count, file.size_bytes, file.conforms) for key, file in files.items()})
    memo.examined.update({key: Examined(frozenset(), None) for key, file in files.items() if not file.row_count})
    window = window_days(options.night, options.config.window.window_days) if options.night else None
    plan = _plan(store, window, files, memo, maker, _deleted(memo, listing, options) if window else frozenset())
    sources = {file: _whole(files[file]) if file in files else _again(file, memo.places[file].path) for file in plan.files}
    spans, rows = {file: span_days(log.first_us, log.last_us) for file, log in sources.items()}, {file: log.row_count for file, log in sources.items()}
    parts = list(batches(plan, spans, rows, PART_ROWS))
    with kept_heap(), DayWorkers(bench, options.threads, options.memory_bytes, store.scratch / "spill") as workers:
        if len(parts) > 1:
            workers.open()
        for part in parts:
            folder = fresh_folder(store.scratch / "days")
            bench.timed("10 requests", lambda part=part, folder=folder: _ingest([sources[file] for file in part.files], part, folder, context, options, progress))  # type: ignore[misc]
            _keep(store, workers, folder, part, memo, maker, progress)
            _write_memo(store, memo, maker)
    if not plan.files:
        _drop(store, plan.days or ())
    _write_memo(store, memo, maker)
    found = _window(store, window, frozenset(files), memo)
    return dataclasses.replace(found, made=tuple(sorted(plan.days if plan.days is not None else (record.day for record in found.records))))


def kept_window(store: Store, options: RunOptions, listing: LogListing, context: Context) -> WindowDays:
    """The days of a night's window as they are kept; none is made."""
    memo = _read_memo(store, made_by(options.config, context))
    window = window_days(options.night, options.config.window.window_days) if options.night else None
    return _window(store, window, frozenset((file.name, file.sha256) for file in listing.files if (file.name, file.sha256) in memo.places), memo)


def _whole(file: LogFile) -> LogFile:
    """A file of the listing with its row groups, which are not remembered."""
    return file if file.groups or not file.row_count else opened_again(file)


def _deleted(memo: Memo, listing: LogListing, options: RunOptions) -> frozenset[FileId]:
    """Files that were read before and are gone from a folder that still stands and that LOGS names.

    A folder that is gone as a whole was retired: its days stay as they are kept.
    """
    here = {absolute(file) for file in (*listing.files, *listing.elsewhere)}
    folders = folders_of(options.logs)
    gone = {file: Path(place.path) for file, place in memo.places.items() if place.path not in here}
    return frozenset(file for file, path in gone.items() if any(path.is_relative_to(folder) for folder in folders) and path.parent.is_dir() and not path.exists())


def _window(store: Store, window: frozenset[date] | None, listed: frozenset[FileId], memo: Memo) -> WindowDays:
    days = window if window is not None else {day for file in listed for day in memo.examined[file].days}
    records = tuple(record for record in map(store.day_record, sorted(days)) if record is not None)
    dayless = {file for file in listed if window is None or (file in memo.examined and not memo.examined[file].days)}
    files = sorted({file for record in records for file in record.files} | dayless)
    undated = (undated_path(store, file) for file in files)
    return WindowDays(records, {file: memo.places[file] for file in files}, tuple(path for path in undated if path.is_file()))


def _plan(store: Store, window: frozenset[date] | None, files: Mapping[FileId, LogFile], memo: Memo, maker: str, deleted: frozenset[FileId]) -> Plan:
    listed = {file: Listed(file, absolute(item), span_days(item.first_us, item.last_us)) for file, item in files.items()}
    records = [record for record in map(store.day_record, window or store.kept_days()) if record is not None]
    kept = {record.day: Kept(frozenset(record.files), record.key == day_key(maker, record.files)) for record in records}
    if window is None:
        return plan_all(listed, memo.examined, kept)
    return plan_window(window, listed, memo.examined, kept, {file: place.path for file, place in memo.places.items()}, deleted)


def day_key(maker: str, files: Iterable[FileId]) -> str:
    """What a kept day is recognised by."""
    return sha256_json([maker, sorted(files)])


def _again(file: FileId, path: str) -> LogFile:
    """A file that made a day before and is not listed now. Raises InputError if it is gone or changed."""
    name, sha256 = file
    if not Path(path).is_file() or sha256_file(Path(path)) != sha256:
        raise InputError(
            f"{path}: made a day that has to be made again (another file of that day came or changed, or the settings or the version of stillhunt did), "
            "and is gone or changed. Name all files of that day as LOGS, or replay the nights from the logs that are left into another --out."
        )
    return dataclasses.replace(list_logs([path], on_bad_file="fail").files[0], name=name)


def _ingest(files: list[LogFile], plan: Plan, folder: Path, context: Context, options: RunOptions, progress: Progress) -> None:
    """Stage 10. Raises InputError if a file was written to meanwhile: what was read of it is not what its hash says."""
    ingest_days(files, plan.days, folder, context, options.config.ingest, threads=options.threads, memory_bytes=options.memory_bytes, progress=progress)
    changed = [file.name for file in files if file.is_changed]
    if changed:
        raise InputError(f"{', '.join(changed)}: changed while it was being read, and nothing of its days was kept. Run again when the export is finished.")


def _keep(store: Store, workers: DayWorkers, folder: Path, plan: Plan, memo: Memo, maker: str, progress: Progress) -> None:
    made = {date.fromisoformat(path.name.removeprefix("date=")): path for path in sorted(folder.glob("date=*"))}
    sha = dict(plan.files)
    holders = {day: {file: sha[file] for file in _sources(path)} for day, path in made.items()}
    done, counts = 0, {day: row_count(path / "requests.parquet") for day, path in made.items()}
    groups = [{day: made[day] for day in some} for some in together(counts, ROWS_TOGETHER)]
    for some in workers.make(groups, max(counts.values(), default=0)):
        progress("days", done, len(made))
        for day, rows in some.items():
            files = tuple(sorted(holders[day].items()))
            store.keep_day(made[day], day, day_key(maker, files), files, rows)
        done += len(some)
    progress("days", len(made), len(made))
    _drop(store, [day for day in plan.days or () if day not in made])  # the corrected files hold no row of it any more
    _keep_undated(store, folder / "undated" / "rejects.parquet", sha)
    for file in plan.files:
        held = frozenset(day for day in made if file[0] in holders[day])
        memo.examined[file] = _merged(memo.examined.get(file), Examined(held, plan.days))


def _drop(store: Store, days: Iterable[date]) -> None:
    for day in days:
        shutil.rmtree(store.day_folder(day), ignore_errors=True)


def _merged(before: Examined | None, now: Examined) -> Examined:
    if before is None or now.looked_for is None:
        return now
    return Examined(before.days | now.days, None if before.looked_for is None else before.looked_for | now.looked_for)


def _sources(folder: Path) -> list[str]:
    """Names of the files with a kept or rejected row in a day's tables."""
    names = set[str]()
    for table in ("requests", "rejects"):
        path = folder / f"{table}.parquet"
        if path.is_file():
            names.update(pl.scan_parquet(path).select(pl.col("source_file").unique()).collect().to_series().to_list())
    return sorted(names)


def undated_path(store: Store, file: FileId) -> Path:
    """Where the rejected rows of a file that belong to no day are kept."""
    return store.days / "undated" / f"{sha256_bytes(chr(0).join(file).encode())[:32]}.parquet"


def _keep_undated(store: Store, source: Path, sha: Mapping[str, str]) -> None:
    if not source.is_file():
        return
    (store.days / "undated").mkdir(parents=True, exist_ok=True)
    for (name,), rows in pl.read_parquet(source).partition_by("source_file", as_dict=True).items():
        path = undated_path(store, (str(name), sha[str(name)]))
        fresh = path.with_suffix(".new")
        rows.write_parquet(fresh)
        fresh.replace(path)


def _read_memo(store: Store, maker: str) -> Memo:
    path = store.root / _MEMO
    memo = Memo({}, {})
    for item in read_json(path)["files"] if path.is_file() else []:
        file = (item["name"], item["sha256"])
        memo.places[file] = Place(**item["place"])
        if item["made_by"] == maker:
            memo.examined[file] = Examined(_days(item["days"]), None if item["looked_for"] is None else _days(item["looked_for"]))
    return memo


def _days(texts: Iterable[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)


def _write_memo(store: Store, memo: Memo, maker: str) -> None:
    path = store.root / _MEMO
    fresh = {"files": [_memo_entry(file, place, memo.examined.get(file), maker) for file, place in sorted(memo.places.items())]}
    if not path.is_file() or read_json(path) != fresh:
        write_json(path, fresh)


def _memo_entry(file: FileId, place: Place, known: Examined | None, maker: str) -> dict[str, Any]:
    held, sought = (known.days, known.looked_for) if known else (frozenset(), frozenset())
    days = {"days": sorted(day.isoformat() for day in held), "looked_for": None if sought is None else sorted(day.isoformat() for day in sought)}
    return {"name": file[0], "sha256": file[1], "place": dataclasses.asdict(place), "made_by": maker if known else "", **days}
