"""Stage 73: an account's traffic split into components, and how much of a network's traffic is its operator's and how much is carried for others.

Each request of a member belongs to the first of: boilerplate (its prompt has the network's wording), session stream (a conversation that members handed on), client stack (sent
with a client that the network shares and few others show), unexplained rest. Wording is known of sampled prompts only, and only of those kept apart for it (odd keys), so what
depends on it is estimated: by the sampled requests' share, with an interval over prompts for an account and over accounts for a network. Where a network has no wording in common
every component is counted, request by request, and nothing tells the operator's traffic from others'; wording is looked for where a gate family admits the network.

The operator's share is that of the boilerplate. It is the least that is the operator's: later turns of its conversations, and work that it words otherwise, count as carried.
It describes and decides nothing: no verdict reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.measures.cluster_shares import share_interval, share_intervals
from pipeline.stages.frames import conform

COMPONENTS = ("boilerplate", "session_stream", "client_stack", "unexplained")
OPERATOR, CARRIED = "operator", "carried"


def traffic_parts(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Reads network_prompts, account_records. Out: component_members, four rows a member; network_traffic, six rows a network. Empty: empty tables."""
    prompts = inputs["network_prompts"].sort("account_key", "prompt_key").with_columns(pl.col("is_worded").any().over("network_id").alias("is_told"))
    drawn = _drawn(prompts)
    accounts = _accounts(prompts, drawn)
    members = pl.concat([_component(accounts, drawn, place) for place in range(len(COMPONENTS))])
    names = inputs["account_records"].select("account_key", "account_id")
    networks = [row for (network,), own in accounts.partition_by("network_id", as_dict=True).items() for row in _network_rows(str(network), own)]
    return {
        "component_members": conform(members.join(names, on="account_key"), schema.COMPONENT_MEMBERS),
        "network_traffic": conform(pl.DataFrame(networks, infer_schema_length=None), schema.NETWORK_TRAFFIC),
    }


def _drawn(prompts: pl.DataFrame) -> pl.DataFrame:
    """The rows of which it is known whether they are worded, their requests split by component: sampled prompts kept apart for it; every row where the network has no wording."""
    known = prompts.filter(~pl.col("is_told") | pl.col("is_worded").is_not_null())
    worded = pl.col("is_told") & pl.col("is_worded")
    rest = pl.col("request_count") - pl.col("handed_count") - pl.col("client_count")
    split = [pl.when(worded).then(0).otherwise(part) for part in (pl.col("handed_count"), pl.col("client_count"), rest)]
    parts = (pl.when(worded).then(pl.col("request_count")).otherwise(0), *split)
    return known.select("network_id", "account_key", "prompt_key", "request_count", *(part.cast(pl.Int64).alias(name) for part, name in zip(parts, COMPONENTS, strict=True)))


def _accounts(prompts: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """One row a member: its requests, those counted by mark, and those drawn, by component."""
    totals = prompts.group_by("network_id", "account_key").agg(pl.col("is_told").first(), pl.col("request_count", "handed_count", "client_count").sum())
    sums = drawn.group_by("account_key").agg(pl.len().alias("prompt_count"), pl.col("request_count").sum().alias("sampled_count"), pl.col(COMPONENTS).sum())
    counted = pl.col("prompt_count", "sampled_count", *COMPONENTS).fill_null(0).cast(pl.Int64)
    return totals.join(sums, on="account_key", how="left").with_columns(counted).sort("account_key").with_columns(*_estimates())


def _estimates() -> list[pl.Expr]:
    """Requests of each component, null where nothing was drawn: the drawn share of all requests, of a mark no more than carry it; the rest is what is left, so that they add up."""
    total, share = pl.col("request_count"), pl.col("request_count") / pl.col("sampled_count")
    worded = (pl.col("boilerplate") * share).round().cast(pl.Int64)
    handed = pl.min_horizontal((pl.col("session_stream") * share).round().cast(pl.Int64), "handed_count", total - worded)
    client = pl.min_horizontal((pl.col("client_stack") * share).round().cast(pl.Int64), "client_count", total - worded - handed)
    found = (worded, handed, client, total - worded - handed - client)
    return [pl.when(pl.col("sampled_count") > 0).then(part).alias(f"{name}_estimate") for part, name in zip(found, COMPONENTS, strict=True)]


def _component(accounts: pl.DataFrame, drawn: pl.DataFrame, place: int) -> pl.DataFrame:
    """One component of every member, with the interval over its prompts. A mark that no request carries, and all of a network without wording, is counted and not estimated."""
    name, mark = COMPONENTS[place], {1: pl.col("handed_count"), 2: pl.col("client_count")}.get(place)
    owner = accounts["account_key"].search_sorted(drawn["account_key"]).to_numpy().astype(np.int64)
    ends = share_intervals(drawn[name].to_numpy(), drawn["request_count"].to_numpy(), owner, accounts["prompt_count"].to_numpy())
    limit = pl.col("request_count") if mark is None else mark
    is_exact = ~pl.col("is_told") if mark is None else ~pl.col("is_told") | (mark == 0)
    estimate = pl.when(limit == 0).then(0).otherwise(pl.col(f"{name}_estimate"))
    bounds = [pl.min_horizontal((pl.Series(end, dtype=pl.Float64) * pl.col("request_count")).round().cast(pl.Int64), limit) for end in ends]
    made = accounts.with_columns(estimate.alias("estimate"), is_exact.alias("is_exact"), bounds[0].alias("low"), bounds[1].alias("high"))
    low, high = pl.min_horizontal("low", "estimate").fill_null(0), pl.max_horizontal("high", "estimate").fill_null(limit)
    return made.select(
        "network_id",
        "account_key",
        pl.lit(name).alias("component"),
        pl.col("estimate").alias("request_count"),
        pl.when("is_exact").then("estimate").otherwise(low).alias("low_count"),
        pl.when("is_exact").then("estimate").otherwise(high).alias("high_count"),
        "is_exact",
        (pl.lit(None, dtype=pl.Int64) if mark is None else mark).alias("marked_count"),
        "sampled_count",
    )


def _network_rows(network: str, accounts: pl.DataFrame) -> Iterator[dict[str, object]]:
    """What a network's traffic is made of, over the members of whom something was drawn. Without wording in common the operator's share is not known."""
    told, known = bool(accounts["is_told"][0]), accounts.filter(pl.col("sampled_count") > 0)
    total, sizes = int(accounts["request_count"].sum()), known["request_count"].to_numpy().astype(np.float64)
    share = sizes / known["sampled_count"].to_numpy()
    hits = {name: known[name].to_numpy() * share for name in COMPONENTS}
    hits |= {OPERATOR: hits["boilerplate"], CARRIED: sizes - hits["boilerplate"]}
    documents = int(known["prompt_count"].sum())
    for part, own in hits.items():
        is_known = known.height > 0 and (told or part in COMPONENTS)
        low, high = share_interval(own, sizes, documents)
        found = float(own.sum() / sizes.sum()) if is_known else 0.0
        yield {
            "network_id": network,
            "part": part,
            "share": round(found, 6) if is_known else None,
            "low_share": round(low, 6) if is_known else None,
            "high_share": round(high, 6) if is_known else None,
            "request_count": round(found * total) if is_known else None,
            "is_exact": not told,
            "prompt_count": documents,
            "sampled_count": int(known["sampled_count"].sum()),
            "account_count": known.height,
        }
