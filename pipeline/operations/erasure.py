"""`erase`: one account leaves the folder, as far as a folder of its own can make it.

Its rows leave every kept day, every run that speaks for a night (whose pages are made again) and every mention in the journal. Runs that another has superseded and
that hold it are dropped whole. What stays: a keyed hash and the day in the journal, so that the account can be known again if a log brings it back; the figures of
networks it belonged to, until their nights are run again; and what is not ours to change, named at the end: the logs themselves, cases and their sealed bags, and files that
others put here.
A hold refuses it.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import redact
from pipeline.errors import InputError
from pipeline.history.journal import NAME, Entry, content_sha256, read_journal
from pipeline.operations.canary import canary_folder
from pipeline.operations.holds import read_holds
from pipeline.operations.recording import append, journal_lock
from pipeline.operations.rewriting import Account, places_in, rewrite_day, rewrite_run, rows_of
from pipeline.store import Store, write_bytes

KEY = ".erasure-key"
MARK = "[erased]"


@dataclass(frozen=True)
class Place:
    """A day or run that holds the account, with its rows by table."""

    what: str
    """day, run (rewritten) or superseded run (dropped)."""
    name: str
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        """Rows in all its tables."""
        return sum(self.rows.values())


@dataclass(frozen=True)
class Erasure:
    """What would be done about one account."""

    account: Account
    places: tuple[Place, ...]
    entries: tuple[int, ...]
    """Journal lines that mention it."""
    refusals: tuple[str, ...]
    """Why it may not be done; empty if it may."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the account is here."""
        return not self.places and not self.entries


def plan(store: Store, account_id: str) -> Erasure:
    """Where the account is. Reads only. Raises IntegrityError for a file of ours that is broken."""
    if not account_id:
        raise InputError("name the account to erase.")
    account = _account(store, account_id)
    days = [Place("day", day.isoformat(), rows) for day in store.kept_days() if (rows := _rows(store.day_folder(day), account))]
    spoken = set(store.nights().values())
    runs = [Place("run" if path.name in spoken else "superseded run", path.name, rows) for path in _runs(store) if (rows := _rows(path / "tables", account))]
    pattern = mention(account_id)
    entries = tuple(entry.number for entry in read_journal(store.root) if _names(entry, pattern))
    return Erasure(account, (*days, *runs), entries, _refusals(store, account_id, runs))


def apply(store: Store, found: Erasure, by: str, progress: Callable[[str, int, int], None]) -> tuple[str, ...]:
    """Do it; gives the files below DIR that still name the account and are not ours to change, with why. The caller holds the store's lock.

    The journal comes first, so that a stop on the way leaves the tombstone, and the same command finishes the rest.
    """
    if found.refusals:
        raise InputError(found.refusals[0])
    clear_scratch(store)
    _record(store.root, found, by)
    for done, place in enumerate(found.places):
        progress("erase", done, len(found.places))
        if place.what == "day":
            rewrite_day(store, date.fromisoformat(place.name), place.rows, found.account)
        elif place.what == "run":
            rewrite_run(store, place.name, place.rows, found.account)
        else:
            store.scratch.mkdir(exist_ok=True)
            store.run_folder(place.name).rename(store.scratch / place.name)
    shutil.rmtree(store.scratch, ignore_errors=True)
    progress("erase", len(found.places), len(found.places))
    return leftovers(store.root, found.account.account_id)


def clear_scratch(store: Store) -> None:
    """Remove working tables that may hold anybody: those of a run, a canary run or an erasure that was stopped. Raises LockHeld while a canary run is at work."""
    with canary_folder(store.root):
        pass
    shutil.rmtree(store.scratch, ignore_errors=True)


def tombstone(root: Path, account_id: str) -> str:
    """The keyed hash (HMAC-SHA-256, 64 hex digits) by which an erased account is known again; the key is made once for the folder and stays in it."""
    path = root / KEY
    if not path.is_file():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
    return _keyed(path.read_bytes(), account_id)


def back_again(root: Path, tombstones: tuple[str, ...], accounts: pl.Series) -> int:
    """How many of these account ids were erased once: a log brought them back."""
    path = root / KEY
    if not tombstones or not path.is_file():
        return 0
    key, gone = path.read_bytes(), frozenset(tombstones)
    return sum(_keyed(key, account) in gone for account in accounts)


def mention(account_id: str) -> re.Pattern[str]:
    """Finds the id where it stands as a word of its own, not inside a longer id."""
    return re.compile(rf"(?<![\w-]){re.escape(account_id)}(?![\w-])")


def leftovers(root: Path, account_id: str) -> tuple[str, ...]:
    """Files below DIR that name the account still, by relative path: Parquet by its text columns, others by their bytes."""
    pattern = mention(account_id)
    spellings = {account_id, html.escape(account_id), json.dumps(account_id)[1:-1]}
    raw = re.compile(b"|".join(rb"(?<![\w-])" + re.escape(spelling.encode("utf-8", "surrogatepass")) + rb"(?![\w-])" for spelling in sorted(spellings)))
    paths = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and root / "latest" not in path.parents)
    return tuple(path.relative_to(root).as_posix() for path in paths if (_in_table(path, pattern) if path.suffix == ".parquet" else raw.search(path.read_bytes())))


def _keyed(key: bytes, account_id: str) -> str:
    return hmac.new(key, account_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _account(store: Store, account_id: str) -> Account:
    """The account with its key and the places of its requests."""
    files = [path for day in store.kept_days() if (path := store.day_folder(day) / "account_ids.parquet").is_file()]
    files += [path for run in _runs(store) if (path := run / "tables" / "accounts.parquet").is_file()]
    keys = {key for path in files for key in _keys(path, account_id)}
    if len(keys) > 1:
        raise InputError(f"'{redact.for_cell(account_id)}' has two keys in {store.root}: it was written by two versions. Delete {store.days} and run again, then erase.")
    key = next(iter(keys), None)
    requests = [path for day in store.kept_days() if (path := store.day_folder(day) / "requests.parquet").is_file()]
    places = {place for path in requests for place in places_in(path, key)} if key is not None else set()
    return Account(account_id, key, frozenset(places))


def _keys(path: Path, account_id: str) -> list[int]:
    scan = pl.scan_parquet(path, glob=False, hive_partitioning=False).filter(pl.col("account_id") == account_id).select("account_key")
    return [int(key) for key in scan.collect()["account_key"].to_list()]


def _runs(store: Store) -> list[Path]:
    return sorted(path for path in store.runs.glob("*") if (path / "run.json").is_file())


def _rows(folder: Path, account: Account) -> dict[str, int]:
    counts = {path.stem: rows_of(path, account) for path in sorted(folder.glob("*.parquet")) if path.stem != "rejects"}
    return {name: count for name, count in counts.items() if count}


def _refusals(store: Store, account_id: str, runs: list[Place]) -> tuple[str, ...]:
    """Held runs that hold the account, and held cases whose files name it."""
    holds = read_holds(store.root)
    reasons = [f"run {place.name} holds this account and is held by {', '.join(holds.runs[place.name])}" for place in runs if place.name in holds.runs]
    named = [case for case in holds.cases if leftovers(store.root / "cases" / case, account_id)]
    reasons += [f"case {case} names this account and is under hold" for case in named]
    return tuple(f"{reason}: nothing was erased. Lift the hold first, if that may be done." for reason in reasons)


def _names(entry: Entry, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(text) for text in _texts(entry.content))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _record(root: Path, found: Erasure, by: str) -> None:
    """Take the account out of the journal's lines and leave its tombstone, unless an earlier attempt has."""
    with journal_lock(root):
        entries, mark = read_journal(root), tombstone(root, found.account.account_id)
        pattern = mention(found.account.account_id)
        changed = {entry.number: _erased(entry.content, pattern) for entry in entries if _names(entry, pattern)}
        if not changed and any(entry.kind == "erasure" and entry.content["tombstone"] == mark for entry in entries):
            return
        counts = {what: sum(place.what == what for place in found.places) for what in ("day", "run", "superseded run")}
        told = {"tombstone": mark, "changed": {str(number): content_sha256(content) for number, content in changed.items()}, "places": counts}
        append(root, "erasure", told, by)  # it names the new hashes first: in between the old contents are still what was written
        if changed:
            kept = read_journal(root)
            lines = [Entry(**{**vars(entry), "content": changed.get(entry.number, entry.content)}).line() for entry in kept]
            write_bytes(root / NAME, b"".join(lines))


def _erased(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(MARK, value)
    if isinstance(value, Mapping):
        return {key: _erased(one, pattern) for key, one in value.items()}
    return [_erased(one, pattern) for one in value] if isinstance(value, list | tuple) else value


def _in_table(path: Path, pattern: re.Pattern[str]) -> bool:
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            texts = [field.name for field in file.schema_arrow if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
            return bool(texts) and any(_found(batch, pattern) for batch in file.iter_batches(columns=texts, use_threads=False))
    except (OSError, pa.ArrowException):
        return bool(pattern.search(path.read_bytes().decode("utf-8", "replace")))


def _found(batch: pa.RecordBatch, pattern: re.Pattern[str]) -> bool:
    plain = pl.from_arrow(batch)
    assert isinstance(plain, pl.DataFrame)
    return any(pattern.search(text) for name in plain.columns for text in plain[name].drop_nulls().unique().to_list())
