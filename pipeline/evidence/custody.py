"""The case and its journal as a bag holds them: byte by byte for internal readers, else released piece by piece and chained anew.

Outside internal every text passes the gate of the report, so a line cannot keep its hash. Each released line says instead which line it stands for: `original` is that line's
SHA-256 under the key of the case, so that who holds the key can match the two, and nobody else can test a guess about what was masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.errors import IntegrityError
from pipeline.evidence.casefile import CaseFile, CaseFolder, document_of
from pipeline.evidence.casejournal import NOTHING, Head
from pipeline.evidence.cases import Case, Superseded
from pipeline.provenance import canonical_json, sha256_bytes, sha256_json
from pipeline.redaction import Release

OURS = ("bag", "key_id", "networks", "profile", "run_id", "seal", "status", "version")
"""Details that a command wrote, never a person or a log."""
_HASH = re.compile(r"[0-9a-f]{64}")


def read_custody(folder: CaseFolder, file: CaseFile) -> list[bytes]:
    """The lines of the journal up to the last that the case counts. Raises IntegrityError if the journal or case.json was changed."""
    entries = folder.journal(file)[: file.journal.lines]
    if not entries or entries[-1].get("object_sha256") != sha256_json(document_of(file, with_journal=False)):
        raise IntegrityError(f"{folder.path / 'case.json'}: is not the case that its journal holds the hash of: it was changed by hand. Restore it from a copy.")
    return (folder.path / "journal.jsonl").read_bytes().split(b"\n")[: len(entries)]


def released(path: Path, file: CaseFile, lines: Sequence[bytes], release: Release) -> tuple[bytes, bytes]:
    """case.json and journal.jsonl for the readers of a release. `path` is that of case.json."""
    if release.is_internal:
        return path.read_bytes(), b"".join(line + b"\n" for line in lines)
    chained, previous = list[bytes](), NOTHING
    for line in lines:
        chained.append(canonical_json(_entry(json.loads(line), line, release) | {"prev_sha256": previous}))
        previous = sha256_bytes(chained[-1])
    shown = replace(file, case=_case(file.case, release), organisations=tuple(release.text(name) for name in file.organisations), journal=Head(len(chained), previous))
    document = json.dumps(document_of(shown), indent=1, sort_keys=True, ensure_ascii=True, default=str).encode() + b"\n"
    return document, b"".join(line + b"\n" for line in chained)


def _entry(entry: dict[str, Any], line: bytes, release: Release) -> dict[str, Any]:
    details = {key: value if key in OURS else _shown(value, release) for key, value in entry["details"].items()}
    if entry["action"] == "build" and entry["details"].get("profile") == release.profile:
        details["files"] = entry["details"]["files"]  # of the report that is in the bag
    hidden = {"object_sha256": release.value(entry["object_sha256"]), "original": release.value(sha256_bytes(line))}
    return {"seq": entry["seq"], "utc": entry["utc"], "actor": release.text(entry["actor"]), "action": entry["action"], "details": details, **hidden}


def _shown(value: Any, release: Release) -> Any:
    """A detail without what the release masks; a hash is a way to test a guess, so it is given under the key."""
    if isinstance(value, str):
        return release.value(value) if _HASH.fullmatch(value) else release.text(value)
    if isinstance(value, dict):
        return {release.text(key): _shown(one, release) for key, one in value.items()}
    return [_shown(one, release) for one in value] if isinstance(value, list) else value


def _case(case: Case, release: Release) -> Case:
    text = release.text
    before = case.supersedes
    return replace(
        case,
        title=text(case.title),
        author=text(case.author),
        reviewer=text(case.reviewer),
        facts=tuple(replace(fact, text=text(fact.text), source=text(fact.source), by=text(fact.by)) for fact in case.facts),
        terms=tuple(replace(one, clause_id=text(one.clause_id), version=text(one.version), behaviour=text(one.behaviour)) for one in case.terms),
        prices=case.prices and replace(case.prices, rows=tuple((text(model), given, taken) for model, given, taken in case.prices.rows)),
        supersedes=before and Superseded(before.version, tuple(sorted((release.account(account), text(reason)) for account, reason in before.removed))),
    )
