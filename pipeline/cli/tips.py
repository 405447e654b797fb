"""`expand` and `test`: start from a tip, a file of accounts, addresses or cards that somebody outside the program named."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline import console, redact
from pipeline.cli.guard import guarded
from pipeline.cli.options import DEFAULT_OUT, Form, Memory, Out, Threads, hash_without_compiling, usable_threads
from pipeline.cli.rejudging import Accounts, Again, Context, say_remade
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.evidence.expanding import Expansion, Other
    from pipeline.evidence.finished import FinishedRun
    from pipeline.evidence.one_group import GroupTest
    from pipeline.evidence.tips import Tip

WIDE = 120
"""Columns from which a row has room for three facts."""
SHOWN = 40
"""Rows of one part that people are shown."""
_EXPAND, _TEST = "stillhunt.expand/1", "stillhunt.test/2"

TipFile = Annotated[Path, typer.Argument(metavar="FILE", help="One entry a line, or CSV with a column account_id, client_ip or payment_fingerprint.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: stillhunt expand tip.txt --limit 20")(expand)
    app.command("test", epilog="Example: stillhunt test tip.txt")(judge)


def expand(
    file: TipFile,
    kind: Annotated[Literal["account", "address", "card"] | None, typer.Option("--kind", help="What the entries are; default: told from each entry.")] = None,
    least: Annotated[float, typer.Option("--least-bits", min=0.0, metavar="BITS", help="Leave out accounts with fewer bits.")] = 0.0,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help=f"At most N accounts; default {SHOWN} on screen.")] = None,
    out: Out = DEFAULT_OUT,
    form: Form = "table",
) -> None:
    """Say what else is theirs: other accounts that share rare values with those of a tip, ranked by bits, with the facts behind."""
    guarded(lambda: _expand(file, kind, least, limit, out, form))


def judge(
    file: TipFile,
    kind: Annotated[Literal["account", "address", "card"] | None, typer.Option("--kind", help="What the entries are; default: told from each entry.")] = None,
    full: Annotated[bool, typer.Option("--all", help="Also what takes the whole log and decides nothing: likeness of pairs, dealt-out work, the verdict by family.")] = False,
    accounts: Accounts = None,
    context: Context = None,
    out: Out = DEFAULT_OUT,
    memory: Memory = 4_000_000_000,
    threads: Threads = None,
    form: Form = "table",
) -> None:
    """Test whether the accounts of a tip are one network: every test, family and innocent explanation that a verdict reads, on this one group; --all for the rest.

    Recomputed from the run's tables: 3 to 5 seconds of processor time for ten million requests; 15 with what decides nothing (--all); over a minute if scratch is gone.
    """
    again = Again(accounts, context, memory, threads or usable_threads())
    guarded(lambda: _test(file, kind, out, again, form, is_full=full))


def _tip(run: FinishedRun, file: Path, kind: Literal["account", "address", "card"] | None) -> Tip:
    """What the file means in the run. Raises InputError if no entry means anybody."""
    from pipeline.evidence.tips import read_entries, resolve

    entries, told = read_entries(file)
    tip = resolve(run, entries, kind or told)
    if not tip.holders:
        shown = ", ".join(map(redact.for_cell, tip.unknown[:3])) + (" ..." if len(entries) > 3 else "")
        raise InputError(f"{file}: none of its {len(entries):,} entries ({shown}) is known in the window of the latest run. Check the file, or say what they are: --kind")
    return tip


def _expand(file: Path, kind: Literal["account", "address", "card"] | None, least: float, limit: int | None, out: Path, form: console.Format) -> None:
    os.environ.setdefault("STILLHUNT_NO_NUMBA", "1")  # a few thousand pairs are scored faster than the compiled pass is loaded; both give equal bits
    from pipeline.evidence.expanding import expand as expanded
    from pipeline.evidence.finished import VerifiedRun

    run = VerifiedRun(out)
    tip = _tip(run, file, kind)
    found = expanded(run, tip.holders, least)
    others = found.others[: limit or (SHOWN if form == "table" else None)]
    if form == "json":
        plain = dataclasses.asdict(found) | {"others": [dataclasses.asdict(other) for other in others], "is_cut": len(others) < len(found.others)}
        console.document({"tip": dataclasses.asdict(tip), **plain}, _EXPAND)
    elif form == "csv":
        console.rows(_CSV, [_flat(other) for other in others], "csv", _EXPAND)
    else:
        _print_tip(tip)
        _print_others(found, others)
    _say_unknown(tip, run)
    _say_after(others, tip, file, out)


_CSV = ("account_id", "network_id", "bits", "is_linked", "nearest_account_id", "families", "shared_with", "facts")


def _flat(other: Other) -> tuple[Any, ...]:
    facts = "; ".join(f"{fact.kind} {fact.value_key} {fact.rarity_bits:.2f} bits {fact.holder_count} holders" for fact in other.facts)
    return (other.account_id, other.network_id, other.bits, other.is_linked, other.nearest_account_id, ",".join(other.families), other.shared_with, facts)


def _print_tip(tip: Tip) -> None:
    homes = Counter(holder.network_id for holder in tip.holders if holder.network_id)
    many = "entry means" if len(tip.entries) == 1 else "entries mean"
    console.paragraph(f"{len(tip.entries):,} {many} {len(tip.holders):,} accounts of the window ({', '.join(tip.kinds)})")
    for name, count in sorted(homes.items(), key=lambda home: (-home[1], home[0]))[:10]:
        console.data(f"  {count:,} in {name}")
    console.data(f"  {len(tip.holders) - sum(homes.values()):,} in no network")
    if tip.kinds != ("account",):
        rows = [(holder.account_id, holder.network_id, holder.request_count, ", ".join(holder.via), ", ".join(holder.entries[:3])) for holder in tip.holders]
        console.heading("ACCOUNTS OF THE TIP")
        console.rows(("account", "network", "requests", "through", "entries"), rows[:SHOWN], "table", "")
        _say_more(len(rows), SHOWN)


_MEANING = (
    "bits: of the strongest pair with an account of the tip. link: the run would link that pair ({edge} bits, two families). Of each shared value its kind, its bits and how "
    "many hold it in all. Bits say how rare a coincidence would be, not who did what."
)


def _print_others(found: Expansion, others: Sequence[Other]) -> None:
    linked = sum(other.is_linked for other in found.others)
    console.heading(f"WHO ELSE SHARES RARE VALUES WITH THEM: {len(found.others):,}, of whom the run would link {linked:,}; most bits first")
    count = 2 if (console.width() or WIDE) < WIDE else 3
    rows = [(other.account_id, other.network_id, other.bits, other.is_linked, _facts(other, count)) for other in others]
    console.rows(("account", "network", "bits", "link", "rarest values shared"), rows, "table", "")
    _say_more(len(found.others), len(others))
    console.data("")
    console.paragraph(_MEANING.format(edge=f"{found.edge_bits:,.2f}"))
    if found.colleague_count:
        console.paragraph(f"{found.colleague_count:,} colleagues in vouched organisations are left out: what they share is no evidence.")


def _facts(other: Other, count: int) -> str:
    return ", ".join(f"{fact.kind} {fact.rarity_bits:.0f} ({fact.holder_count:,})" for fact in other.facts[:count])


def _say_more(count: int, shown: int) -> None:
    if count > shown:
        console.data(f"({count - shown:,} more: --format csv)")


def _say_unknown(tip: Tip, run: FinishedRun) -> None:
    """Entries that mean nobody; of the first few the ids that they may be misspelt for."""
    if tip.unknown:
        from pipeline.evidence.names import hint

        shown = ", ".join(map(redact.for_cell, tip.unknown[:10]))
        console.say(f"not known in the window: {len(tip.unknown):,} of {len(tip.entries):,} entries: {shown}{' ...' if len(tip.unknown) > 10 else ''}")
        ids = run.columns("accounts", "account_id")["account_id"].to_list() if "account" in tip.kinds else []
        for entry in tip.unknown[:3]:
            near = hint(entry, ids)
            if near:
                console.say(f"  {redact.for_cell(entry)}:{near}")


def _say_after(others: Sequence[Other], tip: Tip, file: Path, out: Path) -> None:
    if others and others[0].account_id.startswith("-"):
        console.say_next("explain", "--vs", others[0].nearest_account_id, "--out", out, "--", others[0].account_id)
    elif others:
        console.say_next("explain", others[0].account_id, f"--vs={others[0].nearest_account_id}", "--out", out)
    elif len(tip.holders) >= 2:
        console.say_next("test", file, "--out", out)
    else:
        console.say_next("networks", "--out", out)


def _test(file: Path, kind: Literal["account", "address", "card"] | None, out: Path, again: Again, form: console.Format, *, is_full: bool) -> None:
    again.check()
    if not is_full:
        gc.disable()  # a question of a few seconds: walking over all that was imported, again and again, takes a tenth of them
        hash_without_compiling()  # nor are pairs scored so, as above
    from pipeline.evidence.finished import VerifiedRun
    from pipeline.evidence.one_group import judge_group

    run = VerifiedRun(out)
    tip = _tip(run, file, kind)
    with again.over(run) as workings:
        found = judge_group(workings, [holder.account_key for holder in tip.holders], is_full=is_full)
    blind = [row for row in run.table("blind_spots").rows(named=True) if row["status"] != "ran"]
    say_remade(workings.remade)
    if form == "json":
        plain = dataclasses.asdict(found) | {"blind_spots": blind, "selection": SELECTION, "remade": workings.remade}
        console.document({"tip": dataclasses.asdict(tip), **plain}, _TEST)
    elif form == "csv":
        columns = ("test", "family", "supports", "statistic", "unit", "expected", "p_value", "null_count", "sample_size", "status", "reason", "null_model")
        console.rows(columns, [[row[name] for name in columns] for row in (*found.tests, *found.alternatives)], "csv", _TEST)
    else:
        _print_test(found, blind)
    _say_unknown(tip, run)
    console.say_next("expand", file, "--out", out)


SELECTION = (
    "One group, chosen by a person: no correction for many candidates, so q is p. If it was chosen by what its accounts write or when they work, "
    "the tests on wording, topics and days repeat the choice and say less than their p-values."
)


LEFT_OUT = "Not asked, because they decide nothing: how alike pairs are by topic, behaviour and timing, whether work is dealt out, and the verdict without each family (--all)."


def _print_test(found: GroupTest, blind: Sequence[dict[str, Any]]) -> None:
    verdict = found.verdict
    tier = str(verdict["tier"])
    of = f" of {len(found.members):,} accounts would be named" if verdict["account_count"] < len(found.members) else " accounts"
    console.line(f"{verdict['account_count']:,}{of}, {verdict['request_count']:,} requests: tier ", (tier, tier), ", as a network of this run would get it")
    console.paragraph(_reason(str(verdict["reason"])))
    console.data("")
    facts = [
        ("bits between accounts, median", verdict["coordination_bits"], f"a link takes {found.edge_bits:,.2f}"),
        ("bits of extraction", verdict["extraction_bits"], ""),
        ("p of coordination, all tests", verdict["p_value"], "q is p: one group"),
        ("best innocent explanation", _word(str(verdict["best_alternative"])), _margin(verdict)),
    ]
    console.rows(("what", "value", "note"), facts, "table", "")
    _print_tests(found)
    _print_families(found)
    _print_members(found)
    if not found.is_full:
        console.paragraph(LEFT_OUT)
    if blind:
        console.heading("NOT TESTABLE IN THIS LOG")
        for row in blind:
            console.paragraph(f"{row['family']} ({row['status'].replace('_', ' ')}): {row['reason']}", indent="    ", first="")
    console.data("")
    console.paragraph(SELECTION)


def _print_tests(found: GroupTest) -> None:
    from pipeline.evidence.cards import is_counted

    ran = [row for row in found.tests if row["status"] == "ran"]
    for head, counted in (("TESTS, on data that made no links", True), ("SHOWN AND NOT COUNTED", False)):
        lines = [(row["test"], row["supports"], row["statistic"], row["expected"], row["p_value"], row["null_count"]) for row in ran if is_counted(row) is counted]
        if lines:
            console.heading(head)
            console.rows(("test", "for", "found", "expected", "p", "groups"), lines, "table", "", least=("groups",))
    for row in found.tests:
        if row["status"] != "ran":
            console.paragraph(f"{row['test']} was not run: {row['reason']}", indent="    ", first="")
    fitting = [row for row in found.alternatives if row["status"] == "ran"]
    names = ", ".join(f"{_word(row['test'].removeprefix('fits_'))} ({row['statistic']:,.2f} bits left over)" for row in fitting) or "none"
    console.paragraph(f"innocent explanations that most of the accounts fit: {names}; tried: {len(found.alternatives)}", indent="    ", first="")


def _covers(family: Mapping[str, Any]) -> str:
    """Likeness of pairs covers nobody: it has no values that accounts hold."""
    from pipeline.kinds import LIKENESS_FAMILIES

    return "-" if family["family"] in LIKENESS_FAMILIES else f"{family['coverage_share']:.0%}"


def _print_families(found: GroupTest) -> None:
    if found.families:
        console.heading("FAMILIES OF EVIDENCE")
        rows = [(row["family"], row["evidence_class"], row["median_bits"], _covers(row), row["control_percentile"], row["admitted"]) for row in found.families]
        console.rows(("family", "class", "bits", "covers", "percentile", "opens the gate"), rows, "table", "", least=("percentile",))
    if found.without:
        console.heading("WITHOUT ONE FAMILY, JUDGED AGAIN")
        console.rows(("family", "held", "tier", "reason"), [(row["family"], row["held_count"], row["tier"], row["reason"]) for row in found.without], "table", "")


def _print_members(found: GroupTest) -> None:
    console.heading("ACCOUNTS, those that fit least first")
    rows = [(member.account_id, member.bits, member.is_named, member.run_network_id) for member in reversed(found.members)]
    console.rows(("account", "bits to the others", "would be named", "network in the run"), rows[:SHOWN], "table", "")
    _say_more(len(rows), SHOWN)


def _margin(verdict: Any) -> str:
    more = float(verdict["alternative_margin_bits"])
    return f"one operator: {more:,.2f} bits more" if more > 0 else "explains as much or more"


def _reason(name: str) -> str:
    from pipeline.assets import reports_folder
    from pipeline.pages.words import load_wording

    return load_wording(reports_folder() / "wording.toml").reason(name)


def _word(name: str) -> str:
    from pipeline.assets import reports_folder
    from pipeline.pages.words import load_wording

    return "none that fits" if name == "none" else load_wording(reports_folder() / "wording.toml").word("alternative", name)
