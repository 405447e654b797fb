"""`report build`: from a finished run and a case to DIR/cases/ID/PROFILE, linted, versioned and put in place as one.

    incident.html   the report; incident.pdf the same page printed, if asked for
    data/*.csv      the numbers behind its figures and tables
    lint.json       what `report lint` found, and the version and hash of the page it was found in

The same run, case and profile give the same bytes. A page with findings is built as a DRAFT. A report that says something else of somebody than
the version before it is a new version, and says who was removed and why. The document itself is made by the function that is handed in.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, PdfUnavailable, UsageError
from pipeline.evidence import clearing, corrections
from pipeline.evidence.casefile import CaseFile, CaseFolder
from pipeline.evidence.casekeys import read_key
from pipeline.evidence.cases import Case, Superseded
from pipeline.evidence.facts import short
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.lint import LintFinding, lint
from pipeline.pages import pdf as pdf_page
from pipeline.pages.error_rates import find_validations
from pipeline.pages.withdrawal import Withdrawn, withdrawal_page
from pipeline.provenance import code_sha256, sha256_bytes, sha256_file, sha256_json
from pipeline.redaction import Profile, Release
from pipeline.store import Store, read_json, write_bytes, write_json

LINT_SCHEMA = "stillhunt.lint/1"
HTML, PDF, LINT = "incident.html", "incident.pdf", "lint.json"


@dataclass(frozen=True)
class Document:
    """A report as it was written: the page, and the files it links to by their names below it (`data/figure-1.csv`)."""

    html: str
    files: Mapping[str, bytes] = field(default_factory=dict)


Write = Callable[[FinishedRun, Case, Sequence[str], Release], Document]


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    case_id: str
    networks: tuple[str, ...]
    """none: those of the case"""
    profile: Profile
    pdf: bool = False
    title: str = ""
    """of a case that is made"""
    author: str = ""
    """of a case that is made"""
    organisations: frozenset[str] = frozenset()
    """further names that may stand under attribution only"""
    context_files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file of the context folder, by name"""
    has_texts: bool = False
    """whether prompts are read again from the logs"""


@dataclass(frozen=True)
class Built:
    """What `build` left behind."""

    case: Case
    folder: Path
    is_new_case: bool
    is_unchanged: bool
    """whether every byte of the folder was there already"""
    findings: tuple[LintFinding, ...]
    cleared: tuple[str, ...]
    """networks that the version before referred and this one does not"""
    stale: tuple[str, ...]
    """other profiles that still hold an earlier version"""
    files: tuple[tuple[str, int, str], ...]
    """(name, bytes, SHA-256), by name"""
    pdf_missing: str
    """why there is no PDF although it was asked for, '' otherwise"""


def build(out: Path, order: Order, write: Write) -> Built:
    """Build the report of a case; one that does not exist is made. Raises StillhuntError."""
    run, folder, profile = FinishedRun(out), CaseFolder(out, order.case_id), order.profile
    wanted = _wanted(run, folder, order.networks)
    run.verify()
    with folder.locked():
        is_new = not folder.exists()
        file = folder.create(new_case(run, order.case_id, wanted, order.title, order.author), order.author) if is_new else folder.load()
        folder.journal(file)
        before = corrections.kept(folder.path, file.case.version)
        file, now = _next_version(run, file, wanted, _basis(run, order), before)
        key = b"" if profile == "internal" else read_key(order.case_id, file.key_id, out)
        document, findings, file = _written(run, file, wanted, order, key, write)
        missing = _put(run, folder, file.case, profile, document, findings, pdf=order.pdf)
        files, unchanged = _publish(folder, profile)
        now = replace(now, status=file.case.status)
        corrections.keep(folder.path, now)
        cleared = _clear(folder, before, now, file.case.supersedes)
        if not unchanged or file.case != folder.load().case:
            details = {"profile": profile, "version": file.case.version, "run_id": now.run_id, "status": file.case.status, "lint_findings": len(findings)}
            folder.change(file, file.case.author, "build", details | {"files": {name: digest for name, _, digest in files}}, order.organisations)
        return Built(file.case, folder.path / profile, is_new, unchanged, findings, cleared, _stale(folder.path, file.case.version), files, missing)


def _basis(run: FinishedRun, order: Order) -> str:
    """Hash of what a report is made with beside run and case: context files, the validations it may quote, and the program, its wording included."""
    parts = [dict(order.context_files), [found.document for found in find_validations(run.out)], code_sha256()]
    return sha256_json([*parts, "texts"] if order.has_texts else parts)


def _clear(folder: CaseFolder, before: corrections.Version | None, now: corrections.Version, superseded: Superseded | None) -> tuple[str, ...]:
    """Networks that this version takes back from the one before; their pages say so."""
    if before is None or superseded is None or before.version == now.version:
        return ()
    networks = corrections.cleared(before, now)
    clearing.write_cleared(folder, networks, before, now, superseded)
    return networks


def new_case(run: FinishedRun, case_id: str, networks: Sequence[str], title: str, author: str, created_on: dt.date | None = None) -> Case:
    """A case nobody has added to yet, dated the night of the run unless a date is given."""
    night = dt.date.fromisoformat(run.manifest()["night"])
    title, author = short("title", title), short("author", author)
    return Case(case_id, 1, title or f"Case {case_id}", "DRAFT", author, "", (), (), None, None, tuple(networks), hold=False, created_on=created_on or night)


def networks_of(run: FinishedRun, asked: Sequence[str]) -> tuple[str, ...]:
    """The ids asked for, each once, sorted. Raises UsageError for none, InputError for one that the run does not hold."""
    import difflib

    if not asked:
        raise UsageError("which networks? Name at least one: stillhunt report build N-0123456789 --case CASE-1 --profile internal")
    known = run.table("networks")["network_id"].to_list()
    for name in asked:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            raise InputError(f"'{name}' is no network of the latest run in {run.out}.{f' Did you mean {close[0]}?' if close else ''} See: stillhunt networks --out {run.out}")
    return tuple(sorted(set(asked)))


def _wanted(run: FinishedRun, folder: CaseFolder, asked: Sequence[str]) -> tuple[str, ...]:
    """The networks to report on. One that an earlier version reported on and that the run no longer holds is left out; none left is a withdrawal."""
    case = folder.load().case if folder.exists() else None
    before = corrections.kept(folder.path, case.version) if case else None
    names, known = asked or (case.networks if case else ()), set(run.table("networks")["network_id"].to_list())
    gone = {name for name in names if before and name in before.networks and name not in known}
    is_withdrawn = before is not None and before.version > 1 and not before.networks
    return () if (names and gone == set(names)) or (not names and is_withdrawn) else networks_of(run, [name for name in names if name not in gone])


def _withdrawal(run: FinishedRun, case: Case, release: Release) -> Document:
    """The page that takes the place of a report none of whose networks is left."""
    if case.supersedes is None:
        raise UsageError(f"case {case.case_id} has no network. Name one: stillhunt report build N-0123456789 --case {case.case_id} --profile {release.profile}")
    people = [release.text(text) for text in (case.title, case.author, case.reviewer)]
    removed = sorted((release.account(account), release.text(reason)) for account, reason in case.supersedes.removed)
    said = Withdrawn(case.case_id, people[0], case.version, case.status, people[1], people[2], str(case.created_on), release.profile, case.supersedes.version, removed)
    return Document(withdrawal_page(said, run.manifest()))


def lint_of(folder: Path, organisations: Collection[str]) -> tuple[LintFinding, ...]:
    """What lint finds in a built report, read again from its bytes. Raises InputError if there is none."""
    if not (folder / HTML).is_file():
        raise InputError(f"{folder}: holds no report. Build it with: stillhunt report build NETWORK --case {folder.parent.name} --profile {folder.name}")
    return lint((folder / HTML).read_text(encoding="utf-8"), organisations, _names(folder))


def _next_version(run: FinishedRun, file: CaseFile, networks: Sequence[str], basis: str, before: corrections.Version | None) -> tuple[CaseFile, corrections.Version]:
    """The case as this report has to show it: a version of its own if it says something else of somebody, or follows a FINAL one."""
    file = replace(file, case=replace(file.case, networks=tuple(networks)))
    now = corrections.version_of(run, networks, file.case, file.content_sha256(), basis)
    if before is None or (before.made_of(), before.says()) == (now.made_of(), now.says()):
        return file, now
    drafted = replace(file.case, status="DRAFT", reviewer="")
    if before.says() != now.says() or before.status == "FINAL":
        drafted = replace(drafted, version=before.version + 1, supersedes=corrections.superseded(run, before, now))
    return replace(file, case=drafted), replace(now, version=drafted.version)


def _written(run: FinishedRun, file: CaseFile, networks: Sequence[str], order: Order, key: bytes, write: Write) -> tuple[Document, tuple[LintFinding, ...], CaseFile]:
    """The document and what lint finds in it; a REVIEWED or FINAL one with findings is written again as a DRAFT."""
    members = run.among("members", {"network_id": list(networks)})["account_id"].to_list()
    removed = [account for account, _ in file.case.supersedes.removed] if file.case.supersedes else []
    names = {*order.organisations, *file.organisations}

    def attempt(case: Case) -> tuple[Document, tuple[LintFinding, ...]]:
        release = Release(order.profile, key, {*members, *removed})
        document = write(run, case, networks, release) if networks else _withdrawal(run, case, release)
        return document, lint(document.html, names, {*document.files, HTML, PDF, LINT})

    document, findings = attempt(file.case)
    if findings and file.case.status != "DRAFT":
        file = replace(file, case=replace(file.case, status="DRAFT", reviewer=""))
        document, findings = attempt(file.case)
    return document, findings, file


def _put(run: FinishedRun, folder: CaseFolder, case: Case, profile: Profile, document: Document, findings: Sequence[LintFinding], *, pdf: bool) -> str:
    """Write every file of the release beside its place; gives why there is no PDF. A PDF of the same page is kept."""
    fresh, old = _fresh(folder, profile), folder.path / profile
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    page, missing = document.html.encode("utf-8"), ""
    write_bytes(fresh / HTML, page)
    for name, data in sorted(document.files.items()):
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(fresh / name, data)
    if (old / PDF).is_file() and (old / HTML).read_bytes() == page:
        shutil.copyfile(old / PDF, fresh / PDF)
    elif pdf:
        try:
            write_bytes(fresh / PDF, pdf_page.pdf_bytes(document.html, _window_end(run)))
        except PdfUnavailable as error:
            missing = str(error)
    about = {"schema": LINT_SCHEMA, "case_id": case.case_id, "version": case.version, "profile": profile, "html_sha256": sha256_bytes(page)}
    write_json(fresh / LINT, {**about, "findings": [dataclasses.asdict(finding) for finding in findings]})
    return missing


def _publish(folder: CaseFolder, profile: str) -> tuple[tuple[tuple[str, int, str], ...], bool]:
    """Put the written files in place as one; gives them, and whether they were there already."""
    fresh, place = _fresh(folder, profile), folder.path / profile
    files = _described(fresh)
    if place.is_dir() and _described(place) == files:
        shutil.rmtree(fresh)
        return files, True
    Store(folder.out).replace_folder(fresh, place)
    return files, False


def _described(folder: Path) -> tuple[tuple[str, int, str], ...]:
    return tuple((name, (folder / name).stat().st_size, sha256_file(folder / name)) for name in sorted(_names(folder)))


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _fresh(folder: CaseFolder, profile: str) -> Path:
    return folder.path / f".{profile}.new"


def _stale(path: Path, version: int) -> tuple[str, ...]:
    """Profiles whose report is of another version."""
    return tuple(sorted(found.parent.name for found in path.glob(f"*/{LINT}") if not found.parent.name.startswith(".") and read_json(found).get("version") != version))


def _window_end(run: FinishedRun) -> dt.datetime:
    """The first moment after the window."""
    last: Any = dt.date.fromisoformat(run.manifest()["window"]["last_day"])
    return dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), dt.UTC)
