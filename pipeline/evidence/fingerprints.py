"""What lets a run be compared with another without its tables at hand: hashes of tables and pages after floats are rounded to 1e-9.

    {"tables": {name: {"rows", "rounded", "unnamed", "keys", "columns", "block_rows", "blocks"}}, "pages": {name: {"rounded", "block_lines", "blocks"}}}

`rounded` is over the whole table or page (of a page without the id of its run). `unnamed` is over the rows without network ids, in the order of their values: ids rest on earlier
nights, and nothing else of a table of stages 10 to 75 does (null for later ones). What names the place of a difference (`columns`, `blocks`) stands only in a bag for internal
readers and is empty elsewhere: the hash of a row of one account is a way to test a guess.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.stages import STAGES, TABLES

DECIMALS = 9
BLOCKS = 1 << 14
"""Most blocks of a table or page."""
SHORT = 12
"""Hex digits of the hash of a column or block."""
LAST_PLAIN_STAGE = 75
"""The last stage that no earlier night has a say in, but for ids."""
_LONG_NUMBER = re.compile(rb"\d+\.\d{10,}(?:[eE][-+]?\d+)?")


def of_run(folder: Path, manifest: Mapping[str, Any], *, with_places: bool) -> dict[str, Any]:
    """Fingerprints of a finished run's folder: of its tables by name, and of its pages by their path."""
    return {
        "decimals": DECIMALS,
        "tables": {name: of_table(name, pl.read_parquet(folder / "tables" / f"{name}.parquet", glob=False), with_places=with_places) for name in sorted(manifest["tables"])},
        "pages": {name: of_page((folder / name).read_bytes(), manifest["run_id"], with_places=with_places) for name in sorted(manifest["pages"])},
    }


def of_table(name: str, frame: pl.DataFrame, *, with_places: bool) -> dict[str, Any]:
    """Fingerprint of one table; an empty one has no blocks."""
    rounded = _rounded(frame)
    lines = _lines(rounded)
    plain = sorted(_lines(rounded.drop("network_id", strict=False))) if rests_on_no_night(name) else None
    size = max(1, -(-len(lines) // BLOCKS))
    places = {
        "keys": [key for key in TABLES[name].grain if key in frame.columns] if name in TABLES else [],
        "columns": {column: _short(_lines(rounded.select(column))) for column in rounded.columns} if with_places else {},
        "block_rows": size,
        "blocks": _blocks(lines, size) if with_places else [],
    }
    return {"rows": frame.height, "rounded": _sha256(lines), "unnamed": None if plain is None else _sha256(plain), **places}


def of_page(page: bytes, run_id: str, *, with_places: bool) -> dict[str, Any]:
    """Fingerprint of one page; its lines are those of its text."""
    lines = page_lines(page, run_id)
    size = max(1, -(-len(lines) // BLOCKS))
    return {"rounded": _sha256(lines), "block_lines": size, "blocks": _blocks(lines, size) if with_places else []}


def page_lines(page: bytes, run_id: str) -> list[str]:
    """Lines of a page without the id of its run, which hangs on the program, and with every number of ten or more decimals rounded to nine."""
    plain = _LONG_NUMBER.sub(lambda found: f"{round(float(found.group()), DECIMALS):.9f}".encode(), page.replace(run_id.encode(), b"[run]"))
    return plain.decode("utf-8", "surrogateescape").split("\n")


def rests_on_no_night(table: str) -> bool:
    """Whether a published table is made by a stage that reads nothing of earlier nights."""
    return any(table in stage.writes and int(stage.label.split()[0]) <= LAST_PLAIN_STAGE for stage in STAGES)


def first_block(then: Sequence[str], now: Sequence[str]) -> int | None:
    """The first block that is not the same in both; None if none differs."""
    place = next((place for place, (one, other) in enumerate(zip(then, now, strict=False)) if one != other), None)
    return min(len(then), len(now)) if place is None and len(then) != len(now) else place


def other_columns(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Columns that differ or that one side lacks, in the order of the later table, then those that are gone."""
    return [name for name in [*now, *(name for name in then if name not in now)] if then.get(name) != now.get(name)]


def _rounded(frame: pl.DataFrame) -> pl.DataFrame:
    """Floats at nine decimals, without a negative zero."""
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(pl.col(name).cast(pl.Float64).round(DECIMALS) + 0.0 for name in floats)


def _lines(frame: pl.DataFrame) -> list[str]:
    """One text a row: its values as JSON, in the order of the columns."""
    if not frame.width or not frame.height:
        return [""] * frame.height
    spelt = frame.with_columns(
        pl.when(pl.col(name).is_nan()).then(pl.lit("nan")).otherwise(pl.col(name).cast(pl.String)).alias(name) for name in frame.columns if frame[name].dtype.is_float()
    )
    return [text or "" for text in spelt.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_list()]


def _blocks(lines: Sequence[str], size: int) -> list[str]:
    return [_short(lines[start : start + size]) for start in range(0, len(lines), size)]


def _short(lines: Iterable[str]) -> str:
    return _sha256(lines)[:SHORT]


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()


def file_hashes(manifest: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of every table and page of a run, by its path in the run's folder, as run.json records them."""
    return dict(sorted(({f"tables/{name}.parquet": table["sha256"] for name, table in manifest["tables"].items()} | manifest["pages"]).items()))
