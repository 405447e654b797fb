"""What only the provider knows: model releases, bans, known client preambles, vouched organisations, supported regions.

Each file of the context folder is optional and hashed:

    releases.csv    model, released_at (ISO date or time; naive times are UTC)
    bans.csv        account_id, banned_at
    vouched.csv     organization_id
    regions.csv     country (ISO 3166-1 alpha-2)
    preambles.toml  one [[preamble]] table for each text that a public client puts in front of what its user typed:
                        product = "name-of-client"
                        text = "..."                            the exact text, or, if it may not be written down,
                        sha256 = "..." and byte_length = 1234   the SHA-256 and length of its UTF-8 bytes

A preamble is cut from the start of a prompt only where it matches byte for byte. The program ships none.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.measures import fingerprints as fp
from pipeline.provenance import sha256_file

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Preamble:
    """A text that a public client puts in front of its user's own."""

    product: str
    byte_length: int
    sha256: str
    """Hex SHA-256 of its UTF-8 bytes."""
    text: bytes | None
    """The bytes themselves, if the file gave them."""


@dataclass(frozen=True)
class Context:
    """What the context folder said. Times are microseconds since 1970 UTC."""

    releases: tuple[tuple[str, int], ...] = ()
    """(model, released), by time."""
    bans: tuple[tuple[str, int], ...] = ()
    """(account_id, banned), by time."""
    preambles: tuple[Preamble, ...] = ()
    vouched_organizations: frozenset[str] = frozenset()
    regions: frozenset[str] | None = None
    """Supported countries, upper case; None if the folder does not say."""
    files: Mapping[str, str] | None = None
    """SHA-256 of each file that was read, by name."""


def read_context(folder: Path | None) -> Context:
    """The context folder's content; no folder gives an empty context. Raises InputError for a folder or file that cannot be read."""
    if folder is None:
        return Context(files={})
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Check --context.")
    present = {name: folder / name for name in ("releases.csv", "bans.csv", "vouched.csv", "regions.csv", "preambles.toml") if (folder / name).is_file()}
    every = sorted(path for path in folder.rglob("*") if path.is_file())
    return Context(
        releases=_dated(present.get("releases.csv"), "model", "released_at"),
        bans=_dated(present.get("bans.csv"), "account_id", "banned_at"),
        preambles=_preambles(present.get("preambles.toml")),
        vouched_organizations=frozenset(_column(present.get("vouched.csv"), "organization_id") or ()),
        regions=_regions(present.get("regions.csv")),
        files={path.relative_to(folder).as_posix(): sha256_file(path) for path in every},
    )


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV file that must have the columns; blank lines are skipped."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{path}: no column '{missing[0]}'. It needs the columns {', '.join(columns)}.")
            return [{name: (row[name] or "").strip() for name in columns} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not readable as CSV in UTF-8 ({error}). Correct the file.") from None


def _column(path: Path | None, name: str) -> list[str] | None:
    return None if path is None else [row[name] for row in _rows(path, (name,)) if row[name]]


def _regions(path: Path | None) -> frozenset[str] | None:
    countries = _column(path, "country")
    return None if countries is None else frozenset(country.upper() for country in countries)


def _dated(path: Path | None, name: str, moment: str) -> tuple[tuple[str, int], ...]:
    if path is None:
        return ()
    pairs = {(row[name], _instant(row[moment], path, moment)) for row in _rows(path, (name, moment)) if row[name]}
    return tuple(sorted(pairs, key=lambda pair: (pair[1], pair[0])))


def _instant(text: str, path: Path, column: str) -> int:
    """Microseconds since 1970 of an ISO time; a naive one is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{path}: column '{column}' holds a value that is no ISO date or time. Write 2026-11-21 or 2026-11-21T09:00:00Z.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


def _preambles(path: Path | None) -> tuple[Preamble, ...]:
    """Preambles, longest first, so that a longer match wins over one that it begins with."""
    if path is None:
        return ()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not readable as TOML ({error}). Correct the file.") from None
    entries = content.get("preamble", [])
    if set(content) - {"preamble"} or not isinstance(entries, list):
        raise InputError(f"{path}: only [[preamble]] tables may stand in it.")
    return tuple(sorted((_preamble(entry, path) for entry in entries), key=lambda one: (-one.byte_length, one.sha256, one.product)))


def _preamble(entry: Any, path: Path) -> Preamble:
    wanted: dict[str, Callable[[Any], bool]] = {
        "product": lambda value: isinstance(value, str) and value != "",
        "text": lambda value: isinstance(value, str) and value != "",
        "sha256": lambda value: isinstance(value, str) and len(value) == 64 and set(value.lower()) <= set("0123456789abcdef"),
        "byte_length": lambda value: type(value) is int and value > 0,
    }
    if not isinstance(entry, dict) or any(key not in wanted or not wanted[key](value) for key, value in entry.items()):
        raise InputError(f"{path}: a [[preamble]] holds a key or value that is not allowed. It takes product, and text or sha256 with byte_length.")
    if "product" not in entry or set(entry) - {"product"} not in ({"text"}, {"sha256", "byte_length"}):
        raise InputError(f"{path}: a [[preamble]] needs product, and either text or sha256 with byte_length.")
    if "text" in entry:
        data = entry["text"].encode()
        return Preamble(entry["product"], len(data), hashlib.sha256(data).hexdigest(), data)
    return Preamble(entry["product"], entry["byte_length"], entry["sha256"].lower(), None)


def cut_preambles(spans: fp.Spans, chars: I64, preambles: tuple[Preamble, ...], found: NDArray[np.int32]) -> tuple[fp.Spans, I64]:
    """Texts and their lengths in characters without a known preamble at the start; `found` gets each row's place in `preambles`."""
    if not preambles:
        return spans, chars
    starts, chars = spans.starts.copy(), chars.copy()
    for place, preamble in enumerate(preambles):
        rows = np.flatnonzero((found < 0) & (spans.ends - spans.starts >= preamble.byte_length))
        rows = rows[_begins_with(spans, rows, preamble)]
        if len(rows):
            first = spans.data[spans.starts[rows[0]] : spans.starts[rows[0]] + preamble.byte_length]
            found[rows] = place
            starts[rows] += preamble.byte_length
            chars[rows] -= int(np.count_nonzero((first & 0xC0) != 0x80))
    return fp.Spans(spans.data, starts, spans.ends), chars


def _begins_with(spans: fp.Spans, rows: I64, preamble: Preamble) -> NDArray[np.bool_]:
    """Which of the rows begin with the preamble: compared through a key first, then each distinct beginning by its SHA-256."""
    starts = spans.starts[rows]
    keys = fp.value_keys(fp.Spans(spans.data, starts, starts + preamble.byte_length), "preamble")
    if preamble.text is not None:
        known = fp.Spans(np.frombuffer(preamble.text, np.uint8), np.zeros(1, np.int64), np.array([preamble.byte_length]))
        alike: NDArray[np.bool_] = keys == fp.value_keys(known, "preamble")[0]
        return alike if not alike.any() else alike & _verified(spans, starts, keys, preamble, alike)
    return _verified(spans, starts, keys, preamble, np.ones(len(rows), np.bool_))


def _verified(spans: fp.Spans, starts: I64, keys: I64, preamble: Preamble, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    at = np.flatnonzero(candidates)
    distinct, first = np.unique(keys[at], return_index=True)
    begins = [hashlib.sha256(spans.data[starts[at[one]] : starts[at[one]] + preamble.byte_length].tobytes()).hexdigest() == preamble.sha256 for one in first]
    good: NDArray[np.bool_] = candidates & np.isin(keys, distinct[np.array(begins, np.bool_)])
    return good
