"""Webs: accounts that hand conversations on to each other or send one prompt at once (pools), or that one rewritten client serves, and how they meet the networks that links found.

A pool deals a conversation to some of its members, never to all, so most pairs of a pool share nothing. It is told by its web: every member hands on to
or takes from at least two others, directly. Two accounts of one person, however often they change places, are no web.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.measures.graph import components
from pipeline.measures.groups import SparseRows, draw_groups, likeness_to_rest, mean_cosine_sparse
from pipeline.stages.population import Population

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

COUPLINGS = ("handoff", "fanout")
"""Kinds of shared values that one hand must have dealt: a conversation that went on elsewhere, a prompt sent from several accounts at once."""
REWRITTEN = "rewritten_client"
"""The kind of shared value that one program under several products' names makes."""
GROUP_SIZE, NULL_GROUPS, NULL_POOL = 24, 499, 1000
"""Accounts of a random group at most, random groups behind one comparison, and accounts that they are drawn from."""
PURE = 0.75
"""Members of a client's users who must write about what the others write about: some sent too little to tell, and a few outsiders join every real group."""
PARTNERS = 2
"""Accounts with which a member of a pool shares conversations, at least."""
STRONGEST = 5
"""Ties that say how strongly a member of a pool belongs to it."""
HALF = 0.5


def pools(values: pl.DataFrame, people: Population, minimum: int) -> list[Ints]:
    """Members (sorted positions) of each web of hand-offs with at least `minimum` accounts, the largest first. In: rows of shared_values."""
    a, b = handed_on(values, people)
    while len(a):
        count = np.bincount(np.concatenate([a, b]), minlength=len(people.keys))
        kept = (count[a] >= PARTNERS) & (count[b] >= PARTNERS)
        if kept.all():
            break
        a, b = a[kept], b[kept]
    label = components(len(people.keys), a, b)
    names, counts = np.unique(label, return_counts=True)
    found = [np.flatnonzero(label == name).astype(np.int64) for name in names[counts >= max(minimum, PARTNERS + 1)]]
    return sorted(found, key=lambda members: (-len(members), int(members[0])))


def one_client(values: pl.DataFrame, people: Population, minimum: int) -> list[Ints]:
    """Members (sorted positions) of each rewritten client with at least `minimum` entities, the largest first: accounts that one program serves under other programs' names."""
    held = values.filter(pl.col("kind") == REWRITTEN).sort("value_key", "account_key")
    groups = [people.positions(rows["account_key"]) for _, rows in held.group_by("value_key", maintain_order=True) if rows["entity_key"].n_unique() >= minimum]
    return sorted((np.sort(members) for members in groups), key=lambda members: (-len(members), int(members[0])))


def inside_of(clients: list[Ints], people: Population, joining: list[Ints]) -> list[Ints]:
    """Those of the clients (positions among some accounts) whose accounts all belong to one that puts a network together.

    In: account_keys of each of the latter, in the whole log.
    """
    return [members for members in clients if any(np.isin(people.keys[members], keys).all() for keys in joining)]


def alike(groups: list[Ints], words: SparseRows, seed: int) -> list[Ints]:
    """Those of the groups (positions) whose members write about the same things, nearly each of them: a box between strangers and the service, or a library that many
    programs are built with, serves people who do not, even if a campaign is among them.

    In: words of the prompts that form networks, rows of length 1. Two nulls of strangers: the mean cosine must lie above that of all but one in a hundred of NULL_GROUPS random
    groups of as many accounts, and at least PURE of the members must be nearer to the rest than nine in ten random accounts are. The test on prompts kept out is
    still to come. Nothing is alike where no words are known.
    """
    rng = np.random.default_rng(seed)
    pool = rng.permutation(np.flatnonzero(np.diff(words.indptr)))[:NULL_POOL]
    nulls: dict[int, float] = {}
    found = []
    for members in groups:
        size = min(len(members), GROUP_SIZE)
        if len(pool) < 2 * size:
            continue
        if size not in nulls:
            nulls[size] = float(np.quantile(np.round(mean_cosine_sparse(words, draw_groups(pool, size, NULL_GROUPS, rng)), 6), 0.99))
        together = round(float(mean_cosine_sparse(words, members[None, :])[0]), 6) > nulls[size]
        if together and _near_share(words, members, pool) >= PURE:
            found.append(members)
    return found


def _near_share(words: SparseRows, members: Ints, pool: Ints) -> float:
    """Share of members whose words are nearer to the other members' than those of nine in ten accounts of the pool are, itself without members."""
    centre = np.asarray(words[members].sum(axis=0)).ravel()
    length = max(float(np.sqrt(centre @ centre)), 1e-12)
    strangers = np.round(words[np.setdiff1d(pool, members)] @ centre / length, 6)
    return float((likeness_to_rest(words, members) > np.quantile(strangers, 0.9)).mean()) if len(strangers) else 0.0


def handed_on(values: pl.DataFrame, people: Population) -> tuple[Ints, Ints]:
    """Pairs of accounts (positions, a < b, each pair once) of different entities that a handed-on conversation or a prompt sent at once joins."""
    held = values.filter(pl.col("kind").is_in(COUPLINGS)).select("kind", "value_key", "account_key", "entity_key")
    other = held.rename({"account_key": "other", "entity_key": "other_entity"})
    pairs = held.join(other, on=["kind", "value_key"]).filter((pl.col("account_key") < pl.col("other")) & (pl.col("entity_key") != pl.col("other_entity")))
    once = pairs.select("account_key", "other").unique().sort("account_key", "other")
    return people.positions(once["account_key"]), people.positions(once["other"])


def with_pools(found: list[tuple[Ints, Floats]], webs: list[Ints], links: pl.DataFrame, people: Population) -> list[tuple[Ints, Floats]]:
    """Networks found by links, put together by webs (pools, rewritten clients): those of which at least half is in one web are pieces of it and become one network with it.

    A web that lies mostly inside a network of which it is a small part is no network of its own. Each account stays in one network; the largest first.
    """
    made = list(found)
    for web in webs:
        shared = [len(np.intersect1d(members, web, assume_unique=True)) for members, _ in made]
        pieces = [members for (members, _), inside in zip(made, shared, strict=True) if inside >= HALF * len(members)]
        rest = [entry for entry, inside in zip(made, shared, strict=True) if inside < HALF * len(entry[0])]
        taken = np.concatenate([np.empty(0, dtype=np.int64), *(members for members, _ in rest)])
        if not pieces and len(np.intersect1d(taken, web)) >= HALF * len(web):
            continue
        members = np.setdiff1d(np.unique(np.concatenate([web, *pieces])), taken)
        made = [*rest, (members, belonging(links, people, members))]
    return sorted(made, key=lambda entry: (-len(entry[0]), int(entry[0][0])))


def belonging(links: pl.DataFrame, people: Population, members: Ints) -> Floats:
    """Each member's median bits over its strongest ties inside the group, at most STRONGEST of them; 0 without one."""
    inside = pl.Series(people.keys[members]).implode()
    own = links.filter(pl.col("account_a").is_in(inside) & pl.col("account_b").is_in(inside))
    pairs = own.group_by("account_a", "account_b").agg((pl.col("bits") * 1e6).round().cast(pl.Int64).sum().alias("micro"))
    both = pl.concat([pairs.select(pl.col(name).alias("account_key"), "micro") for name in ("account_a", "account_b")])
    median = both.group_by("account_key").agg((pl.col("micro").top_k(STRONGEST).median() / 1e6).round(6).alias("bits"))
    keys = pl.DataFrame({"account_key": people.keys[members]})
    bits: Floats = keys.join(median, on="account_key", how="left", maintain_order="left")["bits"].fill_null(0.0).to_numpy()
    return bits
