"""Stage 80: which network of tonight is which network of an earlier night, and what became of the others.

Two networks continue each other when they share more than half of the smaller one's accounts: a network that grows
tenfold still holds most of its old self, one that is cut down is still mostly inside it, and no two disjoint halves can both claim the
majority of a third. Pairs are taken greedily, most shared accounts first (ties: the id seen first on an earlier night, then
the smaller id, then tonight's first account), each network at most once. A network that shares accounts with none may still be one that fell silent
and came back under new accounts: `returns.py` tells it by the rare values its operator made; it takes its old id back, or, where that id is taken or it
has one of its own by now, is linked to it. A network known by neither gets a new id, a hash of its accounts and the night; an id is never given twice.

A night that is judged again, because its logs came late or were corrected, keeps the ids that were published: networks that no earlier night
knows are matched by members to what was published. Lines of the night that the new judgement does not repeat stay, marked as superseded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

import polars as pl

from pipeline import provenance
from pipeline.config import Config
from pipeline.stages.known import Known, Tonight, Types, merge_known, read_known, read_tonight, times_of, typed, write_known
from pipeline.stages.returns import EXPLAINED, PROOF_TYPES, Match, held_values, matches, remembered, take_back

LINEAGE_TYPES: Types = {
    "network_id": pl.String,
    "night": pl.Date,
    "event": pl.String,
    "other_id": pl.String,
    "account_count": pl.Int64,
    "tier": pl.String,
    "matched_by": pl.String,
    "matched_bits": pl.Float64,
    "is_superseded": pl.Boolean,
}
SILENCE = timedelta(days=1)
"""A network that sent nothing for so long, while another of the same make sends, has fallen silent."""
_SAME_LINE = ("night", "network_id", "event", "other_id", "account_count", "tier")

Sets = Mapping[str, frozenset[str]]
Event = tuple[str, str, str, int, str | None, str | None, float | None]
"""(network_id, event, other_id or '', accounts, tier, matched by, bits)."""


@dataclass(frozen=True)
class Claim:
    """A network of tonight and an earlier one that share more than half of the smaller."""

    shared: int
    earlier_id: str
    provisional_id: str


@dataclass(frozen=True)
class Night:
    """Everything that one night's names rest on."""

    night: date
    previous: date | None
    tonight: Mapping[str, Tonight]
    earlier: Mapping[str, Known]
    published: Mapping[str, Known]
    """What the last night published, if it is this or a later one, by id."""
    then: Mapping[str, Known]
    """What this night itself published before, by id."""


def lineage(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Ids and events of one night.

    In: networks and members with provisional ids; accounts, shared_values, account_records and kinds; what earlier nights left (empty on the first night); what
    an earlier judgement of the night published (empty if none); night (one row). Out: network_ids, lineage, known_networks and known_values (those of
    earlier nights and tonight's), returned_values (what each return by values rests on). No networks: earlier ones fall dormant.
    """
    night, previous = inputs["night"].select("night", "previous_night").row(0)
    found_tonight = read_tonight(inputs["members"], inputs["networks"], inputs["accounts"])
    then = read_known(inputs["published_tonight"].filter(pl.col("last_night") == night))
    case = Night(night, previous, found_tonight, read_known(inputs["earlier_networks"]), read_known(inputs["published_networks"]), then)
    tonight, earlier = _sets(case.tonight), _sets(case.earlier)
    claims = continuations(tonight, earlier)
    taken = take(claims, case.earlier)
    named = taken | _published(case, {name: accounts for name, accounts in tonight.items() if name not in taken})
    population = _entities(inputs["account_records"])
    held = held_values(inputs["shared_values"], inputs["accounts"], inputs["networks"])
    split = {claim.provisional_id for claim in claims} - set(taken)
    found = matches(_pairs(case, named, split, inputs), held, inputs["earlier_values"], _present(inputs), population, inputs["kinds"], config)
    back, linked = take_back(found, {name: name not in named for name in tonight}, frozenset(named.values()))
    ids = named | {match.provisional_id: match.earlier_id for match in back}
    ids |= _new_ids({network: tonight[network] for network in tonight if network not in ids}, night, frozenset({*earlier, *case.published}))
    events = [*_events_of_tonight(case, taken, ids, claims, {match.provisional_id: match for match in back}), *_links(case, ids, linked), *_events_of_the_lost(case, ids, claims)]
    return {
        "network_ids": pl.DataFrame(sorted(ids.items()), schema={"provisional_id": pl.String, "network_id": pl.String}, orient="row"),
        "lineage": _lines(inputs, events, night),
        "known_networks": write_known(merge_known(case.earlier, case.tonight, ids, case.published, night)),
        "known_values": remembered(inputs["earlier_values"], held, ids, population, night),
        "returned_values": pl.concat([inputs["earlier_returns"].select(typed(PROOF_TYPES)), *(_proof(match, ids, night) for match in (*back, *linked))]),
    }


def continuations(tonight: Sets, earlier: Sets) -> list[Claim]:
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


def _sets(networks: Mapping[str, Known] | Mapping[str, Tonight]) -> dict[str, frozenset[str]]:
    return {name: frozenset(network.accounts) for name, network in networks.items()}


def _published(case: Night, unnamed: Sets) -> dict[str, str]:
    """Ids that were published for networks of tonight that continue none of an earlier night, parts that split off among them: by this night itself, else by later ones."""
    named: dict[str, str] = {}
    for known in (case.then, case.published):
        others = {name: one for name, one in known.items() if name not in case.earlier and name not in named.values()}
        named |= take(continuations({name: accounts for name, accounts in unnamed.items() if name not in named}, _sets(others)), others)
    return named


def _pairs(case: Night, named: Mapping[str, str], split: set[str], inputs: Mapping[str, pl.DataFrame]) -> list[tuple[str, str]]:
    """Tonight's networks and the silent earlier ones each may be the return of: it was first seen after them, sends on while they do not, and was not linked before."""
    last = dict(times_of(inputs["accounts"]).select("account_id", "last_seen_at").iter_rows())
    silent_since = {
        name: max(max(own, last.get(account, own)) for account, (_, own) in known.accounts.items())
        for name, known in case.earlier.items()
        if known.tier != EXPLAINED and not known.is_superseded
    }
    began = {name: min(first for first, _ in known.accounts.values()) for name, known in case.earlier.items()}
    linked = set(inputs["earlier_lineage"].filter((pl.col("event") == "returned") & pl.col("other_id").is_not_null()).select("network_id", "other_id").iter_rows())
    pairs = []
    for name, network in sorted(case.tonight.items()):
        own = named.get(name, "")
        if name in split or network.tier == EXPLAINED:
            continue
        first, latest = min(began.get(own, one) for one, _ in network.accounts.values()), max(one for _, one in network.accounts.values())
        for other, since in sorted(silent_since.items()):
            if other != own and (own, other) not in linked and since + SILENCE <= latest and began[other] < first:
                pairs.append((name, other))
    return pairs


def _present(inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """How many entities of each earlier network hold a value tonight: network_id, kind, value_key, count."""
    keys = inputs["accounts"].select("account_id", "account_key").join(inputs["earlier_networks"].select("account_id", "network_id"), on="account_id")
    held = inputs["shared_values"].join(keys, on="account_key")
    return held.group_by("network_id", "kind", "value_key").agg(pl.col("entity_key").n_unique().cast(pl.Int64).alias("count"))


def _entities(records: pl.DataFrame) -> int:
    """Accounts, each vouched organisation counted once."""
    entity = pl.when(pl.col("is_vouched").fill_null(value=False)).then(pl.coalesce("organization_key", "account_key")).otherwise("account_key")
    return records.select(entity.n_unique()).item() if records.height else 0


def _events_of_tonight(case: Night, taken: Mapping[str, str], ids: Mapping[str, str], claims: list[Claim], back: Mapping[str, Match]) -> list[Event]:
    events: list[Event] = []
    for name, network in case.tonight.items():
        match, size = back.get(name), len(network.accounts)
        before = case.earlier.get(match.earlier_id if match else taken.get(name, ""))
        parents = [claim.earlier_id for claim in claims if claim.provisional_id == name]
        if before is not None and before.is_superseded:
            events.append((ids[name], "new", "", size, network.tier, None, None))
            continue
        if before is None:
            events += [(ids[name], "split", parent, size, network.tier, "members", None) for parent in parents] or [(ids[name], "new", "", size, network.tier, None, None)]
            continue
        if match or before.last_night != case.previous or _is_awake(network, before):
            events.append((ids[name], "returned", "", size, network.tier, "values" if match else "members", match.micro_bits / 1e6 if match else None))
        if size != len(before.accounts):
            events.append((ids[name], "grown" if size > len(before.accounts) else "shrunk", "", size, network.tier, "values" if match else "members", None))
    return events


def _is_awake(network: Tonight, before: Known) -> bool:
    """Whether a network whose accounts had all fallen silent sends again, under accounts it did not have."""
    newcomers = [times for account, times in network.accounts.items() if account not in before.accounts]
    silent_since = max(network.accounts.get(account, times)[1] for account, times in before.accounts.items())
    return len(newcomers) >= 2 and min(first for first, _ in newcomers) >= silent_since + SILENCE


def _links(case: Night, ids: Mapping[str, str], linked: list[Match]) -> list[Event]:
    """Returns of networks that have an id of their own, or whose old id is taken."""
    networks = [(one, case.tonight[one.provisional_id]) for one in linked]
    return [(ids[one.provisional_id], "returned", one.earlier_id, len(network.accounts), network.tier, "values", one.micro_bits / 1e6) for one, network in networks]


def _events_of_the_lost(case: Night, ids: Mapping[str, str], claims: list[Claim]) -> list[Event]:
    """Networks of the previous night that no network of tonight continues: merged into another, or dormant."""
    events: list[Event] = []
    kept = set(ids.values())
    for network, known in case.earlier.items():
        if network not in kept and known.last_night == case.previous and not known.is_superseded:
            into: list[Event] = [(network, "merged", ids[claim.provisional_id], claim.shared, None, "members", None) for claim in claims if claim.earlier_id == network]
            events += into or [(network, "dormant", "", 0, None, None, None)]
    return events


def _lines(inputs: Mapping[str, pl.DataFrame], events: list[Event], night: date) -> pl.DataFrame:
    """Lines of earlier nights, tonight's, and those that an earlier judgement of the night published and this one does not repeat."""
    ordered = sorted(events, key=lambda event: event[:4])
    rows = [(network, night, event, other or None, size, tier, by, bits, False) for network, event, other, size, tier, by, bits in ordered]
    mine = pl.DataFrame(rows, schema=LINEAGE_TYPES, orient="row")
    old = inputs["published_lineage"].select(typed(LINEAGE_TYPES)).filter(pl.col("night") == night).join(mine, on=_SAME_LINE, how="anti", nulls_equal=True)
    kept = old.with_columns(is_superseded=pl.lit(value=True)).unique(_SAME_LINE, keep="first", maintain_order=True)
    return pl.concat([inputs["earlier_lineage"].select(typed(LINEAGE_TYPES)), mine, kept])


def _proof(match: Match, ids: Mapping[str, str], night: date) -> pl.DataFrame:
    columns = {"night": pl.lit(night, dtype=pl.Date), "network_id": pl.lit(ids[match.provisional_id]), "other_id": pl.lit(match.earlier_id), "bits": pl.col("micro_bits") / 1e6}
    return match.proof.with_columns(**columns).select(typed(PROOF_TYPES))


def _new_ids(networks: Sets, night: date, used: frozenset[str]) -> dict[str, str]:
    """A new id each; should ten digits ever repeat an id, the accounts are hashed with a counter until they do not."""
    ids: dict[str, str] = {}
    for network, accounts in sorted(networks.items()):
        candidates = (provenance.network_id([*accounts, *[""] * attempt], night) for attempt in count())
        ids[network] = next(new for new in candidates if new not in used and new not in ids.values())
    return ids
