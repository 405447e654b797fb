"""The output folder on disk: what is in it is whole, or it is not there.

Every file is written beside its place, flushed, and renamed into it; folders are renamed as one; the folder that holds
them is flushed too. One run at a time holds the lock. A process killed at any moment leaves days and runs that are
complete, scratch that the next run may use or delete, and nothing in between.

    DIR/.lock  DIR/layout.json  DIR/ledger.jsonl  DIR/nights.json  DIR/latest -> runs/<run_id>
    DIR/days/date=D/  DIR/runs/<run_id>/  DIR/scratch/
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, IntegrityError, LockHeld, StorageError
from pipeline.provenance import canonical_json, sha256_file

MADE = "made.json"
LAYOUT = 2
"""Of the folder. 1: before stage 80 wrote known_values and returned_values; its days are made again where the code that makes them changed, its nights are read as they are."""


@dataclass(frozen=True)
class DayRecord:
    """What made one day's tables, as days/date=D/made.json says."""

    day: date
    key: str
    """SHA-256 over the files that hold rows of the day, the ingest settings and the code that made the tables."""
    files: tuple[tuple[str, str], ...]
    """(name, sha256) of those files, sorted."""
    tables: dict[str, dict[str, Any]]
    """Per table: rows, bytes, sha256. Empty when the files turned out to hold no row of the day."""
    folder: Path


class Store:
    """One output folder, open for writing while the lock is held (see `open_store`)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.days, self.runs, self.scratch = root / "days", root / "runs", root / "scratch"

    def day_folder(self, day: date) -> Path:
        """Where the tables of a day are kept."""
        return self.days / f"date={day.isoformat()}"

    def day_record(self, day: date) -> DayRecord | None:
        """The record of a kept day; None if the day is not kept or a file of it is missing or of another size."""
        folder = self.day_folder(day)
        try:
            made = json.loads((folder / MADE).read_bytes())
            whole = all((folder / f"{name}.parquet").stat().st_size == table["bytes"] for name, table in made["tables"].items())
        except (OSError, ValueError, KeyError):
            return None
        return DayRecord(day, made["key"], tuple((name, sha) for name, sha in made["files"]), made["tables"], folder) if whole else None

    def kept_days(self) -> tuple[date, ...]:
        """Days with a folder, in order; each still has to pass `day_record`."""
        names = (path.name.removeprefix("date=") for path in self.days.glob("date=*"))
        return tuple(sorted(date.fromisoformat(name) for name in names))

    def keep_day(self, source: Path, day: date, key: str, files: Sequence[tuple[str, str]], rows: dict[str, int]) -> DayRecord:
        """Record what made the tables in source and move them into place, replacing an older make of the day."""
        tables = {name: {"rows": count, **_described(source / f"{name}.parquet")} for name, count in sorted(rows.items())}
        write_json(source / MADE, {"day": day.isoformat(), "key": key, "files": [list(file) for file in sorted(files)], "tables": tables})
        self.replace_folder(source, self.day_folder(day))
        return DayRecord(day, key, tuple(sorted(files)), tables, self.day_folder(day))

    def replace_folder(self, source: Path, target: Path) -> None:
        """Flush a finished folder and move it to target; an older target leaves first, so a crash loses a copy and never mixes two."""
        self._say_layout()
        target.parent.mkdir(parents=True, exist_ok=True)
        _flush_tree(source)
        if target.exists():
            old = self.scratch / f"replaced-{target.name}"
            shutil.rmtree(old, ignore_errors=True)
            self.scratch.mkdir(exist_ok=True)
            target.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        source.rename(target)
        _flush_folder(target.parent)

    def _say_layout(self) -> None:
        """Before the first folder of this layout is put in place, so that an older version never takes it for its own."""
        if _layout(self.root) != LAYOUT:
            write_json(self.root / "layout.json", {"layout": LAYOUT})

    def run_folder(self, run_id: str) -> Path:
        """Where a finished run is."""
        return self.runs / run_id

    def finished(self, run_id: str) -> dict[str, Any] | None:
        """The manifest of a finished run, or None. A run folder exists only once it is whole."""
        path = self.run_folder(run_id) / "run.json"
        return read_json(path) if path.is_file() else None

    def nights(self) -> dict[date, str]:
        """Night -> the run that speaks for it: the one asked for last, if it is still there."""
        path = self.root / "nights.json"
        found = read_json(path) if path.is_file() else {}
        return {date.fromisoformat(night): run_id for night, run_id in sorted(found.items()) if (self.run_folder(run_id) / "run.json").is_file()}

    def speak(self, run_id: str, night: date) -> None:
        """Let a finished run speak for its night from now on."""
        nights = self.nights()
        if nights.get(night) != run_id:
            write_json(self.root / "nights.json", {day.isoformat(): run for day, run in {**nights, night: run_id}.items()})

    def point_to(self, run_id: str, night: date) -> None:
        """Let a finished run speak for its night, then switch `latest` to it: last, and in one step. Raises IntegrityError if its files are not those recorded."""
        self._unbroken(run_id)
        self.speak(run_id, night)
        latest, target = self.root / "latest", Path("runs") / run_id
        if not latest.is_symlink() or latest.readlink() != target:
            fresh = self.root / ".latest.new"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(latest)
            _flush_folder(self.root)

    def _unbroken(self, run_id: str) -> None:
        folder = self.run_folder(run_id)
        manifest = read_json(folder / "run.json")
        recorded = {f"tables/{name}.parquet": table["sha256"] for name, table in manifest.get("tables", {}).items()} | manifest.get("pages", {})
        for name, sha256 in sorted(recorded.items()):
            if not (folder / name).is_file() or sha256_file(folder / name) != sha256:
                raise IntegrityError(f"{folder / name}: is not what the run wrote: its SHA-256 is not the one in run.json. Restore it, or delete {folder} and run again.")

    def append_ledger(self, entry: dict[str, Any]) -> None:
        """Add one line to ledger.jsonl and flush it."""
        with (self.root / "ledger.jsonl").open("ab") as file:
            file.write(canonical_json(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def open_store(root: Path) -> Iterator[Store]:
    """Make the folder if need be and hold its lock. A folder made here goes again if an error leaves no day and no run in it. Raises LockHeld, StorageError."""
    is_new = not root.exists()
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take_lock(handle, root)
        with storage_errors(root):
            _check_layout(root)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()} {platform.node()}".encode(), 0)
            yield Store(root)
            os.ftruncate(handle, 0)
    except BaseException:
        if is_new and not any((root / name).exists() for name in ("days", "runs")):
            shutil.rmtree(root, ignore_errors=True)
        raise
    finally:
        os.close(handle)


def _take_lock(handle: int, root: Path) -> None:
    """Lock the open file, or raise LockHeld with who holds it. The system frees the lock of a process that ended, however it ended; what it wrote there stays and says nothing."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process, _, host = os.pread(handle, 300, 0).decode("utf-8", "replace").strip().partition(" ")
        who = f"process {process}" if process.isdigit() else "an unknown process"
        where = f" on host {host}" if host.isprintable() and host else ""
        elsewhere = " That is another host than this one: look for it there." if host and host != platform.node() else ""
        raise LockHeld(f"{root}: another run ({who}{where}) is writing here.{elsewhere} Wait for it, or choose another --out.") from None


def _layout(root: Path) -> int:
    """The layout of a folder; 1 of one that does not say, which is also what an empty one may be."""
    path = root / "layout.json"
    found = read_json(path).get("layout") if path.is_file() else 1
    if not isinstance(found, int):
        raise IntegrityError(f"{path}: does not say the layout of the folder. Restore it, or delete it if {root} was written by this version.")
    return found


def _check_layout(root: Path) -> None:
    found = _layout(root)
    if found > LAYOUT:
        raise StorageError(f"{root}: was written by a newer stillhunt (layout {found}; this one writes {LAYOUT}). Use that version, or choose another --out.")


@contextlib.contextmanager
def storage_errors(root: Path) -> Iterator[None]:
    """Turn a full disk, a read-only or forbidden folder into one clear line. Other errors pass."""
    try:
        yield
    except OSError as error:
        reason = {
            errno.ENOSPC: "the disk is full. Free space",
            errno.EDQUOT: "the disk quota is used up. Free space",
            errno.EACCES: "permission denied. Choose a folder you may write to",
            errno.EPERM: "permission denied. Choose a folder you may write to",
            errno.EROFS: "the file system is read-only. Choose another --out",
            errno.ENOTDIR: "a part of the path is a file, not a folder. Choose another --out",
            errno.EEXIST: "exists and is not a folder. Choose another --out",
        }.get(error.errno or 0)
        if reason is None:
            raise
        raise StorageError(f"{error.filename or root}: {reason} and run again; finished days are kept.") from error


def latest_run(root: Path) -> Path:
    """The folder of the run that `latest` points to. Raises InputError if there is none."""
    latest = root / "latest"
    if not (latest / "run.json").is_file():
        raise InputError(f"{root}: holds no finished run. Start one with: stillhunt run LOGS --out {root}")
    return latest.resolve()


def write_bytes(path: Path, data: bytes) -> None:
    """Put bytes at path: beside it, flushed, renamed."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _flush_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Put a plain value at path as indented JSON with sorted keys."""
    write_bytes(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False, default=str).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of ours. Raises IntegrityError if it is not one."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise IntegrityError(f"{path}: is not the JSON that was written there ({error}). Restore it, or delete the folder that holds it.") from None
    if not isinstance(found, dict):
        raise IntegrityError(f"{path}: is not the JSON object that was written there. Restore it, or delete the folder that holds it.")
    return found


def _described(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_file(path)}


def _flush_tree(folder: Path) -> None:
    for base, _, names in os.walk(folder):
        for name in names:
            with (Path(base) / name).open("rb") as file:
                os.fsync(file.fileno())
        _flush_folder(Path(base))


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
