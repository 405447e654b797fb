"""`report build` and `report lint`: the incident report of a case, for one kind of reader at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out

if TYPE_CHECKING:
    from pipeline.evidence.building import Built, Document
    from pipeline.evidence.cases import Case
    from pipeline.evidence.dossier.skeletons import Logs
    from pipeline.evidence.finished import FinishedRun
    from pipeline.redaction import Release

ProfileName = Literal["internal", "counsel", "partner", "public"]
LINT_FOUND = 3
_PROFILE_HELP = "internal shows ids and addresses; counsel, partner and public show pseudonyms and networks of addresses."
Context = Annotated[Path | None, typer.Option("--context", metavar="DIR", help="What only the provider knows: releases, bans, vouched organisations, regions.")]


def group(purpose: str) -> typer.Typer:
    """The commands of this module."""
    report = typer.Typer(
        help=purpose, epilog="Example: stillhunt report lint CASE-2026-0042", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
    )
    report.command(epilog="Example: stillhunt report build N-0123456789 --case CASE-2026-0042 --profile counsel --pdf")(build)
    report.command(epilog="Example: stillhunt report lint CASE-2026-0042 --profile counsel")(lint)
    return report


def build(
    case: Annotated[str, typer.Option("--case", metavar="ID", help="The case; it is made if it does not exist.")],
    profile: Annotated[ProfileName, typer.Option(help=_PROFILE_HELP)],
    network: Annotated[list[str] | None, typer.Argument(metavar="NETWORK", help="Networks of the latest run; default: those of the case.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it as a tagged PDF too.")] = False,
    context: Context = None,
    logs: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Where the logs of the run lie now (repeatable): frequent skeletons are then shown in words, masked.")
    ] = None,
    accounts: Annotated[Path | None, typer.Option(metavar="FILE", help="With --logs: the accounts table of the run, to tell organisations apart if the log names none.")] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="Title of a case that is made.")] = "",
    author: Annotated[str, typer.Option(metavar="NAME", help="Author of a case that is made.")] = "",
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Build the incident report of one or more networks for one kind of reader, into DIR/cases/ID/PROFILE."""
    guarded(lambda: _build(case, profile, network or [], context, (logs or [], accounts), pdf, title, author, out, form))


def lint(
    case: Annotated[str, typer.Argument(metavar="ID", help="The case.")],
    profile: Annotated[ProfileName | None, typer.Option(help="Only the report of this profile; default: every one that was built.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Look for what a report may not say, with the place and what to write instead. Exit 3 if there is any."""
    guarded(lambda: _lint(case, profile, out, form))


def _build(
    case: str,
    profile: ProfileName,
    networks: list[str],
    context: Path | None,
    given_logs: tuple[list[Path], Path | None],
    pdf: bool,
    title: str,
    author: str,
    out: Path,
    form: console.Format,
) -> None:
    from pipeline.errors import PdfUnavailable
    from pipeline.evidence import building
    from pipeline.evidence.dossier.skeletons import Logs
    from pipeline.ingest.context import read_context

    given, logs = read_context(context), Logs(tuple(given_logs[0]), given_logs[1]) if given_logs[0] else None
    order = building.Order(
        case, tuple(networks), profile, pdf=pdf, title=title, author=author, organisations=given.vouched_organizations, context_files=given.files or {}, has_texts=logs is not None
    )
    built = building.build(out, order, lambda run, case, names, release: _document(run, case, names, release, context, logs))
    _print(built, form)
    _say(built, out)
    if built.pdf_missing:
        raise PdfUnavailable(built.pdf_missing)


def _document(run: FinishedRun, case: Case, networks: Sequence[str], release: Release, context: Path | None, logs: Logs | None) -> Document:
    from pipeline.evidence.building import Document
    from pipeline.evidence.incident import build_incident
    from pipeline.evidence.tabledata import table_files
    from pipeline.pages.incident import render_incident

    html = render_incident(build_incident(run, case, networks, release, context, logs))
    return Document(html, table_files(html))


def _print(built: Built, form: console.Format) -> None:
    if form == "json":
        files = [dict(zip(("name", "bytes", "sha256"), file, strict=True)) for file in built.files]
        case = {key: getattr(built.case, key) for key in ("case_id", "version", "status", "networks")}
        document = {**case, "profile": built.folder.name, "files": files, "lint_findings": len(built.findings), "is_unchanged": built.is_unchanged, "cleared": built.cleared}
        console.document(document, "stillhunt.report/1")
    else:
        shown = [file for file in built.files if form == "csv" or "/" not in file[0]]
        console.rows(("file", "bytes", "sha256"), [(str(built.folder / name), size, digest) for name, size, digest in shown], form, "stillhunt.report/1")
        if len(built.files) > len(shown):
            console.data(f"{built.folder / 'data'}: {len(built.files) - len(shown)} tables as CSV")


def _say(built: Built, out: Path) -> None:
    from pipeline.evidence import casekeys

    case = built.case
    console.say(f"case {case.case_id}{', made now' if built.is_new_case else ''}: version {case.version}, {case.status}{'; every byte as before' if built.is_unchanged else ''}")
    if built.is_new_case:
        console.say(f"its pseudonyms hang on a key in {casekeys.keys_folder(out)}: keep a copy of it elsewhere")
    if case.supersedes:
        console.say(f"it supersedes version {case.supersedes.version}: {len(case.supersedes.removed)} accounts removed, each with its reason in the report")
    for name in built.cleared:
        page = built.folder.parent / "corrections" / f"{name}.html"
        console.say(f"{name} is cleared; {f'its page with the correction: {page}' if page.is_file() else 'it has no page, for the run that held it is not kept'}")
    for profile in built.stale:
        console.say(f"the {profile} report is of another version: build it again")
    if built.findings:
        console.say(f"lint findings: {len(built.findings)}; the report is a DRAFT as long as there is one")
        console.say_next("report", "lint", case.case_id, "--profile", built.folder.name, "--out", out)
    elif case.status != "FINAL":
        console.say_next("case", "review", case.case_id, "--by", case.author if case.status == "REVIEWED" else "NAME", "--out", out)


def _lint(case_id: str, profile: ProfileName | None, out: Path, form: console.Format) -> int:
    from pipeline.errors import InputError
    from pipeline.evidence import building, reviewing
    from pipeline.evidence.casefile import CaseFolder

    folder = CaseFolder(out, case_id)
    file = folder.load()
    profiles = (profile,) if profile else reviewing.built_profiles(folder)
    if not profiles:
        raise InputError(f"case {case_id} has no report yet. Build it: stillhunt report build --case {case_id} --profile internal --out {out}")
    found = [(name, finding) for name in profiles for finding in building.lint_of(folder.path / name, file.organisations)]
    rows = [(name, one.rule, one.place, one.found, one.instead, one.reason, one.sentence) for name, one in found]
    columns = ("profile", "rule", "place", "found", "instead", "reason", "sentence")
    if form == "table":
        _print_findings(rows)
    else:
        console.rows(columns, rows, form, "stillhunt.lint/1")
    console.say(f"{len(rows) or 'no'} finding{'' if len(rows) == 1 else 's'} in {', '.join(profiles)}")
    if rows:
        console.say_next("report", "build", *file.case.networks, "--case", case_id, "--profile", rows[0][0], "--out", out)
    else:
        console.say_next(*(("case", "show", case_id) if file.case.status == "FINAL" else ("case", "review", case_id, "--by", "NAME")), "--out", out)
    return LINT_FOUND if rows else 0


def _print_findings(rows: Sequence[tuple[str, ...]]) -> None:
    """One finding after the other: a sentence does not fit a column."""
    for profile, rule, place, found, instead, reason, sentence in rows:
        console.data(f"{profile}  {rule}  {place}")
        for what, text in (("found:", found), ("in:", sentence), ("because:", reason), ("instead:", instead)):
            console.paragraph(text, " " * 12, f"  {what:<8}  ")
        console.data("")
