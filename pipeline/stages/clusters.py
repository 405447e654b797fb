"""Stage 55: links to clusters, groups of accounts that an algorithm puts together and nobody has judged yet.

Edges are pairs with enough bits from two families; accounts that they connect are a community (Leiden cuts one that is too large
to compare pair by pair); average linkage inside each community separates operators that share a habit; members that are not like
the others are dropped. Accounts that hand conversations on are a network even where few pairs have anything in common, and what links found in pieces is put
together by it; so are accounts that one rewritten client serves, if they write about the same things. Accounts that only a specific fact joins are kept
apart as `small` (two to four) or `one_fact` (more), and those of one vouched organisation as `vouched`, so that none is silent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config, NetworkConfig
from pipeline.measures.graph import communities, components, divide
from pipeline.stages.coupling import alike, one_client, pools, with_pools
from pipeline.stages.evidence_views import topics
from pipeline.stages.frames import conform
from pipeline.stages.population import Population, median_bits, population
from pipeline.stages.relinking import with_handfuls

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FACT_KINDS = ("payment", "device", "email", "phone")


def clusters(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Clusters and their members, and the accounts of each rewritten client that puts a network together.

    Reads pair_links, shared_values, kinds, account_records, account_words. Empty: empty tables.
    """
    people = population(inputs)
    clients = joining_clients(inputs, people, config.networks)
    return {"clusters": grouped(inputs, clients, people, config), "joining_clients": joined_accounts(clients, people.keys)}


def grouped(inputs: Mapping[str, pl.DataFrame], clients: list[Ints], people: Population, config: Config) -> pl.DataFrame:
    """The table of clusters. In: pair_links and shared_values, and members (sorted positions) of each rewritten client that puts a network together."""
    threshold = people.edge_bits(config.networks)
    found = networks_of(inputs["pair_links"], inputs["shared_values"], clients, people, threshold, config.networks)
    nobody = np.empty(0, dtype=np.int64)
    found = with_handfuls(found, _one_fact(inputs["pair_links"], people, nobody, config), inputs["shared_values"], people, config)
    taken = np.concatenate([members for members, _ in found]) if found else np.empty(0, dtype=np.int64)
    vouched = _vouched(people, taken, config.networks.min_accounts)
    taken = np.concatenate([taken, *vouched])  # one account is in one cluster
    rows = [_rows(people, members, bits, "network") for members, bits in found]
    rows += [_rows(people, members, np.zeros(len(members)), "vouched") for members in vouched]
    for members in _one_fact(inputs["pair_links"], people, taken, config):
        rows.append(_rows(people, members, np.zeros(len(members)), "small" if len(members) < config.networks.min_accounts else "one_fact"))
    frames = [frame.with_columns(pl.lit(number, dtype=pl.Int64).alias("cluster")) for number, frame in enumerate(rows)]
    return conform(pl.concat(frames) if frames else pl.DataFrame(), schema.CLUSTERS)


def joining_clients(inputs: Mapping[str, pl.DataFrame], people: Population, config: NetworkConfig) -> list[Ints]:
    """Members (sorted positions) of each rewritten client that puts a network together: its accounts write about the same things. Reads shared_values, account_words."""
    clients = one_client(inputs["shared_values"], people, config.min_accounts)
    return alike(clients, topics(inputs["account_words"], people, half=0), config.seed) if clients else []


def joined_accounts(clients: list[Ints], keys: Ints) -> pl.DataFrame:
    """The table joining_clients. In: members (positions) of each client, and account_keys by position."""
    rows = [pl.DataFrame({"client": [number] * len(members), "account_key": keys[members]}) for number, members in enumerate(clients)]
    return conform(pl.concat(rows) if rows else pl.DataFrame(), schema.JOINING_CLIENTS)


def networks_of(links: pl.DataFrame, values: pl.DataFrame, clients: list[Ints], people: Population, threshold: float, config: NetworkConfig) -> list[tuple[Ints, Floats]]:
    """Members (sorted positions) of each network and how strongly each belongs, the largest first: what links found, put together by hand-offs and by rewritten clients.

    In: pair_links, shared_values, and members (sorted positions) of each rewritten client.
    """
    webs = [*pools(values, people, config.min_accounts), *clients]
    return with_pools(linked_networks(links, people, threshold, config), webs, links, people)


def linked_networks(links: pl.DataFrame, people: Population, threshold: float, config: NetworkConfig) -> list[tuple[Ints, Floats]]:
    """Members (sorted positions) of each network with each member's median bits to the others, the largest first; none without links."""
    pairs = strong_pairs(links, threshold, config.family_min_bits)
    edges = pairs.filter((pl.col("total") >= threshold) & (pl.col("strong") >= 2))
    a, b, weight = people.positions(edges["account_a"]), people.positions(edges["account_b"]), edges["total"].to_numpy()
    if not len(a):
        return []
    label = _communities(len(people.keys), a, b, weight, config)
    parts: list[Ints] = []
    for name in np.unique(np.concatenate([label[a], label[b]])):
        members = np.flatnonzero(label == name).astype(np.int64)
        if len(members) >= config.min_accounts:
            parts += _cut(people, members, threshold, config)
    merged = _merge(people, parts, people.positions(pairs["account_a"]), people.positions(pairs["account_b"]), config)
    kept = [_members(people, part, config) for part in merged]
    return sorted(((m, s) for m, s in kept if len(m) >= config.min_accounts), key=lambda found: (-len(found[0]), int(found[0][0])))


def _communities(count: int, a: Ints, b: Ints, weight: Floats, config: NetworkConfig) -> Ints:
    """Each account's community: its connected component, and inside one too large to compare pair by pair its Leiden community.

    Modularity weighs the whole graph, so Leiden would cut a network into its card-sharing knots in a log that holds no other.
    """
    label = components(count, a, b)
    names, sizes = np.unique(label, return_counts=True)
    for name in names[sizes > config.dense_accounts]:
        members, inside = label == name, label[a] == name
        label[members] = communities(count, a[inside], b[inside], weight[inside], config.seed)[members]
    return label


def strong_pairs(links: pl.DataFrame, threshold: float, family_min_bits: float) -> pl.DataFrame:
    """Pairs with half an edge's bits or more: account_a, account_b, total bits, and strong, the families of at least the least bits."""
    rows = links if _is_by_pair(links) else links.sort("account_a", "account_b")
    first, second = rows["account_a"].to_numpy(), rows["account_b"].to_numpy()
    kind = rows["family"].cast(pl.Enum(rows["family"].unique().sort())).to_physical().to_numpy().astype(np.int64)
    heads = np.ones(len(first), dtype=np.bool_)
    heads[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    micro = rows.select((pl.col("bits") * 1e6).round().cast(pl.Int64)).to_series().to_numpy()  # whole millionths: a sum that no order changes
    width = int(kind.max()) + 1 if len(kind) else 1
    place, size = (np.cumsum(heads) - 1) * width + kind, int(heads.sum()) * width
    families = np.bincount(place, weights=micro, minlength=size).astype(np.int64).reshape(-1, width)
    strong = (families >= round(family_min_bits * 1e6)) & (np.bincount(place, minlength=size) > 0).reshape(-1, width)
    found = {"account_a": first[heads], "account_b": second[heads], "micro": families.sum(axis=1), "strong": strong.sum(axis=1)}
    pairs = pl.DataFrame(found, schema_overrides={"strong": pl.UInt32}).select("account_a", "account_b", (pl.col("micro") / 1e6).round(6).alias("total"), "strong")
    return pairs.filter(pl.col("total") >= threshold / 2)


def _is_by_pair(links: pl.DataFrame) -> bool:
    """Whether links come sorted by their accounts, as the file has them."""
    first, second = links["account_a"].to_numpy(), links["account_b"].to_numpy()
    return bool(((first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & (second[1:] >= second[:-1]))).all())


def _cut(people: Population, members: Ints, threshold: float, config: NetworkConfig) -> list[Ints]:
    """Parts of one community. In a large one only some accounts are compared all with all; the others join the part they fit."""
    core = members
    if len(members) > config.dense_accounts:
        core = np.sort(np.random.default_rng(config.seed).choice(members, config.dense_accounts, replace=False))
    parts = [core[part] for part in divide(_dense(people, core, threshold), config.min_accounts, config.cross_share)]
    rest = np.setdiff1d(members, core)
    if not len(rest) or not parts:
        return parts
    best = np.stack([median_bits(people, rest, part, config.seed) for part in parts])
    home = best.argmax(axis=0)
    return [np.sort(np.concatenate([part, rest[home == number]])) for number, part in enumerate(parts)]


def _dense(people: Population, members: Ints, threshold: float) -> Floats:
    """Bits between all members of a community; colleagues of one vouched organisation count as an edge, neither more nor less."""
    i, j = np.triu_indices(len(members), k=1)
    bits = people.scorer.total(members[i], members[j])
    bits[people.entity[members[i]] == people.entity[members[j]]] = threshold
    dense = np.zeros((len(members), len(members)))
    dense[i, j] = dense[j, i] = bits
    return dense


def _merge(people: Population, parts: list[Ints], a: Ints, b: Ints, config: NetworkConfig) -> list[Ints]:
    """Join parts that some pair (a, b) connects and that are about as strongly linked across as within, both of them; larger parts first."""
    parts = sorted(parts, key=lambda part: (-len(part), int(part[0])))
    home = np.full(len(people.keys), -1)
    for number, part in enumerate(parts):
        home[part] = number
    touching = np.unique(np.sort(np.stack([home[a], home[b]], axis=1), axis=1), axis=0)
    into = list(range(len(parts)))
    for first, second in touching[(touching[:, 0] >= 0) & (touching[:, 0] != touching[:, 1])].tolist():
        one, other = into[first], into[second]
        if one != other and _belong_together(people, parts[one], parts[other], config):
            parts[one] = np.sort(np.concatenate([parts[one], parts[other]]))
            into = [one if number == other else number for number in into]
    return [parts[number] for number in sorted(set(into))]


def _belong_together(people: Population, one: Ints, other: Ints, config: NetworkConfig) -> bool:
    across = float(np.median(median_bits(people, other, one, config.seed)))
    within = [float(np.median(median_bits(people, part, part, config.seed))) for part in (one, other)]
    return across >= config.member_min_bits and across >= config.cross_share * float(np.sqrt(within[0] * within[1]))


def _members(people: Population, part: Ints, config: NetworkConfig) -> tuple[Ints, Floats]:
    """The accounts of a part that are like the others, and how much so."""
    bits = median_bits(people, part, part, config.seed)
    floor = max(config.member_min_bits, config.member_share * float(np.median(bits)))
    kept = part[bits >= floor]
    return kept, np.round(median_bits(people, kept, kept, config.seed), 6) if len(kept) > 1 else np.zeros(len(kept))


def _vouched(people: Population, taken: Ints, minimum: int) -> list[Ints]:
    free = np.setdiff1d(np.arange(len(people.keys)), taken)
    entities, counts = np.unique(people.entity[free], return_counts=True)
    return [free[people.entity[free] == entity] for entity in entities[counts >= minimum]]


def _one_fact(links: pl.DataFrame, people: Population, taken: Ints, config: Config) -> list[Ints]:
    """Accounts outside every network that a card, device, mailbox or phone joins, rare enough to count; nothing else need be alike."""
    shared = links.filter(pl.col("kind").is_in(FACT_KINDS) & (pl.col("bits") >= 2 * config.networks.family_min_bits)).sort("account_a", "account_b", "kind")
    a, b = people.positions(shared["account_a"]), people.positions(shared["account_b"])
    free = ~(np.isin(a, taken) | np.isin(b, taken))
    label = components(len(people.keys), a[free], b[free])
    names, counts = np.unique(label, return_counts=True)
    return [np.flatnonzero(label == name).astype(np.int64) for name in names[counts >= 2]]


def _rows(people: Population, members: Ints, bits: Floats, origin: str) -> pl.DataFrame:
    return pl.DataFrame({"account_key": people.keys[members], "bits": bits, "origin": [origin] * len(members)})
