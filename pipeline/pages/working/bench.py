"""The run's tables cut by network, once for all pages: members with their keys, what they share, pairs that are linked, days, features.

A table that the run lacks counts as empty. Frames are sorted by their keys; bits are sums of whole millionths, so no order changes them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.history.recall import entity_total
from pipeline.pages.holdings import Holdings, held_by
from pipeline.pages.source import Row, Source
from pipeline.pages.traffic import HOURS

ROLES = ("core", "bridge", "fringe")
COMPARED = (
    "requests_per_day",
    "active_hours_per_day",
    "night_share",
    "prompt_distinct_share",
    "template_top_share",
    "near_duplicate_share",
    "single_turn_share",
    "output_tokens_mean",
    "output_to_input_ratio",
    "max_tokens_use_share",
    "model_count",
)
"""Features that are set side by side: rhythm, wording, shape."""


class Bench:
    """Look-ups of the blocks of a working page."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @functools.cached_property
    def _members(self) -> Mapping[str, pl.DataFrame]:
        """Members of each network with account_key, by account_id."""
        keys = self.source.table("accounts").select("account_id", "account_key").drop_nulls()
        return _cut(self.source.table("members").join(keys, on="account_id").sort("network_id", "account_key"))

    def members(self, network_id: str) -> pl.DataFrame:
        """Members whose account_key is known, by account_key."""
        return self._members.get(network_id, self.source.table("members").clear().with_columns(pl.lit(None, dtype=pl.Int64).alias("account_key")))

    @functools.cached_property
    def clusters(self) -> Mapping[str, int]:
        """The number of each network's cluster."""
        return dict(self.source.table("cluster_ids").select("network_id", "cluster").drop_nulls().iter_rows())

    @functools.cached_property
    def _held(self) -> Mapping[str, pl.DataFrame]:
        """Of each network, what its members hold and at least two entities of its cluster share."""
        numbered = pl.DataFrame(list(self.clusters.items()), schema={"network_id": pl.String, "cluster": pl.Int64}, orient="row")
        shared = self.source.table("cluster_values").filter(pl.col("inside_count") >= 2).join(numbered, on="cluster").select("network_id", "kind", "value_key")
        people = pl.concat([part.select("network_id", "account_key") for part in self._members.values()]) if self._members else _NOBODY
        columns = ("kind", "family", "value_key", "account_key", "df", "counted_df")
        rows = self.source.table("shared_values").select(columns).join(people, on="account_key").join(shared, on=["network_id", "kind", "value_key"], how="semi")
        return _cut(rows)

    def holdings(self, network: Row) -> Holdings:
        """What the members of a network share. What colleagues of one vouched organisation share is nothing to be listed: it is never evidence against them."""
        keys: NDArray[np.int64] = self.members(network["network_id"])["account_key"].to_numpy().astype(np.int64)
        rows = None if _is_one_customer(network) else self._held.get(network["network_id"])
        return held_by(keys, self.source.table("shared_values").clear() if rows is None else rows, self.source.config)

    @functools.cached_property
    def entity_total(self) -> int | None:
        """Entities of the window, read back from the rarity of a shared value (log2 of entities over holders); None without one."""
        return entity_total(self.source.table("shared_values")) or None

    @property
    def edge_bits(self) -> float | None:
        """Bits from which the run counts a pair as linked: the formula of stage 55."""
        return None if self.entity_total is None else math.log2(max(2, self.entity_total)) + self.source.config.networks.edge_margin_bits

    @functools.cached_property
    def _pairs(self) -> Mapping[str, pl.DataFrame]:
        """Pairs of members of one network with their micro bits by family: account_a, account_b, family, micro."""
        place = self.source.table("members").select("account_id", "network_id")
        inside = (
            self.source.table("links")
            .select("account_a", "account_b", "family", (pl.col("bits") * 1e6).round().cast(pl.Int64).alias("micro"))
            .join(place, left_on="account_a", right_on="account_id")
            .join(place, left_on=["account_b", "network_id"], right_on=["account_id", "network_id"])
        )
        return _cut(inside.group_by("network_id", "account_a", "account_b", "family").agg(pl.col("micro").sum()).sort("network_id", "account_a", "account_b", "family"))

    def pairs(self, network: Row) -> pl.DataFrame:
        """Pairs of members with half an edge's bits or more, a row a family: account_a, account_b, family, micro (1e-6 bits)."""
        return _NO_PAIRS if _is_one_customer(network) else self._pairs.get(network["network_id"], _NO_PAIRS)

    @functools.cached_property
    def _days(self) -> Mapping[str, pl.DataFrame]:
        place = self.source.table("members").select("account_id", "network_id")
        return _cut(self.source.account_days.select("day", "account_id", "request_count", *HOURS).join(place, on="account_id").sort("network_id", "account_id", "day"))

    def days(self, network_id: str) -> pl.DataFrame:
        """Days of the members: account_id, day, request_count and the hours."""
        return self._days.get(network_id, self.source.account_days.clear())

    @functools.cached_property
    def _control_days(self) -> Mapping[str, pl.DataFrame]:
        place = self.source.table("controls").select("network_id", "account_id").unique()
        days = self.source.account_days.select("day", "account_id", "request_count")
        return _cut(days.join(place, on="account_id").sort("network_id", "account_id", "day"))

    def control_days(self, network_id: str) -> pl.DataFrame:
        """Days of the matched accounts of a network: account_id, day, request_count."""
        return self._control_days.get(network_id, self.source.account_days.clear())

    def features(self, accounts: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
        """Features of some accounts, as far as the run has them."""
        table = self.source.features
        present = [name for name in names if name in table.columns]
        return table.filter(pl.col("account_id").is_in(list(accounts))).select("account_id", *present).sort("account_id")

    @functools.cached_property
    def medians(self) -> Mapping[str, Mapping[str, float]]:
        """Median of each compared feature over the members of each network, where any has it."""
        table = self.source.features
        names = [name for name in COMPARED if name in table.columns]
        members = self.source.table("members").select("account_id", "network_id")
        rows = table.select("account_id", *(pl.col(name).cast(pl.Float64) for name in names)).join(members, on="account_id").group_by("network_id").agg(pl.col(names).median())
        return {row["network_id"]: {name: float(row[name]) for name in names if row[name] is not None} for row in rows.iter_rows(named=True)}


_NOBODY = pl.DataFrame(schema={"network_id": pl.String, "account_key": pl.Int64})
_NO_PAIRS = pl.DataFrame(schema={"account_a": pl.String, "account_b": pl.String, "family": pl.String, "micro": pl.Int64})


def _is_one_customer(network: Row) -> bool:
    return bool(network["best_alternative"] == "vouched_organisation")


def _cut(frame: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    return {str(key[0]): part for key, part in frame.partition_by("network_id", as_dict=True, maintain_order=True).items()}
