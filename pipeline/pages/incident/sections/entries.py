"""Rows that several sections print: findings with their exhibits, and members."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.pages import numbers
from pipeline.pages.incident.blocks import Block, table
from pipeline.pages.incident.exhibits import Exhibits, finding_sentence, link
from pipeline.pages.incident.parts import Member
from pipeline.pages.incident.records import NetworkSheet, Row
from pipeline.pages.incident.wording import share, shared
from pipeline.pages.records import Cell

MEMBER_COLUMNS = "Account | Role | Membership, 0 to 1 # | Requests # | Median bits # | Fit for training # | Strongest link"


def findings(sheet: NetworkSheet, exhibits: Exhibits, supports: Sequence[str], number: str, part: str, caption: str) -> Block:
    """Findings on one question, observed and inferred apart, each with its exhibit and its numbers."""
    chosen = [row for row in sheet.findings if row["supports"] in supports]
    rows = [_finding(row, exhibits) for row in sorted(chosen, key=lambda row: (row["kind"] != "observation", row["rank"]))]
    columns = "Exhibit | What it is | Finding | p # | Evidence rows #"
    left = "p: how often random groups of similar accounts show as much; 'none' where no test was made. The first rows of each exhibit are in annex C." if rows else ""
    return table(number, f"{caption} in {sheet.network_id}", columns, rows, part=part, empty="the run holds no finding on this question.", left_out=left)


def _finding(row: Row, exhibits: Exhibits) -> list[Cell | str]:
    p = numbers.probability(row["p_value"]) if row["p_value"] is not None else "none"
    kind = shared().word("finding_kind", row["kind"])
    return [link(exhibits.of_finding(row["finding_id"])), kind, finding_sentence(row), p, numbers.count(row["evidence_total"])]


def member_row(member: Member) -> list[Cell | str]:
    """A member in a table."""
    why = "no link to another member is counted"
    if member.strongest_name:
        why = f"shares {shared().word('kind', member.strongest_kind)} with {member.strongest_name}, {numbers.bits(member.strongest_bits)} in all"
    return [
        Cell(member.name, tone="code"),
        shared().word("role", member.role),
        numbers.decimal(member.membership, 2),
        numbers.count(member.requests),
        numbers.decimal(member.bits),
        share(member.extraction),
        why,
    ]
