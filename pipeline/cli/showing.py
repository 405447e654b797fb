"""`show`: one network or one account on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import console
from pipeline.cli.guard import guarded
from pipeline.cli.harvest import show_harvest
from pipeline.cli.marking import marks_on, say_recalls
from pipeline.cli.nextsteps import say_next_about
from pipeline.cli.options import DEFAULT_OUT, Form, Out
from pipeline.drawing import sparkline

if TYPE_CHECKING:
    from pipeline.evidence.cards import Parts, Row
    from pipeline.evidence.finished import FinishedRun

SHOWN, UNUSUAL = 20, 15
"""Rows of one part, and features of an account, that are printed for people; JSON and CSV hold all."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog="Example: stillhunt show @1")(show)


def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="A network_id or an account_id; @1 is the first network of the queue, @1.2 its second member.")],
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Show one network (its reasons, evidence by family, members) or one account (its network, strongest links, what is unusual about it)."""
    guarded(lambda: _show(name, out, form))


def _show(name: str, out: Path, form: console.Format) -> None:
    from pipeline.evidence.cards import account_parts, network_parts
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.names import find

    run = VerifiedRun(out)
    kind, row = find(run, name)
    parts = {**(network_parts(run, row) if kind == "network" else account_parts(run, row)), "journal": marks_on(out, row[f"{kind}_id"])}
    if form != "table":
        _export(row[f"{kind}_id"], kind, parts, form)
    elif kind == "network":
        _print_network(run, row, parts)
    else:
        _print_account(run, row, parts)
    if kind == "network":
        say_recalls(run, {row["network_id"]})
    _say(out, kind, row, parts)


def _say(out: Path, kind: str, row: Row, parts: Parts) -> None:
    if kind == "network":
        console.say(f"page: {out / 'latest' / 'networks' / (row['network_id'] + '.html')}")
        say_next_about("explain" if parts["members"] else "show", parts["members"][0]["account_id"] if parts["members"] else row["network_id"], out)
    elif row["network_id"]:
        say_next_about("explain", row["account_id"], out)
    else:
        say_next_about("similar", row["account_id"], out)


def _export(name: str, kind: str, parts: Parts, form: console.Format) -> None:
    if form == "json":
        console.document({"id": name, "kind": kind, **{part: _unfolded(part, rows) for part, rows in parts.items()}}, f"stillhunt.{kind}/1")
    else:
        _rows(parts["members" if kind == "network" else "features"], "csv", f"stillhunt.{kind}/1")


def _unfolded(part: str, rows: list[Row]) -> Any:
    """In JSON a list of facts is one object."""
    return {row["what"]: row["value"] for row in rows} if part in ("network", "account", "features") else rows


def _print_network(run: FinishedRun, network: Row, parts: Parts) -> None:
    from pipeline.evidence.activity import calendar, network_days
    from pipeline.evidence.cards import assessed, said, wording
    from pipeline.kinds import GATE_FAMILIES

    words, days = wording(), network_days(run, [network["network_id"]]).get(network["network_id"], [])
    console.line(
        (network["network_id"], "title"),
        "  ",
        (network["tier"], network["tier"]),
        f"  {_counted(network['account_count'], 'account')}, {_counted(network['request_count'], 'request')}",
    )
    console.paragraph(words.reason(network["reason"]))
    console.data("")
    whole = assessed(run, network)
    opened = [row["family"] for row in parts["families"] if row["admitted"] and row["family"] in GATE_FAMILIES]
    _facts(
        ("seen", f"{_moment(network['first_seen_at'])} to {_moment(network['last_seen_at'])} UTC"),
        ("a day", f"{sparkline(days, 28)}  at most {max(days):,}, on {calendar(run)[days.index(max(days))]}" if days else "-"),
        ("one operator?", f"{_number(network['coordination_bits'])} bits (median member)" if whole.is_weighed else "not weighed"),
        ("training-shaped?", f"{_number(network['extraction_bits'])} bits" if whole.is_weighed or network["q_value"] is not None else "not tested"),
        ("chance", f"q = {_probability(network['q_value'])}, p = {_probability(network['p_value'])}"),
        ("gate opened by", ", ".join(words.word("family", name) for name in opened) or "nothing"),
        *((("proposition 1", whole.first), ("proposition 2", whole.second)) if whole.is_weighed else ()),
        ("strength", whole.strength),
        ("confidence", whole.confidence),
        ("innocent", whole.innocent),
        ("attribution", whole.attribution),
        ("to decide", whole.decisive),
    )
    console.heading("FINDINGS, in the words of the page")
    for one in said(run, parts["findings"]):
        console.paragraph(f"{one.sentence} {one.speaks} [{one.finding_id}, {_counted(one.evidence, 'request')}]", " " * 4, f"{one.rank:>2}  ")
    _network_tables(parts, whole.cut_again)


def _network_tables(parts: Parts, cut_again: str) -> None:
    from pipeline.evidence.cards import is_counted
    from pipeline.kinds import GATE_FAMILIES

    families = [_renamed(row | {"gate": ("opened it" if row["admitted"] else "did not") if row["family"] in GATE_FAMILIES else "cannot"}, _FAMILY) for row in parts["families"]]
    _part("EVIDENCE BY FAMILY", families, ("control %", "class", "pairs"))
    _part("WITHOUT ONE FAMILY, JUDGED AGAIN", [_renamed(row, _WITHOUT) for row in parts["without"]], ("innocent", "q", "pieces", "reason"))
    if cut_again:
        console.paragraph(cut_again, "  ")
    ran = [row for row in parts["tests"] if row["status"] == "ran"]
    for head, counted in (("TESTS THAT RAN", True), ("TESTS THAT ARE SHOWN AND NOT COUNTED", False)):
        _part(head, [_renamed(row, _TEST) for row in ran if is_counted(row) is counted], ("null", "unit", "n", "about"))
    rest = [row["test"] for row in parts["tests"] if row["status"] != "ran"]
    if rest:
        console.paragraph(f"not run or undecided: {', '.join(rest)}", "  ")
    show_harvest(parts, _part)
    _part(f"MEMBERS, {len(parts['members'])}", [_renamed(row, _MEMBER) for row in parts["members"]], ("membership", "strongest bits", "training", "strongest_id"))
    _part("WHAT PEOPLE SAID", parts["journal"], ())
    _part("LINEAGE", [_renamed(row, _LINEAGE) for row in parts["lineage"]], ())


_FAMILY = {
    "family": "family",
    "evidence_class": "class",
    "median_bits": "bits",
    "coverage_share": "covers",
    "linked_pair_share": "pairs",
    "control_percentile": "control %",
    "gate": "gate",
    "kinds": "kinds",
}
_WITHOUT = {
    "family": "without",
    "tier": "tier",
    "held_count": "held",
    "piece_count": "pieces",
    "coordination_bits": "bits",
    "q_value": "q",
    "best_alternative": "innocent",
    "reason": "reason",
}
_TEST = {"test": "test", "supports": "about", "statistic": "observed", "expected": "by chance", "unit": "unit", "p_value": "p", "sample_size": "n", "null_model": "null"}
_MEMBER = {
    "account_id": "account_id",
    "role": "role",
    "bits": "bits",
    "request_count": "requests",
    "membership": "membership",
    "strongest_kind": "shares most",
    "strongest_account_id": "strongest_id",
    "strongest_bits": "strongest bits",
    "extraction_score": "training",
}
_LINEAGE = {"night": "night", "event": "event", "other_id": "other_id", "account_count": "accounts"}


def _print_account(run: FinishedRun, account: Row, parts: Parts) -> None:
    import polars as pl

    from pipeline.evidence.activity import calendar, requests_by_day
    from pipeline.evidence.cards import linked_accounts

    membership, linked = parts["membership"], linked_accounts(run, account["account_id"])
    tier = run.where("networks", network_id=account["network_id"]).row(0, named=True)["tier"] if account["network_id"] else ""
    console.line((_cell(account["account_id"]), "title"), *(("  in ", account["network_id"], "  ", (tier, tier)) if tier else ("  in no network",)))
    console.data("")
    days = requests_by_day(run, pl.DataFrame({"group": ["it"], "account_key": [account["account_key"]]}, schema={"group": pl.String, "account_key": pl.Int64})).get("it", [])
    _facts(
        ("requests", f"{account['request_count']:,} on {_counted(account['active_days'], 'day')}"),
        ("a day", f"{sparkline(days, 28)}  at most {max(days):,}, on {calendar(run)[days.index(max(days))]}" if days else "-"),
        ("tokens", f"{account['input_tokens']:,} in, {account['output_tokens']:,} out"),
        ("training-shaped", f"{_number(account['extraction_score'])} of its sampled documents (0..1)"),
        *((("role", f"{membership[0]['role']}, {_number(membership[0]['bits'])} bits to the other members (median)"),) if membership else ()),
    )
    lines = [{"account_id": row["other_account_id"], "bits": row["bits"], "network": row["network_id"] or "-", "shares": row["kind"], "families": row["family"]} for row in linked]
    _part(f"LINKED ACCOUNTS, {len(linked)}: those with at least half the bits of a link", lines, ("families",))
    if not lines:
        console.data("none")
    _part("WHAT PEOPLE SAID", parts["journal"], ())
    _print_unusual(run, account)


def _print_unusual(run: FinishedRun, account: Row) -> None:
    from pipeline.evidence.cards import percent, percentiles
    from pipeline.features import FEATURES

    ranks = percentiles(run, account)
    far = sorted((feature for feature in FEATURES if ranks[feature.name] is not None), key=lambda feature: -abs((ranks[feature.name] or 0.0) - 0.5))
    lines = [
        {"feature": one.name, "value": account[one.name], "unit": one.unit or "-", "higher than": f"{percent(ranks[one.name] or 0.0)} of accounts", "formula": one.formula}
        for one in far[:UNUSUAL]
    ]
    _part("WHAT IS LEAST USUAL ABOUT IT", lines, ("formula", "unit"))
    console.data(f"({len(FEATURES) - len(lines)} more features: --format json or csv)")


def _part(title: str, rows: Sequence[Row], least: Sequence[str]) -> None:
    """A part with its title; nothing if it has no rows."""
    if rows:
        console.heading(title)
        console.rows(tuple(rows[0]), [tuple(row.values()) for row in rows[:SHOWN]], "table", "", least)
        if len(rows) > SHOWN:
            console.data(f"({len(rows) - SHOWN} more: --format json or csv)")


def _rows(rows: Sequence[Row], form: console.Format, schema: str) -> None:
    columns = tuple(rows[0]) if rows else ("account_id",)
    console.rows(columns, [tuple(row.values()) for row in rows], form, schema)


def _facts(*lines: tuple[str, str]) -> None:
    room = max(len(label) for label, _ in lines)
    for label, text in lines:
        console.paragraph(text, " " * (room + 2), f"{label:<{room}}  ")


def _renamed(row: Row, names: dict[str, str]) -> Row:
    return {new: row[old] for old, new in names.items()}


def _cell(text: str) -> str:
    from pipeline import redact

    return redact.for_cell(text)


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def _moment(value: Any) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if value else "-"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.2f}"


def _probability(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2g}"
