"""`gc`: days older than the configured age and runs that no night points to, with what is lost by dropping them.

Day tables hold fingerprints of prompts, addresses and devices: personal data that may not be kept longer than they are needed. Dropped are day tables older than the
age (counted in UTC days from today), runs that another has superseded, and scratch that a killed run left. Kept are `latest`, every run that speaks for a night,
and whatever a case holds, with the days its window is made of. Folders leave in one step each, so a stop on the way loses nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipeline.operations.canary import WORK, canary_folder
from pipeline.operations.holds import Holds, read_holds
from pipeline.store import Store, read_json

DEFAULT_KEEP_DAYS = 90
_GONE = "gc-"


@dataclass(frozen=True)
class Loss:
    """One folder that would go."""

    what: str
    """day, run or scratch."""
    name: str
    size_bytes: int
    lost: str
    """What cannot be had any more, in words."""


@dataclass(frozen=True)
class Kept:
    """One folder that would go, but is held."""

    what: str
    name: str
    because: str


@dataclass(frozen=True)
class Plan:
    """What gc would do."""

    before: date
    """Days before this one are older than the configured age."""
    losses: tuple[Loss, ...]
    kept: tuple[Kept, ...]
    warnings: tuple[str, ...]


def plan(store: Store, keep_days: int, today: date) -> Plan:
    """What would go. Reads only. `keep_days` counts today's UTC day as the first."""
    before = today - timedelta(days=keep_days - 1)
    holds = read_holds(store.root)
    latest = _latest(store)
    old = [day for day in store.kept_days() if day < before]
    day_holds = _held_days(store, holds)
    superseded = _superseded(store, latest)
    losses = [_day_loss(store, day) for day in old if day not in day_holds]
    losses += [_run_loss(store, run) for run in superseded if run not in holds.runs]
    losses += [Loss("scratch", path.name, _size(path), "working tables of a run; nothing that a kept day or run does not hold") for path in _scratch(store)]
    kept = [Kept("day", day.isoformat(), _held_by(day_holds[day])) for day in old if day in day_holds]
    kept += [Kept("run", run, _held_by(holds.runs[run])) for run in superseded if run in holds.runs]
    return Plan(before, tuple(losses), tuple(kept), _warnings(store, latest, before))


def apply(store: Store, found: Plan) -> int:
    """Drop what the plan names; gives the bytes. The caller holds the store's lock since the plan was made."""
    if any(loss.name == WORK for loss in found.losses):
        with canary_folder(store.root):  # empties it, unless a canary run is at work there
            pass
    folders = {"day": store.days, "run": store.runs, "scratch": store.scratch}
    for loss in (one for one in found.losses if one.name != WORK):
        path = folders[loss.what] / (f"date={loss.name}" if loss.what == "day" else loss.name)
        gone = store.scratch / f"{_GONE}{loss.name}"
        store.scratch.mkdir(exist_ok=True)
        shutil.rmtree(gone, ignore_errors=True)
        path.rename(gone)  # in one step: nothing is ever half there
        if gone.is_dir():
            shutil.rmtree(gone)
        else:
            gone.unlink()
    return sum(loss.size_bytes for loss in found.losses)


def _latest(store: Store) -> str | None:
    link = store.root / "latest"
    return link.readlink().name if link.is_symlink() else None


def _superseded(store: Store, latest: str | None) -> list[str]:
    """Runs that no night points to."""
    spoken = {*store.nights().values(), latest}
    return sorted(path.name for path in store.runs.glob("*") if path.is_dir() and path.name not in spoken)


def _held_days(store: Store, holds: Holds) -> dict[date, tuple[str, ...]]:
    """Days of the windows of held runs, each with the cases that hold them."""
    held: dict[date, set[str]] = {}
    for run, cases in holds.runs.items():
        path = store.run_folder(run) / "run.json"
        for day in read_json(path)["days"] if path.is_file() else ():
            held.setdefault(date.fromisoformat(day), set()).update(cases)
    return {day: tuple(sorted(cases)) for day, cases in held.items()}


def _held_by(cases: Iterable[str]) -> str:
    return f"held by {', '.join(cases)}"


def _day_loss(store: Store, day: date) -> Loss:
    record = store.day_record(day)
    rows = record.tables.get("requests", {}).get("rows", 0) if record else 0
    accounts = record.tables.get("account_days", {}).get("rows", 0) if record else 0
    words = f"fingerprints of {rows:,} requests of {accounts:,} accounts"
    return Loss("day", day.isoformat(), _size(store.day_folder(day)), words)


def _run_loss(store: Store, run: str) -> Loss:
    path = store.run_folder(run) / "run.json"
    night = read_json(path)["night"] if path.is_file() else "unknown"
    return Loss("run", run, _size(store.run_folder(run)), f"tables and pages of a judgement of night {night} that another has superseded")


def _scratch(store: Store) -> list[Path]:
    canary = [store.root / WORK] if (store.root / WORK).is_dir() else []
    return [*(sorted(store.scratch.iterdir()) if store.scratch.is_dir() else []), *canary]


def _size(path: Path) -> int:
    """Bytes of a folder's files, or of a file."""
    return sum(one.stat().st_size for one in ([path] if path.is_file() else path.rglob("*")) if one.is_file())


def _warnings(store: Store, latest: str | None, before: date) -> tuple[str, ...]:
    path = store.run_folder(latest) / "run.json" if latest else None
    if path is None or not path.is_file():
        return ()
    short = [day for day in sorted(read_json(path)["days"]) if date.fromisoformat(day) < before]
    if not short:
        return ()
    lost = "`explain` and rebuilt pages lack their rows, and the next run reads them again if the logs still hold them"
    return (f"{len(short)} days of the latest run's window are older than this: {lost}.",)
