"""`bundle seal`, `verify` and `rerun`: a case as a sealed bag, is it what was sealed, and does the same come out of the logs again."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Memory, Out, Threads, limit_threads, usable_threads

if TYPE_CHECKING:
    from pipeline.evidence.bundle import Sealed
    from pipeline.evidence.comparing import Compared
    from pipeline.evidence.rerun import Rerun
    from pipeline.evidence.verify import Check

ProfileName = Literal["internal", "counsel", "partner", "public"]
DIFFERS, INTEGRITY, DEGRADED = 3, 4, 5
SHOWN = 10
"""Files that are not equal and that people are shown."""
Bag = Annotated[Path, typer.Argument(metavar="BAG", help="The folder that `stillhunt bundle seal` made, wherever it lies now.")]


def group(purpose: str) -> typer.Typer:
    """The commands of `bundle`."""
    bundle = typer.Typer(
        help=purpose, epilog="Example: stillhunt bundle seal CASE-2026-0042", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
    )
    bundle.callback()(_bundle)
    bundle.command(epilog="Example: stillhunt bundle seal CASE-2026-0042 --profile counsel")(seal)
    return bundle


def _bundle() -> None:
    """Keep `seal` a command of its own: Typer would make a single one the group itself."""


def register(app: typer.Typer) -> None:
    """Add `verify` and `rerun`."""
    app.command(epilog="Example: stillhunt verify CASE-2026-0042_counsel_v1")(verify)
    app.command(epilog="Example: stillhunt rerun CASE-2026-0042_counsel_v1 --inputs /logs/requests --accounts /logs/accounts.parquet")(rerun)


def seal(
    case: Annotated[str, typer.Argument(metavar="ID", help="The case.")],
    profile: Annotated[ProfileName | None, typer.Option(help="Only the report of this profile; default: a bag for each one that was built.")] = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", metavar="KEYFILE", help="Sign with this Ed25519 private key (PEM, no passphrase). Without it the bag says that it is unsigned.")
    ] = None,
    despite_lint: Annotated[bool, typer.Option("--despite-lint", help="Seal a report that has lint findings; the bag says how many.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who seals it; default: the author of the case.")] = "",
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Seal the report of a case, its exhibits, hashes, settings and journal as a BagIt bag in DIR/cases/ID/bundles. A sealed bag is never changed.

    Exit 3: the report has lint findings; 4: a file of report, run or case is not what was recorded; 6: no such case, report or key.
    """

    def body() -> None:
        from pipeline.evidence.bundle import Sealing
        from pipeline.evidence.bundle import seal as sealed
        from pipeline.evidence.facts import short

        order = Sealing(case, profile, short("by", by), sign, despite_lint, dt.datetime.now(dt.UTC).date())
        _print_sealed(sealed(out, order), form)

    guarded(body)


def _print_sealed(bags: Sequence[Sealed], form: console.Format) -> None:
    if form == "table":
        for one in bags:
            console.data(redact.for_cell(str(one.path)))
            console.paragraph(f"{one.files} files, {one.size_bytes:,} bytes, for {one.profile} readers, {'signed' if one.is_signed else 'not signed'}", "  ", "  ")
            console.data(f"  seal {one.seal}")
    else:
        columns = ("bag", "profile", "files", "bytes", "seal", "is_signed", "lint_findings", "is_new")
        records = [(str(one.path), one.profile, one.files, one.size_bytes, one.seal, one.is_signed, one.lint_findings, one.is_new) for one in bags]
        console.rows(columns, records, form, "stillhunt.bundle/1")
    for one in bags:
        if not one.is_new:
            console.say(f"{one.path.name} was sealed before and holds just this: nothing was written")
        if one.lint_findings:
            console.say(f"{one.path.name} was sealed with {one.lint_findings} lint findings, and says so")
    console.say("the seal stands for every byte of a bag; it is in the journal of the case. Tell it to the reader by another way than the bag.")
    console.say_next("verify", bags[0].path)


def verify(bag: Bag, form: Form = "table") -> None:
    """Check a sealed bag: structure, every hash, nothing missing or added, signature, journal, and that its files agree. Exit 0: it is what was sealed; 4: it is not; 6: no bag.

    The bag's own data/50_repro/verify.py makes the same checks with nothing but Python.
    """

    def body() -> int:
        from pipeline.errors import InputError
        from pipeline.evidence.signing import holds
        from pipeline.evidence.verify import NotABagError, check, seal_of

        try:
            checks = check(bag, holds)
        except NotABagError as error:
            raise InputError(str(error)) from None
        _print_checks(bag, checks, seal_of(bag), form)
        failed = sum(not one.passed for one in checks)
        if failed:
            console.say(f"{failed} of {len(checks)} checks failed: this is not the bag that was sealed. Get it again from whoever sealed it.")
            console.say_next("verify", bag, why="then")
            return INTEGRITY
        console.say(f"all {len(checks)} checks passed")
        console.say_next("rerun", bag, "--inputs", "LOGS")
        return 0

    guarded(body)


def _print_checks(bag: Path, checks: Sequence[Check], seal: str, form: console.Format) -> None:
    if form == "json":
        plain = [{"check": one.name, "result": _result(one), "detail": one.detail} for one in checks]
        console.document({"bag": str(bag), "seal": seal, "passed": all(one.passed for one in checks), "checks": plain}, "stillhunt.verify/1")
    elif form == "csv":
        console.rows(("check", "result", "detail"), [(one.name, _result(one), one.detail) for one in checks], "csv", "stillhunt.verify/1")
    else:
        for one in checks:
            console.paragraph(one.detail, " " * 24, f"{_result(one)}  {one.name:<16}  ")
        console.data(f"seal  {seal}")


def _result(one: Check) -> str:
    return "pass" if one.passed else "FAIL"


def rerun(
    bag: Bag,
    inputs: Annotated[Path, typer.Option("--inputs", metavar="DIR", help="The folder that was LOGS when the run was made.")],
    accounts: Annotated[Path | None, typer.Option(metavar="FILE", help="The accounts table that the run read; default: accounts.parquet or .csv in DIR or beside it.")] = None,
    context: Annotated[Path | None, typer.Option(metavar="DIR", help="The context folder that the run read; default: `context` in DIR or beside it.")] = None,
    memory: Memory = 4_000_000_000,
    threads: Threads = None,
    form: Form = "table",
) -> None:
    """Check a bag and the logs by their hashes, make the run again in a folder of its own, and compare every table and page with what the bag expects.

    Exit 0: equal; 3: it differs, with the first difference; 4: the bag or an input was changed; 5: the run was degraded; 6: an input is missing.
    The work goes to the folder for temporary files (TMPDIR) and is removed.
    """

    def body() -> int:
        limit_threads(threads or usable_threads())
        from pipeline.errors import InputError
        from pipeline.evidence.rerun import Order
        from pipeline.evidence.rerun import rerun as again
        from pipeline.evidence.verify import NotABagError

        console.say("checking the bag and the logs, then making the run again: it takes as long as the run did")
        try:
            with console.Bars() as bars:
                found = again(Order(bag, inputs, accounts, context, memory, threads or usable_threads()), bars)
        except NotABagError as error:
            raise InputError(str(error)) from None
        _print_rerun(found, form)
        _say_rerun(found, bag)
        return DEGRADED if found.degraded else DIFFERS if found.outcome == "differs" else 0

    guarded(body)


def _print_rerun(found: Rerun, form: console.Format) -> None:
    if form == "json":
        console.document(dataclasses.asdict(found), "stillhunt.rerun/1")
        return
    if form == "csv":
        console.rows(("path", "result", "detail"), [(one.path, one.result, one.detail) for one in found.compared], "csv", "stillhunt.rerun/1")
        return
    judged = f"{len(found.nights)} night{'' if len(found.nights) == 1 else 's'} judged, the last {found.nights[-1]}"
    same = "same version, code, packages and platform as the run" if not found.program else f"{'; '.join(found.program)}"
    for what, text in (
        ("inputs", f"{found.input_count} log file{'' if found.input_count == 1 else 's'}, each with the SHA-256 in the bag"),
        ("nights", judged),
        ("program", same),
        ("tables", _counted(found, "tables")),
        ("pages", _counted(found, "")),
    ):
        console.paragraph(text, " " * 11, f"{what:<9}  ")
    for one in [one for one in found.compared if one.result == "differs"][:SHOWN]:
        _print_difference(one)
    console.paragraph(_verdict(found), " " * 11, f"{'result':<9}  ")


def _counted(found: Rerun, folder: str) -> str:
    """`54 of 54 equal` and what else there is."""
    whole, equal = found.count(folder), found.count(folder, "equal")
    others = ((found.count(folder, result), result) for result in ("equal after rounding", "equal but for the run id", "equal without network ids", "differs", "not compared"))
    told = {"equal after rounding": "equal after floats were rounded to 1e-9", "differs": "other than in the bag"}
    return ", ".join([f"{equal} of {whole} equal byte by byte", *(f"{count} {told.get(result, result)}" for count, result in others if count)])


def _print_difference(one: Compared) -> None:
    console.paragraph(redact.for_cell(f"{one.path}: {one.detail}"), " " * 11, f"{'differs':<9}  ")


def _verdict(found: Rerun) -> str:
    if found.outcome == "differs":
        return "differs"
    compared = sum(one.result != "not compared" for one in found.compared)
    if any(one.result in ("equal after rounding", "equal but for the run id") for one in found.compared):
        return f"equal as far as another program can be: {compared} of {len(found.compared)} files, as said above"
    return "equal" if compared == len(found.compared) else f"equal in the {compared} of {len(found.compared)} files that could be compared"


def _say_rerun(found: Rerun, bag: Path) -> None:
    for sentence in (*found.left_out, *(f"not all ran: {reason}" for reason in found.degraded)):
        console.say(sentence)
    if found.outcome == "differs" and found.program:
        console.say("The program is another than the run's: install requirements.lock of the bag and the version it names before anything is concluded from this.")
    console.say_next("verify", bag)
