"""The page that takes the place of a report none of whose networks is found any more: what it had said, and that nothing of it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.pages import numbers
from pipeline.pages.pieces import Numbering, table
from pipeline.pages.records import Cell, Fact, PageHead, Table
from pipeline.pages.render import _rendered
from pipeline.pages.run_facts import page_head, read_manifest


@dataclass(frozen=True)
class Withdrawn:
    """What is taken back; every text and id has passed the release."""

    case_id: str
    title: str
    version: int
    status: str
    author: str
    reviewer: str
    created_on: str
    profile: str
    before: int
    """the version that is taken back"""
    removed: Sequence[tuple[str, str]]
    """(account, reason)"""


@dataclass(frozen=True)
class WithdrawalPage:
    """Everything the page says."""

    head: PageHead
    kicker: str
    title: str
    lead: str
    consequence: str
    sentences: tuple[str, ...]
    control: tuple[Fact, ...]
    removed: Table


def withdrawal_page(said: Withdrawn, manifest: Mapping[str, Any]) -> str:
    """HTML of the page; `manifest` is run.json of the run that no longer holds the networks."""
    facts = read_manifest(manifest)
    head = replace(
        page_head(facts, f"Report {said.case_id} withdrawn", f"Version {said.version} of case {said.case_id} takes back version {said.before}."), profile=said.profile.upper()
    )
    accounts = numbers.counted(len(said.removed), "accounts")
    page = WithdrawalPage(
        head=head,
        kicker=f"Case {said.case_id}, version {said.version}, {said.status}",
        title=said.title,
        lead=f"This report is withdrawn: version {said.version} takes back version {said.before} in whole.",
        consequence="No account may be acted on, or stay acted on, because of what it said.",
        sentences=(
            f"Version {said.before} reported on networks with {accounts}. The run of the night of {facts.night} finds none of these networks.",
            "Every account that it listed is below, with the reason that the run gives.",
        ),
        control=(
            Fact("Author", said.author or "not named"),
            Fact("Reviewer", said.reviewer or "none yet", "a second person"),
            Fact("Created", said.created_on),
            Fact("Run", facts.run_id, "the one that was asked"),
        ),
        removed=_removed(said),
    )
    return _rendered("withdrawal.html", page, root="").decode("utf-8")  # type: ignore[arg-type]  # the template decides what it reads; this one reads a WithdrawalPage


def _removed(said: Withdrawn) -> Table:
    rows = [(Cell(account, tone="code"), Cell(reason)) for account, reason in said.removed]
    return table(Numbering(), f"Accounts that version {said.before} listed and that nothing is said of any more", "Account | Reason", rows, empty="that version listed no account.")
