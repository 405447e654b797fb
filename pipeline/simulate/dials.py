"""The dials of a world: frozen records that say how a population lives, and nothing about how it is drawn.

A `Population` is a kind of account holder, innocent or not: how accounts are grouped, what they show at sign-up (`Identity`), from where
and with what they connect (`Access`), and what they do (`Activity`: rhythm and work). A `Campaign` is a set of independent
dials that `campaigns.population_of` turns into a Population, so that innocent and campaign traffic pass through one engine and
differ only where a dial says so.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """What the accounts of a group share at sign-up. A group of 0 means: the whole group of the population shares one."""

    payment_group: int = 1  # accounts to one payment instrument
    device_group: int = 1  # accounts to one sign-up device
    organization: bool = False  # one organisation a group; else each account its own
    domain: str = "free"  # free, disposable, corporate, edu
    pathways: tuple[tuple[str, float], ...] = (("self_serve", 1.0),)
    verification: str = "payment"  # none, email, phone, payment, kyc, kyb
    payment_type: str = "card"
    plan: str = "pro"
    signup: str = "organic"  # organic: over two years; burst: a group within signup_days
    signup_days: float = 3.0
    innocent_sharing: bool = True  # household cards, shared and placeholder devices occur at the world's rates


@dataclass(frozen=True)
class Access:
    """Addresses and clients."""

    addresses: str = "home"  # home, office, campus, cloud, pool, residential, per_request
    pool_addresses: int = 4  # addresses of a group behind office, campus and pool
    pool_share: float = 0.9  # requests from the shared addresses; the rest from the holder's own line
    clients: str = "browser"  # browser, sdk, coding, harness (one rare stack a group), varied (one common stack an account)


@dataclass(frozen=True)
class Rhythm:
    """When and how much."""

    schedule: str = "human"  # human, office, lesson, cron, batch, always
    per_day: float = 5.0  # conversations or jobs an account on an active day, median
    spread: float = 0.7  # sigma of the log of an account's own rate
    active_share: float = 0.6  # chance that an account is active on a given weekday
    weekend: float = 0.7  # factor on active_share on Saturday and Sunday
    turns: float = 1.0  # mean requests of a conversation


@dataclass(frozen=True)
class Work:
    """What is asked, with what settings, and how long the answers are."""

    source: str = "own"  # own: everyone their own words; corpus: items of the public corpora; assignment: a group's items; benchmark: fixed items run again
    tasks: tuple[tuple[str, float], ...] = (("explain", 1.0),)
    corpora: int = 1  # public corpora that one account (or, pooled, the campaign) draws on
    beyond: float = 0.0  # share of a campaign's items that lie in no public corpus
    replacement: bool = True  # items may come up again; False: each item once in the whole group
    template: str = "none"  # none, own (an account's), group, family (variations of the group's), public (one that all of this kind took from the same public source)
    template_share: float = 1.0  # documents that carry it
    template_holders: float = 1.0  # accounts that have a template of their own; the others send the items as they are
    sentences: float = 3.0  # median length of the user's own text
    system: str = "none"  # none, own, group, client (the popular client's, by version)
    output_tokens: float = 400.0  # median answer
    output_spread: float = 0.7
    settings: str = "client"  # client: the client's defaults; script: round numbers of the holder's choice; group: one choice a group
    foreign_share: float = 0.15  # accounts that write in another language than English
    code_share: float = 0.1  # documents with code
    table_share: float = 0.05


@dataclass(frozen=True)
class Activity:
    """A rhythm and a kind of work. Pooled activity is drawn for the group and dealt to its accounts by the policy."""

    rhythm: Rhythm
    work: Work
    pooled: bool = False
    policy: str = "random"  # round_robin, random, sticky
    share: float = 1.0  # of the holder's volume


@dataclass(frozen=True)
class Population:
    """A kind of account holder. `group_size` 0: no group (strangers); else accounts come in groups of about that size."""

    name: str
    identity: Identity
    access: Access
    activities: tuple[Activity, ...]
    group_size: int = 0
    malicious: bool = False
    size: int = 0  # accounts in this world
    one_group: bool = False


@dataclass(frozen=True)
class Sharing:
    """Rates of innocent sharing: share of the accounts that it touches."""

    household_card: float = 0.05  # accounts that pay with a card another account uses too
    shared_device: float = 0.05  # accounts opened on a device another account used too
    placeholder_device: float = 0.04  # fingerprints that say nothing: unknown, 0000, empty
    missing_device: float = 0.05
    literal_session: float = 0.02  # accounts whose script sends one hard-coded session id
    shared_line: float = 0.12  # accounts behind an address that strangers share
    closed: float = 0.015  # accounts closed or suspended, for whatever reason

    def __post_init__(self) -> None:
        _within(self, 0.0, 1.0)


@dataclass(frozen=True)
class Campaign:
    """One operator's accounts. Every dial is independent of the others."""

    name: str
    accounts: int = 20
    requests_per_account_day: float = 30.0
    payment_group: int = 1  # accounts to a card; 0: one card for all
    device_group: int = 1
    infrastructure: str = "residential"  # pool, residential, per_request
    pool_addresses: int = 4
    template: str = "fixed"  # fixed, family, none
    schedule: str = "always"  # batch, always, mimic (each account keeps the hours of its country)
    policy: str = "random"  # round_robin, random, sticky
    replacement: bool = False
    corpora: int = 3
    beyond: float = 0.5  # share of its items that lie in no public corpus
    active_share: float = 0.95  # chance that an account is used on a given day
    turns: float = 1.0  # mean requests of a conversation
    noise_share: float = 0.0  # unrelated customer chat resold over the same accounts
    signup: str = "burst"  # burst, organic
    signup_days: float = 3.0
    pathways: tuple[tuple[str, float], ...] = (("self_serve", 1.0),)
    domain: str = "free"  # free, disposable
    clients: str = "varied"  # harness, varied
    settings: str = "group"  # group, script
    output_tokens: float = 900.0
    tasks: tuple[tuple[str, float], ...] = (("reason", 0.7), ("code", 0.3))

    def __post_init__(self) -> None:
        if self.accounts < 1 or not 0 < self.active_share <= 1 or self.turns < 1 or self.requests_per_account_day <= 0 or not 0 <= self.noise_share < 1 or not 0 <= self.beyond < 1:
            raise ValueError(f"campaign {self.name}: accounts and requests must be positive, turns at least 1, active_share, noise_share and beyond within 0..1 (1 excluded)")
        for dial, allowed in CAMPAIGN_CHOICES.items():
            if getattr(self, dial) not in allowed:
                raise ValueError(f"campaign {self.name}: {dial} is {getattr(self, dial)!r}, not one of {', '.join(allowed)}")


CAMPAIGN_CHOICES = {
    "infrastructure": ("pool", "residential", "per_request"),
    "template": ("fixed", "family", "none"),
    "schedule": ("batch", "always", "mimic"),
    "policy": ("round_robin", "random", "sticky"),
    "signup": ("burst", "organic"),
    "domain": ("free", "disposable"),
    "clients": ("harness", "varied"),
    "settings": ("group", "script"),
}


@dataclass(frozen=True)
class World:
    """All that a world is drawn from, besides its seed."""

    populations: tuple[Population, ...]
    sharing: Sharing
    campaigns: tuple[Campaign, ...] = ()
    corpora: int = 10  # public corpora
    corpus_items: int = 4000  # items of each
    start: str = "2026-03-02"  # a Monday


def _within(record: Sharing, low: float, high: float) -> None:
    for entry in dataclasses.fields(record):
        if not low <= getattr(record, entry.name) <= high:
            raise ValueError(f"{entry.name} must lie within {low}..{high}")
