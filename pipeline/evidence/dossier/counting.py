"""One pass over the requests of the networks: every counting unit by account class, model and month, and what recurs.

Distinct conversations and prompts are counted exactly, by sorting keys a class at a time. Everything is an integer; sums do not depend on the order of rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.evidence.dossier.days import day_frames
from pipeline.evidence.finished import FinishedRun
from pipeline.pages.incident.parts import Concentration, Template, Units, Volume

Keys = NDArray[np.int64]
Class = tuple[str, str, str, str]
"""(network_id, role, model, month)."""

TOP_TEMPLATES = 15
NO_MODEL = "not logged"
_COLUMNS = "account_key ts_us session_key model prompt_key skeleton_key input_tokens output_tokens cost_micro_usd country status_code is_rate_limited is_cached_response".split()
_DAY_US = 86_400_000_000


@dataclass
class Counted:
    """What the requests of one network add up to."""

    volumes: tuple[Volume, ...] = ()
    units: Units = field(default_factory=Units)
    model_days: Mapping[str, Mapping[dt.date, int]] = field(default_factory=dict)
    countries: tuple[tuple[str, int, int], ...] = ()
    """(country, requests, accounts)"""
    concentration: Concentration = field(default_factory=lambda: Concentration((), 0, 0))
    templates: tuple[Template, ...] = ()


class _Distinct:
    """Distinct keys by class, in chunks that are thinned out as they come."""

    def __init__(self) -> None:
        self._parts: dict[Class, list[Keys]] = {}

    def add(self, frame: pl.DataFrame, column: str) -> None:
        """Take the keys of a frame with the four columns of a class."""
        known = frame.filter(pl.col(column).is_not_null()).select("network_id", "role", "model", "month", column)
        for group, part in known.partition_by("network_id", "role", "model", "month", as_dict=True, include_key=False).items():
            network, role, model, month = (str(value) for value in group)
            self._parts.setdefault((network, role, model, month), []).append(_distinct([part[column].to_numpy().astype(np.int64)]))

    def counts(self) -> tuple[dict[Class, int], dict[str, int]]:
        """(distinct keys of each class, distinct keys of each network)."""
        by_class: dict[Class, int] = {}
        by_network: dict[str, int] = {}
        for network in sorted({group[0] for group in self._parts}):
            own = []
            for group in [group for group in self._parts if group[0] == network]:
                own.append(_distinct(self._parts.pop(group)))
                by_class[group] = len(own[-1])
            by_network[network] = len(_distinct(own))
        return by_class, by_network


def _distinct(parts: list[Keys]) -> Keys:
    """The distinct keys of all parts, ascending. Sorting costs a third of what numpy's own `unique` does, which hashes."""
    keys = np.concatenate(parts)
    parts.clear()
    keys.sort()
    return keys[np.concatenate(([True], keys[1:] != keys[:-1]))] if len(keys) else keys


def count_requests(run: FinishedRun, members: pl.DataFrame) -> dict[str, Counted]:
    """By network. In: account_key, network_id, role, one row a member. Requests are those of the run's window, as kept by the ingest."""
    keys = members["account_key"].unique().sort()
    sums, places, skeletons = [], [], []
    conversations, prompts = _Distinct(), _Distinct()
    for day in day_frames(run, "requests", _COLUMNS, keys):
        rows = _classed(day, members)
        sums.append(_sums(rows))
        places.append(rows.group_by("network_id", "country", "account_key").len("requests"))
        skeletons.append(rows.filter(pl.col("skeleton_key").is_not_null()).group_by("network_id", "skeleton_key").len("requests"))
        conversations.add(rows, "session_key")
        prompts.add(rows, "prompt_key")
    return _assembled(run, members, pl.concat(sums) if sums else None, places, skeletons, conversations.counts(), prompts.counts())


def skeleton_counts(run: FinishedRun, accounts: pl.DataFrame) -> dict[str, Concentration]:
    """How requests gather on skeletons, by network_id of the accounts (account_key, network_id); an account may stand under several."""
    parts = []
    for day in day_frames(run, "requests", ("account_key", "skeleton_key"), accounts["account_key"].unique().sort()):
        rows = day.filter(pl.col("skeleton_key").is_not_null()).join(accounts, on="account_key")
        parts.append(rows.group_by("network_id", "skeleton_key").len("requests"))
    return {network: _concentration(counts) for network, counts in _by_skeleton(parts).items()}


def _classed(day: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    date = (pl.col("ts_us") // _DAY_US).cast(pl.Int32).cast(pl.Date)
    rows = day.join(members.select("account_key", "network_id", "role"), on="account_key", maintain_order="left")
    return rows.with_columns(pl.col("model").fill_null(NO_MODEL), date.alias("day"), date.dt.strftime("%Y-%m").alias("month"))


def _sums(rows: pl.DataFrame) -> pl.DataFrame:
    ok = (pl.col("status_code").fill_null(0) < 400) & ~pl.col("is_rate_limited").fill_null(value=False) & ~pl.col("is_cached_response").fill_null(value=False)
    return rows.group_by("network_id", "role", "model", "month", "day").agg(
        pl.len().cast(pl.Int64).alias("requests"),
        pl.col("session_key").is_not_null().sum().cast(pl.Int64).alias("turns"),
        pl.col("input_tokens").sum().cast(pl.Int64),
        pl.col("output_tokens").sum().cast(pl.Int64),
        (ok & (pl.col("output_tokens") > 0)).sum().cast(pl.Int64).alias("harvested"),
        pl.col("cost_micro_usd").sum().cast(pl.Int64),
        pl.col("cost_micro_usd").is_not_null().sum().cast(pl.Int64).alias("cost_known"),
    )


_SUMMED = ("requests", "turns", "input_tokens", "output_tokens", "harvested", "cost_micro_usd", "cost_known")
_Counts = tuple[dict[Class, int], dict[str, int]]


def _assembled(
    run: FinishedRun,
    members: pl.DataFrame,
    sums: pl.DataFrame | None,
    places: Sequence[pl.DataFrame],
    skeletons: Sequence[pl.DataFrame],
    conversations: _Counts,
    prompts: _Counts,
) -> dict[str, Counted]:
    counts = _by_skeleton(skeletons)
    top = {network: table.head(TOP_TEMPLATES) for network, table in counts.items()}
    templates = _templates(run, members, top)
    found = {}
    for network in members["network_id"].unique().sort().to_list():
        own = sums.filter(pl.col("network_id") == network) if sums is not None else None
        found[network] = Counted(
            volumes=_volumes(own, conversations[0], prompts[0]),
            units=_whole(own, conversations[1].get(network, 0), prompts[1].get(network, 0)),
            model_days=_model_days(own),
            countries=_countries(places, network),
            concentration=_concentration(counts.get(network)),
            templates=templates.get(network, ()),
        )
    return found


def _volumes(own: pl.DataFrame | None, conversations: Mapping[Class, int], prompts: Mapping[Class, int]) -> tuple[Volume, ...]:
    if own is None:
        return ()
    grain = ("network_id", "role", "model", "month")
    rows = own.group_by(grain).agg(pl.col(name).sum() for name in _SUMMED).sort(grain)
    return tuple(_volume(row, conversations, prompts) for row in rows.rows(named=True))


def _volume(row: Mapping[str, object], conversations: Mapping[Class, int], prompts: Mapping[Class, int]) -> Volume:
    group = str(row["network_id"]), str(row["role"]), str(row["model"]), str(row["month"])
    summed = {name: int(str(row[name])) for name in _SUMMED}
    return Volume(*group[1:], units=Units(conversations=conversations.get(group, 0), prompts=prompts.get(group, 0), **summed))


def _whole(own: pl.DataFrame | None, conversations: int, prompts: int) -> Units:
    if own is None or own.is_empty():
        return Units()
    return Units(conversations=conversations, prompts=prompts, **{name: int(own[name].sum()) for name in _SUMMED})


def _model_days(own: pl.DataFrame | None) -> dict[str, dict[dt.date, int]]:
    if own is None:
        return {}
    rows = own.group_by("model", "day").agg(pl.col("requests").sum()).sort("model", "day")
    found: dict[str, dict[dt.date, int]] = {}
    for model, day, requests in rows.iter_rows():
        found.setdefault(model, {})[day] = requests
    return found


def _countries(places: Sequence[pl.DataFrame], network: str) -> tuple[tuple[str, int, int], ...]:
    """Countries of requests, most requests first; requests without one under ''."""
    rows = pl.concat([place.filter(pl.col("network_id") == network) for place in places]) if places else None
    if rows is None:
        return ()
    found = rows.with_columns(pl.col("country").fill_null("")).group_by("country").agg(pl.col("requests").sum(), pl.col("account_key").n_unique().alias("accounts"))
    return tuple((country, int(requests), int(accounts)) for country, requests, accounts in found.sort("requests", "country", descending=[True, False]).iter_rows())


def _by_skeleton(parts: Sequence[pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Skeletons of each network, most frequent first, ties by key."""
    if not parts:
        return {}
    rows = pl.concat(parts).group_by("network_id", "skeleton_key").agg(pl.col("requests").sum().cast(pl.Int64))
    ordered = rows.sort("network_id", "requests", "skeleton_key", descending=[False, True, False])
    return {str(key[0]): part for key, part in ordered.partition_by("network_id", as_dict=True, maintain_order=True).items()}


def _concentration(counts: pl.DataFrame | None) -> Concentration:
    if counts is None or counts.is_empty():
        return Concentration((), 0, 0)
    running = np.cumsum(counts["requests"].to_numpy())
    total, size = int(running[-1]), len(running)
    steps = sorted({step for power in range(8) for step in (10**power, 2 * 10**power, 5 * 10**power) if step < size} | {size})
    return Concentration(tuple((step, round(int(running[step - 1]) / total, 6)) for step in steps), size, total)


def _templates(run: FinishedRun, members: pl.DataFrame, top: Mapping[str, pl.DataFrame]) -> dict[str, tuple[Template, ...]]:
    """The most frequent skeletons once more, with accounts, distinct prompts and the length of their prompts."""
    if not top:
        return {}
    wanted = pl.concat([table.select("network_id", "skeleton_key") for table in top.values()])
    parts = []
    for day in day_frames(run, "requests", ("account_key", "skeleton_key", "prompt_key", "prompt_words"), members["account_key"].unique().sort()):
        rows = day.join(members.select("account_key", "network_id"), on="account_key").join(wanted, on=["network_id", "skeleton_key"], how="semi")
        parts.append(rows.group_by("network_id", "skeleton_key", "account_key", "prompt_key").agg(pl.col("prompt_words").first()))
    whole = pl.concat(parts).unique(["network_id", "skeleton_key", "account_key", "prompt_key"])
    facts = whole.group_by("network_id", "skeleton_key").agg(
        pl.col("account_key").n_unique().alias("accounts"), pl.col("prompt_key").n_unique().alias("prompts"), pl.col("prompt_words").median().alias("words")
    )
    return {network: _named(table.join(facts, on=["network_id", "skeleton_key"], maintain_order="left")) for network, table in top.items()}


def _named(table: pl.DataFrame) -> tuple[Template, ...]:
    return tuple(
        Template(f"{row['skeleton_key']:016x}", int(row["accounts"]), int(row["requests"]), int(row["prompts"]), None if row["words"] is None else round(row["words"]))
        for row in table.rows(named=True)
    )
