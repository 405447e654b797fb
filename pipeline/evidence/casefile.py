"""A case on disk, and every change that a person may make to it.

    DIR/cases/ID/case.json       the case as it stands (`hold` is read by whoever deletes runs)
    DIR/cases/ID/journal.jsonl   every change, append-only and hash-chained (casejournal.py)
    DIR/cases/ID/imports/        the price and terms files that were imported, named by their SHA-256
    DIR/cases/ID/versions/N.json what version N of the report said: run, networks, members (corrections.py)
    DIR/cases/ID/PROFILE/        the report as it was built for a profile (building.py)

The key of the pseudonyms is not here (casekeys.py). Two different people stand behind a report: its author, and a reviewer who makes a DRAFT
REVIEWED; the author then makes it FINAL. Whatever changes what the report says makes it a DRAFT again. One command at a time changes a case.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline import redact
from pipeline.errors import InputError, IntegrityError, LockHeld, UsageError
from pipeline.evidence import casejournal
from pipeline.evidence.casejournal import Head
from pipeline.evidence.casekeys import make_key
from pipeline.evidence.cases import Case, Clause, OutsideFact, Superseded
from pipeline.history.prices import PriceSheet
from pipeline.provenance import sha256_bytes, sha256_json
from pipeline.store import read_json, storage_errors, write_bytes, write_json

SCHEMA = "stillhunt.case/1"
_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_NOT_CONTENT = ("status", "reviewer", "hold", "version", "supersedes")


@dataclass(frozen=True)
class CaseFile:
    """case.json: the case, and what its keeping needs."""

    case: Case
    key_id: str
    organisations: tuple[str, ...] = ()
    """names that the report may hold only under attribution, sorted"""
    journal: Head = dataclasses.field(default_factory=Head)

    def content_sha256(self) -> str:
        """Hash of what people say in the case; its status, hold and version are no part of it."""
        content = {key: value for key, value in dataclasses.asdict(self.case).items() if key not in _NOT_CONTENT}
        return sha256_json(content)


class CaseFolder:
    """DIR/cases/ID. Only `locked` gives one that may be changed."""

    def __init__(self, out: Path, case_id: str) -> None:
        if not _CASE_ID.fullmatch(case_id) or redact.for_filename(case_id, 64) != case_id:
            raise UsageError(f"'{redact.for_cell(case_id)}' cannot be the id of a case. Use at most 64 letters, digits, '-', '_' and '.', such as CASE-2026-0042.")
        self.out, self.case_id, self.path = out, case_id, out / "cases" / case_id

    def exists(self) -> bool:
        """Whether the case was made."""
        return (self.path / "case.json").is_file()

    def load(self) -> CaseFile:
        """The case. Raises InputError if there is none, IntegrityError if case.json is not as it was written."""
        if not self.exists():
            near = _nearest(self.path)
            raise InputError(f"there is no case '{self.case_id}' in {self.out}.{near} Make it with: stillhunt case new {self.case_id} --out {self.out}")
        document = read_json(self.path / "case.json")
        try:
            return _from_document(document)
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(f"{self.path / 'case.json'}: is not the case that was written there ({type(error).__name__}). Restore it from a copy.") from None

    def journal(self, file: CaseFile) -> list[dict[str, Any]]:
        """Every line of the journal, oldest first; raises IntegrityError if it was changed."""
        return casejournal.read_journal(self.path / "journal.jsonl", file.journal)

    @contextlib.contextmanager
    def locked(self) -> Iterator[CaseFolder]:
        """Hold the case; the folder is made if need be. Raises LockHeld, StorageError."""
        with storage_errors(self.out):
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise LockHeld(f"{self.path}: another command is changing this case. Try again when it is done.") from None
                yield self
            finally:
                os.close(handle)

    def create(self, case: Case, by: str) -> CaseFile:
        """Make the case and its key. Raises InputError if it exists."""
        if self.exists():
            raise InputError(f"case {self.case_id} exists already in {self.out}. See: stillhunt case show {self.case_id} --out {self.out}")
        (self.path / "journal.jsonl").unlink(missing_ok=True)  # of a command stopped before the case was made
        fresh = CaseFile(case, make_key(self.case_id, self.out))
        return self.save(fresh, by, "new", {"title": case.title, "networks": list(case.networks), "key_id": fresh.key_id})

    def keep_import(self, path: Path) -> str:
        """Keep a copy of an imported file below imports/; gives its name there, SHA-256 and suffix. Raises InputError if it cannot be read."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
        name = f"{sha256_bytes(data)}{path.suffix.lower()}"
        (self.path / "imports").mkdir(exist_ok=True)
        write_bytes(self.path / "imports" / name, data)
        return name

    def save(self, file: CaseFile, by: str, action: str, details: dict[str, Any]) -> CaseFile:
        """Write the change into the journal, then the case; gives the case with its new journal head."""
        head = casejournal.append(
            self.path / "journal.jsonl", file.journal, actor=by or "not named", action=action, details=details, object_sha256=sha256_json(document_of(file, with_journal=False))
        )
        kept = replace(file, journal=head)
        write_json(self.path / "case.json", document_of(kept))
        return kept

    def change(self, file: CaseFile, by: str, action: str, details: dict[str, Any], organisations: Collection[str] = (), **fields: Any) -> CaseFile:
        """Save the case with other values in some fields of it, and further organisations; if its people now say something else, it is a DRAFT again."""
        changed = replace(file, case=replace(file.case, **fields), organisations=tuple(sorted({*file.organisations, *organisations})))
        if changed.content_sha256() != file.content_sha256() and changed.case.status != "DRAFT":
            changed, details = replace(changed, case=replace(changed.case, status="DRAFT", reviewer="")), {**details, "status": "DRAFT"}
        return self.save(changed, by, action, details)


def same_person(one: str, other: str) -> bool:
    """Whether two names are one, whatever their case and spaces."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def reviewed(case: Case, by: str) -> Case:
    """The case one step on: REVIEWED by somebody other than its author, then FINAL by its author. Raises InputError."""
    if not case.author:
        raise InputError(f"case {case.case_id} has no author, so nobody can be another person. Name one: stillhunt case edit {case.case_id} --author NAME")
    is_author = same_person(by, case.author)
    if case.status == "DRAFT" and not is_author:
        return replace(case, status="REVIEWED", reviewer=by)
    if case.status == "REVIEWED" and is_author:
        return replace(case, status="FINAL")
    reason = {
        "DRAFT": f"{case.author} wrote it, so somebody else has to review it",
        "REVIEWED": f"{case.reviewer} reviewed it; now its author, {case.author}, makes it FINAL",
        "FINAL": "it is FINAL already",
    }[case.status]
    raise InputError(f"case {case.case_id} is {case.status}: {redact.for_cell(reason)}.")


def _nearest(path: Path) -> str:
    import difflib

    names = sorted(one.parent.name for one in path.parent.glob("*/case.json"))
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""


def document_of(file: CaseFile, *, with_journal: bool = True) -> dict[str, Any]:
    """case.json as it is written; its journal lines hold the hash of the part without `journal`."""
    kept = {"schema": SCHEMA, **dataclasses.asdict(file.case), "key_id": file.key_id, "organisations": file.organisations}
    return kept | ({"journal": dataclasses.asdict(file.journal)} if with_journal else {})


def _from_document(document: dict[str, Any]) -> CaseFile:
    if document["schema"] != SCHEMA:
        raise ValueError(document["schema"])
    plain = {key: document[key] for key in ("case_id", "version", "title", "status", "author", "reviewer", "hold")}
    prices, before = document["prices"], document["supersedes"]
    case = Case(
        **plain,
        facts=tuple(OutsideFact(**{**fact, "date": date.fromisoformat(fact["date"])}) for fact in document["facts"]),
        terms=tuple(_clause(clause) for clause in document["terms"]),
        prices=prices and PriceSheet(date.fromisoformat(prices["as_of"]), prices["sha256"], tuple((model, int(given), int(taken)) for model, given, taken in prices["rows"])),
        supersedes=before and Superseded(int(before["version"]), tuple((account, reason) for account, reason in before["removed"])),
        networks=tuple(document["networks"]),
        created_on=date.fromisoformat(document["created_on"]),
    )
    return CaseFile(case, document["key_id"], tuple(document["organisations"]), Head(int(document["journal"]["lines"]), str(document["journal"]["sha256"])))


def _clause(clause: dict[str, Any]) -> Clause:
    until = clause["in_force_to"]
    return Clause(**{**clause, "in_force_from": date.fromisoformat(clause["in_force_from"]), "in_force_to": until and date.fromisoformat(until)})
