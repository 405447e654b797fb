"""Stage 33: leading texts mined from the log, each with who begins prompts with it, and whether a public client put it there.

A leading text is listed if accounts of two or more entities each begin several sampled prompts with it. Of a ladder of growing prefixes only the longest
that keeps the holders is listed, so that one preamble is one row. It is a client's if nearly all users of a public client hold
it and nearly all its holders use one (verdict.alternative_share both times): then it says which program an account runs, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.stages.frames import conform
from pipeline.stages.public_clients import owners

SHORTEST = 8
"""Words of the first rung; each next one is twice as long."""
LISTED = 1_000
"""Rows at most: clients' texts first, then those with most holders."""


def preambles(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Leading texts of the window.

    Reads leads, lead_ladders, products, account_records, public_clients, sample_counts. Empty: an empty table.
    """
    owner = owners(inputs["account_records"])
    public = inputs["public_clients"].filter("is_public").select("product", pl.lit(True).alias("is_public"))
    used = inputs["products"].select("account_key", pl.col("value_key").alias("product")).join(public, on="product", how="left").with_columns(pl.col("is_public").fill_null(False))
    held = inputs["leads"].join(owner, on="account_key")
    texts = _totals(held, used).join(_foremost_product(held, _able(used, inputs["sample_counts"], owner, config)), on="prefix_key", how="left")
    least = config.verdict.alternative_share
    nearly_all = (pl.col("product_holders") >= least * pl.col("user_count")) & (pl.col("inside_count") >= least * pl.col("holder_count"))
    is_client = pl.col("is_public") & nearly_all & (pl.col("user_count") >= config.verdict.public_client_entities)
    texts = texts.join(_rungs(inputs["lead_ladders"]), on="prefix_key").with_columns(
        is_client.fill_null(False).alias("is_client"),
        (pl.col("product_holders") / pl.col("user_count")).round(6).alias("held_share"),
        (pl.col("inside_count") / pl.col("holder_count")).round(6).alias("inside_share"),
    )
    longest = _longest(texts).sort("is_client", "holder_count", "words", "prefix_key", descending=[True, True, True, False]).head(LISTED)
    return {"preambles": conform(longest, schema.PREAMBLES)}


def _able(used: pl.DataFrame, counts: pl.DataFrame, owner: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Users of each product with enough sampled prompts for a leading text to recur. Columns account_key, product, is_public, entity_key, user_count."""
    enough = counts.filter(pl.col("shingled_count") >= config.links.habit_min_documents).select("account_key")
    users = used.join(enough, on="account_key", how="semi").join(owner, on="account_key")
    return users.with_columns(pl.col("entity_key").n_unique().over("product").cast(pl.Int64).alias("user_count"))


def _totals(held: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Holders of each text in all and among users of public clients, and its sampled prompts."""
    inside = used.filter("is_public").select("account_key", pl.lit(True).alias("inside")).unique()
    entity = pl.col("entity_key")
    return (
        held.join(inside, on="account_key", how="left")
        .group_by("prefix_key")
        .agg(
            entity.n_unique().cast(pl.Int64).alias("holder_count"),
            entity.filter(pl.col("inside").fill_null(False)).n_unique().cast(pl.Int64).alias("inside_count"),
            pl.col("document_count").sum().alias("sample_count"),
        )
    )


def _foremost_product(held: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    """The product whose users hold each text most: public ones first, then by holders, then by key."""
    within = held.join(users.drop("entity_key"), on="account_key").group_by("prefix_key", "product", "is_public", "user_count")
    counted = within.agg(pl.col("entity_key").n_unique().cast(pl.Int64).alias("product_holders"))
    return counted.sort("prefix_key", "is_public", "product_holders", "product", descending=[False, True, True, False]).unique("prefix_key", keep="first", maintain_order=True)


def _rungs(ladders: pl.DataFrame) -> pl.DataFrame:
    """Each text's length in words, the key of its first 8 words, and the next shorter text (null for the first rung)."""
    place = pl.struct("prefix_key", "prefixes").map_elements(lambda row: row["prefixes"].index(row["prefix_key"]), return_dtype=pl.Int64)
    found = ladders.with_columns(place.alias("place"))
    return found.select(
        "prefix_key",
        (SHORTEST * 2 ** pl.col("place")).cast(pl.Int64).alias("words"),
        pl.col("prefixes").list.first().alias("opening_key"),
        pl.when(pl.col("place") > 0).then(pl.col("prefixes").list.get(pl.col("place") - 1, null_on_oob=True)).alias("shorter"),
    )


def _longest(texts: pl.DataFrame) -> pl.DataFrame:
    """Without the texts that a longer one makes superfluous: it has the same holders, or both are a client's."""
    longer = texts.select(pl.col("shorter").alias("prefix_key"), pl.col("holder_count").alias("kept"), pl.col("is_client").alias("goes_on"))
    pairs = texts.select("prefix_key", "holder_count", "is_client").join(longer, on="prefix_key")
    covered = pairs.filter((pl.col("kept") == pl.col("holder_count")) | (pl.col("is_client") & pl.col("goes_on")))
    return texts.join(covered, on="prefix_key", how="anti")
