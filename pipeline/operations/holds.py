"""What must not be dropped or erased: the runs that a case under hold rests on.

A case is held if DIR/cases/ID/case.json says `"hold": true`, or if DIR/holds.json lists its id or a run (a list of names). Its runs are every
run whose id stands in one of the case's own JSON files (case.json, versions/), and every run that holds one of its networks. A case whose files cannot be read
counts as held with every run there is: what cannot be understood is not deleted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

_ID = re.compile(r"[0-9a-f]{12}")
_NETWORK = re.compile(r"N-[0-9a-f]{10}")


@dataclass(frozen=True)
class Holds:
    """Run ids that are held, each with the cases that hold it."""

    runs: dict[str, tuple[str, ...]]
    cases: tuple[str, ...]


def read_holds(root: Path) -> Holds:
    """Every hold in an output folder; none gives empty ones."""
    runs = tuple(sorted(path.name for path in (root / "runs").glob("*") if path.is_dir()))
    listed = _listed(root / "holds.json")
    held: dict[str, set[str]] = {run: {"holds.json"} for run in runs if listed is None or run in listed}
    cases = [folder for folder in sorted(path.parent for path in (root / "cases").glob("*/case.json")) if _is_held(folder, listed)]
    for folder in cases:
        for run in _runs_of(root, folder, runs):
            held.setdefault(run, set()).add(folder.name)
    return Holds({run: tuple(sorted(names)) for run, names in sorted(held.items())}, tuple(folder.name for folder in cases))


def _is_held(case: Path, listed: frozenset[str] | None) -> bool:
    found = _json(case / "case.json")
    return not isinstance(found, dict) or found.get("hold", False) is not False or listed is None or case.name in listed


def _listed(path: Path) -> frozenset[str] | None:
    """Names in DIR/holds.json; None if the file cannot be read, which holds everything."""
    if not path.is_file():
        return frozenset()
    found = _json(path)
    return frozenset(found) if isinstance(found, list) and all(isinstance(name, str) for name in found) else None


def _runs_of(root: Path, case: Path, runs: tuple[str, ...]) -> set[str]:
    if not isinstance(_json(case / "case.json"), dict):
        return set(runs)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in sorted([case / "case.json", *case.glob("versions/*.json"), case / "journal.jsonl"]) if path.is_file()]
    named = {run for text in texts for run in _ID.findall(text) if run in runs}
    networks = sorted({network for text in texts for network in _NETWORK.findall(text)})
    return named | {run for run in runs if _holds_any(root / "runs" / run / "tables" / "networks.parquet", networks)}


def _holds_any(path: Path, networks: list[str]) -> bool:
    if not networks or not path.is_file():
        return False
    found = pl.scan_parquet(path, glob=False, hive_partitioning=False).filter(pl.col("network_id").is_in(networks))
    return bool(found.select(pl.len()).collect().item())


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
