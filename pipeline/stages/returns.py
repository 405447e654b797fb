"""Networks known again by what their operator made, when not one account is the same: wording, settings, client stack, and facts of identity.

A value stands for a network when two of its entities hold it, and at least half of all its holders are inside. A
network of tonight that continues none by its members is held against every known one that had fallen silent before. Each value that
both hold is worth log2(share of the members / share of strangers who hold it) bits, (strangers + 1) / (entities + 1) being the second, and the
smaller figure of the two nights counts. A kind counts its best value in full and the others by a quarter, capped as in a link; too few values of a kind count nothing; a
family is capped too. What many hold is worth little, and half of the holders elsewhere end its meaning: popular wording, settings or clients never match.

The threshold is that of an edge, for pairs of networks: log2(pairs compared) bits pay for the number of comparisons, `edge_margin_bits` are the
odds beyond it; two families must have `family_min_bits` each, one of them wording or identity with a value that half of both networks hold (settings and clients
alone, or the wording of a few, are never enough). A network that an innocent explanation explains returns as nobody and nobody returns as it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.config import Config
from pipeline.stages.known import Types, typed

MADE_BY_OPERATORS = ("template", "skeleton", "system", "settings", "headers", "stack", "rewritten_client", "payment", "device", "email", "phone")
"""Kinds that outlast accounts. Not: addresses and sign-up domains, which pass to strangers; exact prompts, which public corpora hold; sessions, which end."""
TELLING = ("templates", "identity")
"""Families of which one must be among those that match."""
EXPLAINED = "explained"
_KEPT = 64
_QUARTER = 4
VALUE_TYPES: Types = {
    "network_id": pl.String,
    "kind": pl.String,
    "value_key": pl.Int64,
    "family": pl.String,
    "inside_count": pl.Int64,
    "entity_count": pl.Int64,
    "outside_count": pl.Int64,
    "rarity_micro_bits": pl.Int64,
    "night": pl.Date,
}
PROOF_TYPES: Types = {
    "night": pl.Date,
    "network_id": pl.String,
    "other_id": pl.String,
    "kind": pl.String,
    "value_key": pl.Int64,
    "family": pl.String,
    "inside_count": pl.Int64,
    "outside_count": pl.Int64,
    "earlier_inside_count": pl.Int64,
    "bits": pl.Float64,
}


@dataclass(frozen=True, eq=False)
class Match:
    """A network of tonight and a silent earlier one that hold the same rare values."""

    provisional_id: str
    earlier_id: str
    micro_bits: int
    proof: pl.DataFrame
    """kind, value_key, family, inside_count, outside_count, earlier_inside_count, micro_bits of each shared value."""


def held_values(shared_values: pl.DataFrame, accounts: pl.DataFrame, networks: pl.DataFrame) -> pl.DataFrame:
    """Values of MADE_BY_OPERATORS that two entities of a network hold.

    In: accounts has account_key and network_id (null if none); networks has network_id and entity_count. Out: network_id, kind, value_key, family, df, inside_count, entity_count.
    """
    homes = accounts.filter(pl.col("network_id").is_not_null()).select("account_key", "network_id")
    held = shared_values.filter(pl.col("kind").is_in(MADE_BY_OPERATORS)).join(homes, on="account_key")
    entities = pl.col("entity_key").n_unique().cast(pl.Int64).alias("inside_count")
    counts = held.group_by("network_id", "kind", "value_key").agg(pl.col("family").first(), pl.col("df").first(), entities)
    whole = counts.filter(pl.col("inside_count") >= 2).join(networks.select("network_id", "entity_count"), on="network_id")
    return whole.sort("network_id", "kind", "value_key")


def rarity(entities: int, values: pl.DataFrame) -> pl.Series:
    """Millionths of a bit of values: log2((entities + 1) / (outside_count + 1) * inside_count / entity_count), entities being all of the window; at least 0."""
    inside, whole, outside = (values[name].to_numpy().astype(np.float64) for name in ("inside_count", "entity_count", "outside_count"))
    lift = (entities + 1) / (outside + 1) * np.minimum(inside / np.maximum(whole, 1.0), 1.0)
    return pl.Series("micro_bits", np.rint(np.log2(np.maximum(lift, 1.0)) * 1e6).astype(np.int64))


def remembered(earlier: pl.DataFrame, held: pl.DataFrame, ids: Mapping[str, str], entities: int, night: object) -> pl.DataFrame:
    """What stands for each known network: what stood for it before, and what stands for it tonight; at most 64 values a kind, those with the smallest keys, on both sides."""
    mine = held.filter(2 * pl.col("inside_count") >= pl.col("df")).with_columns(
        pl.col("network_id").replace_strict(dict(ids), return_dtype=pl.String, default=None),
        (pl.col("df") - pl.col("inside_count")).alias("outside_count"),
        pl.lit(night, dtype=pl.Date).alias("night"),
    )
    fresh = mine.with_columns(rarity(entities, mine).alias("rarity_micro_bits")).select(typed(VALUE_TYPES))
    once = pl.concat([earlier.select(typed(VALUE_TYPES)), fresh]).unique(["network_id", "kind", "value_key"], keep="first", maintain_order=True)
    return once.sort("network_id", "kind", "value_key").group_by("network_id", "kind", maintain_order=True).head(_KEPT).select(typed(VALUE_TYPES))


def matches(pairs: Sequence[tuple[str, str]], held: pl.DataFrame, known: pl.DataFrame, present: pl.DataFrame, entities: int, kinds: pl.DataFrame, config: Config) -> list[Match]:
    """The pairs (tonight's id, earlier id) that hold the same values beyond the threshold, in order of the pairs.

    In: held as of `held_values`; known as of `remembered`; present: network_id, kind, value_key, count: holders tonight among the accounts of earlier
    networks, who are no strangers. No pairs: none.
    """
    if not pairs:
        return []
    threshold = round((math.log2(len(pairs)) + config.networks.edge_margin_bits) * 1e6)
    asked = pl.DataFrame(list(pairs), schema={"network_id": pl.String, "earlier_id": pl.String}, orient="row")
    then = (pl.col("inside_count").alias("earlier_inside_count"), pl.col("entity_count").alias("earlier_entity_count"))
    earlier = known.select(pl.col("network_id").alias("earlier_id"), "kind", "value_key", "rarity_micro_bits", *then)
    theirs = present.select(pl.col("network_id").alias("earlier_id"), "kind", "value_key", "count")
    shared = asked.join(held, on="network_id").join(earlier, on=["earlier_id", "kind", "value_key"]).join(theirs, on=["earlier_id", "kind", "value_key"], how="left")
    shared = shared.with_columns(pl.max_horizontal(pl.col("df") - pl.col("inside_count") - pl.col("count").fill_null(0), 0).alias("outside_count"))
    shared = shared.with_columns(pl.min_horizontal(pl.col("rarity_micro_bits"), rarity(entities, shared)).alias("micro_bits"))
    rare = shared.filter(pl.col("outside_count") <= pl.col("inside_count")).sort("network_id", "earlier_id", "kind", "value_key")
    found = []
    for key, proof in rare.group_by("network_id", "earlier_id", maintain_order=True):
        bits = _bits(proof, kinds, round(config.networks.family_min_bits * 1e6))
        if bits >= threshold:
            found.append(Match(str(key[0]), str(key[1]), bits, proof))
    return found


def _bits(proof: pl.DataFrame, kinds: pl.DataFrame, least: int) -> int:
    """Bits of two networks' shared values, in millionths; 0 unless two families carry them, one of them telling and common to both networks."""
    common = proof.filter((2 * pl.col("inside_count") >= pl.col("entity_count")) & (2 * pl.col("earlier_inside_count") >= pl.col("earlier_entity_count")))["family"].to_list()
    families: dict[str, int] = {}
    caps: dict[str, int] = {}
    for kind in kinds.sort("kind").iter_rows(named=True):
        values = proof.filter(pl.col("kind") == kind["kind"])["micro_bits"].sort(descending=True).to_list()
        if values and len(values) >= kind["min_support"]:
            families[kind["family"]] = families.get(kind["family"], 0) + min(kind["cap_micro_bits"], values[0] + sum(values[1:]) // _QUARTER)
            caps[kind["family"]] = kind["family_cap_micro_bits"]
    counted = {family: bits for family, bits in ((name, min(total, caps[name])) for name, total in families.items()) if bits >= least}
    return sum(counted.values()) if len(counted) >= 2 and any(family in counted and family in common for family in TELLING) else 0


def take_back(found: Sequence[Match], free: Mapping[str, bool], given: frozenset[str]) -> tuple[list[Match], list[Match]]:
    """The matches by which a network takes its old id back, and those that only link two ids: each network of tonight is matched once.

    Most bits first, then ids. `free` says which networks of tonight may take an id (they have none yet); `given` are the ids that tonight has already.
    """
    back: list[Match] = []
    linked: list[Match] = []
    done, gone = set[str](), set(given)
    for match in sorted(found, key=lambda one: (-one.micro_bits, one.earlier_id, one.provisional_id)):
        if match.provisional_id in done:
            continue
        done.add(match.provisional_id)
        takes = free[match.provisional_id] and match.earlier_id not in gone
        (back if takes else linked).append(match)
        gone |= {match.earlier_id} if takes else set()
    return back, linked
