"""The dials of a world: frozen records that say how a population lives, and nothing about how it is drawn.

A `Population` is a kind of account holder, innocent or not: how accounts are grouped, what they show at sign-up (`Identity`), from where
and with what they connect (`Access`), and what they do (`Activity`: rhythm and work). A `Campaign` (campaign.py) is a set of independent
dials that `campaigns.population_of` turns into a Population, so that innocent and campaign traffic pass through one engine and
differ only where a dial says so.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pipeline.simulate.campaign import Campaign


@dataclass(frozen=True)
class Identity:
    """What the accounts of a group share at sign-up. A group of 0 means: the whole group of the population shares one."""

    payment_group: int = 1  # accounts to one payment instrument
    device_group: int = 1  # accounts to one sign-up device
    organization: bool = False  # one organisation a group; else each account its own
    domain: str = "free"  # free, disposable, corporate, edu, mixed (half free, half disposable)
    pathways: tuple[tuple[str, float], ...] = (("self_serve", 1.0),)
    verification: str = "payment"  # none, email, phone, payment, kyc, kyb
    payment_type: str = "card"  # as the contract has it, or mixed (half card, half prepaid)
    plan: str = "pro"
    # organic: over two years; burst: a group within signup_days; drip: one at a time, evenly over them; morning: a group on one morning of the log; launch: all in one day of it
    signup: str = "organic"
    signup_days: float = 3.0
    innocent_sharing: bool = True  # household cards, shared and placeholder devices occur at the world's rates
    ageing_days: float = 0.0  # sign-up lies that much earlier
    one_mail_shape: bool = False  # a group's mailboxes follow one pattern


@dataclass(frozen=True)
class Access:
    """Addresses and clients."""

    # home, office, campus, cloud, pool, residential, per_request, shared (one address), mobile (a carrier's, another each time), vpn (exits that strangers share),
    # serverless (a hosting network's, another each time)
    addresses: str = "home"
    pool_addresses: int = 4  # addresses of a group behind office, campus and pool
    pool_share: float = 0.9  # requests from the shared addresses; the rest from the holder's own line
    # browser, sdk, coding, harness (one rare stack a group), varied (one common stack an account), gateway (one common stack a group),
    # rewritten (a popular client's name over the group's stack), stripped (no name)
    clients: str = "browser"
    sessions: str = "conversation"  # conversation; masked: one an account and quarter of an hour; none


@dataclass(frozen=True)
class Rhythm:
    """When and how much."""

    schedule: str = "human"  # human, office, lesson, cron, batch, always, event (the day long, at full tilt), spike (one hour of the holder's own)
    per_day: float = 5.0  # conversations or jobs an account on an active day, median
    spread: float = 0.7  # sigma of the log of an account's own rate
    active_share: float = 0.6  # chance that an account is active on a given weekday
    weekend: float = 0.7  # factor on active_share on Saturday and Sunday
    turns: float = 1.0  # mean requests of a conversation
    turn_gap_s: float = 75.0  # median pause between its turns
    lifetime_days: float = 0.0  # days after which the account falls silent, from sign-up or, in phase after, from the turning point; 0: never
    phase: str = "all"  # all; before or after the holder's turning point (sold, stolen, moved)
    members: str = "all"  # all, first, others: of each group


@dataclass(frozen=True)
class Work:
    """What is asked, with what settings, and how long the answers are."""

    # own: everyone their own words; corpus: items of the public corpora; assignment: a group's items; benchmark: fixed items run again; people: each conversation another person's;
    # members: each conversation one of the group's people's, whichever account sends it
    source: str = "own"
    tasks: tuple[tuple[str, float], ...] = (("explain", 1.0),)
    corpora: int = 1  # public corpora that one account (or, pooled, the campaign) draws on
    beyond: float = 0.0  # share of a campaign's items that lie in no public corpus
    replacement: bool = True  # items may come up again; False: each item once in the whole group
    # none, own (an account's), group, family (variations of the group's), paraphrase (each request worded afresh), injected (one instruction behind every turn),
    # public (one that all of this kind took from the same public source)
    template: str = "none"
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
    items: int = 220  # of a benchmark
    sharded: bool = False  # each account has its own part of the group's list
    end_users: int = 0  # end users that a request may name; 0: none is named


@dataclass(frozen=True)
class Pool:
    """How a pooled activity's jobs reach its accounts, besides the policy."""

    sticky_minutes: float = 60.0
    workers: float = 1.0  # at work at a time, to an account of the pool (sticky only)
    weight_spread: float = 0.0  # sigma of the log of an account's weight
    duty: float = 1.0  # chance that an account is in rotation on a day
    best_of: int = 1  # times that each job is sent, each to another account
    handoff: float = 0.0  # conversations of several turns that go on on another account
    failover: bool = False  # a throttled request is sent again by another account


@dataclass(frozen=True)
class Activity:
    """A rhythm and a kind of work. Pooled activity is drawn for each group and dealt to its accounts by the policy."""

    rhythm: Rhythm
    work: Work
    pooled: bool = False
    policy: str = "random"  # round_robin, random, sticky, headroom
    share: float = 1.0  # of the holder's volume
    pool: Pool | None = None  # how a pooled activity is dealt, besides its policy
    access: Access | None = None  # from where and with what, if not as the population does


@dataclass(frozen=True)
class Career:
    """What becomes of the accounts of a campaign over the log."""

    purchased_share: float = 0.0  # used by an innocent holder until bought
    purchase_days: float = 6.0
    spare_share: float = 0.0  # held back until others are banned
    ban_days: tuple[int, ...] = ()
    ban_share: float = 0.6
    succession_hours: float = 3.0
    pivot_share: float = 0.0  # traffic moved within a day to a newly released model


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
    career: Career = Career()

    @property
    def turns(self) -> bool:
        """Whether its holders have a turning point, because what they do depends on one."""
        return any(activity.rhythm.phase != "all" for activity in self.activities)


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
    disposable_mail: float = 0.0  # free mailboxes that are throwaway ones
    prepaid_card: float = 0.0  # cards that are prepaid ones
    agency_card: float = 0.0  # accounts that an agency pays for with one card, some seven to a card
    lab_device: float = 0.0  # accounts opened on a laboratory's or cafe's machine, some nine to a machine
    colliding_session: float = 0.0  # accounts whose script numbers its sessions 1, 2, 3 as others' do
    handed_over: float = 0.0  # accounts of organisations that pass from one employee to another during the log
    address_churn: float = 0.0  # accounts on a mobile or serverless network, another address for each conversation
    second_account: float = 0.0  # strangers' accounts whose owner has another one and takes some conversations on to it
    inspected: float = 0.0  # accounts behind a TLS inspection, antivirus or gateway whose fingerprint strangers show too, some twelve to a box
    inspected_groups: float = 0.0  # groups that have such a box of their own: share of groups

    def __post_init__(self) -> None:
        _within(self, 0.0, 1.0)


@dataclass(frozen=True)
class World:
    """All that a world is drawn from, besides its seed."""

    populations: tuple[Population, ...]
    sharing: Sharing
    campaigns: tuple[Campaign, ...] = ()
    corpora: int = 10  # public corpora
    corpus_items: int = 4000  # items of each
    start: str = "2026-03-02"  # a Monday
    polyglot: float = 0.0  # people who write some of their conversations in another language than usual
    release_day: int = -1  # day of the log on which a new model appears; -1: none does

    @property
    def end_users(self) -> bool:
        """Whether anyone names end users, so that the log has the column."""
        return any(activity.work.end_users for population in self.populations for activity in population.activities)


def _within(record: Sharing, low: float, high: float) -> None:
    for entry in dataclasses.fields(record):
        if not low <= getattr(record, entry.name) <= high:
            raise ValueError(f"{entry.name} must lie within {low}..{high}")
