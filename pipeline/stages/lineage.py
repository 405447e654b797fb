"""Stage 80: which network of tonight is which network of an earlier night, and what became of the others.

Two networks continue each other when they share more than half of the smaller one's accounts: a network that grows
tenfold still holds most of its old self, one that is cut down is still mostly inside it, and no two disjoint halves can both claim the
majority of a third. Pairs are taken greedily, most shared accounts first (ties: the id seen first on an earlier night, then
the smaller id, then tonight's first account), each network at most once. A network seen on no earlier night gets a new id, a
hash of its accounts and the night; an id is never given twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import count

import polars as pl

from pipeline import provenance
from pipeline.config import Config

LINEAGE_TYPES = {"network_id": pl.String, "night": pl.Date, "event": pl.String, "other_id": pl.String, "account_count": pl.Int64}
KNOWN_TYPES = {"network_id": pl.String, "account_id": pl.String, "first_night": pl.Date, "last_night": pl.Date}


@dataclass(frozen=True)
class Known:
    """A network of an earlier night."""

    accounts: frozenset[str]
    first_night: date
    last_night: date


@dataclass(frozen=True)
class Claim:
    """A network of tonight and an earlier one that share more than half of the smaller."""

    shared: int
    earlier_id: str
    provisional_id: str


def lineage(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Ids and events of one night.

    In: networks and members with provisional ids; earlier_networks and earlier_lineage (empty on the first night); night (one row).
    Out: network_ids, lineage and known_networks (those of earlier nights and tonight's). No networks: earlier ones fall dormant.
    """
    night, previous = inputs["night"].select("night", "previous_night").row(0)
    tonight = {network: frozenset(accounts) for network, accounts in _grouped(inputs["members"])}
    earlier = _known(inputs["earlier_networks"])
    claims = continuations(tonight, {network: known.accounts for network, known in earlier.items()})
    taken = take(claims, earlier)
    ids = taken | _new_ids({network: tonight[network] for network in tonight if network not in taken}, night, frozenset(earlier))
    events = [*_events_of_tonight(tonight, earlier, taken, ids, claims, previous), *_events_of_the_lost(earlier, ids, claims, taken, previous)]
    rows = [(network, night, event, other or None, size) for network, event, other, size in sorted(events)]
    return {
        "network_ids": pl.DataFrame(sorted(ids.items()), schema={"provisional_id": pl.String, "network_id": pl.String}, orient="row"),
        "lineage": pl.concat([inputs["earlier_lineage"], pl.DataFrame(rows, schema=LINEAGE_TYPES, orient="row")]),
        "known_networks": _remember(earlier, {ids[network]: accounts for network, accounts in tonight.items()}, night),
    }


def continuations(tonight: Mapping[str, frozenset[str]], earlier: Mapping[str, frozenset[str]]) -> list[Claim]:
    """Pairs that share more than half of the smaller network, by (tonight's, earlier) id. Networks need not be disjoint."""
    holders: dict[str, list[str]] = {}
    for network, accounts in earlier.items():
        for account in accounts:
            holders.setdefault(account, []).append(network)
    claims = []
    for network, accounts in sorted(tonight.items()):
        shared = Counter(holder for account in accounts for holder in holders.get(account, ()))
        claims += [Claim(size, other, network) for other, size in sorted(shared.items()) if 2 * size > min(len(accounts), len(earlier[other]))]
    return claims


def take(claims: list[Claim], earlier: Mapping[str, Known]) -> dict[str, str]:
    """Tonight's id -> the earlier id it keeps, greedily by shared accounts."""
    kept: dict[str, str] = {}
    given = set[str]()
    for claim in sorted(claims, key=lambda c: (-c.shared, earlier[c.earlier_id].first_night, c.earlier_id, c.provisional_id)):
        if claim.provisional_id not in kept and claim.earlier_id not in given:
            kept[claim.provisional_id] = claim.earlier_id
            given.add(claim.earlier_id)
    return kept


Event = tuple[str, str, str, int]
"""(network_id, event, other_id or '', accounts)."""


def _events_of_tonight(
    tonight: Mapping[str, frozenset[str]], earlier: Mapping[str, Known], taken: Mapping[str, str], ids: Mapping[str, str], claims: list[Claim], previous: date | None
) -> list[Event]:
    events: list[Event] = []
    for network, accounts in tonight.items():
        before = earlier.get(taken.get(network, ""))
        parents = [claim.earlier_id for claim in claims if claim.provisional_id == network]
        if before is None:
            events += [(ids[network], "split", parent, len(accounts)) for parent in parents] or [(ids[network], "new", "", len(accounts))]
            continue
        if before.last_night != previous:
            events.append((ids[network], "returned", "", len(accounts)))
        if len(accounts) != len(before.accounts):
            events.append((ids[network], "grown" if len(accounts) > len(before.accounts) else "shrunk", "", len(accounts)))
    return events


def _events_of_the_lost(earlier: Mapping[str, Known], ids: Mapping[str, str], claims: list[Claim], taken: Mapping[str, str], previous: date | None) -> list[Event]:
    """Networks of the previous night that no network of tonight continues: merged into another, or dormant."""
    events: list[Event] = []
    kept = set(taken.values())
    for network, known in earlier.items():
        if network not in kept and known.last_night == previous:
            into = [(network, "merged", ids[claim.provisional_id], claim.shared) for claim in claims if claim.earlier_id == network]
            events += into or [(network, "dormant", "", 0)]
    return events


def _new_ids(networks: Mapping[str, frozenset[str]], night: date, used: frozenset[str]) -> dict[str, str]:
    """A new id each; should ten digits ever repeat an id, the accounts are hashed with a counter until they do not."""
    ids: dict[str, str] = {}
    for network, accounts in sorted(networks.items()):
        candidates = (provenance.network_id([*accounts, *[""] * attempt], night) for attempt in count())
        ids[network] = next(new for new in candidates if new not in used and new not in ids.values())
    return ids


def _known(frame: pl.DataFrame) -> dict[str, Known]:
    nights = frame.group_by("network_id").agg(pl.col("first_night").min(), pl.col("last_night").max()).rows_by_key("network_id", unique=True)
    return {network: Known(frozenset(accounts), *nights[network]) for network, accounts in _grouped(frame)}


def _grouped(frame: pl.DataFrame) -> list[tuple[str, list[str]]]:
    return frame.sort("network_id", "account_id").group_by("network_id", maintain_order=True).agg("account_id").rows()


def _remember(earlier: Mapping[str, Known], tonight: Mapping[str, frozenset[str]], night: date) -> pl.DataFrame:
    first = {network: known.first_night for network, known in earlier.items()}
    rows = [(network, account, known.first_night, known.last_night) for network, known in earlier.items() if network not in tonight for account in known.accounts]
    rows += [(network, account, first.get(network, night), night) for network, accounts in tonight.items() for account in accounts]
    return pl.DataFrame(sorted(rows), schema=KNOWN_TYPES, orient="row")
