"""Files that a person writes, TOML or CSV in UTF-8, read strictly: what does not fit raises InputError and says where."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import InputError


def read_sheet(path: Path) -> bytes:
    """The bytes of a .toml or .csv file. Raises InputError."""
    if path.suffix.lower() not in (".toml", ".csv"):
        raise InputError(f"{path}: is neither .toml nor .csv. See the files that README describes under cases.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None


def as_toml(path: Path, data: bytes) -> dict[str, Any]:
    """The document in the bytes of a TOML file. Raises InputError."""
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        place = re.search(r"\(at .*\)", str(error))
        raise InputError(f"{path}: not readable as TOML in UTF-8 {place.group() if place else ''}. Correct the file.") from None


def as_tables(path: Path, found: Any) -> Sequence[dict[str, Any]]:
    """What `[[name]]` gave: a list of tables. Raises InputError for anything else."""
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(f"{path}: write each entry as a table of its own, [[...]].")
    return found


def as_csv(path: Path, data: bytes, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV file that must have the columns, cells stripped. Raises InputError."""
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


def read_day(path: Path, name: str, value: Any) -> date:
    """A day of TOML, or ISO text. Raises InputError."""
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        return date.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        raise InputError(f"{path}: {name} has to be a day, such as 2026-05-01.") from None
