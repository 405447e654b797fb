"""Prompts fetched again from the log files: never without the file's SHA-256 being the one that the run recorded.

A run keeps no path of its machine, so the caller says where the logs lie now. Text leaves here as it was sent, for the redaction gate and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import InputError
from pipeline.evidence.finished import FinishedRun
from pipeline.provenance import sha256_file

Place = tuple[str, int]
"""source_file and source_row."""


@dataclass(frozen=True)
class Fetched:
    """The prompts at some places, and why others could not be read."""

    texts: Mapping[Place, str]
    states: Mapping[str, str]
    """by source_file: read, gone (not below the folders given), changed (another SHA-256), unreadable"""


def fetch_prompts(run: FinishedRun, roots: Sequence[Path], places: Iterable[Place]) -> Fetched:
    """The prompts at places of the run's log files. A place without a prompt has no text. Raises InputError for a root that does not exist."""
    missing = next((root for root in roots if not root.exists()), None)
    if missing is not None:
        raise InputError(f"{missing}: no such file or folder. Give --logs the folder that was LOGS when the run was made.")
    recorded = {entry["name"]: entry["sha256"] for entry in run.manifest()["inputs"]}
    wanted: dict[str, list[int]] = {}
    for name, row in places:
        wanted.setdefault(name, []).append(row)
    texts: dict[Place, str] = {}
    states: dict[str, str] = {}
    for name, rows in sorted(wanted.items()):
        path = _path_of(name, roots)
        if path is None:
            states[name] = "gone"
        elif name not in recorded or sha256_file(path) != recorded[name]:
            states[name] = "changed"
        else:
            found = _prompts(path, sorted(set(rows)))
            states[name] = "unreadable" if found is None else "read"
            texts |= {(name, row): text for row, text in (found or {}).items()}
    return Fetched(texts, states)


def _path_of(name: str, roots: Sequence[Path]) -> Path | None:
    """Where a source_file lies: below a root, or, since names that clash carry their root's own name, beside it."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        return None
    places = [path for root in roots for path in ([root] if root.is_file() and root.name == name else [root / parts, root.resolve().parent / parts])]
    return next((path for path in places if path.is_file()), None)


def _prompts(path: Path, rows: Sequence[int]) -> dict[int, str] | None:
    """Prompts at ascending rows of a file; None if it has no such column or cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[int, str] = {}
    first = 0
    try:
        with pq.ParquetFile(path) as file:
            if "prompt" not in file.schema_arrow.names:
                return None
            for group in range(file.metadata.num_row_groups):
                count = file.metadata.row_group(group).num_rows
                here = [row - first for row in rows if first <= row < first + count]
                if here:
                    found |= {first + at: text for at, text in _taken(file, group, here) if text is not None}
                first += count
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        return None
    return found


def _taken(file: Any, group: int, rows: Sequence[int]) -> list[tuple[int, str | None]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.ingest.casting import cast_values

    column = file.read_row_group(group, columns=["prompt"], use_threads=False).column(0).take(pa.array(rows))
    texts = cast_values(pa.concat_arrays(column.chunks), pa.string())[0]
    return list(zip(rows, pc.cast(texts, pa.string()).to_pylist(), strict=True))
