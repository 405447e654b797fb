"""Which networks of tonight hold what a confirmed network made, where the run itself links nobody: the confirmed one was `explained` when it was last seen, or tonight's is.

The run never says `returned` of a network that an innocent explanation explains, and no label changes that: lineage and every other table are the same with
and without the journal. But a person who confirmed such a network wants to hear of it. So the rule of stage 80 (stages/returns.py: rare values that an operator makes,
two families, one of them telling) is asked once more, of these pairs alone and at the threshold that stage 80 has for all pairs of tonight's networks and known ones, so that a
label cannot lower it. What comes of it is a mark that names who confirmed what, and goes when the word is revoked.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.config import Config
from pipeline.kinds import kind_table
from pipeline.stages.lineage import SILENCE
from pipeline.stages.returns import EXPLAINED, held_values, matches

RARITY_COLUMNS = "^(df|counted_df|rarity_micro_bits)$"
"""Columns of shared_values that `entity_total` reads, as a pattern: runs by older code lack counted_df."""
NEEDED = ("networks", "accounts", "shared_values", "known_networks", "known_values")
"""Tables of a run that are read."""
Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Recall:
    """A network of tonight that holds the rare values of a confirmed one which has fallen silent."""

    network_id: str
    confirmed_id: str
    bits: float
    """of the shared values, the smaller figure of the two nights"""
    kinds: tuple[str, ...]
    """of these values, sorted"""


def recalled(frames: Frames, confirmed: Collection[str], config: Config) -> tuple[Recall, ...]:
    """In: NEEDED tables of one run; ids of networks that people confirmed. Out: by network and confirmed network; nothing if a table is not there or nobody is confirmed."""
    if not confirmed or any(name not in frames or not frames[name].height for name in NEEDED):
        return ()
    known = _known(frames["known_networks"], frames["accounts"])
    tonight = _tonight(known, frames["networks"])
    pairs = _pairs(tonight, known.filter(pl.col("network_id").is_in(list(confirmed))))
    if not pairs:
        return ()
    values, networks = frames["shared_values"], frames["networks"]
    held = held_values(values, frames["accounts"], networks)
    before = frames["known_values"].filter(pl.col("network_id").is_in(sorted({other for _, other in pairs})))
    found = matches(pairs, held, before, _present(frames, before), entity_total(values), kind_table(config.links), config)
    least = round((math.log2(tonight.height * max(1, known.height - tonight.height)) + config.networks.edge_margin_bits) * 1e6)
    rows = [Recall(one.provisional_id, one.earlier_id, one.micro_bits / 1e6, tuple(sorted(set(one.proof["kind"].to_list())))) for one in found if one.micro_bits >= least]
    return tuple(sorted(rows, key=lambda one: (one.network_id, one.confirmed_id)))


def _known(networks: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Known networks that stand: network_id, tier, their accounts, when the first of these began in it and the last of these sent anything."""
    sent = accounts.select("account_id", pl.col("last_us").cast(networks.schema["last_seen_at"]).alias("sent_at"))
    standing = networks.filter(~pl.col("is_superseded")).join(sent, on="account_id", how="left")
    silent = pl.max_horizontal("last_seen_at", "sent_at").max().alias("silent_since")
    return standing.group_by("network_id").agg(pl.col("tier").first(), pl.col("account_id"), pl.col("first_seen_at").min(), silent).sort("network_id")


def _tonight(known: pl.DataFrame, networks: pl.DataFrame) -> pl.DataFrame:
    return known.drop("tier").join(networks.select("network_id", "tier"), on="network_id").sort("network_id")


def _pairs(tonight: pl.DataFrame, confirmed: pl.DataFrame) -> list[tuple[str, str]]:
    """Pairs that stage 80 leaves out because one of the two is explained: the confirmed one began first, is silent while the other sends, and shares no account with it."""
    here, there = tonight.rows(named=True), confirmed.rows(named=True)
    return [
        (one["network_id"], other["network_id"])
        for one in here
        for other in there
        if EXPLAINED in (one["tier"], other["tier"])
        and other["network_id"] != one["network_id"]
        and other["silent_since"] + SILENCE <= one["silent_since"]
        and other["first_seen_at"] < one["first_seen_at"]
        and not set(one["account_id"]) & set(other["account_id"])
    ]


def _present(frames: Frames, before: pl.DataFrame) -> pl.DataFrame:
    """How many entities of each earlier network hold a value tonight: they are no strangers."""
    members = frames["known_networks"].select("network_id", "account_id").join(before.select("network_id").unique(), on="network_id", how="semi")
    keys = frames["accounts"].select("account_id", "account_key").join(members, on="account_id")
    held = frames["shared_values"].join(keys, on="account_key")
    return held.group_by("network_id", "kind", "value_key").agg(pl.col("entity_key").n_unique().cast(pl.Int64).alias("count"))


def entity_total(values: pl.DataFrame) -> int:
    """Entities of the window: N of the rarity formula, read back from a row of shared_values; 0 without a row.

    Exact below a million, because rarity is kept in millionths of a bit. In: df (of runs by older code, where all holders count) or counted_df, and rarity_micro_bits.
    """
    if not values.height:
        return 0
    counted = "counted_df" if "counted_df" in values.columns else "df"
    commonest = values.filter(pl.col("rarity_micro_bits") == pl.col("rarity_micro_bits").min()).select(pl.col(counted).min(), pl.col("rarity_micro_bits").first())
    holders, micro_bits = commonest.row(0)
    return round(float(holders) * math.exp2(micro_bits / 1e6))
