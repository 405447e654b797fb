"""The journal of a case: one line for every change, never rewritten, each holding the SHA-256 of the line before it.

    {"seq", "utc", "actor", "action", "details", "object_sha256", "prev_sha256"}

`object_sha256` is the hash of the case as the change left it. The clock stands here and in no report. A journal that was cut, edited or
reordered is recognised, because case.json keeps how many lines it has and the hash of the last.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import IntegrityError
from pipeline.provenance import canonical_json, sha256_bytes

NOTHING = "0" * 64
"""What the first line holds for the line before it."""


@dataclass(frozen=True)
class Head:
    """How far a journal goes: its lines, and the SHA-256 of the last one without its line end."""

    lines: int = 0
    sha256: str = NOTHING


def read_journal(path: Path, head: Head) -> list[dict[str, Any]]:
    """Every line, oldest first; raises IntegrityError unless the chain is whole and passes through `head`.

    Lines after `head` are those of a command that was stopped before it could say so; a last line without its end is none.
    """
    lines = _whole(path)
    previous, reached = NOTHING, head.lines == 0
    entries = []
    for number, line in enumerate(lines, start=1):
        entry = _entry(line)
        if entry is None or entry.get("seq") != number or entry.get("prev_sha256") != previous:
            raise IntegrityError(f"{path}: line {number} does not follow from the line before it: the journal was changed. Restore it from a copy.")
        previous = sha256_bytes(line)
        reached = reached or (number == head.lines and previous == head.sha256)
        entries.append(entry)
    if not reached:
        raise IntegrityError(f"{path}: does not hold the {head.lines} lines that case.json counted: the journal was cut or replaced. Restore it from a copy.")
    return entries


def append(path: Path, head: Head, *, actor: str, action: str, details: dict[str, Any], object_sha256: str) -> Head:
    """Add a line behind those that are there and flush it; gives the new head. Raises IntegrityError if the journal is not whole."""
    read_journal(path, head)
    lines = _whole(path)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    previous = sha256_bytes(lines[-1]) if lines else NOTHING
    entry = {"seq": len(lines) + 1, "utc": moment, "actor": actor, "action": action, "details": details, "object_sha256": object_sha256, "prev_sha256": previous}
    line = canonical_json(entry)
    with path.open("ab") as file:
        file.truncate(sum(len(one) + 1 for one in lines))
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Head(len(lines) + 1, sha256_bytes(line))


def _whole(path: Path) -> list[bytes]:
    """Lines that have their end."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
