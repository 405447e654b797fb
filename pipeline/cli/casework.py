"""`case`: what people add to a case, who stands behind it, and its journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out, parse_day

if TYPE_CHECKING:
    from pipeline.evidence.casefile import CaseFile, CaseFolder

CaseId = Annotated[str, typer.Argument(metavar="ID", help="The id of the case, such as CASE-2026-0042.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it; default: the author of the case.")]
Who = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML or CSV; README, Cases, says what stands in it.")]
_CASE = "stillhunt.case_summary/1"
SHOWN = 80
"""Rows of one part that `case show` prints for people."""
_PLAIN: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None, "pretty_exceptions_enable": False, "add_completion": False}


def group(purpose: str) -> typer.Typer:
    """The commands of this module."""
    case = typer.Typer(help=purpose, epilog="Example: stillhunt case show CASE-2026-0042", **_PLAIN)
    terms = typer.Typer(help="Terms of service as dated, hashed facts.", epilog="Example: stillhunt case terms import CASE-2026-0042 terms.toml", **_PLAIN)
    prices = typer.Typer(help="List prices of a day.", epilog="Example: stillhunt case prices import CASE-2026-0042 prices.toml", **_PLAIN)
    case.command(epilog='Example: stillhunt case new CASE-2026-0042 --network N-0123456789 --title "Shared addresses" --author "A. Analyst"')(new)
    case.command(epilog='Example: stillhunt case edit CASE-2026-0042 --author "A. Analyst"')(edit)
    case.command("add-fact", epilog='Example: stillhunt case add-fact CASE-2026-0042 --rung L4 --grade B2 --source "registry" --text "..." --by "A. Analyst"')(add_fact)
    case.command(epilog="Example: stillhunt case hold CASE-2026-0042 on")(hold)
    case.command(epilog='Example: stillhunt case review CASE-2026-0042 --by "B. Reviewer"')(review)
    case.command(epilog="Example: stillhunt case show CASE-2026-0042 --format json")(show)
    terms.command("import", epilog="Example: stillhunt case terms import CASE-2026-0042 terms.toml")(import_terms)
    prices.command("import", epilog="Example: stillhunt case prices import CASE-2026-0042 prices.toml")(import_prices)
    case.add_typer(terms, name="terms")
    case.add_typer(prices, name="prices")
    return case


def new(
    case_id: CaseId,
    network: Annotated[list[str] | None, typer.Option("--network", metavar="NET", help="A network of the latest run; may be given again.")] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="What the report is called.")] = "",
    author: Annotated[str, typer.Option(metavar="NAME", help="Who writes it. Somebody else has to review it.")] = "",
    created_on: Annotated[date | None, typer.Option(metavar="DAY", parser=parse_day, help="Its date; default: the night of the latest run.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Make a case, and the key of its pseudonyms in a folder of its own."""
    guarded(lambda: _new(case_id, network or [], title, author, created_on, out, form))


def edit(
    case_id: CaseId,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="What the report is called.")] = None,
    author: Annotated[str | None, typer.Option(metavar="NAME", help="Who writes it.")] = None,
    by: By = "",
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Change title or author. The case is a DRAFT again."""
    guarded(lambda: _edit(case_id, {"title": title or "", "author": author or ""}, by, out, form))


def add_fact(
    case_id: CaseId,
    rung: Annotated[Literal["L4", "L5"], typer.Option(help="L4: speaks to a named operator. L5: to acting for a named organisation.")],
    grade: Annotated[str, typer.Option(metavar="A1..F6", help="Admiralty code: source A-F, item 1-6.")],
    source: Annotated[str, typer.Option(metavar="TEXT", help="Where it comes from.")],
    text: Annotated[str, typer.Option(metavar="TEXT", help="What is known.")],
    by: Who,
    on: Annotated[date | None, typer.Option("--date", metavar="DAY", parser=parse_day, help="Day it was learnt; default: the night of the latest run.")] = None,
    organisation: Annotated[
        list[str] | None, typer.Option("--organisation", metavar="NAME", help="An organisation it names: lint then keeps it under attribution. May be given again.")
    ] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Add an outside fact: only these may carry attribution above L3. The case is a DRAFT again."""
    guarded(lambda: _add_fact(case_id, {"rung": rung, "grade": grade, "source": source, "text": text, "by": by}, on, organisation or [], out, form))


def import_terms(case_id: CaseId, file: File, by: By = "", out: Out = DEFAULT_OUT, form: Form = "table") -> None:
    """Take clauses of the terms into the case, in place of those it has. Of their text the SHA-256 is kept."""
    guarded(lambda: _import(case_id, file, "terms", by, out, form))


def import_prices(case_id: CaseId, file: File, by: By = "", out: Out = DEFAULT_OUT, form: Form = "table") -> None:
    """Take a dated price sheet into the case, in place of the one it has: whole micro-USD for a million tokens."""
    guarded(lambda: _import(case_id, file, "prices", by, out, form))


def hold(
    case_id: CaseId,
    state: Annotated[Literal["on", "off"], typer.Argument(help="on: nothing behind the case may be deleted.")],
    by: By = "",
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Put the case on hold, or lift it. Its status stays."""
    guarded(lambda: _changed(case_id, out, form, by, f"hold {state}", {"hold": state == "on"}))


def review(case_id: CaseId, by: Who, out: Out = DEFAULT_OUT, form: Form = "table") -> None:
    """Take the case one step on: REVIEWED by somebody other than its author, then FINAL by its author."""
    guarded(lambda: _review(case_id, by, out, form))


def show(case_id: CaseId, out: Out = DEFAULT_OUT, form: Form = "table") -> None:
    """Show a case: status, people, networks, facts, terms, prices, and its journal, whose chain is checked."""
    guarded(lambda: _show(case_id, out, form))


def _new(case_id: str, networks: list[str], title: str, author: str, created_on: date | None, out: Path, form: console.Format) -> None:
    from pipeline.evidence import building, casekeys
    from pipeline.evidence.casefile import CaseFolder
    from pipeline.evidence.finished import FinishedRun

    run, folder = FinishedRun(out), CaseFolder(out, case_id)
    case = building.new_case(run, case_id, building.networks_of(run, networks) if networks else (), title, author, created_on)
    with folder.locked():
        _print(folder, folder.create(case, author), form)
    console.say(f"its pseudonyms hang on a key in {casekeys.keys_folder(out)}: keep a copy of it elsewhere")
    console.say_next("report", "build", *case.networks[:1], "--case", case_id, "--profile", "internal", "--out", out)


def _edit(case_id: str, asked: dict[str, str], by: str, out: Path, form: console.Format) -> None:
    from pipeline.evidence.facts import short

    fields = {name: short(name, text) for name, text in asked.items()}
    _changed(case_id, out, form, by, "edit", {name: text for name, text in fields.items() if text})


def _changed(case_id: str, out: Path, form: console.Format, by: str, action: str, fields: dict[str, Any]) -> None:
    from pipeline.errors import UsageError
    from pipeline.evidence.casefile import CaseFolder

    if not fields:
        raise UsageError("nothing to change: give --title or --author.")
    folder = CaseFolder(out, case_id)
    folder.load()
    with folder.locked():
        file = folder.load()
        _print(folder, folder.change(file, by or file.case.author, action, fields, **fields), form)


def _add_fact(case_id: str, words: dict[str, str], on: date | None, organisations: list[str], out: Path, form: console.Format) -> None:
    from pipeline.evidence import facts
    from pipeline.evidence.casefile import CaseFolder
    from pipeline.evidence.finished import FinishedRun

    folder = CaseFolder(out, case_id)
    folder.load()
    fact = facts.outside_fact(words, on or date.fromisoformat(FinishedRun(out).manifest()["night"]))
    with folder.locked():
        file = folder.load()
        details = {"rung": fact.rung, "grade": fact.grade, "source": fact.source, "text": fact.text}
        _print(folder, folder.change(file, fact.by, "add-fact", details, facts.organisations(fact, organisations), facts=(*file.case.facts, fact)), form)


def _import(case_id: str, file: Path, what: Literal["terms", "prices"], by: str, out: Path, form: console.Format) -> None:
    from pipeline.evidence import imports
    from pipeline.evidence.casefile import CaseFolder

    folder = CaseFolder(out, case_id)
    folder.load()
    found: dict[str, Any] = {"terms": imports.read_terms(file)} if what == "terms" else {"prices": imports.read_prices(file)}
    with folder.locked():
        case = folder.load()
        kept = folder.keep_import(file)
        _print(folder, folder.change(case, by or case.case.author, f"import {what}", {"file": kept}, **found), form)


def _review(case_id: str, by: str, out: Path, form: console.Format) -> None:
    from pipeline.evidence import reviewing
    from pipeline.evidence.casefile import CaseFolder

    folder = CaseFolder(out, case_id)
    folder.load()
    with folder.locked():
        file = reviewing.review(folder, by)
        _print(folder, file, form)
    console.say(f"case {case_id} is {file.case.status}; its reports say so once they are built again.")
    for profile in reviewing.built_profiles(folder):
        console.say_next("report", "build", *file.case.networks, "--case", case_id, "--profile", profile, "--out", out)


def _show(case_id: str, out: Path, form: console.Format) -> None:
    from pipeline.evidence import reviewing
    from pipeline.evidence.casefile import CaseFolder

    folder = CaseFolder(out, case_id)
    file = folder.load()
    journal = folder.journal(file)
    if form != "table":
        _print(folder, file, form, journal)
        return
    _print(folder, file, form)
    case = file.case
    _part("FACTS", ("rung", "grade", "date", "by", "source", "text"), [(fact.rung, fact.grade, fact.date.isoformat(), fact.by, fact.source, fact.text) for fact in case.facts])
    clauses = [(one.clause_id, one.version, one.in_force_from.isoformat(), one.in_force_to and one.in_force_to.isoformat(), one.sha256[:16], one.behaviour) for one in case.terms]
    _part("TERMS", ("clause", "version", "from", "to", "sha256", "behaviour"), clauses)
    _part("PRICES, micro-USD for a million tokens", ("model", "input", "output"), case.prices.rows if case.prices else ())
    if case.supersedes:
        _part(f"REMOVED since version {case.supersedes.version}", ("account", "reason"), case.supersedes.removed)
    _part("JOURNAL (its chain is whole)", ("seq", "utc", "actor", "action"), [(entry["seq"], entry["utc"], entry["actor"], entry["action"]) for entry in journal])
    built = reviewing.built_profiles(folder)
    console.say_next("report", *(("lint", case_id) if built else ("build", *case.networks, "--case", case_id, "--profile", "internal")), "--out", out)


def _part(title: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        console.data(f"\n{title}")
        console.rows(columns, rows[:SHOWN], "table", "")
        if len(rows) > SHOWN:
            console.data(f"({len(rows) - SHOWN} more: --format json)")


def _print(folder: CaseFolder, file: CaseFile, form: console.Format, journal: list[dict[str, Any]] | None = None) -> None:
    """The case in short; as JSON all of it."""
    import dataclasses

    case = file.case
    if form == "json":
        console.document({**dataclasses.asdict(case), "organisations": file.organisations, "key_id": file.key_id} | ({"journal": journal} if journal is not None else {}), _CASE)
        return
    prices = f"{len(case.prices.rows)} models, {case.prices.as_of}" if case.prices else "none"
    facts = {
        "case": case.case_id,
        "title": case.title,
        "status": case.status,
        "version": str(case.version),
        "author": case.author or "not named",
        "reviewer": case.reviewer or "nobody yet",
        "created on": case.created_on.isoformat(),
        "networks": ", ".join(case.networks) or "none yet",
        "outside facts": str(len(case.facts)),
        "clauses": str(len(case.terms)),
        "prices": prices,
        "hold": "on" if case.hold else "off",
        "folder": redact.for_cell(str(folder.path)),
    }
    console.rows(("what", "value"), list(facts.items()), form, _CASE)
