"""What the judged networks of known truth looked like, counted: the material of likelihood ratios.

A network counts as one operator's if at least half of its labelled members are operators' accounts, else as innocent; its archetype is the kind of most of its labelled members
(a campaign's name, a persona). Networks below the size that is judged count in none.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipeline.validate.networks import MOSTLY
from pipeline.validate.plans import AS_IT_IS
from pipeline.validate.results import Results

COORDINATION_STEP, MANY_FAMILIES = 5, 2
CELL = ("archetype", "is_operated", "tier", "reason", "admitted_families", "coordination_bits", "extraction_bits")
"""What tells one count from another: bits are the lower ends of steps of 5 and of 1, families are counted up to 2."""


def judged_networks(results: Results, least_accounts: int) -> list[dict[str, Any]]:
    """Counts of networks as judged, by CELL: each with `networks` and `worlds`. No network: none."""
    members = results.accounts(AS_IT_IS).filter(pl.col("network_id").is_not_null())
    kinds = members.group_by("world", "network_id", "truth").agg(pl.len().alias("held")).sort("held", "truth", descending=[True, False])
    main = kinds.unique(["world", "network_id"], keep="first", maintain_order=True).select("world", "network_id", pl.col("truth").alias("archetype"))
    operated = members.group_by("world", "network_id").agg((pl.col("malicious").mean() >= MOSTLY).alias("is_operated"))
    judged = results.networks.filter((pl.col("entry") == AS_IT_IS) & (pl.col("account_count") >= least_accounts))
    known = judged.join(main, on=["world", "network_id"]).join(operated, on=["world", "network_id"])
    coordination = (pl.col("coordination_bits").fill_null(0.0) / COORDINATION_STEP).floor().cast(pl.Int64) * COORDINATION_STEP
    cells = known.with_columns(
        pl.min_horizontal("admitted_count", pl.lit(MANY_FAMILIES)).cast(pl.Int64).alias("admitted_families"),
        coordination.alias("coordination_bits"),
        pl.col("extraction_bits").fill_null(0.0).floor().cast(pl.Int64).alias("extraction_bits"),
    )
    counted = cells.group_by(*CELL).agg(pl.len().alias("networks"), pl.col("world").n_unique().alias("worlds"))
    return counted.sort(*CELL).to_dicts()
