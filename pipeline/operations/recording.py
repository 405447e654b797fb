"""Write to the journal: one line after the other, flushed before the command says that it is done.

One writer at a time: DIR/.journal.lock is held for the moment of writing only, so that an analyst's note does not wait for a run, which
reads the journal once when it starts. A line that a crash tore off is removed before the next one is added; everything before it stays as it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, LockHeld
from pipeline.history.journal import NAME, Entry, content_sha256, head_of, read_journal, whole_lines
from pipeline.store import storage_errors

WAIT_S = 10.0


@contextlib.contextmanager
def journal_lock(root: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the journal of DIR, waiting up to some seconds. Raises LockHeld, StorageError, and InputError where DIR is no folder."""
    if not root.is_dir():
        raise InputError(f"{root}: no such folder. Name the output folder of the runs with --out DIR.")
    with storage_errors(root):
        handle = os.open(root / ".journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        end = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise LockHeld(f"{root / NAME}: somebody else is writing to it. Try again in a moment.") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def record(root: Path, kind: str, content: Mapping[str, Any], by: str, at: dt.datetime | None = None) -> Entry:
    """Add one entry and flush it; gives it. Raises IntegrityError if the journal is not what was written, LockHeld, StorageError, InputError."""
    with journal_lock(root):
        return append(root, kind, content, by, at)


def append(root: Path, kind: str, content: Mapping[str, Any], by: str, at: dt.datetime | None = None) -> Entry:
    """The same for a caller that holds the journal."""
    entries = read_journal(root)
    salted = {**content, "salt": secrets.token_hex(16)}
    moment = (at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = Entry(len(entries) + 1, moment, by, kind, salted, content_sha256(salted), head_of(entries))
    with storage_errors(root):
        _add(root / NAME, entry.line())
    return entry


def _add(path: Path, line: bytes) -> None:
    is_new = not path.exists()
    with path.open("r+b" if not is_new else "w+b") as file:
        data = file.read()
        file.truncate(sum(len(whole) + 1 for whole in whole_lines(data)))  # a torn last line goes
        file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
