"""A case as its report reads it: who wrote and reviewed it, what people added from outside the logs, and what an earlier version got wrong.

Frozen records and nothing else; pipeline/evidence/casefile.py keeps them in DIR/cases/ID/case.json. Texts are as their authors typed them:
they pass pipeline/redaction.py on their way to a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.history.prices import PriceSheet

Status = Literal["DRAFT", "REVIEWED", "FINAL"]
Rung = Literal["L4", "L5"]


@dataclass(frozen=True)
class OutsideFact:
    """Something that no log shows and a person entered: the only thing that may carry attribution above L3."""

    text: str
    source: str
    """where it comes from, in the author's words"""
    grade: str
    """Admiralty code: A-F for the source, 1-6 for the item, such as `B2`"""
    rung: Rung
    """the rung of the ladder that it speaks to: a named operator (L4), acted for a named organisation (L5)"""
    by: str
    """who entered it"""
    date: date


@dataclass(frozen=True)
class Clause:
    """A clause of the terms and when it was in force: a fact, no legal conclusion."""

    clause_id: str
    version: str
    sha256: str
    """of the clause's text in UTF-8"""
    in_force_from: date
    in_force_to: date | None
    """first day on which it was no longer in force; None if it still is"""
    behaviour: str
    """behaviour that is said to touch it, in the author's words; '' if not said"""


@dataclass(frozen=True)
class Superseded:
    """The version that this one takes the place of."""

    version: int
    removed: tuple[tuple[str, str], ...]
    """(account_id, reason in a sentence), by account: members of the earlier version that this one does not hold"""


@dataclass(frozen=True)
class Case:
    """Everything that people, not logs, say about a case."""

    case_id: str
    version: int
    """from 1; goes up when a report takes the place of one with other members or of a FINAL one"""
    title: str
    status: Status
    author: str
    """'' while nobody is named"""
    reviewer: str
    """'' until somebody other than the author has reviewed it"""
    facts: tuple[OutsideFact, ...]
    """in the order in which they were entered"""
    terms: tuple[Clause, ...]
    """by clause_id, in_force_from and version"""
    prices: PriceSheet | None
    supersedes: Superseded | None
    networks: tuple[str, ...]
    """network_ids, sorted"""
    hold: bool
    """whether everything behind the case has to be preserved"""
    created_on: date
    """given, or the night of the run that it was made from; never the clock"""
