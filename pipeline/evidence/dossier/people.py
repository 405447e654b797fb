"""The members as a list that may be shown: roles, bridges, doubtful places, features beside matched accounts, and technical traces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from pipeline.evidence.dossier.days import day_frames
from pipeline.evidence.finished import FinishedRun
from pipeline.features import FEATURES
from pipeline.pages.incident.parts import Country, Indicator, Member, Trait

ROLES = ("core", "bridge", "fringe")
LISTED = 25
"""Members of a kind that are listed one by one, at most."""
TRAITS = (
    "single_turn_share",
    "template_top_share",
    "near_duplicate_share",
    "prompt_distinct_share",
    "output_to_input_ratio",
    "output_tokens_mean",
    "max_tokens_use_share",
    "length_finish_share",
    "reasoning_share",
    "batch_share",
    "error_share",
    "rate_limited_share",
    "night_share",
    "active_hours_per_day",
    "requests_per_day",
    "model_count",
)
_LABELLED = {"ja4": "TLS client fingerprint (JA4)", "agent_product": "Client product (user agent)"}
_TRACES = 8
"""Traces of a type that are listed, at most."""
OWN_SHARE = 0.25
"""Members among the accounts that show a trace, at least: what mostly strangers show is no indicator."""


def member_list(members: pl.DataFrame, named: Callable[[str], str]) -> tuple[Member, ...]:
    """Rows of `members` as they may be shown."""
    return tuple(
        Member(
            named(row["account_id"]),
            row["role"] or "",
            row["membership"],
            row["bits"],
            row["request_count"] or 0,
            named(row["strongest_account_id"]) if row["strongest_account_id"] else "",
            row["strongest_bits"],
            row["strongest_kind"] or "",
            row["extraction_score"],
        )
        for row in members.iter_rows(named=True)
    )


def bridges(members: pl.DataFrame) -> pl.DataFrame:
    """Members between blocks, those with most bits first."""
    return members.filter(pl.col("role") == "bridge").sort("bits", "account_id", descending=[True, False], nulls_last=True)


def doubtful(members: pl.DataFrame) -> pl.DataFrame:
    """Members whose place is weakest: on the fringe, or with membership below one half; the weakest first."""
    weak = (pl.col("role") == "fringe") | (pl.col("membership").fill_null(0.0) < 0.5)
    return members.filter(weak).sort("membership", "bits", "account_id", nulls_last=False)


def role_counts(members: pl.DataFrame) -> tuple[tuple[str, int], ...]:
    """Members by role, in the order core, bridge, fringe."""
    counts = dict(members.group_by("role").len().iter_rows())
    return tuple((role, int(counts.get(role, 0))) for role in ROLES)


def membership_curve(members: pl.DataFrame) -> tuple[tuple[float, int], ...]:
    """(bits, members whose median bits reach them) at whole bits from 0 to the most."""
    bits = members["bits"].drop_nulls()
    top = int(float(str(bits.max()))) + 1 if len(bits) else 0
    step = max(1, -(-top // 40))
    return tuple((float(level), int((bits >= level).sum())) for level in range(0, top + step, step)) if len(bits) else ()


def traits(members: pl.DataFrame, controls: pl.DataFrame) -> tuple[Trait, ...]:
    """Quartiles of features over members and controls (rows of `accounts`); a feature that neither has is left out by the page."""
    units = {feature.name: feature.unit or ("0..1" if feature.name.endswith("_share") else "") for feature in FEATURES}
    return tuple(
        Trait(name, units[name], _quartiles(members, name), _quartiles(controls, name), members[name].drop_nulls().len(), controls[name].drop_nulls().len())
        for name in TRAITS
        if name in members.columns
    )


def _quartiles(frame: pl.DataFrame, name: str) -> tuple[float, float, float] | None:
    known = frame[name].drop_nulls().cast(pl.Float64).sort()
    if not len(known):
        return None
    low, middle, high = (round(float(str(known.quantile(share, interpolation="linear"))), 6) for share in (0.25, 0.5, 0.75))
    return low, middle, high


def countries(found: Iterable[tuple[str, int, int]], regions: Sequence[str] | None, shown: Callable[[str], str]) -> tuple[Country, ...]:
    """Countries with requests and accounts, against the supplied region list."""
    supported = None if regions is None else frozenset(regions)
    return tuple(
        Country(shown(country) if country else "not logged", requests, accounts, None if supported is None or not country else country in supported)
        for country, requests, accounts in found
    )


def indicators(run: FinishedRun, members: pl.DataFrame, shown: Callable[[str], str]) -> tuple[tuple[Indicator, ...], int]:
    """(client fingerprints and products that members show, those of most members first; how many more are shown mostly by strangers). In: account_key."""
    columns, labelled = ("day", "kind", "account_key", "value_key"), pl.col("kind").is_in(list(_LABELLED))
    days = [day.group_by("kind", "value_key", "account_key").agg(pl.col("day").first()) for day in day_frames(run, "account_entities", columns, members["account_key"], labelled)]
    if not days:
        return (), 0
    facts = (
        pl.concat(days).group_by("kind", "value_key").agg(pl.col("account_key").n_unique().alias("members"), pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))
    )
    top = facts.filter(pl.col("members") >= 2).sort("kind", "members", "value_key", descending=[False, True, False])
    kept = pl.concat([top.clear(), *(part.head(_TRACES) for part in top.partition_by("kind", maintain_order=True))])
    holders, labels = _holders(run, kept), _labels(run, kept)
    own = [row for row in kept.iter_rows(named=True) if row["members"] >= OWN_SHARE * holders.get((row["kind"], row["value_key"]), 0)]
    return tuple(_indicator(row, holders, labels, shown) for row in own), kept.height - len(own)


_Value = tuple[str, int]


def _indicator(row: Mapping[str, Any], holders: Mapping[_Value, int], labels: Mapping[_Value, str], shown: Callable[[str], str]) -> Indicator:
    value = row["kind"], row["value_key"]
    label = labels.get(value)
    return Indicator(_LABELLED[row["kind"]], "not logged as text" if label is None else shown(label), int(row["members"]), holders.get(value), row["first"], row["last"])


def _holders(run: FinishedRun, kept: pl.DataFrame) -> dict[_Value, int]:
    """Accounts of the whole log that show each value."""
    keys = pl.col("value_key").is_in(kept["value_key"].implode()) & pl.col("kind").is_in(list(_LABELLED))
    days = [day.unique() for day in day_frames(run, "account_entities", ("kind", "account_key", "value_key"), where=keys)] if kept.height else []
    everyone = pl.concat(days).group_by("kind", "value_key").agg(pl.col("account_key").n_unique()) if days else kept.clear().select("kind", "value_key", "members")
    return {(kind, key): int(count) for kind, key, count in everyone.iter_rows()}


def _labels(run: FinishedRun, kept: pl.DataFrame) -> dict[_Value, str]:
    """The text of each value, from the first day that has it."""
    found: dict[_Value, str] = {}
    if kept.height:
        for kind, key, label in run.days_among("labels", ("kind", "value_key", "label"), {"value_key": kept["value_key"].to_list()}).iter_rows():
            found.setdefault((kind, key), label)
    return found
