"""Who fits each innocent explanation: the tests that are the explanations' own, one member at a time.

Every function gives, of each cluster where anybody fits, how many members do: columns cluster, fitting. What an explanation then explains is no matter of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.config import Config

Ints = NDArray[np.int64]

WORDING = ("skeleton", "template", "system")
ADDRESSES = ("ip", "ip_prefix", "signup_ip")

UNLIKE_P = 0.05
"""P-value of common topics above which members are as unlike each other as strangers: what a box between strangers and the service joins."""
SAME_CUSTOMER = ("payment_key", "email_key", "phone_key", "organization_key")
"""Records by which an account is known to be the same customer's as another."""
STOPPED = ("banned", "suspended")
"""Standing of an account that did not end by its holder's will: who goes on with another one has not moved."""

_DAY_US = 86_400_000_000


def innocent_fits(inputs: Mapping[str, pl.DataFrame], listed: pl.DataFrame, ties: pl.DataFrame, config: Config) -> dict[str, pl.DataFrame]:
    """By explanation, who fits it. In: the tables of `alternatives`, `listed` (cluster, account_key) and their ties (cluster, kind, value_key, account_key, inside_count)."""
    fellows = listed.join(inputs["account_records"], on="account_key")
    own = listed.join(inputs["features"], on="account_key")
    repeated, verdict = inputs["repeated_prompts"], config.verdict
    return {
        "vouched_organisation": _largest_share(fellows.filter("is_vouched")),
        "self_serve_team": _largest_share(fellows.filter(~pl.col("is_vouched"))),
        "classroom": counted(fellows.filter((pl.col("access_pathway") == "education") | (pl.col("email_domain_class") == "edu"))),
        "event": _at_one_event(fellows, ties, config),
        "shared_address": behind_one(ties, ADDRESSES).group_by("cluster").len("fitting"),
        "public_client": _client_share(inputs, listed, ties, config),
        "shared_box": _strangers(inputs["cluster_tests"], listed),
        "evaluation": counted(repeated.filter(pl.col("repeated_count") >= verdict.repeated_share * pl.col("document_count"))),
        "shared_corpus": counted(repeated.filter(pl.col("elsewhere_count") >= verdict.repeated_share * pl.col("document_count"))),
        "load_test": counted(own.filter((pl.col("prompt_distinct_share") <= verdict.few_texts_share) & (pl.col("output_tokens_mean") < verdict.min_output_tokens))),
        "batch_jobs": counted(own.filter(pl.col("batch_share") >= verdict.batch_request_share)),
        "aggregator": counted(listed.join(_serving(inputs["entity_counts"], config), on="account_key")),
        "migration": _moved(own, fellows, config),
        "script_users": counted(repeated.filter((pl.col("templated_count") > 0) & (pl.col("item_elsewhere_count") >= verdict.repeated_share * pl.col("templated_count")))),
    }


def counted(fitting: pl.DataFrame) -> pl.DataFrame:
    """Rows of members as how many each cluster has: cluster, fitting."""
    return fitting.group_by("cluster").agg(pl.len().cast(pl.Int64).alias("fitting"))


def _largest_share(fellows: pl.DataFrame) -> pl.DataFrame:
    """Members that hold the most frequent organisation of their cluster."""
    held = fellows.filter(pl.col("organization_key").is_not_null()).group_by("cluster", "organization_key").len("fitting")
    return held.group_by("cluster").agg(pl.col("fitting").max())


def behind_one(ties: pl.DataFrame, kinds: tuple[str, ...]) -> pl.DataFrame:
    """Members that hold the value of these kinds that most members of their cluster hold. Columns cluster, account_key."""
    addresses = ties.filter(pl.col("kind").is_in(kinds))
    venue = addresses.sort("cluster", "inside_count", "value_key", descending=[False, True, False]).unique("cluster", keep="first", maintain_order=True)
    return addresses.join(venue, on=["cluster", "kind", "value_key"], how="semi").select("cluster", "account_key").unique()


def _at_one_event(fellows: pl.DataFrame, ties: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Members behind one address (not a prefix) that signed up within days of each other."""
    return signed_up_together(behind_one(ties, ("ip", "signup_ip")).join(fellows, on=["cluster", "account_key"]), config)


def signed_up_together(fellows: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Most members of each cluster that signed up within days of each other, of those whose day is known. In: cluster, created_us."""
    created = fellows.filter(pl.col("created_us").is_not_null()).sort("cluster", "created_us").select("cluster", "created_us")
    width = config.links.cohort_days * _DAY_US
    together = [(cluster, _most_within(times["created_us"].to_numpy(), width)) for (cluster,), times in created.group_by("cluster", maintain_order=True)]
    return pl.DataFrame(together, schema={"cluster": pl.Int64, "fitting": pl.Int64}, orient="row")


def _most_within(times: Ints, width: int) -> int:
    """Most of the ascending times that lie within `width` of one of them, it being the first."""
    return int((np.searchsorted(times, times + width, side="left") - np.arange(len(times))).max())


def _strangers(tests: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """All members of clusters whose topics are no more alike than those of random accounts."""
    unlike = tests.filter((pl.col("test") == "held_out_topic") & (pl.col("p_value") > UNLIKE_P))
    return counted(listed.join(unlike, on="cluster", how="semi"))


def _serving(entity_counts: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Accounts whose requests name many end users. The caller writes these names, so they describe and decide nothing. Column account_key."""
    named = entity_counts.filter(pl.col("kind") == "end_user").group_by("account_key").agg(pl.col("value_count").sum())
    return named.filter(pl.col("value_count") >= config.verdict.end_user_count).select("account_key")


def _moved(own: pl.DataFrame, fellows: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Members that follow each other as one customer's accounts do: one at a time. Only of clusters of few members; more accounts than a customer would move through are a pool."""
    records = fellows.select("cluster", "account_key", "status", *SAME_CUSTOMER)
    few = own.filter(pl.len().over("cluster") <= config.verdict.migration_max_accounts).select("cluster", "account_key", "first_us", "last_us")
    turns = few.join(records, on=["cluster", "account_key"]).sort("cluster", "first_us", "last_us", "account_key")
    pause = config.verdict.migration_pause_days * _DAY_US
    chains = [(cluster, _longest_chain(list(rows.iter_rows(named=True)), pause)) for (cluster,), rows in turns.group_by("cluster", maintain_order=True)]
    return pl.DataFrame([chain for chain in chains if chain[1] >= 2], schema={"cluster": pl.Int64, "fitting": pl.Int64}, orient="row")


def _longest_chain(turns: list[dict[str, Any]], pause: int) -> int:
    """Accounts of the longest chain in which each takes over from the one before. In: accounts by their first request; the longest pause between two, in us."""
    lengths: list[int] = []
    for place, later in enumerate(turns):
        lengths.append(1 + max((length for length, earlier in zip(lengths, turns[:place], strict=True) if _takes_over(earlier, later, pause)), default=0))
    return max(lengths, default=0)


def _takes_over(earlier: Mapping[str, Any], later: Mapping[str, Any], pause: int) -> bool:
    """Whether the same customer's work goes on with another account: it begins after the first one's last request, soon, and nobody stopped that one."""
    soon = 0 < later["first_us"] - earlier["last_us"] <= pause
    return soon and earlier["status"] not in STOPPED and any(earlier[key] is not None and earlier[key] == later[key] for key in SAME_CUSTOMER)


def _client_share(inputs: Mapping[str, pl.DataFrame], listed: pl.DataFrame, ties: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Members whose recurring wording is nearly all a public client's (client_wording says which) and who share too little else to be linked by wording."""
    brought = inputs["client_wording"].filter(pl.col("kind") == "template").select(pl.col("value_key").alias("shingle"))
    recurring = inputs["recurring_shingles"].filter(pl.col("half") == 0).join(brought, on="shingle", how="semi")
    clients = recurring.group_by("account_key").agg(pl.len().cast(pl.Int64).alias("client"))
    own = ties.filter(pl.col("kind").is_in(WORDING)).group_by("cluster", "account_key").agg(pl.len().cast(pl.Int64).alias("own"))
    counts = listed.join(clients, on="account_key").join(own, on=["cluster", "account_key"], how="left").with_columns(pl.col("own").fill_null(0))
    nearly_all = pl.col("client") >= config.verdict.alternative_share * (pl.col("client") + pl.col("own"))
    return counted(counts.filter(nearly_all & (pl.col("own") < config.links.template_min_shingles)))
