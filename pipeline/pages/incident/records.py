"""What an incident report says, as frozen facts: numbers, released names and table rows, without a word of wording and without markup.

`pipeline/evidence/incident.py` fills these records; the modules beside this one turn them into sections. Every id, address, file name or piece
of log text in them has passed the case's Release. `Row` is a row of a run table under the names that pipeline/schema.py gives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.pages.incident.parts import (
    Concentration,
    Country,
    Indicator,
    Intensity,
    Life,
    LifeDay,
    Matrix,
    Member,
    Reference,
    Series,
    Template,
    Traffic,
    Trait,
    Units,
    Volume,
    Waterfall,
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Superseded:
    """The version that this report replaces."""

    version: str
    removed: tuple[tuple[str, str], ...]
    """(account as released, why it was removed)."""


@dataclass(frozen=True)
class CaseSheet:
    """Who answers for the report, and which version it is."""

    case_id: str
    version: str
    title: str
    status: str
    """DRAFT, REVIEWED or FINAL."""
    author: str
    reviewer: str
    created_on: str
    hold: bool
    profile: str
    """internal, counsel, partner or public."""
    supersedes: Superseded | None


@dataclass(frozen=True)
class OutsideFact:
    """A fact that a person entered with its source's grade; logs cannot show it."""

    text: str
    source: str
    grade: str
    rung: str
    by: str
    date: str


@dataclass(frozen=True)
class Clause:
    """A clause of the terms and when it was in force."""

    clause_id: str
    version: str
    sha256: str
    in_force_from: str
    in_force_to: str
    behaviour: str


@dataclass(frozen=True)
class Prices:
    """The price sheet: when it held, its hash, and (model, input, output) in micro-USD for a million tokens."""

    as_of: str
    sha256: str
    rows: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class NetworkSheet:
    """Everything about one network."""

    network_id: str
    row: Row
    """its row of `networks`"""
    families: tuple[Row, ...]
    tests: tuple[Row, ...]
    """its rows of `network_tests`, each with `beyond`: whether p is at most the level that counts"""
    ablations: tuple[Row, ...]
    alternatives: tuple[Row, ...]
    findings: tuple[Row, ...]
    references: Mapping[str, tuple[Reference, ...]]
    """by finding_id, the first of its evidence rows"""
    lineage: tuple[Row, ...]
    roles: tuple[tuple[str, int], ...]
    bridges: tuple[Member, ...]
    doubtful: tuple[Member, ...]
    """members whose place is weakest: fringe, or membership below one half"""
    doubtful_count: int
    membership: tuple[tuple[float, int], ...]
    """(median bits, members with at least so many)"""
    matrix: Matrix
    graph: Matrix
    """the same for at most sixty nodes, settings left out"""
    waterfalls: tuple[Waterfall, ...]
    edge_bits: float | None
    traffic: Traffic
    controls: Traffic | None
    """None if there are fewer than may be shown"""
    control_count: str
    """how many matched accounts there are, as may be shown"""
    multiples: tuple[Series, ...]
    lives: tuple[Life, ...]
    life_days: tuple[LifeDay, ...]
    volumes: tuple[Volume, ...]
    units: Units
    intensity: Intensity
    traits: tuple[Trait, ...]
    concentration: Concentration
    control_concentration: Concentration | None
    models: tuple[Series, ...]
    templates: tuple[Template, ...]
    countries: tuple[Country, ...]
    limited: tuple[int, ...]
    """rate-limited requests, by day of the calendar"""
    indicators: tuple[Indicator, ...]
    common_traces: int
    """traces that members show but mostly strangers do"""
    capabilities: tuple[Row, ...] = ()
    """its rows of `network_capabilities`"""
    traffic_parts: tuple[Row, ...] = ()
    """its rows of `network_traffic`"""


@dataclass(frozen=True)
class InputFile:
    """A file of the log as read."""

    name: str
    rows: int | None
    bytes: int | None
    sha256: str


@dataclass(frozen=True)
class RunSheet:
    """The run behind the report."""

    run_id: str
    night: str
    first_day: str
    last_day: str
    version: str
    config_sha256: str
    code_sha256: str
    counts: Mapping[str, int]
    rejected: tuple[tuple[str, int], ...]
    degraded: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    skipped: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, int, str], ...]
    """(table, rows, sha256) of what this report reads"""
    stages: tuple[tuple[str, str, str], ...]
    """(stage, source, sha256) of every step"""
    coverage: Mapping[str, tuple[int, int]]
    """column: (rows with a value, rows)"""
    hours: tuple[tuple[str, tuple[int, ...]], ...]
    """(source, requests in every hour of the window), hours from the first day's midnight"""
    blind_spots: tuple[Row, ...]
    tiers: Mapping[str, int]
    tests_run: tuple[Row, ...]
    """over all networks: test, supports, ran, undecided, not_run, within (p at most the level that counts)"""
    family_hits: tuple[tuple[str, int, int], ...]
    """(family, networks weighed, networks it admits)"""
    candidate_pairs: int
    linked_pairs: int
    edge_accounts: int
    thresholds: tuple[tuple[str, str], ...]
    """(setting, value) that the verdict rests on"""
    seeds: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ContextSheet:
    """What the provider's own files say; None where a file was not given."""

    releases: tuple[tuple[str, dt.date], ...] | None
    bans: tuple[tuple[str, dt.date], ...] | None
    """(network, day) of each member's ban"""
    regions: tuple[str, ...] | None
    files: tuple[tuple[str, str], ...]
    """(name, sha256)"""
    same_as_run: bool


@dataclass(frozen=True)
class Incident:
    """The whole report, before any wording."""

    case: CaseSheet
    run: RunSheet
    networks: tuple[NetworkSheet, ...]
    between: tuple[tuple[str, str, int], ...]
    """(network, network, pairs of members with a link above half the edge threshold)"""
    facts: tuple[OutsideFact, ...]
    terms: tuple[Clause, ...]
    prices: Prices | None
    context: ContextSheet
    calendar: tuple[dt.date, ...]
    validation: Mapping[str, Any] | None
    """the whole validation.json that fits best"""
    validation_summary: Mapping[str, Any] | None
    redactions: tuple[tuple[str, int], ...]
    marks: tuple[str, ...] = ()
    """what keeps the report a draft: the findings of report lint"""
