"""Which accounts bear on how some accounts are grouped when the whole log is grouped again, so that nobody else need be looked at.

Stage 55 joins accounts by pairs, by webs, by facts, by a vouched organisation and by a network's wording. Accounts that none of these reach, however many steps it
takes, cannot change in which group some accounts come out, nor who else is in it, nor its bits. What is drawn here reaches further than the stage does (a pair that
might make it compare two parts counts as joining them), never less: grouping what is reached gives what grouping everybody gives (tests/evidence/test_neighbourhood.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.evidence.rescoring import rescoring
from pipeline.measures.graph import components
from pipeline.stages.clusters import FACT_KINDS, strong_pairs
from pipeline.stages.coupling import pools
from pipeline.stages.population import Population
from pipeline.stages.relinking import HALF, PHRASE

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Arcs = tuple[Ints, Ints]
"""Two arrays of positions: accounts that belong together."""
WORDING = "template"


def around(
    named: Ints, tables: Mapping[str, pl.DataFrame], clients: list[Ints], people: Population, threshold: float, config: Config
) -> tuple[dict[str, pl.DataFrame], Population]:
    """The rows of pair_links and shared_values that bear on how the named accounts (positions) are grouped, and the population to group them in.

    In: these two tables and kinds, members (positions) of each rewritten client that puts a network together, bits from which a pair is an edge. Nobody named: no rows
    of pair_links. Pairs of the population are scored by what the accounts that bear on the named ones hold; no other pair is asked for.
    """
    links, values = tables["pair_links"], tables["shared_values"]
    near = pl.Series(people.keys[reached(named, links, values, clients, people, threshold, config)]).implode()
    is_own, is_wording = pl.col("account_key").is_in(near), pl.col("kind") == WORDING
    own = values.filter(is_own)
    written = own.filter(is_wording)["value_key"].unique().implode()  # who else writes so says whether it is a network's own
    rows = {
        "pair_links": links.filter(pl.col("account_a").is_in(near) & pl.col("account_b").is_in(near)),
        "shared_values": values.filter(is_own | (is_wording & pl.col("value_key").is_in(written))),
    }
    return rows, rescoring(people, own, tables["kinds"])


def reached(named: Ints, links: pl.DataFrame, values: pl.DataFrame, clients: list[Ints], people: Population, threshold: float, config: Config) -> Flags:
    """Whether each account, by position, bears on the named ones. In: see `around`."""
    count = len(people.keys)
    joined = _pairs(links, people, threshold, config)
    for members in (*pools(values, people, config.networks.min_accounts), *clients):
        joined.append((members[:-1], members[1:]))
    part, facts = _label(count, joined), _facts(links, people, config)
    everything = [*joined, facts, _colleagues(people), _writers(values, part, _label(count, [facts]), people)]
    label = _label(count, everything)
    found: Flags = np.isin(label, label[named])
    return found


def _label(count: int, arcs: list[Arcs]) -> Ints:
    """Each account's smallest fellow."""
    return components(count, np.concatenate([np.empty(0, np.int64), *(a for a, _ in arcs)]), np.concatenate([np.empty(0, np.int64), *(b for _, b in arcs)]))


def _pairs(links: pl.DataFrame, people: Population, threshold: float, config: Config) -> list[Arcs]:
    """Pairs inside communities that are large enough for a network, and those for which two of these may be compared with each other."""
    pairs = strong_pairs(links, threshold, config.networks.family_min_bits)
    a, b = people.positions(pairs["account_a"]), people.positions(pairs["account_b"])
    is_edge = ((pairs["total"] >= threshold) & (pairs["strong"] >= 2)).to_numpy()
    label = components(len(people.keys), a[is_edge], b[is_edge])
    is_large = np.bincount(label, minlength=len(label))[label] >= config.networks.min_accounts
    kept = is_large[a] & is_large[b]
    return [(a[kept], b[kept])]


def _facts(links: pl.DataFrame, people: Population, config: Config) -> Arcs:
    """Pairs that a fact joins, rare enough to count."""
    shared = links.filter(pl.col("kind").is_in(FACT_KINDS) & (pl.col("bits") >= 2 * config.networks.family_min_bits))
    return people.positions(shared["account_a"]), people.positions(shared["account_b"])


def _colleagues(people: Population) -> Arcs:
    """Accounts of one vouched organisation, each with the next."""
    order = np.argsort(people.entity, kind="stable")
    same = np.flatnonzero(people.entity[order][1:] == people.entity[order][:-1])
    return order[same], order[same + 1]


def _writers(values: pl.DataFrame, part: Ints, handful: Ints, people: Population) -> Arcs:
    """Accounts of handfuls that may write in the wording of a network: each with the part of the log that the network would be made of.

    A network that takes handfuls in has two accounts of one handful, and what half of it writes with, two of its accounts do; who comes in has half of at least PHRASE of that.
    """
    rows = values.filter(pl.col("kind") == WORDING).select("account_key", "value_key")
    is_in_handful = np.bincount(handful, minlength=len(handful))[handful] >= 2
    places = pl.DataFrame({"account_key": people.keys, "account": np.arange(len(part)), "part": part, "handful": handful}).filter(pl.Series(is_in_handful))
    taking = places.group_by("part", "handful").len().filter(pl.col("len") >= 2).select("part").unique()
    members = pl.DataFrame({"account_key": people.keys, "part": part}).join(taking, on="part", how="semi")
    common = rows.join(members, on="account_key").group_by("part", "value_key").len().filter(pl.col("len") >= 2)
    held = rows.join(places.select("account_key", "account"), on="account_key").join(common.select("part", "value_key"), on="value_key")
    found = held.group_by("part", "account").len().filter(pl.col("len") >= HALF * PHRASE)
    return found["part"].to_numpy(), found["account"].to_numpy()
