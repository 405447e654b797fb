"""What accounts did day by day: requests of networks for sparklines, and the days of some accounts with tokens and marks.

Days without a request are there with 0, so that a gap shows as a gap; a day whose tables were dropped since is unknown, not 0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipeline.evidence.finished import FinishedRun


def calendar(run: FinishedRun) -> list[dt.date]:
    """Each day of the run's window, in order."""
    window = run.manifest()["window"]
    first, last = dt.date.fromisoformat(window["first_day"]), dt.date.fromisoformat(window["last_day"])
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def requests_by_day(run: FinishedRun, groups: pl.DataFrame) -> dict[str, list[int]]:
    """Requests a day over the calendar, by group. In: `group` and `account_key`. A group without a request is left out."""
    days = {day: place for place, day in enumerate(calendar(run))}
    daily = run.among("daily_requests", {"account_key": groups["account_key"].unique().to_list()})
    summed = daily.join(groups, on="account_key").group_by("group", "day").agg(pl.col("request_count").sum())
    found: dict[str, list[int]] = {}
    for group, day, count in summed.iter_rows():
        found.setdefault(group, [0] * len(days))[days[day]] = int(count)
    return found


def network_days(run: FinishedRun, network_ids: Iterable[str]) -> dict[str, list[int]]:
    """Requests a day of networks, by id."""
    members = run.among("members", {"network_id": list(network_ids)}).select("account_id", group="network_id")
    keys = run.columns("accounts", "account_id", "account_key")
    return requests_by_day(run, members.join(keys, on="account_id").select("group", "account_key"))


DAY_COLUMNS = ("day", "account_key", "request_count", "input_tokens", "output_tokens", "rate_limited_count", "error_count", "first_us", "last_us")


def account_days(run: FinishedRun, account_keys: Iterable[int]) -> pl.DataFrame:
    """The days of some accounts, in DAY_COLUMNS, by day and account."""
    wanted = pl.Series("account_key", sorted(account_keys), dtype=pl.Int64)
    return run.scan_days("account_days", DAY_COLUMNS, pl.col("account_key").is_in(wanted.implode())).sort("day", "account_key")


def day_totals(run: FinishedRun, days: pl.DataFrame) -> list[Mapping[str, Any]]:
    """One row a day of the calendar: day, accounts, requests, input_tokens, output_tokens, rate_limited, errors; None on a day whose tables are gone."""
    count = pl.col("account_key").len().alias("accounts")
    sums = [pl.col(source).sum().cast(pl.Int64).alias(name) for name, source in _SUMS.items()]
    found = {row["day"]: row for row in days.group_by("day").agg(count, *sums).rows(named=True)} if days.height else {}
    gone = {dt.date.fromisoformat(day) for day in run.dropped_days()}
    empty = {"accounts": 0, **dict.fromkeys(_SUMS, 0)}
    return [found.get(day) or {"day": day, **(dict.fromkeys(empty) if day in gone else empty)} for day in calendar(run)]


_SUMS = {"requests": "request_count", "input_tokens": "input_tokens", "output_tokens": "output_tokens", "rate_limited": "rate_limited_count", "errors": "error_count"}
