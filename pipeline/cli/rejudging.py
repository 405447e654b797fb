"""`whatif`: a network without some families of evidence, or with another edge."""

from __future__ import annotations

import dataclasses
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Memory, Out, Threads, hash_without_compiling, limit_threads, usable_threads
from pipeline.errors import MemoryTooSmall

if TYPE_CHECKING:
    from pipeline.evidence.finished import FinishedRun
    from pipeline.evidence.whatif import Standing, WhatIf, WholeLog
    from pipeline.evidence.workings import Workings

_SCHEMA = "stillhunt.whatif/3"
USUAL_MEMORY_BYTES = 4_000_000_000
SHOWN = 20
"""Accounts lost or gained that people are shown."""

Accounts = Annotated[Path | None, typer.Option("--accounts", metavar="FILE", help="The accounts table that the run read, if it is no longer where the run found it.")]
Context = Annotated[Path | None, typer.Option("--context", metavar="DIR", help="The context folder that the run read, if it is no longer where the run found it.")]


WAIT = "recomputing from the run's tables: a few seconds for ten million requests, some twenty where the whole log is asked, longer if scratch is gone"


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
        if self.memory_bytes >= USUAL_MEMORY_BYTES:
            return  # enough; what knows the least takes a quarter of a cpu second to load
        from pipeline.run.options import MINIMUM_MEMORY_BYTES

        if self.memory_bytes < MINIMUM_MEMORY_BYTES:
            raise MemoryTooSmall(f"--memory of {self.memory_bytes} bytes is below {MINIMUM_MEMORY_BYTES}, which a judgement needs. Raise --memory.")

    def over(self, run: FinishedRun) -> Workings:
        """The workings of a run, which verify each table before it is read; says that it may take a while."""
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
    whole_log: Annotated[bool, typer.Option("--whole-log", help="Group the whole log again as well: who would be lost, who gained.")] = False,
    accounts: Accounts = None,
    context: Context = None,
    out: Out = DEFAULT_OUT,
    memory: Memory = USUAL_MEMORY_BYTES,
    threads: Threads = None,
    form: Form = "table",
) -> None:
    """Judge a network again without some families, or with another threshold: members, bits, tier, and who would come and go.

    A run judges each referred network again without each family: asked for one of them, its answer is there at once. Whatever else is asked is recomputed from the
    run's tables: 2 to 3 seconds of processor time for ten million requests; 6 with who would come and go (--whole-log or --format csv); a minute if scratch is gone.
    """
    again = Again(accounts, context, memory, threads or usable_threads())
    guarded(lambda: _whatif(network, tuple(without or ()), threshold, is_whole=whole_log or form == "csv", out=out, again=again, form=form))


def _whatif(name: str, without: tuple[str, ...], threshold: float | None, *, is_whole: bool, out: Path, again: Again, form: console.Format) -> None:
    again.check()
    gc.disable()  # a question of a few seconds: walking over all that was imported, again and again, takes a tenth of them
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.names import find_network
    from pipeline.evidence.whatif import answered

    run, struck_out = VerifiedRun(out), tuple(dict.fromkeys(without))
    network = find_network(run, name)
    is_one = len(struck_out) == 1 and threshold is None and not is_whole
    found, remade = (answered(run, network, struck_out[0]) if is_one else None), list[str]()
    if found is None:
        found, remade = _recomputed(run, network["network_id"], struck_out, threshold, again, is_whole=is_whole)
    if form == "json":
        console.document(dataclasses.asdict(found) | {"remade": remade}, _SCHEMA)
    elif form == "csv":
        assert found.whole_log is not None  # csv asks for the whole log
        changes = [(each, what) for what in ("lost", "gained") for each in getattr(found.whole_log, what)]
        console.rows(("account_id", "change"), changes, "csv", _SCHEMA)
    else:
        _print(found)
    if found.whole_log is None:
        moved = () if threshold is None else ("--threshold", f"{threshold:g}")
        console.say_next("whatif", network["network_id"], *(word for family in struck_out for word in ("--without", family)), *moved, "--whole-log", "--out", out)
    else:
        console.say_next("show", network["network_id"], "--out", out)


def _recomputed(run: FinishedRun, name: str, without: tuple[str, ...], threshold: float | None, again: Again, *, is_whole: bool) -> tuple[WhatIf, list[str]]:
    """The answer, and the tables that were made again for it."""
    if not is_whole:
        hash_without_compiling()  # nor are the pairs of one network scored so; both give equal bits
    from pipeline.evidence.rejudging import what_if

    with again.over(run) as workings:
        found = what_if(workings, name, without, threshold, is_whole=is_whole)
        say_remade(workings.remade)
        return found, workings.remade


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
    lines = [("as the run has it", found.before), ("put together again", found.again), ("with the change", found.after if is_changed else None)]
    columns = ("", "members", "bits", "q", "tier", "best alternative", "margin")
    console.rows(columns, [(label, *_line(standing)) for label, standing in lines if standing is not None], "table", "", least=("margin", "q"))
    console.data("")
    if found.again is not None and _far(found.before, found.again):
        console.paragraph(f"{_CUT_AGAIN} Compare the last line with the second." if is_changed else _CUT_AGAIN)
    console.paragraph(_change(found))
    if found.whole_log is None:
        console.paragraph(_FROM_RUN if found.again is None else _OF_MEMBERS)
    else:
        _print_log(found.whole_log)


_FROM_RUN = (
    "This is the run's own answer (table network_ablations): what the members amount to when they are put together again by what is left and judged by the same rule. "
    "Who would come in and who would go in the whole log: the command below, which recomputes."
)
_OF_MEMBERS = (
    "This is what the members amount to, put together again by what is left and judged by the run's rule. Who would come in and who would go in the whole log, which a lower "
    "threshold mostly changes: the command below."
)
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


def _print_log(log: WholeLog) -> None:
    console.heading("THE WHOLE LOG, GROUPED AGAIN: groups that hold two of its members or more")
    pieces = [(number, piece.account_count, piece.held_count, piece.coordination_bits, piece.origin) for number, piece in enumerate(log.pieces, start=1)]
    console.rows(("group", "accounts", "members", "bits", "joined by"), pieces[:SHOWN], "table", "")
    for what, names in (("lost from the first group", log.lost), ("gained by it", log.gained)):
        more = f" and {len(names) - SHOWN} more (--format csv)" if len(names) > SHOWN else ""
        console.paragraph(f"{what}: {len(names)}{': ' + ', '.join(names[:SHOWN]) + more if names else ''}", indent="    ", first="")
    if log.unnamed_count:
        text = f"accounts of its cluster that the run does not name, since too little speaks against each: {log.unnamed_count}, neither lost nor gained"
        console.paragraph(text, indent="    ", first="")
