"""Price sheets (pipeline/history/prices.py) and terms, read from a file that somebody wrote for a case: TOML or CSV in UTF-8.

    terms.toml    [[clause]]  clause_id = "4.2", version = "2026-01", text = "..." or sha256 = "...", in_force_from = 2026-01-01,
                              in_force_to = 2026-06-01 (the first day it was no longer in force; optional), behaviour = "..." (optional)
    terms.csv     clause_id,version,text or sha256,in_force_from,in_force_to,behaviour

Of a clause's text only its SHA-256 is kept. Everything else raises InputError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import redact
from pipeline.errors import InputError
from pipeline.evidence.cases import Clause
from pipeline.history.prices import read_prices
from pipeline.history.sheets import as_csv, as_tables, as_toml, read_day, read_sheet
from pipeline.provenance import sha256_bytes

__all__ = ["read_prices", "read_terms"]
_CLAUSE = {"clause_id", "version", "text", "sha256", "in_force_from", "in_force_to", "behaviour"}


def read_terms(path: Path) -> tuple[Clause, ...]:
    """The clauses in a file, by id, first day in force and version. Raises InputError."""
    data = read_sheet(path)
    if path.suffix.lower() == ".toml":
        content = as_toml(path, data)
        if set(content) != {"clause"}:
            raise InputError(f"{path}: holds {redact.for_cell(', '.join(sorted(content)) or 'nothing')}; terms are [[clause]] tables.")
        rows = as_tables(path, content["clause"])
    else:
        rows = [{key: value for key, value in row.items() if value != ""} for row in as_csv(path, data, ("clause_id", "version", "in_force_from"))]
    clauses = sorted((_read_clause(path, number, row) for number, row in enumerate(rows, start=1)), key=lambda one: (one.clause_id, one.in_force_from, one.version))
    names = [(one.clause_id, one.version) for one in clauses]
    if len(set(names)) != len(names) or not names:
        raise InputError(f"{path}: {'a clause_id and version stand twice' if names else 'holds no clause'}. Give every version of a clause one entry.")
    return tuple(clauses)


def _read_clause(path: Path, number: int, row: Mapping[str, Any]) -> Clause:
    texts = {key: value for key, value in row.items() if key not in ("in_force_from", "in_force_to")}
    if set(row) - _CLAUSE or not {"clause_id", "version", "in_force_from"} <= set(row) or not all(isinstance(value, str) and value.strip() for value in texts.values()):
        raise InputError(f"{path}: clause {number} needs clause_id, version, in_force_from and text or sha256; it may have in_force_to and behaviour; nothing else, nothing empty.")
    if ("text" in row) == ("sha256" in row) or not re.fullmatch(r"[0-9a-f]{64}", row.get("sha256", "0" * 64)):
        raise InputError(f"{path}: clause {number} needs either its text or the sha256 of it (64 hex digits).")
    first, last = read_day(path, "in_force_from", row["in_force_from"]), row.get("in_force_to")
    until = None if last is None else read_day(path, "in_force_to", last)
    if until is not None and until <= first:
        raise InputError(f"{path}: clause {number} ends before it begins. in_force_to is the first day on which it was no longer in force.")
    digest = row["sha256"] if "sha256" in row else sha256_bytes(row["text"].encode())
    return Clause(row["clause_id"].strip(), row["version"].strip(), digest, first, until, row.get("behaviour", "").strip())
