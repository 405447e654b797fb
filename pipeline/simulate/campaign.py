"""One operator's accounts as a frozen record of independent dials: an evasion is one dial turned, and everything else is as before."""

from __future__ import annotations

from dataclasses import dataclass

CHOICES = {
    "infrastructure": ("shared", "pool", "residential", "per_request"),
    "template": ("fixed", "family", "injected", "paraphrase", "none"),
    "schedule": ("batch", "always", "mimic"),
    "policy": ("round_robin", "random", "sticky", "headroom"),
    "signup": ("burst", "organic", "drip"),
    "domain": ("free", "disposable", "corporate", "mixed"),
    "payment_type": ("auto", "card", "prepaid", "mixed"),
    "clients": ("harness", "varied", "rewritten", "stripped"),
    "settings": ("group", "script", "client"),
    "sessions": ("conversation", "masked", "none"),
    "source": ("corpus", "replay", "live"),
}
LOWEST = {"accounts": 1, "best_of": 1, "turns": 1, "requests_per_account_day": 1e-6, "duty": 1e-6, "active_share": 1e-6, "sticky_minutes": 1e-6, "workers": 1e-6}
SHARES = ("noise_share", "beyond", "handoff", "purchased_share", "spare_share", "pivot_share", "ban_share")


@dataclass(frozen=True)
class Campaign:
    """One operator's accounts. Every dial is independent of the others; those that are shares lie within 0 (included) and 1 (excluded, but for
    `pivot_share`, `handoff` and `ban_share`). Raises ValueError with the dial's name.
    """

    name: str
    accounts: int = 20
    requests_per_account_day: float = 30.0
    payment_group: int = 1  # accounts to a card; 0: one card for all
    device_group: int = 1
    infrastructure: str = "residential"  # shared (one address), pool, residential (a line an account), per_request
    pool_addresses: int = 4
    template: str = "fixed"  # fixed, family, injected (behind every turn), paraphrase (worded afresh for each request), none
    schedule: str = "always"  # batch, always, mimic (each account keeps the hours of its country)
    policy: str = "random"  # round_robin, random, sticky, headroom (who was used least)
    replacement: bool = False
    corpora: int = 3
    beyond: float = 0.5  # share of its items that lie in no public corpus
    active_share: float = 0.95  # chance that an account is used on a given day
    turns: float = 1.0  # mean requests of a conversation
    noise_share: float = 0.0  # unrelated customer chat resold over the same accounts
    signup: str = "burst"  # burst, organic, drip
    signup_days: float = 3.0
    pathways: tuple[tuple[str, float], ...] = (("self_serve", 1.0),)
    domain: str = "free"  # free, disposable, corporate (one the operator registered), mixed (half free, half disposable)
    payment_type: str = "auto"  # auto (cards of their own are cards, shared ones prepaid), card, prepaid, mixed (half and half)
    clients: str = "varied"  # harness, varied, rewritten, stripped
    settings: str = "group"  # group, script (an account's own), client (the defaults of the client it names)
    output_tokens: float = 900.0
    tasks: tuple[tuple[str, float], ...] = (("reason", 0.7), ("code", 0.3))
    sessions: str = "conversation"  # conversation; masked: one an account and quarter of an hour; none
    source: str = "corpus"  # corpus; replay: stored conversations of other people, sent in batches; live: the same as they happen
    sharded: bool = False  # each account has its own part of the work-list
    best_of: int = 1  # samples of each item, each from another account
    sticky_minutes: float = 60.0
    workers: float = 1.0  # at work at a time, to an account; with the policy sticky, the fewer they are the longer an account's bursts and pauses
    weight_spread: float = 0.0  # sigma of the log of an account's weight in the balancer
    duty: float = 1.0  # chance that an account is in rotation on a day
    handoff: float = 0.0  # conversations of several turns that go on on another account
    failover: bool = False  # a throttled request is sent again by another account
    ageing_days: float = 0.0  # the accounts were opened that much earlier and lay still
    purchased_share: float = 0.0  # accounts that an innocent holder used until the operator bought them
    purchase_days: float = 6.0  # purchases fall evenly into the first so many days of the log, or its first half if that is shorter
    spare_share: float = 0.0  # accounts held back until others are banned
    ban_days: tuple[int, ...] = ()  # days of the log with a ban wave, 0 the first
    ban_share: float = 0.6  # serving accounts that a wave closes
    succession_hours: float = 3.0  # from a wave until the spare accounts take over
    pivot_share: float = 0.0  # traffic moved within a day to a newly released model
    organization: bool = False  # all accounts in one self-serve organisation
    one_mail_shape: bool = False  # mailboxes made by one pattern
    foreign_share: float = 0.0  # conversations in another language than English (replay and live only)

    def __post_init__(self) -> None:
        for dial, low in (
            ("accounts", 1),
            ("best_of", 1),
            ("turns", 1),
            ("requests_per_account_day", 1e-6),
            ("duty", 1e-6),
            ("active_share", 1e-6),
            ("sticky_minutes", 1e-6),
            ("workers", 1e-6),
        ):
            if getattr(self, dial) < low:
                raise ValueError(f"campaign {self.name}: {dial} is {getattr(self, dial)!r}, below {low}")
        for dial in SHARES:
            if not 0 <= getattr(self, dial) <= (1 if dial in ("pivot_share", "handoff", "ban_share") else 0.999):
                raise ValueError(f"campaign {self.name}: {dial} is {getattr(self, dial)!r}, not a share")
        if max(self.active_share, self.duty) > 1:
            raise ValueError(f"campaign {self.name}: active_share and duty lie within 0..1")
        for dial, allowed in CHOICES.items():
            if getattr(self, dial) not in allowed:
                raise ValueError(f"campaign {self.name}: {dial} is {getattr(self, dial)!r}, not one of {', '.join(allowed)}")
