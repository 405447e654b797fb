"""`explain`: why one account is linked to another or to its network, in bits, facts and request rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Out
from pipeline.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from pipeline.evidence.explanation import Explanation
    from pipeline.evidence.finished import FinishedRun

BAR_WIDTH = 24
_SCHEMA = "stillhunt.explanation/1"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt explain acct-0001 --vs acct-0002")(explain)


def explain(
    account: Annotated[str, typer.Argument(metavar="ACCT", help="An account_id.")],
    vs: Annotated[str | None, typer.Option("--vs", metavar="ACCT", help="Against this account.")] = None,
    net: Annotated[str | None, typer.Option("--net", metavar="ID", help="Against the members of this network; default: its own, else the accounts it is linked to.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Explain an account: bits by family, the rows behind the three strongest facts, and what breaks if one family is removed."""
    guarded(lambda: _explain(account, vs, net, out, form))


def _explain(name: str, vs: str | None, net: str | None, out: Path, form: console.Format) -> None:
    from pipeline.evidence.finished import FinishedRun

    run = FinishedRun(out)
    account = _account(run, name)
    network = _network(run, net or (None if vs else account["network_id"]))
    against = f"account {vs}" if vs else f"network {network['network_id']}, tier {network['tier']}" if network else "the accounts it is linked to"
    fellows = _fellows(run, account, vs, network)
    if not fellows.height and not vs and not network:
        _print_nothing(account, out, form)
        return
    from pipeline.evidence.explanation import explain as explained

    found = explained(run, account, fellows)
    without = run.where("network_ablations", network_id=network["network_id"]).drop("network_id").rows(named=True) if network and run.holds("network_ablations") else []
    if form == "json":
        console.document({"against": against, "network": network, **dataclasses.asdict(found), "without": without}, _SCHEMA)
    elif form == "csv":
        console.rows(_names(found.bars), [dataclasses.astuple(bar) for bar in found.bars], "csv", _SCHEMA)
    else:
        _print(found, against, network, without)
    _say_next(account, network, vs, out)


def _account(run: FinishedRun, name: str) -> dict[str, Any]:
    rows = run.where("accounts", account_id=name).rows(named=True)
    if not rows:
        near = _nearest(run, name)
        hint = f" Did you mean {redact.for_cell(near)}?" if near else ""
        raise InputError(f"'{redact.for_cell(name)}' is no account of the latest run in {run.out}.{hint} See: stillhunt networks --out {run.out}")
    return rows[0]


def _nearest(run: FinishedRun, name: str) -> str | None:
    import difflib

    close = difflib.get_close_matches(name, run.table("members")["account_id"].to_list(), n=1, cutoff=0.8)
    return close[0] if close else None


def _network(run: FinishedRun, name: str | None) -> dict[str, Any] | None:
    if name is None:
        return None
    rows = run.where("networks", network_id=name).rows(named=True)
    if not rows:
        raise InputError(f"'{redact.for_cell(name)}' is no network of the latest run in {run.out}. See: stillhunt networks --out {run.out}")
    return rows[0]


def _fellows(run: FinishedRun, account: dict[str, Any], vs: str | None, network: dict[str, Any] | None) -> pl.DataFrame:
    """account_id and account_key of those to compare with; not the account itself."""
    import polars as pl

    own = str(account["account_id"])
    if vs is not None:
        if vs == own:
            raise InputError("an account cannot be compared with itself. Name another: --vs ACCT.")
        names = [str(_account(run, vs)["account_id"])]
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
        console.document(nobody | {part: [] for part in ("bars", "facts", "rows", "without")}, _SCHEMA)
    elif form == "csv":
        console.rows(("family", "evidence_class", "mean_bits", "linked_share", "kinds"), [], "csv", _SCHEMA)
    else:
        console.data(f"{redact.for_cell(account['account_id'])} is in no network, and no pair with it has half the bits of a link.")
    console.say_next("show", account["account_id"], "--out", out)


def _print(found: Explanation, against: str, network: dict[str, Any] | None, without: list[dict[str, Any]]) -> None:
    console.data(f"{redact.for_cell(found.account_id)} against {redact.for_cell(against)}: {found.compared_with} accounts compared\n")
    console.data("BITS BY FAMILY (mean over the pairs)")
    widest = max(found.mean_bits, 1e-9)
    bars = [(bar.family, "#" * round(BAR_WIDTH * bar.mean_bits / widest), bar.mean_bits, f"{bar.linked_share:.0%}", bar.evidence_class, bar.kinds or "-") for bar in found.bars]
    console.rows(("family", "share of the total", "bits", "of pairs", "class", "kinds"), [*bars, ("total", "#" * BAR_WIDTH, found.mean_bits, "", "", "")], "table", "")
    console.data(f"\nThe run goes by the median over pairs: {found.median_bits:,.2f} bits. Two accounts count as linked from {found.edge_bits:,.2f}, with two families;")
    console.data("handed-on conversations and a rewritten client join accounts without such links.")
    if found.colleague_count:
        console.data(f"{found.colleague_count} of those compared belong to the same vouched organisation: what colleagues share is no evidence.")
    _print_facts(found)
    if without and network:
        console.data(f"\nWITHOUT ONE FAMILY, JUDGED AGAIN ({network['network_id']}, {network['account_count']} members)")
        columns = ("family", "held_count", "coordination_bits", "tier", "reason", "best_alternative")
        console.rows(columns, [[row[column] for column in columns] for row in without], "table", "")


def _print_facts(found: Explanation) -> None:
    console.data("\nSTRONGEST FACTS" if found.facts else "\nNO SHARED VALUE is rare enough to be a fact.")
    if not found.facts:
        return
    facts = [(fact.rank, fact.kind, fact.family, fact.rarity_bits, f"{fact.shared_with} of {found.compared_with}", fact.holder_count) for fact in found.facts]
    console.rows(("fact", "kind", "family", "rarity bits", "shared with", "holders in all"), facts, "table", "")
    console.data("\nROWS BEHIND THEM (of_account: the accounts table shows the fact; its first request stands for the account)")
    console.rows(_names(found.rows) or ("fact",), [dataclasses.astuple(row) for row in found.rows], "table", "")


def _names(records: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(records[0])) if records else ()


def _say_next(account: dict[str, Any], network: dict[str, Any] | None, vs: str | None, out: Path) -> None:
    name = network["network_id"] if network else vs or account["account_id"]
    console.say_next("show", *(("--out", out, "--", name) if name.startswith("-") else (name, "--out", out)))
