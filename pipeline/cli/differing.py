"""`diff`: what changed between two runs, and what could have caused it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out
from pipeline.errors import UsageError
from pipeline.store import latest_run

if TYPE_CHECKING:
    from pipeline.evidence.differences import Change, Difference

_SCHEMA = "stillhunt.diff/1"
REACHED = 3
LEVELS = ("any", "tier", "refer")
SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt diff --fail-on tier")(diff)


def diff(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN [RUN]]", help="A run id or its beginning, a night, or `latest`. None: the night before and the latest; one: that and the latest."),
    ] = None,
    fail_on: Annotated[
        Literal["any", "tier", "refer"] | None,
        typer.Option(help="End with exit code 3 if a network differs at all, in tier or by being there, or by coming to or leaving tier refer."),
    ] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Compare two runs: networks that are new, gone, grown, shrunk, of another tier or moved; and every input, setting, code and version that differs."""
    guarded(lambda: _diff(tuple(runs or ()), fail_on, out, form))


def _diff(names: tuple[str, ...], fail_on: str | None, out: Path, form: console.Format) -> int:
    from pipeline.evidence.differences import difference, find_runs, level

    if len(names) > 2:
        raise UsageError("diff compares two runs: name at most two.")
    found = difference(*find_runs(out, names))
    if form == "json":
        console.document({**dataclasses.asdict(found), "level": level(found.changes)}, _SCHEMA)
    elif form == "csv":
        console.rows(_COLUMNS, [dataclasses.astuple(one) for one in found.changes], "csv", _SCHEMA)
    else:
        _print(found)
    _say_next(found, out)
    reached = level(found.changes)
    return REACHED if fail_on and reached != "none" and LEVELS.index(reached) >= LEVELS.index(fail_on) else 0


def _say_next(found: Difference, out: Path) -> None:
    """The gravest network that differs; `show` knows those of the latest run only."""
    first = next((one for one in found.changes if one.tier is not None), None)
    if latest_run(out).name != found.run:
        console.say_next("runs", "--out", out)
    else:
        console.say_next(*(("show", first.network_id) if first else ("networks",)), "--out", out)


_COLUMNS = (
    "change", "network_id", "tier_before", "tier", "accounts_before", "accounts", "joined", "left", "bits_before", "bits", "extraction_before", "extraction", "q_before", "q",
)  # fmt: skip


def _print(found: Difference) -> None:
    console.line(("from ", ""), (found.run_before, "title"), f" (night {found.night_before}) to ", (found.run, "title"), f" (night {found.night})")
    counts = {word: sum(one.change == word for one in found.changes) for word in ("new", "gone", "tier", "grown", "shrunk", "moved")}
    words = {"tier": "of another tier", "moved": "moved in bits only"}
    told = ", ".join(f"{count} {words.get(word, word)}" for word, count in counts.items() if count)
    console.data(f"{told or 'no network differs'}; {found.same_count} the same")
    if found.changes:
        console.heading("NETWORKS THAT DIFFER")
        lines = [_line(one) for one in found.changes[:SHOWN]]
        console.rows(tuple(lines[0]), [tuple(line.values()) for line in lines], "table", "", ("q", "training", "left", "joined"))
        console.paragraph(_LEGEND)
        if len(found.changes) > SHOWN:
            console.data(f"({len(found.changes) - SHOWN} more: --format json or csv)")
    _print_causes(found)


_LEGEND = (
    "bits: for one operator, of the median member. training: bits for collection for training. q: share of false networks expected among those with this q or less. "
    "-: not weighed or not tested. Of a new network and of one that is gone, each column has its one value."
)


def _line(one: Change) -> dict[str, Any]:
    is_in_both = one.tier is not None and one.tier_before is not None
    if not is_in_both:  # `new` and `gone` say which run it is in, so no column need
        one = dataclasses.replace(one, **_both_sides(one))
    return {
        "change": one.change, "network_id": one.network_id, "tier": _then_now(one.tier_before or "-", one.tier or "-"),
        "accounts": _move(one.accounts_before, one.accounts, "d"), "joined": one.joined if is_in_both else None, "left": one.left if is_in_both else None,
        "bits": _move(one.bits_before, one.bits, ".1f"), "training": _move(one.extraction_before, one.extraction, ".1f"), "q": _move(one.q_before, one.q, ".2g"),
    }  # fmt: skip


def _both_sides(one: Change) -> dict[str, Any]:
    """The values of the run that has the network, for both runs."""
    names = ("tier", "accounts", "bits", "extraction", "q")
    own = {name: getattr(one, name if one.tier is not None else f"{name}_before") for name in names}
    return own | {f"{name}_before": value for name, value in own.items()}


def _move(before: float | None, after: float | None, form: str) -> str:
    """`12 -> 15`, one number if both agree, a dash for what is not known."""
    return _then_now(*("-" if value is None else format(value, form) for value in (before, after)))


def _then_now(then: str, now: str) -> str:
    return then if then == now else f"{then} -> {now}"


def _print_causes(found: Difference) -> None:
    kinds = list(dict.fromkeys(one.kind for one in found.causes))
    if not kinds:
        console.heading("WHAT WENT IN IS THE SAME: data, prior state, settings, code and versions")
        return
    console.heading(f"WHAT WENT IN AND DIFFERS: {', '.join(kinds).replace('_', ' ')}")
    for one in found.causes[:SHOWN]:
        kind = one.kind.replace("_", " ")
        text = redact.for_cell(f"{one.what}: {_then_now(one.before, one.after) if one.before else one.after}")
        console.paragraph(text, " " * 13, f"{kind:<11}  ")
    if len(found.causes) > SHOWN:
        console.data(f"({len(found.causes) - SHOWN} more: --format json)")
    judging = [kind for kind in kinds if kind not in ("prior_state", "reports")]
    if len(judging) == 1:
        console.paragraph(f"Of what can change a judgement, only {judging[0]} differs.")
    elif judging:
        console.paragraph(f"Several things that can change a judgement differ ({', '.join(judging)}): which of them did it, this comparison does not tell.")
    else:
        console.paragraph("Nothing that can change a judgement differs: ids and lineage rest on earlier nights, pages on the error rates that they quote.")
