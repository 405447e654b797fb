"""`explain`: why one account is linked to another or to its network, in bits, facts and request rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console, drawing, redact
from pipeline.cli.guard import guarded
from pipeline.cli.nextsteps import say_next_about
from pipeline.cli.options import DEFAULT_OUT, Form, Out
from pipeline.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from pipeline.evidence.explanation import Explanation
    from pipeline.evidence.finished import FinishedRun
    from pipeline.evidence.waterfall import Step

BAR_WIDTH, NARROWEST_BAR = 40, 16
_SCHEMA = "stillhunt.explanation/1"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt explain @1.1 --vs @1.2")(explain)


def explain(
    account: Annotated[str, typer.Argument(metavar="ACCT", help="An account_id; @1.2 is the second member of the first network of the queue.")],
    vs: Annotated[str | None, typer.Option("--vs", metavar="ACCT", help="Against this account.")] = None,
    net: Annotated[str | None, typer.Option("--net", metavar="ID", help="Against the members of this network; default: its own, else the accounts it is linked to.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Explain an account: bits by family, the rows behind the three strongest facts, and what breaks if one family is removed."""
    guarded(lambda: _explain(account, vs, net, out, form))


def _explain(name: str, vs: str | None, net: str | None, out: Path, form: console.Format) -> None:
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.names import find_account, find_network

    run = VerifiedRun(out)
    account = find_account(run, name)
    vs = str(find_account(run, vs)["account_id"]) if vs else None
    near = net or (None if vs else account["network_id"])
    network = find_network(run, near) if near else None
    against = f"account {vs}" if vs else f"network {network['network_id']}, tier {network['tier']}" if network else "the accounts it is linked to"
    fellows = _fellows(run, account, vs, network)
    if not fellows.height and not vs and not network:
        _print_nothing(account, out, form)
        return
    from pipeline.evidence.explanation import explain as explained
    from pipeline.evidence.waterfall import waterfall

    found = explained(run, account, fellows)
    steps = waterfall(found, float(run.manifest()["config"]["networks"]["edge_margin_bits"]))
    without = run.where("network_ablations", network_id=network["network_id"]).drop("network_id").rows(named=True) if network and run.holds("network_ablations") else []
    if form == "json":
        parts = {**dataclasses.asdict(found), "waterfall": [dataclasses.asdict(step) for step in steps], "without": without}
        console.document({"against": against, "network": network, **parts}, _SCHEMA)
    elif form == "csv":
        bars = (*found.bars, *found.likeness)
        console.rows(_names(bars), [dataclasses.astuple(bar) for bar in bars], "csv", _SCHEMA)
    else:
        _print(found, steps, against, network, without)
    _say_next(account, network, vs, out)


def _fellows(run: FinishedRun, account: dict[str, Any], vs: str | None, network: dict[str, Any] | None) -> pl.DataFrame:
    """account_id and account_key of those to compare with; not the account itself."""
    import polars as pl

    own = str(account["account_id"])
    if vs is not None:
        if vs == own:
            raise InputError("an account cannot be compared with itself. Name another: --vs ACCT.")
        names = [vs]
    elif network is not None:
        names = run.where("members", network_id=network["network_id"])["account_id"].to_list()
    else:
        linked = pl.concat([run.where("links", account_a=own)["account_b"], run.where("links", account_b=own)["account_a"]])
        names = linked.unique().sort().to_list()
    others = [name for name in names if name != own]
    return run.among("accounts", {"account_id": others}).select("account_id", "account_key")


def _print_nothing(account: dict[str, Any], out: Path, form: console.Format) -> None:
    if form == "json":
        nobody = {"against": "nobody", "network": None, "account_id": account["account_id"], "compared_with": 0}
        console.document(nobody | {part: [] for part in ("bars", "likeness", "facts", "rows", "waterfall", "without")}, _SCHEMA)
    elif form == "csv":
        console.rows(("family", "evidence_class", "mean_bits", "linked_share", "kinds"), [], "csv", _SCHEMA)
    else:
        console.data(f"{redact.for_cell(account['account_id'])} is in no network, and no pair with it has half the bits of a link.")
    say_next_about("show", account["account_id"], out)


def _print(found: Explanation, steps: tuple[Step, ...], against: str, network: dict[str, Any] | None, without: list[dict[str, Any]]) -> None:
    tier = network["tier"] if network and against.startswith("network ") else ""  # with --vs the network only says what its ablations gave
    counted = f": {found.compared_with} {'account' if found.compared_with == 1 else 'accounts'}"
    console.line((redact.for_cell(found.account_id), "title"), f" against {redact.for_cell(against.removesuffix(tier))}", (tier, tier), counted)
    _print_waterfall(found, steps)
    if found.colleague_count:
        console.paragraph(f"{found.colleague_count} of those compared belong to the same vouched organisation: what colleagues share is no evidence.")
    _print_likeness(found)
    _print_facts(found)
    if without and network:
        console.heading(f"WITHOUT ONE FAMILY, JUDGED AGAIN ({network['network_id']}, {network['account_count']} members)")
        columns = {"without": "family", "tier": "tier", "held": "held_count", "bits": "coordination_bits", "innocent": "best_alternative", "reason": "reason"}
        console.rows(tuple(columns), [[row[column] for column in columns.values()] for row in without], "table", "", ("reason", "innocent"))


def _print_waterfall(found: Explanation, steps: tuple[Step, ...]) -> None:
    """One line a step: its bits, the sum behind it, and a bar from the sum before it to the sum behind it, on one scale with a mark at the threshold."""
    console.heading("WATERFALL OF BITS, mean over the pairs: from chance to the threshold, which is the upright line")
    kinds = {bar.family: bar for bar in found.bars}
    low, high = min(0.0, *(step.sum_bits for step in steps)), max(0.0, *(step.sum_bits for step in steps))
    width = console.width()
    room = BAR_WIDTH if width is None else max(NARROWEST_BAR, min(BAR_WIDTH, width - 54))
    lines = []
    for step in steps:
        begin = 0.0 if step.kind == "total" else step.sum_bits - step.bits
        bar = kinds.get(step.step) if step.kind == "family" else None
        about = (bar.evidence_class, f"{bar.linked_share:.0%}", bar.kinds) if bar else ("", "", "")
        lines.append((step.step, f"{step.bits:+.2f}".rjust(7), f"{step.sum_bits:+.2f}".rjust(7), drawing.bar(begin, step.sum_bits, low, high, room).ljust(room), *about))
    console.rows(("", "   bits", "    sum", "", "class", "of pairs", "kinds"), lines, "table", "", ("kinds", "of pairs", "class"))
    console.paragraph(
        f"The families add up to {found.mean_bits:,.2f} bits; the run goes by the median over pairs, {found.median_bits:,.2f}. "
        f"Two accounts count as linked from {found.edge_bits:,.2f}, with two families; handed-on conversations and a rewritten client join accounts without such links."
    )
    silent = [bar.family for bar in found.bars if not bar.mean_bits]
    if silent:
        console.paragraph(f"Nothing from: {', '.join(silent)}.")


def _print_likeness(found: Explanation) -> None:
    """What adds no bit to the waterfall: how alike the accounts are without sharing a value."""
    alike = [bar for bar in found.likeness if bar.mean_bits]
    if found.likeness:
        said = ", ".join(f"{bar.family} {bar.mean_bits:.2f} bits ({bar.linked_share:.0%} of pairs)" for bar in alike)
        console.paragraph(f"Alike beside it, which is in no sum and links nobody: {said or 'in nothing'}. Only pairs that share a value or a network are compared.")


def _print_facts(found: Explanation) -> None:
    console.heading("STRONGEST FACTS" if found.facts else "NO SHARED VALUE is rare enough to be a fact.")
    if not found.facts:
        return
    from pipeline.pages.working.pivots import OPTION_OF_KIND

    facts = [
        (
            fact.rank,
            fact.kind,
            fact.family,
            fact.rarity_bits,
            f"{fact.shared_with} of {found.compared_with}",
            fact.holder_count,
            f"{OPTION_OF_KIND.get(fact.kind, '')} key:{fact.value_key}".strip(),
        )
        for fact in found.facts
    ]
    console.rows(("fact", "kind", "family", "rarity bits", "shared with", "holders in all", "to pivot"), facts, "table", "", ("family", "holders in all"))
    console.heading("ROWS BEHIND THEM (of_account: the accounts table shows the fact; its first request stands for the account)")
    rows = [(row.rank, row.account_id, row.stands_for, row.request_id, row.source_row, row.source_file) for row in found.rows]
    console.rows(("fact", "account_id", "stands for", "request_id", "row", "file"), rows, "table", "", ("stands for",))


def _names(records: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(records[0])) if records else ()


def _say_next(account: dict[str, Any], network: dict[str, Any] | None, vs: str | None, out: Path) -> None:
    name = network["network_id"] if network else vs or account["account_id"]
    say_next_about("show", name, out)
