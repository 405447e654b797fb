"""DIR/journal.jsonl: what people wrote, one line an entry, append-only, each line chained to the one before.

A line is JSON: `number` (from 1), `at` (UTC), `by`, `kind`, `previous` (SHA-256 of the line before it without its content; 64 zeros for
the first), `content`, `content_sha256` (over the content, which carries a random salt, so that the hash gives nothing away once
the content is gone) and `sha256`, its own hash. The chain does not cover the content itself: an erasure may take an account out of it, and then says which line it changed
and what that line's content hashes to now. Any other change breaks a hash and is an IntegrityError.

A line that does not end in a newline was never finished (a crash while writing): it is left out, and the next writer removes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import IntegrityError
from pipeline.provenance import canonical_json, sha256_bytes, sha256_json

NAME = "journal.jsonl"
FIRST = "0" * 64
KINDS = ("note", "disposition", "allow", "revoke", "erasure")
DISPOSITIONS = ("confirmed", "benign", "duplicate", "unsure")


@dataclass(frozen=True)
class Entry:
    """One line of the journal."""

    number: int
    at: str
    """When it was written, UTC, ISO 8601 to the second."""
    by: str
    kind: str
    content: Mapping[str, Any]
    content_sha256: str
    previous: str

    def head(self) -> dict[str, Any]:
        """What the chain covers: everything but the content."""
        return {"number": self.number, "at": self.at, "by": self.by, "kind": self.kind, "content_sha256": self.content_sha256, "previous": self.previous}

    def sha256(self) -> str:
        """What the next line names as `previous`."""
        return sha256_json(self.head())

    def line(self) -> bytes:
        """The line as it stands in the file."""
        return canonical_json({**self.head(), "content": dict(self.content), "sha256": self.sha256()}) + b"\n"


def read_journal(root: Path) -> tuple[Entry, ...]:
    """Every whole entry of DIR/journal.jsonl in order; none if there is no file. Raises IntegrityError for a line that is not what was written."""
    path = root / NAME
    data = path.read_bytes() if path.is_file() else b""
    entries = tuple(_entry(line, path, number) for number, line in enumerate(whole_lines(data), start=1))
    _check(entries, path)
    return entries


def whole_lines(data: bytes) -> list[bytes]:
    """The lines that end in a newline; what follows the last one was torn off by a crash."""
    return data.split(b"\n")[:-1]


def head_of(entries: Sequence[Entry]) -> str:
    """What the next entry names as `previous`."""
    return entries[-1].sha256() if entries else FIRST


def _entry(line: bytes, path: Path, number: int) -> Entry:
    try:
        found = json.loads(line)
        entry = Entry(found["number"], found["at"], found["by"], found["kind"], found["content"], found["content_sha256"], found["previous"])
        own = found["sha256"]
    except (ValueError, KeyError, TypeError):
        raise _broken(path, number, "is not an entry") from None
    if own != entry.sha256():
        raise _broken(path, number, "is not what was written")
    return entry


def _check(entries: Sequence[Entry], path: Path) -> None:
    """Number, chain and content of each line; a content that an erasure changed must be the one that the erasure names."""
    changed = {int(number): sha for entry in entries if entry.kind == "erasure" for number, sha in entry.content.get("changed", {}).items()}
    previous = FIRST
    for number, entry in enumerate(entries, start=1):
        if entry.number != number or entry.kind not in KINDS:
            raise _broken(path, number, "is out of its place")
        if entry.previous != previous:
            raise _broken(path, number, "does not follow from the line before it")
        if sha256_json(dict(entry.content)) not in (entry.content_sha256, changed.get(number)):
            raise _broken(path, number, "does not hold what was written")
        previous = entry.sha256()


def _broken(path: Path, number: int, what: str) -> IntegrityError:
    return IntegrityError(f"{path}: line {number} {what}. Restore the file from a copy; nothing may be changed in it by hand.")


def content_sha256(content: Mapping[str, Any]) -> str:
    """The hash that a line carries of its content."""
    return sha256_bytes(canonical_json(dict(content)))
