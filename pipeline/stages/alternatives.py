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

from pipeline.config import Config
from pipeline.stages.population import population

WORDING = ("skeleton", "template", "system")
CONTENT = ("prompt", "skeleton", "template", "system", "settings", "stack", "headers")
CAMPUS = ("ip", "ip_prefix", "signup_ip", "mail_domain", "cohort", "device", *CONTENT)
EVERYTHING = ("payment", "email", "phone", "organization", "handoff", "fanout", *CAMPUS)

NOTHING = "none"
"""No innocent cause at all, only chance: it explains nothing, so its margin is all that ties the members."""

EXPLAINS = {"vouched_organisation": EVERYTHING, "self_serve_team": EVERYTHING, "classroom": CAMPUS, "public_client": CONTENT}
"""Kinds of evidence that each alternative accounts for."""

EXPLAINS_ANSWERS = ("public_client",)
"""Alternatives that also explain long answers to templated prompts: the template is the client's own."""

_DAY_US = 86_400_000_000

ROWS = {"cluster": pl.Int64, "alternative": pl.String, "fit_share": pl.Float64, "applies": pl.Boolean, "margin_bits": pl.Float64}


def alternatives(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Every alternative scored for every cluster.

    Reads clusters, account_records, shared_values, kinds, recurring_shingles, client_wording, cluster_values. Empty: an empty table.
    """
    people = population(inputs)
    records, listed = inputs["account_records"], inputs["clusters"].filter(pl.col("origin") != "small")
    values = inputs["shared_values"].join(inputs["cluster_values"], on=["kind", "value_key"], how="semi").join(listed, on="account_key", how="semi")
    clients = _clients_wording(inputs["recurring_shingles"], inputs["client_wording"])
    rows = []
    for (cluster,), members in listed.group_by("cluster", maintain_order=True):
        fellows = members.join(records, on="account_key")
        shared = inputs["cluster_values"].filter(pl.col("cluster") == cluster)
        ties = _ties(values.join(members, on="account_key", how="semi"), shared, people.entity_total)
        fit = {
            "vouched_organisation": _largest_share(fellows.filter("is_vouched")["organization_key"], fellows.height),
            "self_serve_team": _largest_share(fellows.filter(~pl.col("is_vouched"))["organization_key"], fellows.height),
            "classroom": _classroom(fellows, shared, values, config),
            "public_client": _client_share(members, ties, clients, config),
        }
        for name, share in fit.items():
            margin = _residual(members, ties, EXPLAINS[name]) - config.networks.edge_margin_bits
            rows.append((cluster, name, round(share, 6), share >= config.verdict.alternative_share, round(margin, 6)))
        chance = _residual(members, ties, ()) - config.networks.edge_margin_bits
        rows.append((cluster, NOTHING, 0.0, False, round(chance, 6)))
    return {"cluster_alternatives": pl.DataFrame(rows, schema=ROWS, orient="row").sort("cluster", "alternative")}


def _largest_share(keys: pl.Series, total: int) -> float:
    """Share of members that hold the most frequent key."""
    known = keys.drop_nulls()
    return int(np.unique(known.to_numpy(), return_counts=True)[1].max()) / total if len(known) else 0.0


def _classroom(fellows: pl.DataFrame, shared: pl.DataFrame, values: pl.DataFrame, config: Config) -> float:
    """Members on the education pathway or with a school's mailbox; else members behind one address that signed up within days of each other."""
    school = ((fellows["access_pathway"] == "education") | (fellows["email_domain_class"] == "edu")).fill_null(False).mean()
    address = shared.filter(pl.col("kind").is_in(["ip", "signup_ip"])).sort("inside_count", "value_key", descending=[True, False]).head(1)
    venue = values.join(address, on=["kind", "value_key"], how="semi").join(fellows, on="account_key", how="semi")
    behind = fellows.join(venue, on="account_key", how="semi")
    created = behind["created_us"].drop_nulls().sort()
    width = config.links.cohort_days * _DAY_US
    together = max((int(((created >= start) & (created < start + width)).sum()) for start in created), default=0)
    return max(float(school or 0.0), together / fellows.height)  # type: ignore[arg-type]  # polars types mean as any


def _clients_wording(recurring: pl.DataFrame, client_wording: pl.DataFrame) -> pl.DataFrame:
    """Recurring 4-grams of each account that a public client brings (table client_wording says which). Columns account_key, client."""
    brought = client_wording.filter(pl.col("kind") == "template").select(pl.col("value_key").alias("shingle"))
    held = recurring.filter(pl.col("half") == 0).join(brought, on="shingle", how="semi")
    return held.group_by("account_key").agg(pl.len().cast(pl.Int64).alias("client"))


def _client_share(members: pl.DataFrame, ties: pl.DataFrame, clients: pl.DataFrame, config: Config) -> float:
    """Members whose recurring wording is nearly all a public client's and who share too little else to be linked by wording."""
    own = ties.filter(pl.col("kind").is_in(WORDING)).group_by("account_key").agg(pl.len().cast(pl.Int64).alias("own"))
    counts = members.select("account_key").join(clients, on="account_key").join(own, on="account_key", how="left").with_columns(pl.col("own").fill_null(0))
    nearly_all = pl.col("client") >= config.verdict.alternative_share * (pl.col("client") + pl.col("own"))
    return counts.filter(nearly_all & (pl.col("own") < config.links.template_min_shingles)).height / members.height


def _ties(values: pl.DataFrame, shared: pl.DataFrame, entity_total: int) -> pl.DataFrame:
    """Holders of the values that a cluster shares, each with its rarity counted without the cluster, so that a large network's facts stay rare."""
    held = values.join(shared.select("kind", "value_key", "inside_count"), on=["kind", "value_key"])
    outside = held["df"].to_numpy() - held["inside_count"].to_numpy()
    rarity = np.log2(max(2, entity_total) / (outside + 1.0))
    return held.with_columns(pl.Series("rarity_bits", np.round(rarity, 6)))


def _residual(members: pl.DataFrame, ties: pl.DataFrame, explained: tuple[str, ...]) -> float:
    """Median over members of the rarest value shared with another member that is of no explained kind, in bits; 0 for members without one."""
    left = ties.filter(~pl.col("kind").is_in(explained)).group_by("account_key").agg(pl.col("rarity_bits").max())
    strongest = members.select("account_key").join(left, on="account_key", how="left")["rarity_bits"].fill_null(0.0)
    return float(np.median(strongest.to_numpy())) if members.height else 0.0
