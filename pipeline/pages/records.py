"""Frozen records between the tables and the templates: every value already in words, already through the redaction gate.

A template prints what it finds here and decides nothing. Text is plain (the template escapes it); a picture is the one exception,
markup that pipeline/pages/svg_gate.py has parsed and rebuilt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

    from pipeline.pages.working.records import LookAlike, MemberPages, Sharing, WhatIf


@dataclass(frozen=True)
class Fact:
    """One line of a card: what, its value, and a remark in smaller type."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Head:
    """A column of a table."""

    text: str
    numeric: bool = False


@dataclass(frozen=True)
class Cell:
    """A table cell; `tone` is one of '', strong, quiet, code, quote (of a log), refer, watch, explained, good, bad."""

    text: str
    href: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """A numbered table with its caption. The first cell of a row is the row's header. No rows: `empty` is printed instead."""

    anchor: str
    label: str
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class Picture:
    """One drawing of a figure, with its own visible heading ('' if the figure has only one)."""

    heading: str
    svg: Markup


@dataclass(frozen=True)
class Figure:
    """A numbered figure: the answer in a sentence, the question, what was counted, what is left out, its data."""

    anchor: str
    label: str
    caption: str
    question: str
    counted: str
    left_out: str
    pictures: tuple[Picture, ...]
    data: Table
    absent: str = ""


@dataclass(frozen=True)
class Command:
    """A command to type next and what it shows."""

    text: str
    meaning: str


@dataclass(frozen=True)
class PageHead:
    """What every page says about the run it belongs to."""

    title: str
    description: str
    night: str
    window: str
    run_id: str
    version: str
    config_sha256: str
    profile: str


@dataclass(frozen=True)
class Verdict:
    """Whether the night can be trusted: word, tone (ok, degraded, failed), one sentence, and each reason against it."""

    word: str
    tone: str
    sentence: str
    reasons: tuple[str, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class QueueRow:
    """A network in the queue; '' where a figure has nothing to be compared with."""

    network_id: str
    priority: str
    href: str
    tier: str
    tier_word: str
    change: str
    accounts: str
    accounts_change: str
    requests: str
    requests_change: str
    tokens: str
    tokens_change: str
    value: tuple[str, ...]
    """list value in one or two lines; none without a price sheet"""
    first_seen: str
    last_seen: str
    coordination: str
    extraction: str
    q_value: str
    standing: str
    owner: str
    age: str
    alternative: str
    reasons: tuple[str, ...]
    summary: str
    sparkline: Markup | None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Queue:
    """The networks of a night in the order in which to look at them."""

    sentence: str
    how_to_read: str
    anchor: str
    label: str
    is_priced: bool
    rows: tuple[QueueRow, ...]
    left_out: str


@dataclass(frozen=True)
class IndexPage:
    """index.html of a night."""

    head: PageHead
    verdict: Verdict
    queue: Queue
    singles_sentence: str
    singles: Table
    change_sentence: str
    changes: Table
    usual_sentence: str
    usual: Table
    rows_a_day: Figure
    drift: Table
    scores: Figure
    canary_sentence: str
    canaries: Table
    suppressed_sentence: str
    allowed: Table
    near_misses: Table
    ledger_sentence: str
    ledger: Table
    health_sentence: str
    inputs: Table
    rows_by_reason: Table
    coverage: Table
    account_coverage: Table
    common_sentence: str
    """how large a network may be before what it shares counts as common"""
    blind_spots: Table
    error_rates: tuple[str, ...]
    commands: tuple[Command, ...]
    terms: tuple[Fact, ...]


@dataclass(frozen=True)
class FindingCard:
    """One finding: the sentence, whether it is seen or inferred, what it says for its question, its numbers and its first evidence rows."""

    anchor: str
    rank: str
    sentence: str
    kind: str
    kind_word: str
    speaks: str
    facts: tuple[Fact, ...]
    evidence: Table


@dataclass(frozen=True)
class NetworkPage:
    """networks/<network_id>.html."""

    head: PageHead
    network_id: str
    tier: str
    tier_word: str
    tier_meaning: str
    verdict: Verdict
    summary: str
    size: tuple[Fact, ...]
    proposition_control: str
    proposition_independent: str
    likelihood: str
    confidence: str
    attribution: str
    alternative: str
    decisive: str
    axes: tuple[Fact, ...]
    lineage: Table
    gate: str
    classes: str
    families: Table
    without: Table | None
    what_if: WhatIf
    observations: tuple[FindingCard, ...]
    inferences: tuple[FindingCard, ...]
    findings_empty: str
    roles: str
    named: str
    sharing: Sharing
    members: Table
    pages: MemberPages
    volume: Figure
    events: Table
    hours: Figure
    multiples: Figure
    tests: Table
    tests_not_run: Table
    alternatives: Table
    innocent_causes: tuple[str, ...]
    look_alike: LookAlike
    against: tuple[FindingCard, ...]
    blind_spots: Table
    error_rates: tuple[str, ...]
    commands: tuple[Command, ...]
    terms: tuple[Fact, ...] = field(default=())
    marks: tuple[str, ...] = ()
    journal: Table | None = None
    look_alikes: Table | None = None
    harvest: str = ""
    """what the tables of what is asked are, in words; '' without them"""
    capabilities: Table | None = None
    traffic_parts: Table | None = None
    pace: Table | None = None
    corrections: tuple[str, ...] = field(default=())
    """what a case said of the network and took back; none if nothing"""
