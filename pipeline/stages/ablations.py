"""Stage 67: what breaks if one family of evidence is removed, judged again for each network that is referred.

A family is struck out whole: its kinds of shared values, the links they gave, its tests and its place in the gate. The members are then
put together again by what is left, the innocent explanations weighed again, the false-discovery rate taken again over all candidates, and the
same rule gives a tier. Extraction is another axis and stays as it was; coverage and tests of the other families are those of all members.
A network that hangs on one family is not wrong for that, but whoever acts on it should know. Others accuse nobody: their reason says what they lack.
Likeness of pairs (behaviour, synchrony) judges nothing, so striking it out strikes nothing: what is judged again is the same for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.kinds import FAMILIES, LIKENESS_FAMILIES
from pipeline.schema import NETWORK_ABLATIONS
from pipeline.stages.alternatives import alternatives
from pipeline.stages.clusters import networks_of
from pipeline.stages.coupling import inside_of, one_client
from pipeline.stages.frames import conform
from pipeline.stages.population import Population, population
from pipeline.stages.verdict import TESTED, q_values_of, tier_of, weigh

FALLS_APART = "falls_apart"
Ints = NDArray[np.int64]


def ablations(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """One row a family and network whose tier is refer.

    Reads networks, clusters, pair_links, shared_values, kinds, account_records, joining_clients, recurring_shingles, client_wording, cluster_values, cluster_families,
    cluster_tests, cluster_ids, members, repeated_prompts, features, entity_counts, boilerplate. Empty: an empty table.
    """
    own = _of_referred(inputs)
    everyone = {"account_records": inputs["account_records"], "recurring_shingles": _wording_of(own["clusters"], inputs["recurring_shingles"])}
    rule = _Rule(population({**own, "account_records": inputs["account_records"]}).edge_bits(config.networks), joined_by_client(inputs["joining_clients"]), config)
    rows = [row for family in (*FAMILIES, *TESTED) for row in _without(family, own, everyone, rule)]
    untouched = [family for family in LIKENESS_FAMILIES if family not in TESTED]
    rows += [row | {"family": family} for row in _without(untouched[0], own, everyone, rule) for family in untouched]
    return {"network_ablations": conform(pl.DataFrame(rows, infer_schema_length=None), NETWORK_ABLATIONS)}


@dataclass(frozen=True)
class _Rule:
    """What put networks together in the run, and judged them."""

    threshold: float
    """bits from which a pair is an edge"""
    joining: list[Ints]
    """account_keys of each rewritten client that puts a network together, in the whole log"""
    config: Config


def joined_by_client(joining: pl.DataFrame) -> list[Ints]:
    """Accounts (account_keys, ascending) of each client. In: joining_clients."""
    return [rows["account_key"].to_numpy() for _, rows in joining.sort("client", "account_key").group_by("client", maintain_order=True)]


def _of_referred(inputs: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables of accounts cut to members of referred networks: a judgement on the members needs no other account's values."""
    referred = inputs["cluster_ids"].join(inputs["networks"].filter("flagged"), on="network_id", how="semi")
    clusters = inputs["clusters"].join(referred, on="cluster", how="semi").sort("cluster", "account_key")
    named = inputs["members"].join(inputs["account_records"].select("account_id", "account_key"), on="account_id").select("account_key")
    of_accounts = ("shared_values", "account_records", "recurring_shingles", "boilerplate", "features", "entity_counts")
    cut = {name: inputs[name].join(clusters, on="account_key", how="semi") for name in of_accounts}
    inside = pl.col("account_a").is_in(clusters["account_key"].implode()) & pl.col("account_b").is_in(clusters["account_key"].implode())
    return {**inputs, **cut, "pair_links": inputs["pair_links"].filter(inside), "clusters": clusters, "named": named}


def _wording_of(members: pl.DataFrame, recurring: pl.DataFrame) -> pl.DataFrame:
    """Rows of recurring_shingles, of anybody, with wording that formed a member: whatever else is written says nothing of members, and there is a hundred times as much of it."""
    formed = recurring.filter(pl.col("half") == 0).join(members, on="account_key", how="semi")
    return recurring.join(formed, on="shingle", how="semi")


def _without(family: str, own: Mapping[str, pl.DataFrame], everyone: Mapping[str, pl.DataFrame], rule: _Rule) -> Iterator[dict[str, Any]]:
    """In: `everyone`, the tables over which rarity and users of a wording are counted."""
    left = struck(own, family)
    judged = {**left, "cluster_alternatives": alternatives({**left, **everyone}, rule.config)["cluster_alternatives"]}
    people, q_values = population(left), q_values_of(left["cluster_tests"])
    ids = dict(own["cluster_ids"].select("cluster", "network_id").iter_rows())
    for (cluster,), rows in left["clusters"].group_by("cluster", maintain_order=True):
        yield {"network_id": ids[int(str(cluster))], "family": family, **_judged(rows, judged, people, q_values, rule)}


def struck(tables: Mapping[str, pl.DataFrame], family: str) -> dict[str, pl.DataFrame]:
    """The tables without a family's kinds, values, links, coverage and tests."""
    kinds = tables["kinds"].filter(pl.col("family") == family).select("kind")
    of_kind = {name: tables[name].join(kinds, on="kind", how="anti") for name in ("shared_values", "pair_links", "cluster_values")}
    of_family = {name: tables[name].filter(pl.col("family") != family) for name in ("kinds", "cluster_families", "cluster_tests")}
    return {**tables, **of_kind, **of_family}


def _judged(rows: pl.DataFrame, left: Mapping[str, pl.DataFrame], people: Population, q_values: dict[int, tuple[float, float]], rule: _Rule) -> dict[str, Any]:
    config = rule.config
    inside = rows["account_key"].implode()
    links = left["pair_links"].filter(pl.col("account_a").is_in(inside) & pl.col("account_b").is_in(inside))
    own = left["shared_values"].filter(pl.col("account_key").is_in(inside))
    clients = inside_of(one_client(own, people, config.networks.min_accounts), people, rule.joining)
    pieces = networks_of(links, own, clients, people, rule.threshold, config.networks)
    members, bits = pieces[0] if pieces else (people.positions(rows["account_key"]), [0.0] * rows.height)
    piece = pl.DataFrame({"cluster": [rows["cluster"][0]] * len(members), "account_key": people.keys[members], "origin": ["network"] * len(members), "bits": bits})
    facts = weigh(piece, members, left, q_values, people, config)
    tier, reason = tier_of(facts, config) if pieces else ("watch", FALLS_APART)
    return {
        "held_count": piece.join(left["named"], on="account_key", how="semi").height if pieces else 0,
        "piece_count": len(pieces),
        "coordination_bits": facts.coordination_bits if pieces else None,
        "q_value": facts.q_value,
        "best_alternative": facts.alternative,
        "alternative_margin_bits": facts.margin_bits,
        "tier": tier,
        "reason": reason,
    }
