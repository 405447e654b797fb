"""What an incident report says, as frozen facts: numbers, released names and table rows, without a word of wording and without markup.

`pipeline/evidence/incident.py` fills these records; the modules beside this one turn them into sections. Every id, address, file name or piece
of log text in them has passed the case's Release. `Row` is a row of a run table under the names that pipeline/schema.py gives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.pages.traffic import DayVolume, Week

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
class Units:
    """One amount of traffic in every counting unit. `cost_known` is how many of the requests carry a logged cost."""

    requests: int = 0
    turns: int = 0
    conversations: int = 0
    prompts: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    harvested: int = 0
    cost_micro_usd: int = 0
    cost_known: int = 0


@dataclass(frozen=True)
class Volume:
    """Traffic of one account class, model and month."""

    role: str
    model: str
    month: str
    units: Units


@dataclass(frozen=True)
class Member:
    """A member as it may be shown."""

    name: str
    role: str
    membership: float | None
    bits: float | None
    requests: int
    strongest_name: str
    strongest_bits: float | None
    strongest_kind: str
    extraction: float | None


@dataclass(frozen=True)
class Attribute:
    """One value that members share, or all others of its kind: named by its kind and a number, never by the value."""

    kind: str
    family: str
    number: int
    """from 1 within its kind; 0 for all further values of the kind together"""
    values: int
    """values that the column stands for: those that the same members hold, or all further ones"""
    inside: int
    """members that hold it"""
    holders: int
    """entities of the whole log that hold it; 0 where the column stands for further values"""


@dataclass(frozen=True)
class Block:
    """Members with like attributes: how many they are, and the share of them (0..1) that holds each attribute."""

    name: str
    accounts: int
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Matrix:
    """Who holds what: blocks of members against shared values, both in the order in which they are drawn."""

    attributes: tuple[Attribute, ...]
    blocks: tuple[Block, ...]
    value_count: int
    """shared values in all, drawn or not"""
    drawn_accounts: int
    grouped: bool
    """whether a row stands for several accounts"""


@dataclass(frozen=True)
class Waterfall:
    """Where one member's bits come from: means over the pairs with the members it was compared with."""

    which: str
    """strongest, median or weakest"""
    name: str
    families: tuple[tuple[str, float], ...]
    total_bits: float
    compared: int


@dataclass(frozen=True)
class Life:
    """One account from its first request in the window to its last, and the day of its ban, if any is known."""

    name: str
    first: dt.date
    last: dt.date
    banned: dt.date | None


@dataclass(frozen=True)
class LifeDay:
    """How many members sent their first and last request, and were banned, on a day."""

    day: dt.date
    first: int
    last: int
    banned: int


@dataclass(frozen=True)
class Trait:
    """A feature over members and controls: lower quartile, median, upper quartile; None where unknown."""

    feature: str
    unit: str
    members: tuple[float, float, float] | None
    controls: tuple[float, float, float] | None
    member_n: int
    control_n: int


@dataclass(frozen=True)
class Concentration:
    """How requests gather on few skeletons: (number of most frequent skeletons, share of requests), ascending."""

    points: tuple[tuple[int, float], ...]
    skeletons: int
    requests: int


@dataclass(frozen=True)
class Template:
    """A frequent skeleton: the first digits of its key, and how often and by how many it was sent."""

    key: str
    accounts: int
    requests: int
    prompts: int
    words: int | None
    """median words of its prompts"""


@dataclass(frozen=True)
class Country:
    """Requests and members of a country; `supported` is None without a region list."""

    country: str
    requests: int
    accounts: int
    supported: bool | None


@dataclass(frozen=True)
class Indicator:
    """A technical trace that others could look for."""

    type: str
    value: str
    members: int
    holders: int | None
    """accounts of the whole log with it, None if not counted"""
    first: dt.date | None
    last: dt.date | None


@dataclass(frozen=True)
class Intensity:
    """How densely members work: account-days, those with 20 hours or more, the busiest hour of an account, in requests."""

    account_days: int
    round_the_clock: int
    busiest_hour: int
    median_day: float


@dataclass(frozen=True)
class Series:
    """Requests a day of one thing (an account, a model), in the order of the calendar."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Reference:
    """A request row behind a finding."""

    request: str
    file: str
    row: int
    role: str


@dataclass(frozen=True)
class Traffic:
    """Requests by day and by hour of the week of a group of accounts."""

    accounts: int
    days: tuple[DayVolume, ...]
    week: Week
    total: int


@dataclass(frozen=True)
class NetworkSheet:
    """Everything about one network."""

    network_id: str
    row: Row
    """its row of `networks`"""
    calibrated: bool
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
