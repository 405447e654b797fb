"""A run that was made again held against what a bag expects, file by file, with the place of the first difference as far as the bag can tell it.

A bag for internal readers knows the hash of every row and line (or of blocks of them, where there are many) and of every column; others know whole files only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pipeline.evidence import bagfiles, fingerprints

Result = Literal["equal", "equal after rounding", "equal but for the run id", "equal without network ids", "differs", "not compared"]
SHOWN_COLUMNS = 6


@dataclass(frozen=True)
class Scope:
    """What may be held against what."""

    may_round: bool
    """floats may differ below 1e-9: program, packages or platform are others"""
    has_prior: bool
    """earlier nights left what the run found"""
    has_pages: bool


@dataclass(frozen=True)
class Compared:
    """One file of the run."""

    path: str
    result: Result
    detail: str
    """the place of the first difference, '' if there is none"""


def compare(bag: Path, folder: Path, manifest: Mapping[str, Any], scope: Scope) -> tuple[Compared, ...]:
    """Every file that the bag expects or that the run made again has, by path."""
    expected = _expected(bag)
    found = fingerprints.file_hashes(manifest)
    prints = bagfiles.read_object(bag, bagfiles.FINGERPRINTS)
    return tuple(_one(path, expected.get(path), found.get(path), folder, prints, scope) for path in sorted({*expected, *found}))


def _expected(bag: Path) -> dict[str, str]:
    lines = (bagfiles.read(bag, bagfiles.EXPECTED) or b"").decode("utf-8").splitlines()
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def _one(path: str, then: str | None, now: str | None, folder: Path, prints: Mapping[str, Any], scope: Scope) -> Compared:
    is_table = path.startswith("tables/")
    name = path.removeprefix("tables/").removesuffix(".parquet")
    if not scope.has_pages and not is_table:
        return Compared(path, "not compared", "")
    if not scope.has_prior and is_table and not fingerprints.rests_on_no_night(name):
        return Compared(path, "not compared", "")
    if then is None or now is None:
        return Compared(path, "differs", "was not in the run" if then is None else "was not made again")
    if then == now:
        return Compared(path, "equal", "")
    if not is_table:
        return _page(path, folder, prints["pages"][path], may_round=scope.may_round)
    return _table(path, name, pl.read_parquet(folder / path, glob=False), prints["tables"][name], scope)


def _table(path: str, name: str, frame: pl.DataFrame, then: Mapping[str, Any], scope: Scope) -> Compared:
    now = fingerprints.of_table(name, frame, with_places=True)
    if not scope.has_prior and then["unnamed"] == now["unnamed"]:
        return Compared(path, "equal without network ids", "")
    if then["rounded"] == now["rounded"]:
        result: Result = "equal after rounding" if scope.may_round else "differs"
        return Compared(path, result, "" if scope.may_round else "other bytes, although no value differs by 1e-9")
    return Compared(path, "differs", _table_place(frame, then, now))


def _table_place(frame: pl.DataFrame, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Rows, columns and the first row that is another, in words."""
    rows = f"{then['rows']:,} rows then, {now['rows']:,} now" if then["rows"] != now["rows"] else f"{now['rows']:,} rows then and now"
    if not then["columns"]:
        return f"{rows}; the internal bag of the case names row and column"
    parts = [f"column {name} is new" for name in now["columns"] if name not in then["columns"]] + [
        f"column {name} is gone" for name in then["columns"] if name not in now["columns"]
    ]
    size, block = then["block_rows"], fingerprints.first_block(then["blocks"], now["blocks"]) if then["block_rows"] == now["block_rows"] else None
    if block is not None and not parts:
        parts.append(f"first in {_row(frame, then['keys'], block * size, size)}")
    if then["rows"] == now["rows"]:
        other = fingerprints.other_columns(then["columns"], now["columns"])
        shown = [name for name in other if name in then["columns"] and name in now["columns"]]
        parts += [f"column{'' if len(shown) == 1 else 's'} {', '.join(shown[:SHOWN_COLUMNS])}{' ..' if len(shown) > SHOWN_COLUMNS else ''}"] if shown else []
    return "; ".join([*parts, rows])


def _row(frame: pl.DataFrame, keys: list[str], row: int, size: int) -> str:
    """A row by its number, from 0, and its key in the table that was made again."""
    where = f"row {row}" if size == 1 else f"rows {row} to {row + size - 1}"
    if row >= frame.height:
        return f"{where} (gone)"
    values = frame.row(row, named=True)
    named = ", ".join(f"{key} {values[key]}" for key in keys if key in values)
    return f"{where} ({'' if size == 1 else 'from '}{named})" if named else where


def _page(path: str, folder: Path, then: Mapping[str, Any], *, may_round: bool) -> Compared:
    now = fingerprints.of_page((folder / path).read_bytes(), folder.name, with_places=True)
    if then["rounded"] == now["rounded"]:
        return Compared(path, "equal but for the run id" if may_round else "differs", "" if may_round else "only the id of the run differs, or numbers by less than 1e-9")
    size, block = then["block_lines"], fingerprints.first_block(then["blocks"], now["blocks"]) if then["blocks"] and then["block_lines"] == now["block_lines"] else None
    if block is None:
        return Compared(path, "differs", "the internal bag of the case names the line")
    return Compared(path, "differs", f"first in line {block * size + 1}" if size == 1 else f"first in lines {block * size + 1} to {(block + 1) * size}")
