"""Networks against the truth: campaigns found, missed, split and merged, and referrals that are no campaign.

Overlap (IoU) is members in common over members of either, among labelled accounts that sent a request. A campaign is *found* if a referred network overlaps it by half or
more, *whole* at nine tenths, *missed* if none does by half. It is *split* if two referred networks or more consist mostly of its accounts, *merged* if a referred network
holds a tenth or more of its members from it and as much from another campaign. A referred network is *false* if under half of its members are operators' accounts.
"""

from __future__ import annotations

import polars as pl

from pipeline.validate.accounts import HELD_OUT
from pipeline.validate.figures import EVERYONE, Figure, by_world, kinds, plain_count, share_of, share_of_cases, share_over_worlds
from pipeline.validate.plans import AS_IT_IS
from pipeline.validate.results import Results

FOUND, WHOLE, MOSTLY, MERGED = 0.5, 0.9, 0.5, 0.1
FATES = ("found", "whole", "missed", "split", "merged")


def figures_of_networks(results: Results) -> list[Figure]:
    """Fate of the campaigns, over all, by kind and by era, and how many referrals are false."""
    accounts = results.accounts(AS_IT_IS)
    fates = campaign_fates(accounts)
    rows = _fates(EVERYONE, fates, results.worlds)
    for kind, part in kinds(fates):
        rows += _fates(kind, part, results.worlds)
    for era, name in HELD_OUT.items():
        part = fates.filter(pl.col("held_out") == era)
        rows += _fates(name, part, results.worlds) if part.height else []
    return [*rows, *_referrals(accounts, results.worlds)]


def campaign_fates(accounts: pl.DataFrame) -> pl.DataFrame:
    """One row a campaign of a world, by world and group: truth, held_out, size, overlap (best IoU with a referred network, 0 if none) and a boolean for each of FATES."""
    size = pl.col("truth").min(), pl.col("held_out").any(ignore_nulls=False).alias("held_out"), pl.len().alias("size")
    campaigns = accounts.filter("malicious").group_by("world", "group").agg(*size)
    shared = _shared(accounts)
    overlap = pl.col("shared") / (pl.col("size") + pl.col("members") - pl.col("shared"))
    met = campaigns.join(shared, on=["world", "group"], how="left")
    fates = met.group_by("world", "group", "truth", "held_out", "size").agg(
        overlap.max().fill_null(0.0).alias("overlap"),
        (pl.col("shared") > MOSTLY * pl.col("members")).sum().alias("pieces"),
        ((pl.col("shared") >= MERGED * pl.col("members")) & pl.col("is_mixed")).any().alias("merged"),
    )
    judged = {"found": pl.col("overlap") >= FOUND, "whole": pl.col("overlap") >= WHOLE, "missed": pl.col("overlap") < FOUND, "split": pl.col("pieces") > 1}
    return fates.with_columns(**judged).drop("pieces").sort("world", "group")


def _shared(accounts: pl.DataFrame) -> pl.DataFrame:
    """For each referred network and campaign that meet: world, network_id, group, shared, members, and whether two campaigns or more hold a tenth of the network each."""
    flagged = accounts.filter("flagged")
    members = flagged.group_by("world", "network_id").agg(pl.len().alias("members"))
    pairs = flagged.filter("malicious").group_by("world", "network_id", "group").agg(pl.len().alias("shared")).join(members, on=["world", "network_id"])
    large = (pl.col("shared") >= MERGED * pl.col("members")).sum().over("world", "network_id")
    return pairs.with_columns((large > 1).alias("is_mixed"))


def _fates(stratum: str, fates: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    """Shares of the campaigns, and their mean overlap."""
    rows = [share_of(f"campaigns_{fate}", stratum, fates, worlds, pl.col(fate), "campaigns, one a world") for fate in FATES]
    counts = fates.group_by("world").agg(pl.col("overlap").sum().alias("hits"), pl.len().alias("cases")).sort("world")
    return [*rows, share_over_worlds("campaign_overlap", stratum, counts)]


def _referrals(accounts: pl.DataFrame, worlds: tuple[str, ...]) -> list[Figure]:
    networks = accounts.filter("flagged").group_by("world", "network_id").agg(pl.col("malicious").mean().alias("share"))
    false = pl.col("share") < MOSTLY
    wrong = networks.filter(false)
    hit = wrong["world"].n_unique()
    return [
        plain_count("networks_referred", EVERYONE, networks.height, len(worlds), "networks"),
        plain_count("networks_false", EVERYONE, wrong.height, networks.height, "networks"),
        share_over_worlds("networks_false_share", EVERYONE, by_world(networks, worlds, false)),
        share_of_cases("worlds_with_a_false_network", EVERYONE, hit, len(worlds), "worlds"),
    ]
