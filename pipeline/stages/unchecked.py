"""Innocent explanations that nobody can rule out, because the log lacks what would tell who fits them.

Less data must never make a bolder verdict. An explanation whose column is missing has not been found wanting: it counts as unchecked where it would apply if every member fitted
it of whom the log does not say. The verdict then refers nobody whom that explanation would have saved. What still speaks against it is asked first, so that a log may lack a
column: colleagues of one customer show one card or one mail domain, a class has a place, and a client's wording has users outside.

Every function gives, of each cluster where anybody might fit, how many members do or might: columns cluster, fitting. With nothing missing that is who fits (innocent_fits).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.config import Config
from pipeline.stages.innocent_fits import ADDRESSES, behind_one, counted, signed_up_together

ASKED = ("self_serve_team", "classroom", "event", "shared_box", "public_client")
"""Explanations of which a log may not tell who fits them. The others ask for nothing that the evidence which they explain does not ask for itself: without addresses nothing
rests on a shared address, without prompts nothing on wording, and a vouched organisation is an organisation first.
"""
CLIENT = "agent"
"""Kind of entity_counts that says that an account's client was logged."""
UNKNOWN = "unknown"
"""What a record says of a class or pathway that nobody determined."""


def might_fit(inputs: Mapping[str, pl.DataFrame], listed: pl.DataFrame, ties: pl.DataFrame, config: Config) -> dict[str, pl.DataFrame]:
    """By explanation, who fits it or might. In: the tables of `alternatives`, `listed` (cluster, account_key) and their ties, as for innocent_fits."""
    fellows = listed.join(inputs["account_records"], on="account_key")
    return {
        "self_serve_team": _one_customer(fellows, inputs["account_records"], ties),
        "classroom": _class(fellows, ties, inputs["entity_counts"]),
        "event": _event(fellows, ties, inputs["entity_counts"], config),
        "shared_box": counted(listed.join(_untested(inputs["cluster_tests"]), on="cluster", how="semi")),
        "public_client": _unnamed_client(inputs, listed, config),
    }


def _one_customer(fellows: pl.DataFrame, records: pl.DataFrame, ties: pl.DataFrame) -> pl.DataFrame:
    """Members of unknown organisation with the card or the mail domain that most of them have, and those of whom neither is known or for whom something vouches.

    Where anybody's organisation is logged, an account without one has none; where only the accounts table tells, an account without a record may have one.
    """
    logged = records.filter(pl.col("organization_key").is_not_null())
    in_log = logged.filter(~pl.col("has_record").fill_null(value=False)).height > 0
    told = pl.lit(value=in_log) | (pl.lit(value=logged.height > 0) & pl.col("has_record").fill_null(value=False))
    unknown = fellows.filter(pl.col("organization_key").is_null() & ~told)
    silent = (pl.col("payment_key").is_null() & pl.col("email_domain_key").is_null()) | pl.col("is_vouched").fill_null(value=False)
    sides = [unknown.filter(silent | pl.Series(_holds(unknown, behind_one(ties, (kind,))))) for kind in ("payment", "mail_domain")]
    return pl.concat([counted(side) for side in sides]).group_by("cluster").agg(pl.col("fitting").max())


def _holds(members: pl.DataFrame, holders: pl.DataFrame) -> pl.Series:
    """Which members are among the holders (cluster, account_key)."""
    marked = members.join(holders.with_columns(pl.lit(value=True).alias("held")), on=["cluster", "account_key"], how="left", maintain_order="left")
    return marked["held"].fill_null(value=False)


def _class(fellows: pl.DataFrame, ties: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Pupils, and members whose pathway or mail domain nobody classed if they share an address, a network or a sign-up address, or none of theirs is logged."""
    pathway, mail = pl.col("access_pathway").fill_null(UNKNOWN), pl.col("email_domain_class").fill_null(UNKNOWN)
    pupils = (pathway == "education") | (mail == "edu")
    placed = pl.Series(_holds(fellows, ties.filter(pl.col("kind").is_in(ADDRESSES)).select("cluster", "account_key").unique()))
    unplaced = _without_address(fellows, counts, ("ip", "ip_prefix"))
    return counted(fellows.filter(pupils | (((pathway == UNKNOWN) | (mail == UNKNOWN)) & (placed | unplaced))))


def _event(fellows: pl.DataFrame, ties: pl.DataFrame, counts: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Members behind one address, or of no logged address, that signed up within days of each other, or on a day that nobody logged."""
    placed = pl.Series(_holds(fellows, behind_one(ties, ("ip", "signup_ip"))))
    there = fellows.filter(placed | _without_address(fellows, counts, ("ip",)))
    undated = counted(there.filter(pl.col("created_us").is_null()))
    return pl.concat([undated, signed_up_together(there, config)]).group_by("cluster").agg(pl.col("fitting").sum())


def _without_address(fellows: pl.DataFrame, counts: pl.DataFrame, kinds: tuple[str, ...]) -> pl.Series:
    """Members of whom no address is known, of requests or of sign-up."""
    known = counts.filter(pl.col("kind").is_in(kinds))["account_key"].unique()
    return ~fellows["account_key"].is_in(known.implode()) & fellows["signup_ip_key"].is_null()


def _untested(tests: pl.DataFrame) -> pl.DataFrame:
    """Clusters of which nobody knows whether their members write about the same things. Column cluster."""
    return tests.filter((pl.col("test") == "held_out_topic") & (pl.col("status") == "not_run")).select("cluster")


def _unnamed_client(inputs: Mapping[str, pl.DataFrame], listed: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Members whose client is not logged and whose templated prompts may be its text: wording that mostly others use, and too little besides to show extraction."""
    named = inputs["entity_counts"].filter(pl.col("kind") == CLIENT).select("account_key")
    unnamed = listed.join(named, on="account_key", how="anti")
    if not unnamed.height:
        return counted(unnamed)
    wording = _wording(inputs["recurring_shingles"], listed, unnamed, config)
    least = config.links.template_min_shingles
    sums = wording.group_by("cluster", "account_key").agg(
        pl.col("is_spread").sum().alias("spread"),
        (~pl.col("is_spread")).sum().alias("own"),
        pl.col("share").filter(~pl.col("is_spread")).max().fill_null(0.0).alias("own_share"),
    )
    too_little = (pl.col("own") < least) | (pl.col("own_share") < config.verdict.min_harvest_share)
    return counted(sums.filter((pl.col("spread") >= least) & too_little))


def _wording(recurring: pl.DataFrame, listed: pl.DataFrame, unnamed: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Recurring wording of members without a named client: cluster, account_key, shingle, is_spread (mostly others use it), share (of the prompts that formed nothing)."""
    formed = recurring.filter(pl.col("half") == 0)
    own = unnamed.join(formed.select("account_key", "shingle"), on="account_key")
    asked = formed.join(own.select("shingle").unique(), on="shingle", how="semi").select("account_key", "shingle")
    everywhere = asked.group_by("shingle").agg(pl.len().alias("holders"))
    inside = listed.join(asked, on="account_key").group_by("cluster", "shingle").agg(pl.len().alias("members"))
    spread = (pl.col("members") < config.verdict.gate_in_share * pl.col("holders")).alias("is_spread")
    apart = recurring.filter(pl.col("half") == 1).select("account_key", "shingle", (pl.col("document_count") / pl.col("document_total")).alias("share"))
    table = own.join(everywhere, on="shingle").join(inside, on=["cluster", "shingle"]).join(apart, on=["account_key", "shingle"], how="left")
    return table.select("cluster", "account_key", "shingle", spread, "share")
