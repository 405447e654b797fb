"""Stage 62: the innocent explanations of each cluster, each with what it explains and what is left unexplained.

An alternative applies when most members fit it. It then explains some kinds of evidence (a campus explains a shared address; it
does not explain a shared card). What is left is each member's strongest tie to another member of a kind that is not explained; the
median of that over members, less the margin an edge must have, is the alternative's margin: at or below zero it explains the
cluster at least as well as one operator does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.stages.frames import within
from pipeline.stages.population import population

Ints = NDArray[np.int64]

WORDING = ("skeleton", "template", "system")
CONTENT = ("prompt", "skeleton", "template", "system", "settings", "stack", "headers")
CAMPUS = ("ip", "ip_prefix", "signup_ip", "mail_domain", "cohort", "device", "rewritten_client", *CONTENT)
EVERYTHING = ("payment", "email", "phone", "organization", "handoff", "fanout", *CAMPUS)

NOTHING = "none"
"""No innocent cause at all, only chance: it explains nothing, so its margin is all that ties the members."""

EXPLAINS = {
    "vouched_organisation": EVERYTHING,
    "self_serve_team": EVERYTHING,
    "classroom": CAMPUS,
    "public_client": CONTENT,
    "shared_box": ("rewritten_client", *CONTENT),
}
"""Kinds of evidence that each alternative accounts for."""

EXPLAINS_ANSWERS = ("public_client",)
"""Alternatives that also explain long answers to templated prompts: the template is the client's own."""

UNLIKE_P = 0.05
"""P-value of common topics above which members are as unlike each other as strangers: what a box between strangers and the service joins."""

_DAY_US = 86_400_000_000

ROWS = {"cluster": pl.Int64, "alternative": pl.String, "fit_share": pl.Float64, "applies": pl.Boolean, "margin_bits": pl.Float64}


def alternatives(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Every alternative scored for every cluster.

    Reads clusters, cluster_tests, account_records, shared_values, kinds, recurring_shingles, client_wording, cluster_values. Empty: an empty table.
    """
    listed = inputs["clusters"].filter(pl.col("origin") != "small").select("cluster", "account_key")
    fellows = listed.join(inputs["account_records"], on="account_key")
    ties = _ties(within(inputs["shared_values"], listed), inputs["cluster_values"], population(inputs).entity_total)
    clients = _clients_wording(inputs["recurring_shingles"], inputs["client_wording"])
    sizes = listed.group_by("cluster").len("size")
    fits = {
        "vouched_organisation": _largest_share(fellows.filter("is_vouched")),
        "self_serve_team": _largest_share(fellows.filter(~pl.col("is_vouched"))),
        "classroom": _classroom(fellows, ties, config),
        "public_client": _client_share(listed, ties, clients, config),
        "shared_box": _strangers(inputs["cluster_tests"], sizes),
    }
    rows = [_scored(name, sizes, fits.get(name), _residual(listed, ties, EXPLAINS.get(name, ())), config) for name in (*EXPLAINS, NOTHING)]
    return {"cluster_alternatives": pl.concat(rows).select(list(ROWS)).cast(pl.Schema(ROWS)).sort("cluster", "alternative")}


def _scored(name: str, sizes: pl.DataFrame, fitting: pl.DataFrame | None, residual: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Rows of one alternative. In: size of each cluster, `fitting` members of those where some fit (None: it asks nobody to), and what is left unexplained."""
    table = sizes.join(residual, on="cluster", how="left")
    table = table.join(fitting, on="cluster", how="left") if fitting is not None else table.with_columns(pl.lit(0).alias("fitting"))
    share = pl.col("fitting").fill_null(0) / pl.col("size")
    applies = (share >= config.verdict.alternative_share) if fitting is not None else pl.lit(value=False)
    margin = pl.Series("margin_bits", [round(left - config.networks.edge_margin_bits, 6) for left in table["residual"]], dtype=pl.Float64)
    return table.select("cluster", pl.lit(name).alias("alternative"), share.round(6).alias("fit_share"), applies.alias("applies"), margin)


def _largest_share(fellows: pl.DataFrame) -> pl.DataFrame:
    """Members that hold the most frequent organisation of their cluster. Columns cluster, fitting."""
    held = fellows.filter(pl.col("organization_key").is_not_null()).group_by("cluster", "organization_key").len("fitting")
    return held.group_by("cluster").agg(pl.col("fitting").max())


def _classroom(fellows: pl.DataFrame, ties: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Members on the education pathway or with a school's mailbox; else members behind one address that signed up within days of each other. Columns cluster, fitting."""
    school = ((pl.col("access_pathway") == "education") | (pl.col("email_domain_class") == "edu")).fill_null(value=False)
    pupils = fellows.group_by("cluster").agg(school.sum().cast(pl.Int64).alias("pupils"))
    addresses = ties.filter(pl.col("kind").is_in(["ip", "signup_ip"]))
    venue = addresses.sort("cluster", "inside_count", "value_key", descending=[False, True, False]).unique("cluster", keep="first", maintain_order=True)
    behind = addresses.join(venue, on=["cluster", "kind", "value_key"], how="semi").select("cluster", "account_key").unique()
    created = behind.join(fellows, on=["cluster", "account_key"]).filter(pl.col("created_us").is_not_null()).sort("cluster", "created_us").select("cluster", "created_us")
    together = [
        (cluster, _most_within(times["created_us"].to_numpy(), config.links.cohort_days * _DAY_US)) for (cluster,), times in created.group_by("cluster", maintain_order=True)
    ]
    found = pupils.join(pl.DataFrame(together, schema={"cluster": pl.Int64, "together": pl.Int64}, orient="row"), on="cluster", how="left")
    return found.select("cluster", pl.max_horizontal("pupils", pl.col("together").fill_null(0)).alias("fitting"))


def _strangers(tests: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """All members of clusters whose topics are no more alike than those of random accounts. Columns cluster, fitting."""
    unlike = tests.filter((pl.col("test") == "held_out_topic") & (pl.col("p_value") > UNLIKE_P))
    return sizes.join(unlike, on="cluster", how="semi").select("cluster", pl.col("size").alias("fitting"))


def _most_within(times: Ints, width: int) -> int:
    """Most of the ascending times that lie within `width` of one of them, it being the first."""
    return int((np.searchsorted(times, times + width, side="left") - np.arange(len(times))).max())


def _clients_wording(recurring: pl.DataFrame, client_wording: pl.DataFrame) -> pl.DataFrame:
    """Recurring 4-grams of each account that a public client brings (table client_wording says which). Columns account_key, client."""
    brought = client_wording.filter(pl.col("kind") == "template").select(pl.col("value_key").alias("shingle"))
    held = recurring.filter(pl.col("half") == 0).join(brought, on="shingle", how="semi")
    return held.group_by("account_key").agg(pl.len().cast(pl.Int64).alias("client"))


def _client_share(listed: pl.DataFrame, ties: pl.DataFrame, clients: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Members whose recurring wording is nearly all a public client's and who share too little else to be linked by wording. Columns cluster, fitting."""
    own = ties.filter(pl.col("kind").is_in(WORDING)).group_by("cluster", "account_key").agg(pl.len().cast(pl.Int64).alias("own"))
    counts = listed.join(clients, on="account_key").join(own, on=["cluster", "account_key"], how="left").with_columns(pl.col("own").fill_null(0))
    nearly_all = pl.col("client") >= config.verdict.alternative_share * (pl.col("client") + pl.col("own"))
    return counts.filter(nearly_all & (pl.col("own") < config.links.template_min_shingles)).group_by("cluster").len("fitting")


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
