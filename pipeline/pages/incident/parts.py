"""The parts that a network's sheet is made of: amounts, members, shared values, rhythm, traits. As records.py: frozen facts, released, without wording."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pipeline.pages.traffic import DayVolume, Week


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
    band: tuple[int, int | None] | None = None
    """of further values: fewest and most members that hold one of them (None: no limit); None where they are not told apart"""
    counted: int = 0
    """holders that its rarity counts, fewer where a large group holds it; 0 where the column stands for further values"""


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


SHOWN_FROM = 5
"""Members that must have sent a skeleton before a prompt of it is shown: the size from which a group is a network."""


@dataclass(frozen=True)
class Template:
    """A frequent skeleton: its key, how often and by how many it was sent, and, where the logs were read again, a masked prompt of it or why there is none."""

    key: str
    accounts: int
    requests: int
    prompts: int
    words: int | None
    """median words of its prompts"""
    state: str = "not_asked"
    """of the text: shown, or why not: not_asked, few, control, gone, changed, unreadable"""
    text: str = ""


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
