"""Stage 62: the innocent explanations of each cluster, each with what it explains and what is left unexplained.

An alternative applies when most members fit it (innocent_fits says who does). It then explains some kinds of evidence (a campus explains a shared address; it
does not explain a shared card). What is left is each member's strongest tie to another member of a kind that is not explained; the
median of that over members, less the margin an edge must have, is the alternative's margin: at or below zero it explains the
cluster at least as well as one operator does. Where the log does not tell who fits, it may be unchecked (unchecked says when).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from pipeline.config import Config
from pipeline.stages.frames import within
from pipeline.stages.innocent_fits import ADDRESSES, innocent_fits
from pipeline.stages.population import population
from pipeline.stages.unchecked import might_fit

CONTENT = ("prompt", "skeleton", "template", "system", "settings", "stack", "headers")
CAMPUS = ("mail_domain", "cohort", "device", "rewritten_client", *ADDRESSES, *CONTENT)
EVERYTHING = ("payment", "email", "phone", "organization", "handoff", "fanout", *CAMPUS)

NOTHING = "none"
"""No innocent cause at all, only chance: it explains nothing, so its margin is all that ties the members."""

ONES_OWN = ("payment", "email", "phone", "organization", "mail_domain", "cohort", "device", *ADDRESSES, *CONTENT)
"""What one customer takes along from account to account; a conversation handed on, a prompt sent at once and a rewritten client are no part of a move."""

EXPLAINS = {
    "vouched_organisation": EVERYTHING,
    "self_serve_team": EVERYTHING,
    "classroom": CAMPUS,
    "event": CAMPUS,
    "shared_address": ADDRESSES,
    "public_client": CONTENT,
    "shared_box": ("rewritten_client", *CONTENT),
    "evaluation": CONTENT,
    "shared_corpus": CONTENT,
    "load_test": ("fanout", *ADDRESSES, *CONTENT),
    "batch_jobs": ("settings", "stack", "headers"),
    "aggregator": (*ADDRESSES, *CONTENT),
    "migration": ONES_OWN,
    "script_users": CONTENT,
}
"""Kinds of evidence that each alternative accounts for. Whatever a caller may write at will (end users, texts sent twice) explains no card, no hand-off and no client."""

EXPLAINS_ANSWERS = ("public_client",)
"""Alternatives that also explain long answers to templated prompts: the template is the client's own."""

ROWS = {"cluster": pl.Int64, "alternative": pl.String, "fit_share": pl.Float64, "applies": pl.Boolean, "margin_bits": pl.Float64, "is_unchecked": pl.Boolean}


def alternatives(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Every alternative scored for every cluster.

    Reads clusters, cluster_tests, account_records, shared_values, kinds, recurring_shingles, client_wording, cluster_values, repeated_prompts, features, entity_counts.
    Empty: an empty table.
    """
    listed = inputs["clusters"].filter(pl.col("origin") != "small").select("cluster", "account_key")
    ties = _ties(within(inputs["shared_values"], listed), inputs["cluster_values"], population(inputs).entity_total)
    sizes, fits = listed.group_by("cluster").len("size"), innocent_fits(inputs, listed, ties, config)
    rows = pl.concat([_scored(name, sizes, fits.get(name), _residual(listed, ties, EXPLAINS.get(name, ())), config) for name in (*EXPLAINS, NOTHING)])
    might = pl.concat([fitting.select("cluster", "fitting", pl.lit(name).alias("alternative")) for name, fitting in might_fit(inputs, listed, ties, config).items()])
    table = rows.join(might, on=["cluster", "alternative"], how="left").join(sizes, on="cluster", how="left")
    unchecked = ~pl.col("applies") & (pl.col("fitting").fill_null(0) / pl.col("size") >= config.verdict.alternative_share)
    return {"cluster_alternatives": table.with_columns(unchecked.alias("is_unchecked")).select(list(ROWS)).cast(pl.Schema(ROWS)).sort("cluster", "alternative")}


def _scored(name: str, sizes: pl.DataFrame, fitting: pl.DataFrame | None, residual: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Rows of one alternative. In: size of each cluster, `fitting` members of those where some fit (None: it asks nobody to), and what is left unexplained."""
    table = sizes.join(residual, on="cluster", how="left")
    table = table.join(fitting, on="cluster", how="left") if fitting is not None else table.with_columns(pl.lit(0).alias("fitting"))
    share = pl.col("fitting").fill_null(0) / pl.col("size")
    applies = (share >= config.verdict.alternative_share) if fitting is not None else pl.lit(value=False)
    margin = pl.Series("margin_bits", [round(left - config.networks.edge_margin_bits, 6) for left in table["residual"]], dtype=pl.Float64)
    return table.select("cluster", pl.lit(name).alias("alternative"), share.round(6).alias("fit_share"), applies.alias("applies"), margin)


def _ties(values: pl.DataFrame, shared: pl.DataFrame, entity_total: int) -> pl.DataFrame:
    """Holders of the values that a cluster shares, each with its rarity counted without the cluster, so that a large network's facts stay rare."""
    held = values.join(shared.select("cluster", "kind", "value_key", "inside_count"), on=["cluster", "kind", "value_key"])
    outside = held["df"].to_numpy() - held["inside_count"].to_numpy()
    rarity = np.log2(max(2, entity_total) / (outside + 1.0))
    return held.with_columns(pl.Series("rarity_bits", np.round(rarity, 6)))


def _residual(listed: pl.DataFrame, ties: pl.DataFrame, explained: tuple[str, ...]) -> pl.DataFrame:
    """Median over members of the rarest value shared with another member that is of no explained kind, in bits; 0 for members without one. Columns cluster, residual."""
    left = ties.filter(~pl.col("kind").is_in(explained)).group_by("cluster", "account_key").agg(pl.col("rarity_bits").max())
    strongest = listed.join(left, on=["cluster", "account_key"], how="left")
    return strongest.group_by("cluster").agg(pl.col("rarity_bits").fill_null(0.0).median().alias("residual"))
