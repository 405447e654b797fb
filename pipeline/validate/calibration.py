"""Calibration: whether q-values and memberships mean what they say.

A q-value of 0.01 promises that at most one in a hundred networks so small in q is a chance grouping. Here a network is one if no single true group, an operator's or an
innocent one, holds more than half of its labelled members: a class is truly coordinated, and its q must not be blamed for that. A membership of 0.8 is read as: eight in
ten such members belong to the group that most of the network belongs to. Under a referred network that is an accusation, under a watched one (strangers behind one box are
watched, too, and no group) a note; so each has figures of its own.
"""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl

from pipeline.measures.rates import NO_INTERVAL, brier
from pipeline.validate.figures import Figure, by_world, figure, share_over_worlds
from pipeline.validate.plans import AS_IT_IS
from pipeline.validate.results import Results

Q_LEVELS = (0.001, 0.01, 0.05, 0.2)
BANDS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
CHANCE = 0.5
TIERS = (("referred", True), ("watched", False))
"""Stratum -> whether the network is flagged."""


def figures_of_calibration(results: Results) -> list[Figure]:
    """Observed chance groupings at each level of q; observed belonging in each band of membership, with the mean that was stated."""
    accounts = results.accounts(AS_IT_IS)
    members = accounts.filter("listed")
    known = members.join(main_groups(members), on=["world", "network_id"]).filter(pl.col("membership").is_not_null())
    stated = known.with_columns((pl.col("group") == pl.col("main_group")).fill_null(value=False).alias("belongs"))
    by_tier = [_memberships(stated.filter(pl.col("flagged") == flagged), results.worlds, tier) for tier, flagged in TIERS]
    return [*_q_values(results, accounts), *itertools.chain.from_iterable(by_tier)]


def _q_values(results: Results, accounts: pl.DataFrame) -> list[Figure]:
    judged = results.networks.filter((pl.col("entry") == AS_IT_IS) & pl.col("q_value").is_not_null())
    networks = judged.join(main_groups(accounts), on=["world", "network_id"])
    rows = []
    for level in Q_LEVELS:
        counts = by_world(networks.filter(pl.col("q_value") <= level), results.worlds, pl.col("held") <= CHANCE * pl.col("members"))
        rows.append(share_over_worlds("chance_networks_at_q", f"q at most {level:g}", counts))
    return rows


def main_groups(accounts: pl.DataFrame) -> pl.DataFrame:
    """The group with most labelled members of each network (ties by name): world, network_id, main_group (null if all are strangers), held, members."""
    here = accounts.filter(pl.col("network_id").is_not_null())
    members = here.group_by("world", "network_id").agg(pl.len().alias("members"))
    held = here.filter(pl.col("group").is_not_null()).group_by("world", "network_id", "group").agg(pl.len().alias("held"))
    first = held.sort("held", "group", descending=[True, False]).unique(["world", "network_id"], keep="first", maintain_order=True).rename({"group": "main_group"})
    return members.join(first, on=["world", "network_id"], how="left").with_columns(pl.col("held").fill_null(0)).sort("world", "network_id")


def _memberships(stated: pl.DataFrame, worlds: tuple[str, ...], tier: str) -> list[Figure]:
    """Members of the listed networks of one tier by what was stated of them."""
    rows = []
    for low, high in itertools.pairwise(BANDS):
        band = stated.filter((pl.col("membership") >= low) & ((pl.col("membership") < high) | (high == BANDS[-1])))
        name = f"{tier}, membership {low:g} to {high:g}"
        rows.append(share_over_worlds("membership_observed", name, by_world(band, worlds, pl.col("belongs"))))
        mean = float(np.mean(band["membership"].to_numpy())) if band.height else float("nan")
        rows.append(figure("membership_stated", name, mean, NO_INTERVAL, band.height, "share", "members"))
    score = brier(stated["membership"].to_numpy(), stated["belongs"].to_numpy().astype(np.float64))
    return [*rows, figure("membership_brier", tier, score, NO_INTERVAL, stated.height, "squared distance", "members")]
