"""DIR/ledger.jsonl as a table, and the dead man's check: how long ago a run last ended well.

A good run is one that did everything it should have; a degraded one told its operator so when it ended (exit 5) and does not count. Its age is
counted from when it was first finished: asking again and hearing `already done` makes nothing newer, so a log that stopped growing shows. A line that a
crash cut off, or that is not ours, is left out and counted.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.store import read_json

GOOD = ("done", "already done")


@dataclass(frozen=True)
class RunLine:
    """What became of one run. Fields that the ledger or the run does not tell are None."""

    ended_at: dt.datetime
    """UTC."""
    outcome: str
    """done, already done, degraded, interrupted, or the name of the error."""
    night: str | None
    run_id: str | None
    wall_s: float | None
    peak_rss_bytes: int | None
    version: str | None
    config_sha256: str | None
    is_kept: bool
    """Whether DIR/runs still holds it."""
    is_good: bool


@dataclass(frozen=True)
class Ledger:
    """All lines, oldest first, and how many were not readable."""

    lines: tuple[RunLine, ...]
    broken: int

    def last_good(self) -> RunLine | None:
        """The run that ended well and was made last, at the moment when it was first done."""
        first: dict[str, RunLine] = {}
        for line in self.lines:
            if line.is_good and line.run_id:
                first.setdefault(line.run_id, line)
        return max(first.values(), key=lambda line: line.ended_at, default=None)


def read_ledger(root: Path) -> Ledger:
    """The ledger of an output folder; no file gives no lines. Raises InputError if there is no such folder."""
    if not root.is_dir():
        raise InputError(f"{root}: no such folder. Name the output folder of the runs with --out DIR.")
    path = root / "ledger.jsonl"
    texts = [text for text in (path.read_bytes() if path.is_file() else b"").split(b"\n") if text.strip()]
    facts = _Facts(root)
    lines = [line for text in texts if (line := _line(text, facts)) is not None]
    return Ledger(tuple(sorted(lines, key=lambda line: line.ended_at)), len(texts) - len(lines))


def is_late(line: RunLine | None, max_age: dt.timedelta, now: dt.datetime) -> bool:
    """Whether the last good run is older than allowed, or there is none. Exactly as old as allowed is in time."""
    return line is None or now - line.ended_at > max_age


class _Facts:
    """What run.json says of the runs that are still there, each read once."""

    def __init__(self, root: Path) -> None:
        self._root, self._known = root, dict[str, dict[str, Any]]()

    def of(self, run_id: str | None) -> dict[str, Any]:
        if not run_id or Path(run_id).name != run_id:
            return {}
        if run_id not in self._known:
            path = self._root / "runs" / run_id / "run.json"
            self._known[run_id] = read_json(path) if path.is_file() else {}
        return self._known[run_id]


def _line(text: bytes, facts: _Facts) -> RunLine | None:
    try:
        found = json.loads(text)
        started = dt.datetime.fromisoformat(found["started_at"]).astimezone(dt.UTC)
        ended, outcome = started + dt.timedelta(seconds=float(found.get("wall_s") or 0.0)), str(found["outcome"])
        run_id = None if found.get("run_id") is None else str(found["run_id"])
        night, wall, peak = found.get("night"), found.get("wall_s"), found.get("peak_rss_bytes")
        numbers = _number(wall), _number(peak)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    manifest = facts.of(run_id)
    good = outcome in GOOD and not manifest.get("degraded")
    known = manifest.get("version"), manifest.get("config_sha256")
    return RunLine(ended, outcome, None if night is None else str(night), run_id, numbers[0], None if numbers[1] is None else int(numbers[1]), *known, bool(manifest), good)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def parse_age(text: str) -> dt.timedelta:
    """`26h`, `90m`, `2d` as a duration. Raises ValueError."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1].strip(), text[-1:].lower()
    if unit not in units or not number.replace(".", "", 1).isdigit() or float(number) <= 0:
        raise ValueError(text)
    return dt.timedelta(**{units[unit]: float(number)})


def told_age(age: dt.timedelta) -> str:
    """A duration in words: `3 h 20 min`, `2 d 4 h`."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min"
    return f"{hours // 24} d {hours % 24} h"
