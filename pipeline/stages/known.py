"""What a night knows of networks: those of earlier nights, those that an earlier judgement of the same nights published, and what it hands on.

One row a network and account; a network's own facts stand in each of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

TIME = pl.Datetime("us", "UTC")
Types = Mapping[str, pl.DataType | type[pl.DataType]]
KNOWN_TYPES: Types = {
    "network_id": pl.String,
    "account_id": pl.String,
    "first_night": pl.Date,
    "last_night": pl.Date,
    "first_flagged_night": pl.Date,
    "tier": pl.String,
    "first_seen_at": TIME,
    "last_seen_at": TIME,
    "is_superseded": pl.Boolean,
}
FLAGGED = "refer"

Times = Mapping[str, tuple[datetime, datetime]]
"""account_id -> its first and last request."""


def typed(types: Types) -> list[pl.Expr]:
    """The columns of a table, cast, in order."""
    return [pl.col(name).cast(kind) for name, kind in types.items()]


@dataclass(frozen=True)
class Known:
    """A network of an earlier night."""

    accounts: Mapping[str, tuple[datetime, datetime]]
    """Its members when it was last seen, with the first and last request that any night saw of them there."""
    first_night: date
    last_night: date
    first_flagged_night: date | None
    tier: str | None
    """Its verdict then; None if a version judged it that did not write this down."""
    is_superseded: bool = False
    """Published once, and not found when its nights were judged again."""


@dataclass(frozen=True)
class Tonight:
    """A network of tonight."""

    accounts: Mapping[str, tuple[datetime, datetime]]
    tier: str


def read_known(frame: pl.DataFrame) -> dict[str, Known]:
    """Known networks by id, in order of id. In: known_networks."""
    found: dict[str, Known] = {}
    for (name,), rows in frame.sort("network_id", "account_id").group_by("network_id", maintain_order=True):
        accounts = {account: (first, last) for account, first, last in rows.select("account_id", "first_seen_at", "last_seen_at").iter_rows()}
        facts = rows.select("first_night", "last_night", "first_flagged_night", "tier", "is_superseded").row(0)
        found[str(name)] = Known(accounts, *facts)
    return found


def read_tonight(members: pl.DataFrame, networks: pl.DataFrame, accounts: pl.DataFrame) -> dict[str, Tonight]:
    """Networks of tonight by provisional id, in order of id. In: accounts has account_id, first_us and last_us, of every member."""
    tiers = dict(networks.select("network_id", "tier").iter_rows())
    rows = members.select("account_id", "network_id").join(times_of(accounts), on="account_id", how="left").sort("network_id", "account_id")
    found: dict[str, dict[str, tuple[datetime, datetime]]] = {}
    for account, network, first, last in rows.iter_rows():
        found.setdefault(network, {})[account] = (first, last)
    return {network: Tonight(held, tiers[network]) for network, held in found.items()}


def times_of(accounts: pl.DataFrame) -> pl.DataFrame:
    """account_id, first_seen_at, last_seen_at."""
    return accounts.select("account_id", pl.col("first_us").cast(TIME).alias("first_seen_at"), pl.col("last_us").cast(TIME).alias("last_seen_at"))


def merge_known(earlier: Mapping[str, Known], tonight: Mapping[str, Tonight], ids: Mapping[str, str], published: Mapping[str, Known], night: date) -> dict[str, Known]:
    """What the next night knows.

    A network of tonight keeps its first night and its first flag, the published one if that was earlier. One that was published by this night, and that
    judging again does not find, stays known as superseded: its id is never given to another, and goes to it when a later night finds it, as new.
    """
    lost = {name: replace(old, is_superseded=True) for name, old in published.items() if old.first_night <= night}
    seen = {ids[name]: _seen(network, earlier.get(ids[name]), published.get(ids[name]), night) for name, network in tonight.items()}
    return {**lost, **earlier, **seen}


def _seen(network: Tonight, before: Known | None, published: Known | None, night: date) -> Known:
    flags = [old.first_flagged_night for old in (before, published) if old is not None and old.first_flagged_night is not None and old.first_flagged_night <= night]
    first = min((*flags, night)) if network.tier == FLAGGED else min(flags, default=None)
    held = before.accounts if before else {}
    accounts = {name: (min(held[name][0], times[0]) if name in held else times[0], times[1]) for name, times in network.accounts.items()}
    return Known(accounts, before.first_night if before and not before.is_superseded else night, night, first, network.tier)


def write_known(known: Mapping[str, Known]) -> pl.DataFrame:
    """Known networks as rows."""
    rows = [
        (name, account, one.first_night, one.last_night, one.first_flagged_night, one.tier, first, last, one.is_superseded)
        for name, one in sorted(known.items())
        for account, (first, last) in sorted(one.accounts.items())
    ]
    return pl.DataFrame(rows, schema=KNOWN_TYPES, orient="row")
