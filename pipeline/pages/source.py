"""The run's tables as the pages read them: every frame there with the columns it must have, grouped once by network.

A table that is missing or empty becomes an empty frame of the right columns, so that every page is a whole page whatever ran.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline import schema
from pipeline.config import Config
from pipeline.history import Past
from pipeline.history.recall import recalled
from pipeline.history.report import Report
from pipeline.pages.error_rates import scale_that_fits
from pipeline.pages.ratios import Scale
from pipeline.pages.run_facts import RunFacts
from pipeline.pages.traffic import HOURS, GroupTraffic, calendar_of, group_traffic
from pipeline.pages.words import Wording

Row = Mapping[str, Any]
_REFERENCE = ["request_id", "source_file", "source_row"]
TIER_ORDER = ("refer", "watch", "explained")

_TYPES = {
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
}
_TABLES = (
    schema.NETWORKS,
    schema.MEMBERS,
    schema.CONTROLS,
    schema.NETWORK_FAMILIES,
    schema.NETWORK_TESTS,
    schema.NETWORK_ABLATIONS,
    schema.FINDINGS,
    schema.EVIDENCE,
    schema.HANDOFF_REQUESTS,
    schema.BLIND_SPOTS,
    schema.LINEAGE,
    schema.LINKS,
    schema.NETWORK_CAPABILITIES,
    schema.NETWORK_ELICITATION,
    schema.NETWORK_TRAFFIC,
    schema.NETWORK_PACE,
)
_SELDOM = {
    table.name: table
    for table in (
        schema.SHARED_VALUES,
        schema.WIDE_VALUES,
        schema.CLUSTERS,
        schema.CLUSTER_IDS,
        schema.CLUSTER_VALUES,
        schema.CLUSTER_FAMILIES,
        schema.CLUSTER_TESTS,
        schema.CLUSTER_ALTERNATIVES,
        schema.BOILERPLATE,
        schema.KNOWN_NETWORKS,
        schema.CONTEXT_EVENTS,
    )
}
"""Tables that only some blocks of a page read; shaped when the first of these is made."""
ACCOUNT_DAY_COLUMNS: Mapping[str, pl.DataType] = {
    "day": pl.Date(),
    "account_id": pl.String(),
    **dict.fromkeys(("request_count", "input_tokens", "output_tokens", *HOURS), pl.Int64()),
}


class Source:
    """Frames, manifest, configuration and wording of one run, with the look-ups that several pages need."""

    def __init__(self, frames: Mapping[str, pl.DataFrame], facts: RunFacts, config: Config, wording: Wording, past: Past, health: Report) -> None:
        self.facts, self.config, self.wording, self.past, self.health = facts, config, wording, past, health
        self._frames = {table.name: _whole(frames.get(table.name), table) for table in _TABLES}
        self.account_days = _shaped(frames.get("account_days"), ACCOUNT_DAY_COLUMNS)
        self._accounts = _shaped(frames.get("accounts"), {"account_key": pl.Int64(), "account_id": pl.String()})
        self.account_count = frames["accounts"].height if "accounts" in frames else None
        self.recalls = recalled(frames, [word.network_id for word in past.standing.verdict("confirmed")], config)
        """Networks that hold what a confirmed one made, where the run links nobody."""
        self.features = frames.get("accounts", self._accounts)
        self._given = {name: frames[name] for name in _SELDOM if name in frames}

    @functools.cached_property
    def networks(self) -> tuple[Row, ...]:
        """Networks in the order of the queue: tier, whole networks before groups too small for one, both axes together, size, id."""
        small = self.config.networks.min_accounts
        return tuple(sorted(self._frames["networks"].rows(named=True), key=lambda row: _queue_order(row, small)))

    @functools.cached_property
    def paged(self) -> frozenset[str]:
        """Networks that have a page: those large enough to be one."""
        return frozenset(row["network_id"] for row in self.networks if (row["account_count"] or 0) >= self.config.networks.min_accounts)

    @functools.cached_property
    def calendar(self) -> tuple[dt.date, ...]:
        """Each day of the window."""
        return calendar_of(self.facts.first_day, self.facts.last_day, self.account_days)

    @functools.cached_property
    def traffic(self) -> Mapping[str, GroupTraffic]:
        """Traffic of the members of each network."""
        return group_traffic(self.account_days, self._frames["members"], self.calendar)

    @functools.cached_property
    def control_traffic(self) -> Mapping[str, GroupTraffic]:
        """Traffic of the controls of each network."""
        return group_traffic(self.account_days, self._frames["controls"], self.calendar)

    @functools.cached_property
    def control_counts(self) -> Mapping[str, int]:
        """Control accounts of each network."""
        counts = self._frames["controls"].group_by("network_id").agg(pl.col("account_id").n_unique())
        return dict(counts.iter_rows())

    @functools.cached_property
    def scale(self) -> Scale | None:
        """The ratios calibrated on known truth that hold for this run; None if none was measured with its version, code and settings."""
        return scale_that_fits(self.facts.error_rates, self.facts.version)

    @property
    def blind_spots(self) -> tuple[Row, ...]:
        """Families with their status, as the table has them."""
        return tuple(self._frames["blind_spots"].sort("family").rows(named=True))

    @functools.cached_property
    def lineage(self) -> tuple[Row, ...]:
        """Lineage of all nights, oldest first."""
        frame = self._frames["lineage"]
        kept = frame.filter(~pl.col("is_superseded").fill_null(value=False)) if "is_superseded" in frame.columns else frame
        return tuple(kept.sort("night", "network_id", "event", "other_id").rows(named=True))

    @functools.cached_property
    def nights_of(self) -> Mapping[str, tuple[dt.date | None, dt.date | None]]:
        """By network: the first night it was seen, the first night it was for referral."""
        known = self.table("known_networks").group_by("network_id").agg(pl.col("first_night").min(), pl.col("first_flagged_night").min())
        return {name: (first, flagged) for name, first, flagged in known.iter_rows()}

    def lineage_of(self, network_id: str) -> list[Row]:
        """Lineage of one network, oldest night first."""
        return self._lineages.get(network_id, [])

    @functools.cached_property
    def _lineages(self) -> dict[str, list[Row]]:
        groups: dict[str, list[Row]] = {}
        for row in self.lineage:
            groups.setdefault(row["network_id"], []).append(row)
        return groups

    def table(self, name: str) -> pl.DataFrame:
        """A whole table of the run, with account_key and account_id alone for `accounts`."""
        if name == "accounts":
            return self._accounts
        if name not in self._frames:
            self._frames[name] = _whole(self._given.get(name), _SELDOM[name])
        return self._frames[name]

    def made(self, name: str) -> bool:
        """Whether the run has a table that pages seldom read; one by older code may lack it."""
        return name in self._given

    def of_network(self, table: str, network_id: str) -> pl.DataFrame:
        """The rows of a table that belong to a network, in the table's order."""
        return self._by_network(table).get(network_id, self._frames[table].clear())

    def evidence_of(self, finding_id: str) -> pl.DataFrame:
        """The evidence rows of a finding."""
        return self._evidence.get(finding_id, self._frames["evidence"].clear())

    def conversations_of(self, finding_id: str) -> pl.DataFrame:
        """The evidence rows of a finding that stand for an account's part in a handed-on conversation.

        With account_id and `conversation`, a number from 1; those of most accounts first.
        """
        turns = self._frames["handoff_requests"].select("session_key", "account_key", *_REFERENCE)
        rows = self.evidence_of(finding_id).join(turns, on=_REFERENCE).join(self._accounts, on="account_key")
        ordered = rows.with_columns(pl.len().over("session_key").alias("fellows")).sort("fellows", "session_key", "account_id", descending=[True, False, False])
        return ordered.with_columns(pl.struct("fellows", "session_key").rle_id().cast(pl.Int64).add(1).alias("conversation"))

    @functools.cached_property
    def _evidence(self) -> Mapping[str, pl.DataFrame]:
        return _groups(self._frames["evidence"], "finding_id")

    @functools.cached_property
    def _networked(self) -> dict[str, Mapping[str, pl.DataFrame]]:
        return {}

    def _by_network(self, table: str) -> Mapping[str, pl.DataFrame]:
        if table not in self._networked:
            self._networked[table] = _groups(self._frames[table], "network_id")
        return self._networked[table]


def _groups(frame: pl.DataFrame, column: str) -> Mapping[str, pl.DataFrame]:
    return {str(key[0]): part for key, part in frame.partition_by(column, as_dict=True, maintain_order=True).items()}


def _whole(frame: pl.DataFrame | None, table: schema.Table) -> pl.DataFrame:
    return _shaped(frame, {column.name: _TYPES[column.type] for column in table.columns})


def _shaped(frame: pl.DataFrame | None, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Exactly these columns; those that the frame lacks are null."""
    if frame is None:
        return pl.DataFrame(schema=dict(columns))
    present = [pl.col(name) if isinstance(kind, pl.Datetime) else pl.col(name).cast(kind) for name, kind in columns.items() if name in frame.columns]
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in frame.columns]
    return frame.select(*present, *absent).select(*columns)


def _queue_order(row: Row, min_accounts: int) -> tuple[int, bool, float, int, str]:
    tier = TIER_ORDER.index(row["tier"]) if row["tier"] in TIER_ORDER else len(TIER_ORDER)
    weight = (row["coordination_bits"] or 0.0) + (row["extraction_bits"] or 0.0)
    accounts = row["account_count"] or 0
    return tier, accounts < min_accounts, -round(weight, 6), -accounts, row["network_id"]
