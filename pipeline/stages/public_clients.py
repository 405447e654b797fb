"""Stage 33: which client products are public, used by strangers, and which are one operator's own.

Only a product with enough users is asked. The words of its users' prompts are compared, two halves a user (pipeline/measures/unlikeness.py): users of a public client
work each on something of their own, the accounts of one operator on one pool of work. Words that nearly all users have in a
quarter of their prompts are left out first: the client may have written them. Of users who share wording only the prompts that carry it are
compared (sql/33_topic_words): a harness may also pass on strangers' chats, which say nothing about who wrote its template.

Two nulls. Strangers: random groups of accounts of the log, compared over pairs that share no product; the product's ratio of likeness must lie nearer to the upper
quantile of theirs than to 1, the ratio of one pool. One pool: halves re-paired at random among the users; it must be refuted, so that in a log
whose strangers are all alike no product becomes public by chance. Medians are compared, so that a harness with a few outsiders stays one: whatever
80 % of users hold is held by both ends of 64 % of the pairs, and if those draw from one pool the median says so.

A 4-gram with a large hash shows in short prompts only (sql/33_reaches). So that an operator who alone sends short ones cannot have its template read as the
client's, the test is repeated on ever fewer users, those whose prompts show most; `levels` says how far it holds.

Errs on the side of bits: too few users with enough prompts, or too few strangers to compare with, and the product is not public.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.measures.unlikeness import Halves, cosines, halfway, halves, likeness, one_pool_p, stranger_ratios, word_weights
from pipeline.stages.frames import conform

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMMON_PROMPTS = 0.25
"""Share of an account's prompts from which a word may be the client's: half the account's requests may use another client, and half again is for chance."""
NULL_GROUPS = 199
"""Random groups of strangers: the .95 quantile then has ten groups above it."""
RE_PAIRINGS = 999
"""Random re-pairings of halves: p-values down to 0.001."""
MAX_POOL_P = 0.01
"""Largest p-value with which one pool counts as refuted: one harness in a hundred would pass, and only if the strangers' null lets it."""


def public_clients(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Every product with at least verdict.public_client_entities entities, and whether it is public.

    Reads topic_words, products, account_records, reaches. Empty: an empty table.
    """
    owner = owners(inputs["account_records"])
    used = inputs["products"].select("account_key", pl.col("value_key").alias("product")).join(owner, on="account_key")
    sizes = used.group_by("product").agg(pl.col("entity_key").n_unique().cast(pl.Int64).alias("entity_count"))
    large = sizes.filter(pl.col("entity_count") >= config.verdict.public_client_entities).sort("product")
    words = inputs["topic_words"].sort("account_key", "half", "token")
    keys = words["account_key"].unique().sort()
    users = used.filter(pl.col("account_key").is_in(keys.implode())).sort("product", "account_key").unique(["product", "entity_key"], keep="first", maintain_order=True)
    threshold = halfway(_strangers(words, keys, owner, used, config), config.verdict.topic_null_quantile)
    rows = []
    for product, entities in large.iter_rows():
        tested = users.filter(pl.col("product") == product)["account_key"].sort().head(config.verdict.topic_accounts)
        between = _users_cosines(words, tested, config) if len(tested) >= config.verdict.public_client_entities else None
        levels = tested.to_frame().join(inputs["reaches"], on="account_key", how="left", maintain_order="left")["levels"].fill_null(0).to_numpy()
        rows.append(_row(product, entities, between, levels, threshold, config))
    return {"public_clients": conform(pl.DataFrame(rows, infer_schema_length=None), schema.PUBLIC_CLIENTS)}


def owners(records: pl.DataFrame) -> pl.DataFrame:
    """Each account with its entity: the vouched organisation, else itself. Columns account_key, entity_key."""
    vouched = pl.col("is_vouched").fill_null(False) & pl.col("organization_key").is_not_null()
    return records.select("account_key", pl.when(vouched).then("organization_key").otherwise("account_key").alias("entity_key"))


def _row(product: int, entities: int, between: Floats | None, levels: Ints, threshold: float, config: Config) -> dict[str, object]:
    row: dict[str, object] = {"product": product, "entity_count": entities, "tested_count": len(levels), "threshold_ratio": threshold, "is_public": False, "levels": -1}
    found = likeness(between) if between is not None else None
    if between is None or found is None or found.own <= 0:
        return row | dict.fromkeys(("own_likeness", "pair_likeness", "likeness_ratio", "one_pool_p"))
    seed = [config.networks.seed, product]
    measured = {"own_likeness": round(found.own, 6), "pair_likeness": round(found.across, 6), "likeness_ratio": found.ratio, "one_pool_p": _pool_p(between, seed)}
    if not _are_strangers(between, threshold, seed):
        return row | measured
    return row | measured | {"is_public": True, "levels": _judged_levels(between, levels, threshold, seed, config.networks.min_accounts)}


def _pool_p(between: Floats, seed: list[int]) -> float:
    return round(one_pool_p(between, RE_PAIRINGS, np.random.default_rng(seed)), 6)


def _are_strangers(between: Floats, threshold: float, seed: list[int]) -> bool:
    return likeness(between).ratio <= threshold and _pool_p(between, seed) <= MAX_POOL_P


def _judged_levels(between: Floats, levels: Ints, threshold: float, seed: list[int], least: int) -> int:
    """How far the users stay strangers when only those whose prompts show most are left, a third fewer each time: the levels that the last such group all show."""
    order = np.lexsort((np.arange(len(levels)), -levels))
    count, judged = len(order), 0
    while count >= least and _are_strangers(between[np.ix_(order[:count], order[:count])], threshold, seed):
        judged = int(levels[order[count - 1]])
        count = count * 2 // 3
    return judged


def _strangers(words: pl.DataFrame, keys: pl.Series, owner: pl.DataFrame, used: pl.DataFrame, config: Config) -> Floats:
    """Ratios of the null. The accounts are those with the smallest keys, one an entity."""
    product = used.group_by("account_key").agg(pl.col("product").min())
    known = keys.to_frame().join(owner, on="account_key").sort("account_key").unique("entity_key", keep="first", maintain_order=True)
    pool = known.head(4 * config.verdict.topic_accounts).join(product, on="account_key", how="left", maintain_order="left")
    bags = _bags(words, pool["account_key"])
    names = pool["product"].fill_null(-1).to_numpy()
    names = np.where(names < 0, -1 - np.arange(len(names)), names)  # without a product: no account's fellow user
    rng = np.random.default_rng(config.networks.seed)
    return stranger_ratios(cosines(bags, np.arange(len(pool))), names, config.verdict.public_client_entities, NULL_GROUPS, rng)


def _users_cosines(words: pl.DataFrame, tested: pl.Series, config: Config) -> Floats:
    """Cosines of the users' halves, without the words that nearly all have in common."""
    theirs = words.filter(pl.col("account_key").is_in(tested.implode()))
    whole = theirs.group_by("account_key", "token").agg(pl.col("document_count").sum())
    totals = theirs.select("account_key", "half", "document_total").unique().group_by("account_key").agg(pl.col("document_total").sum())
    usual = whole.join(totals, on="account_key").filter(pl.col("document_count") >= COMMON_PROMPTS * pl.col("document_total"))
    shared = usual.group_by("token").agg(pl.len().alias("users")).filter(pl.col("users") >= config.verdict.alternative_share * len(tested))
    bags = _bags(words.join(shared, on="token", how="anti", maintain_order="left"), tested)
    return cosines(bags, np.arange(len(tested)))


def _bags(words: pl.DataFrame, accounts: pl.Series) -> Halves:
    """Bags of words of some accounts, in their order; words weigh by how few of all the compared accounts use them."""
    total = words["account_key"].n_unique()
    spread = words.group_by("token").agg(pl.col("account_key").n_unique().cast(pl.Int64).alias("holders"))
    place = pl.DataFrame({"account_key": accounts, "row": np.arange(len(accounts), dtype=np.int64)})
    theirs = words.join(place, on="account_key", maintain_order="left").join(spread, on="token", maintain_order="left")
    column = theirs["token"].rank("dense").to_numpy().astype(np.int64) - 1
    weight = word_weights(theirs["document_count"].to_numpy(), theirs["holders"].to_numpy(), total)
    return halves(theirs["row"].to_numpy(), theirs["half"].to_numpy(), column, weight, len(accounts))
