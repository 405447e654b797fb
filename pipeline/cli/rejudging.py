"""`whatif`: a network without some families of evidence, or with another edge."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Memory, Out, Threads, limit_threads, usable_threads
from pipeline.errors import MemoryTooSmall

if TYPE_CHECKING:
    from pipeline.evidence.finished import FinishedRun
    from pipeline.evidence.rejudging import Standing, WhatIf
    from pipeline.evidence.workings import Workings

_SCHEMA = "stillhunt.whatif/1"
SHOWN = 20
"""Accounts lost or gained that people are shown."""

Accounts = Annotated[Path | None, typer.Option("--accounts", metavar="FILE", help="The accounts table that the run read, if it is no longer where the run found it.")]
Context = Annotated[Path | None, typer.Option("--context", metavar="DIR", help="The context folder that the run read, if it is no longer where the run found it.")]


WAIT = "recomputing from the run's tables: seconds for a small log, a minute or more for ten million requests"


@dataclasses.dataclass(frozen=True)
class Again:
    """Where the inputs of a run are now, if not where it found them, and what recomputing may take."""

    accounts: Path | None
    context: Path | None
    memory_bytes: int
    threads: int

    def check(self) -> None:
        """Raise MemoryTooSmall below what any run needs, before anything is read."""
        limit_threads(self.threads)
        from pipeline.run.options import MINIMUM_MEMORY_BYTES

        if self.memory_bytes < MINIMUM_MEMORY_BYTES:
            raise MemoryTooSmall(f"--memory of {self.memory_bytes} bytes is below {MINIMUM_MEMORY_BYTES}, which a judgement needs. Raise --memory.")

    def over(self, run: FinishedRun) -> Workings:
        """The workings of a run; says that it may take a while."""
        from pipeline.evidence.origins import Origins
        from pipeline.evidence.workings import Workings

        console.say(WAIT)
        return Workings(run, Origins(run.out, self.accounts, self.context), self.threads, self.memory_bytes)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt whatif N-0123456789 --without identity --threshold 20")(whatif)


def whatif(
    network: Annotated[str, typer.Argument(metavar="NET", help="A network_id, or @3 for the third of the queue.")],
    without: Annotated[list[str] | None, typer.Option("--without", metavar="FAMILY", help="Strike out a family of evidence. May be given more than once.")] = None,
    threshold: Annotated[float | None, typer.Option("--threshold", min=0.0, max=1000.0, metavar="BITS", help="Bits from which a pair is linked, in place of the run's.")] = None,
    accounts: Accounts = None,
    context: Context = None,
    out: Out = DEFAULT_OUT,
    memory: Memory = 4_000_000_000,
    threads: Threads = None,
    form: Form = "table",
) -> None:
    """Judge a network again without some families, or with another threshold: members, bits, tier, and who would come and go.

    Recomputed from the run's tables and days, not looked up: a minute of processor time and 4 GB for ten million requests, seconds for a small log.
    """
    again = Again(accounts, context, memory, threads or usable_threads())
    guarded(lambda: _whatif(network, tuple(without or ()), threshold, out, again, form))


def _whatif(name: str, without: tuple[str, ...], threshold: float | None, out: Path, again: Again, form: console.Format) -> None:
    again.check()
    from pipeline.evidence.finished import FinishedRun
    from pipeline.evidence.names import find_network
    from pipeline.evidence.rejudging import what_if

    run = FinishedRun(out)
    name = find_network(run, name)["network_id"]
    with again.over(run) as workings:
        found = what_if(workings, name, tuple(dict.fromkeys(without)), threshold)
        say_remade(workings.remade)
    if form == "json":
        console.document(dataclasses.asdict(found) | {"remade": workings.remade}, _SCHEMA)
    elif form == "csv":
        console.rows(("account_id", "change"), [*((each, "lost") for each in found.lost), *((each, "gained") for each in found.gained)], "csv", _SCHEMA)
    else:
        _print(found)
    console.say_next("show", name, "--out", out)


def say_remade(names: list[str]) -> None:
    """Tell what had to be made again."""
    if names:
        console.say(f"not published by the run, so made again from its days and inputs: {', '.join(names)}")


def _print(found: WhatIf) -> None:
    struck = f"without {', '.join(found.without)}" if found.without else "with all families"
    moved = f"linked from {found.threshold_bits:,.2f} bits" + ("" if found.threshold_bits == found.run_threshold_bits else f" in place of {found.run_threshold_bits:,.2f}")
    console.paragraph(f"{found.network_id} {struck}, {moved}")
    console.heading("JUDGED AGAIN")
    is_changed = bool(found.without) or found.threshold_bits != found.run_threshold_bits
    lines = [("as the run has it", found.before), ("put together again", found.again), *([("with the change", found.after)] if is_changed else [])]
    columns = ("", "members", "bits", "q", "tier", "best alternative", "margin")
    console.rows(columns, [(label, *_line(standing)) for label, standing in lines], "table", "", least=("margin", "q"))
    console.data("")
    if _far(found.before, found.again):
        console.paragraph(f"{_CUT_AGAIN} Compare the last line with the second." if is_changed else _CUT_AGAIN)
    console.paragraph(_change(found))
    _print_log(found)


_CUT_AGAIN = (
    "The first two lines differ with nothing changed: the run's figures are those of the group as it found it, the others those of the largest group that its members "
    "make when they are put together again from what they share among themselves."
)


def _far(run: Standing, again: Standing) -> bool:
    """Whether the members put together again are another group than the run's, to a hundredth of a bit."""
    bits = [None if one.coordination_bits is None else round(one.coordination_bits, 2) for one in (run, again)]
    return run.account_count != again.account_count or bits[0] != bits[1]


def _line(standing: Standing) -> tuple[object, ...]:
    return (standing.account_count, standing.coordination_bits, standing.q_value, standing.tier, standing.best_alternative, standing.alternative_margin_bits)


def _change(found: WhatIf) -> str:
    """What became of the verdict, in a sentence, and why."""
    from pipeline.assets import reports_folder
    from pipeline.pages.words import load_wording

    reason = load_wording(reports_folder() / "wording.toml").reason(found.after.reason)
    if found.after.tier == found.before.tier:
        return f"The tier stays {found.before.tier}. {reason}"
    return f"The tier changes from {found.before.tier} to {found.after.tier}. {reason}"


def _print_log(found: WhatIf) -> None:
    console.heading("THE WHOLE LOG, GROUPED AGAIN: groups that hold two of its members or more")
    pieces = [(number, piece.account_count, piece.held_count, piece.coordination_bits, piece.origin) for number, piece in enumerate(found.pieces, start=1)]
    console.rows(("group", "accounts", "members", "bits", "joined by"), pieces[:SHOWN], "table", "")
    for what, names in (("lost from the first group", found.lost), ("gained by it", found.gained)):
        more = f" and {len(names) - SHOWN} more (--format csv)" if len(names) > SHOWN else ""
        console.paragraph(f"{what}: {len(names)}{': ' + ', '.join(names[:SHOWN]) + more if names else ''}", indent="    ", first="")
    if found.unnamed_count:
        text = f"accounts of its cluster that the run does not name, since too little speaks against each: {found.unnamed_count}, neither lost nor gained"
        console.paragraph(text, indent="    ", first="")
