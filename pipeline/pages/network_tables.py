"""The tables of a network's page: families of evidence, members, tests, innocent explanations, earlier nights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from pipeline import redact
from pipeline.kinds import GATE_FAMILIES
from pipeline.pages import numbers
from pipeline.pages.assessment import cut_again_sentence, unexplained, unweighed_sentence
from pipeline.pages.marks import member_note
from pipeline.pages.pieces import Numbering, beyond_chance_level, show_command, table
from pipeline.pages.records import Cell, Table
from pipeline.pages.source import Row, Source
from pipeline.pages.words import Wording, spaced

_ROLES = ("core", "bridge", "fringe")


def families_table(source: Source, network: Row, families: Sequence[Row], numbering: Numbering) -> Table:
    """Bits by family of evidence beside what matched groups reach; the family that opens the gate first."""
    ordered = sorted(families, key=lambda row: (row["family"] not in GATE_FAMILIES or not row["admitted"], not row["admitted"], -(row["median_bits"] or 0.0), row["family"]))
    rows = [_family_row(source.wording, row) for row in ordered]
    columns = "Family of evidence | Class | Gate | Median bits # | Accounts covered # | Pairs linked # | Percentile among controls # | What is shared"
    empty = unweighed_sentence(source, network) or "No family of evidence is recorded for this network."
    return table(numbering, "Bits by family of evidence, beside matched groups of other accounts", columns, rows, empty=empty)


def _family_row(wording: Wording, row: Row) -> tuple[Cell | str, ...]:
    kinds = [wording.word("kind", kind.strip()) for kind in (row["kinds"] or "").split(",") if kind.strip()]
    groups = f"of {numbers.counted(row['control_count'], 'groups')}" if row["control_count"] else ""
    tie = "; the median pair shares none" if groups and row["admitted"] and row["median_bits"] == 0 else ""  # else 50 beside an open gate is a riddle
    percentile = numbers.decimal(row["control_percentile"]) if row["control_percentile"] is not None else "not compared"
    return (
        Cell(wording.word("family", row["family"]), tone="strong" if row["admitted"] else ""),
        wording.word("class", _class(row)),
        _gate(wording, row),
        numbers.decimal(row["median_bits"]),
        numbers.percent(row["coverage_share"]),
        numbers.percent(row["linked_pair_share"]),
        Cell(percentile, note=groups + tie),
        numbers.listed(kinds),
    )


def without_table(source: Source, network: Row, numbering: Numbering) -> Table | None:
    """What is left of a referred network when one family is struck out and it is judged again; None where nothing was judged again."""
    judged = source.of_network("network_ablations", network["network_id"]).rows(named=True)
    if not judged:
        return None
    order = sorted(judged, key=lambda row: (row["tier"] == "refer", row["held_count"], row["family"]))
    columns = "Without | Members still together # | Median bits # | q # | Verdict then | Because"
    lost = [row["family"] for row in order if row["tier"] != "refer"]
    hangs = numbers.listed([source.wording.word("family", name) for name in lost]) if lost else "no single family"
    caption, note = f"What is left without one family of evidence: the referral hangs on {hangs}", cut_again_sentence(source.wording, network, judged)
    return table(numbering, caption, columns, (_without_row(source, network, row) for row in order), left_out=note)


def _without_row(source: Source, network: Row, row: Row) -> tuple[Cell | str, ...]:
    wording = source.wording
    pieces = f"in {numbers.counted(row['piece_count'], 'pieces')}, the largest counted" if row["piece_count"] > 1 else ""
    return (
        wording.word("family", row["family"]),
        Cell(f"{numbers.count(row['held_count'])} of {numbers.count(network['account_count'])}", note=pieces),
        numbers.decimal(row["coordination_bits"]) if row["piece_count"] else "none",
        numbers.probability(row["q_value"]) if row["q_value"] is not None else "no power",
        Cell(wording.word("tier", row["tier"]), tone="" if row["tier"] == "refer" else "strong"),
        "The referral stands." if row["tier"] == "refer" else wording.reason(row["reason"]),
    )


def _class(row: Row) -> str | None:
    """A specific fact of a family that opens no gate is support, whatever its rarity."""
    evidence_class: str | None = row["evidence_class"]
    return "supporting" if evidence_class == "specific" and row["family"] not in GATE_FAMILIES else evidence_class


def _gate(wording: Wording, row: Row) -> Cell:
    if row["family"] in GATE_FAMILIES:
        return Cell(wording.line("gate", "opened"), tone="good") if row["admitted"] else Cell(wording.line("gate", "closed"))
    return Cell(wording.line("gate", "cannot"), tone="quiet")


def members_table(source: Source, network_id: str, numbering: Numbering, *, weighed: bool = True) -> Table:
    """The members with most weight in the group, core first, as many as the configuration asks for; without roles, bits and links where those are not weighed."""
    members = ordered_members(source, network_id)
    kept = members.head(source.config.pages.member_rows)
    rest = members.height - kept.height
    command = show_command(network_id, "", " --format csv").text
    left_out = f"{numbers.counted(rest, 'members')} of {numbers.count(members.height)} not shown, those with least weight. All of them: {command}" if rest else ""
    caption = f"Members: {_role_counts(source.wording, members) if weighed else numbers.counted(members.height, 'accounts')}"
    return listed_members(source, kept, numbering, caption, left_out, weighed=weighed)


def ordered_members(source: Source, network_id: str) -> pl.DataFrame:
    """All members: core first, then by weight in the group, then by id."""
    members = source.of_network("members", network_id)
    order = pl.col("role").replace_strict({role: place for place, role in enumerate(_ROLES)}, default=len(_ROLES), return_dtype=pl.Int32)
    return members.sort(order, pl.col("bits").fill_null(0.0), pl.col("account_id"), descending=[False, True, False])


def listed_members(source: Source, members: pl.DataFrame, numbering: Numbering, caption: str, left_out: str, *, weighed: bool) -> Table:
    """These members, a row each; without roles, bits and links where those are not weighed."""
    columns = "Account | Role | Membership # | Requests # | Median bits # | Fit for training # | Why: the strongest link"
    rows = [_member_row(source, row) for row in members.rows(named=True)]
    if not weighed:
        columns, rows = "Account | Requests # | Fit for training #", [(row[0], row[3], row[5]) for row in rows]
    return table(numbering, caption, columns, rows, empty="No member is recorded.", left_out=left_out)


def _role_counts(wording: Wording, members: pl.DataFrame) -> str:
    counts = dict(members.group_by("role").len().iter_rows())
    parts = [f"{numbers.count(counts[role])} {wording.word('role', role)}" for role in _ROLES if counts.get(role)]
    return numbers.listed(parts)


def _member_row(source: Source, row: Row) -> tuple[Cell | str, ...]:
    wording = source.wording
    return (
        Cell(redact.identifier(row["account_id"]), note=member_note(source, row["account_id"]), tone="code"),
        Cell(wording.word("role", row["role"]), tone="strong" if row["role"] == "core" else ""),
        numbers.decimal(row["membership"], 2),
        numbers.count(row["request_count"]),
        numbers.decimal(row["bits"]),
        numbers.percent(row["extraction_score"]),
        _why(wording, row),
    )


def _why(wording: Wording, row: Row) -> str:
    if not row["strongest_account_id"]:
        return "no link to another member is counted"
    kind = wording.word("kind", row["strongest_kind"])
    return f"shares {kind} with {redact.identifier(row['strongest_account_id'])}, {numbers.bits(row['strongest_bits'])} in all"


def tests_table(source: Source, network_id: str, numbering: Numbering, *, ran: bool) -> Table:
    """Tests that ran (undecided ones too), or those that did not, with the reason. Innocent explanations have a table of their own."""
    frame = source.of_network("network_tests", network_id).sort("supports", "test")
    rows = [row for row in frame.rows(named=True) if (row["status"] != "not_run") is ran and row["family"] != "alternative"]
    if not ran:
        return _not_run_table(source.wording, rows, numbering, empty="Every test of this version ran." if frame.height else "No test is recorded for this network.")
    columns = "Test | Tests for | Outcome | Observed # | Expected # | p # | n # | Chance means"
    return table(numbering, "Tests that ran", columns, (_test_row(source, row) for row in rows), empty="No test ran for this network.")


def _test_row(source: Source, row: Row) -> tuple[Cell | str, ...]:
    wording = source.wording
    unit = redact.for_html(row["unit"] or "", 40)
    return (
        Cell(wording.word("test", row["test"]), note=wording.text("test", row["test"], "innocent")),
        wording.word("supports", row["supports"]),
        Cell(wording.word("test_status", row["status"]), note=redact.for_html(row["reason"] or "") or _chance(source, row)),
        numbers.measured(row["statistic"], unit),
        numbers.measured(row["expected"], unit),
        numbers.probability(row["p_value"]) if row["p_value"] is not None else "no power",
        numbers.count(row["sample_size"]),
        redact.for_html(row["null_model"] or "not recorded"),
    )


def _chance(source: Source, row: Row) -> str:
    if row["p_value"] is None:
        return ""
    return source.wording.line("chance", "beyond" if row["p_value"] <= beyond_chance_level(row["test"], row["supports"], source.config) else "within")


def _not_run_table(wording: Wording, rows: Iterable[Row], numbering: Numbering, *, empty: str) -> Table:
    cells = [(wording.word("test", row["test"]), wording.word("supports", row["supports"]), redact.for_html(row["reason"] or "no reason recorded")) for row in rows]
    return table(numbering, "Tests that did not run", "Test | Would test for | Why it did not run", cells, empty=empty)


def alternatives_table(source: Source, network: Row, numbering: Numbering) -> Table:
    """Each innocent explanation that is tried: how it would look, how many members fit it, what it leaves unexplained, and how it fared."""
    best, wording = network["best_alternative"], source.wording
    tests = {row["test"]: row for row in source.of_network("network_tests", network["network_id"]).rows(named=True)}
    fits = {row["measure"]: row for row in source.of_network("findings", network["network_id"]).rows(named=True)}
    names = [name for name in wording.names("alternative") if name != "none"]
    names += [name for name in [best] if name and name != "none" and name not in names]
    rows = [
        (
            wording.word("alternative", name),
            wording.text("alternative", name, "looks"),
            _fit(fits.get(f"fits_{name}"), tried=f"fits_{name}" in tests),
            _unexplained(source, tests.get(f"fits_{name}")),
            Cell(_outcome(best, name, tests.get(f"fits_{name}")), tone="strong" if best == name else ""),
        )
        for name in names
    ]
    columns = "Explanation | How it would look | Members that fit # | Left unexplained # | How it fared"
    return table(numbering, "Innocent explanations considered", columns, rows, empty="None is recorded.")


def _fit(finding: Row | None, *, tried: bool) -> Cell:
    if finding is None:
        return Cell("none" if tried else "not tried")
    unit = redact.for_html(finding["unit"] or "", 40)
    return Cell(numbers.measured(finding["value"], unit), note=f"counts from {numbers.measured(finding['threshold'], unit)}")


def _unexplained(source: Source, test: Row | None) -> str:
    if test is None:
        return "not tried"
    return "not weighed" if test["status"] == "not_run" else unexplained(source, test["statistic"])


def _outcome(best: str | None, name: str, test: Row | None) -> str:
    if best == name:
        return "explains most of those tried"
    if test is None:
        return "no result is recorded"
    if test["status"] == "not_run":
        return f"not considered: {redact.for_html(test['reason'] or 'no reason recorded')}"
    return "explains less than the best one"


def lineage_table(source: Source, network_id: str, numbering: Numbering) -> Table:
    """The network's earlier nights."""
    rows = [
        (
            numbers.UNKNOWN if row["night"] is None else row["night"].isoformat(),
            source.wording.word("event", row["event"]),
            numbers.count(row["account_count"]),
            Cell(redact.identifier(row["other_id"] or ""), tone="code"),
        )
        for row in source.lineage_of(network_id)
    ]
    return table(
        numbering, "This network on each night it was matched", "Night | Change | Accounts # | Other network", rows, empty=f"No night is recorded for {spaced(network_id)}."
    )
