"""Price sheets and terms, read from a file that somebody wrote for a case: TOML or CSV in UTF-8.

    prices.toml   as_of = 2026-05-01
                  [[price]]  model = "...", input_micro_usd_per_million = 3000000, output_micro_usd_per_million = 15000000
    prices.csv    as_of,model,input_micro_usd_per_million,output_micro_usd_per_million     one row a model, the same as_of in all
    terms.toml    [[clause]]  clause_id = "4.2", version = "2026-01", text = "..." or sha256 = "...", in_force_from = 2026-01-01,
                              in_force_to = 2026-06-01 (the first day it was no longer in force; optional), behaviour = "..." (optional)
    terms.csv     clause_id,version,text or sha256,in_force_from,in_force_to,behaviour

Money is in whole micro-USD for a million tokens. Of a clause's text only its SHA-256 is kept. Everything else raises InputError.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline import redact
from pipeline.errors import InputError
from pipeline.evidence.cases import Clause, PriceSheet
from pipeline.provenance import sha256_bytes

_PRICES = ("model", "input_micro_usd_per_million", "output_micro_usd_per_million")
_CLAUSE = {"clause_id", "version", "text", "sha256", "in_force_from", "in_force_to", "behaviour"}
_LARGEST = 10**15
"""Micro-USD; beyond it a price is a slip of the pen, and sums would no longer be exact."""


def read_prices(path: Path) -> PriceSheet:
    """The price sheet in a file. Raises InputError."""
    data = _bytes(path)
    if path.suffix.lower() == ".toml":
        content = _toml(path, data)
        if set(content) != {"as_of", "price"}:
            raise InputError(f"{path}: holds {redact.for_cell(', '.join(sorted(content)) or 'nothing')}; a price sheet holds as_of and [[price]] tables.")
        rows, days = _tables(path, content["price"]), [content["as_of"]]
    else:
        rows = _csv(path, data, ("as_of", *_PRICES))
        days = [row.pop("as_of") for row in rows]
    moments = {_day(path, "as_of", day) for day in days}
    if len(moments) != 1:
        raise InputError(f"{path}: needs one as_of, the day of the prices, and has {len(moments)}.")
    found = sorted(_price(path, number, row) for number, row in enumerate(rows, start=1))
    twice = next((one[0] for one, other in itertools.pairwise(found) if one[0] == other[0]), None)
    if twice is not None or not found:
        raise InputError(f"{path}: {f'model {redact.for_cell(twice)} has two prices' if twice is not None else 'holds no price'}. Give every model one.")
    return PriceSheet(moments.pop(), sha256_bytes(data), tuple(found))


def read_terms(path: Path) -> tuple[Clause, ...]:
    """The clauses in a file, by id, first day in force and version. Raises InputError."""
    data = _bytes(path)
    if path.suffix.lower() == ".toml":
        content = _toml(path, data)
        if set(content) != {"clause"}:
            raise InputError(f"{path}: holds {redact.for_cell(', '.join(sorted(content)) or 'nothing')}; terms are [[clause]] tables.")
        rows = _tables(path, content["clause"])
    else:
        rows = [{key: value for key, value in row.items() if value != ""} for row in _csv(path, data, ("clause_id", "version", "in_force_from"))]
    clauses = sorted((_read_clause(path, number, row) for number, row in enumerate(rows, start=1)), key=lambda one: (one.clause_id, one.in_force_from, one.version))
    names = [(one.clause_id, one.version) for one in clauses]
    if len(set(names)) != len(names) or not names:
        raise InputError(f"{path}: {'a clause_id and version stand twice' if names else 'holds no clause'}. Give every version of a clause one entry.")
    return tuple(clauses)


def _price(path: Path, number: int, row: Mapping[str, Any]) -> tuple[str, int, int]:
    if set(row) != set(_PRICES) or not isinstance(row["model"], str) or not row["model"].strip():
        raise InputError(f"{path}: price {number} needs exactly {', '.join(_PRICES)}.")
    given, taken = (_micro_usd(path, number, name, row[name]) for name in _PRICES[1:])
    return row["model"].strip(), given, taken


def _micro_usd(path: Path, number: int, name: str, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,16}", value.strip(), re.ASCII):
        value = int(value)
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise InputError(f"{path}: price {number}: {name} has to be a whole number of micro-USD from 0 on (3 USD are 3000000).")
    return value


def _read_clause(path: Path, number: int, row: Mapping[str, Any]) -> Clause:
    texts = {key: value for key, value in row.items() if key not in ("in_force_from", "in_force_to")}
    if set(row) - _CLAUSE or not {"clause_id", "version", "in_force_from"} <= set(row) or not all(isinstance(value, str) and value.strip() for value in texts.values()):
        raise InputError(f"{path}: clause {number} needs clause_id, version, in_force_from and text or sha256; it may have in_force_to and behaviour; nothing else, nothing empty.")
    if ("text" in row) == ("sha256" in row) or not re.fullmatch(r"[0-9a-f]{64}", row.get("sha256", "0" * 64)):
        raise InputError(f"{path}: clause {number} needs either its text or the sha256 of it (64 hex digits).")
    first, last = _day(path, "in_force_from", row["in_force_from"]), row.get("in_force_to")
    until = None if last is None else _day(path, "in_force_to", last)
    if until is not None and until <= first:
        raise InputError(f"{path}: clause {number} ends before it begins. in_force_to is the first day on which it was no longer in force.")
    digest = row["sha256"] if "sha256" in row else sha256_bytes(row["text"].encode())
    return Clause(row["clause_id"].strip(), row["version"].strip(), digest, first, until, row.get("behaviour", "").strip())


def _day(path: Path, name: str, value: Any) -> date:
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        return date.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise InputError(f"{path}: {name} has to be a day, such as 2026-05-01.") from None


def _bytes(path: Path) -> bytes:
    if path.suffix.lower() not in (".toml", ".csv"):
        raise InputError(f"{path}: is neither .toml nor .csv. See the files that README describes under cases.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None


def _toml(path: Path, data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        place = re.search(r"\(at .*\)", str(error))
        raise InputError(f"{path}: not readable as TOML in UTF-8 {place.group() if place else ''}. Correct the file.") from None


def _tables(path: Path, found: Any) -> Sequence[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(f"{path}: write each entry as a table of its own, [[...]].")
    return found


def _csv(path: Path, data: bytes, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), skipinitialspace=True, strict=True)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path}: no column '{missing[0]}'. It needs the columns {', '.join(columns)}.")
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path}: not readable as CSV in UTF-8. Correct the file.") from None
    if any(None in row or None in row.values() for row in rows):
        raise InputError(f"{path}: a row has more or fewer cells than the header. Correct the file.")
    return [{key: value.strip() for key, value in row.items()} for row in rows]
