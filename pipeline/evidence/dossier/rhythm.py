"""When the members worked: by day and by hour of the week, one by one, and from the first request of each to its last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from pipeline.evidence.dossier.days import day_frames
from pipeline.evidence.finished import FinishedRun
from pipeline.pages.incident.parts import Intensity, Life, LifeDay, Series, Traffic
from pipeline.pages.traffic import HOURS, GroupTraffic, group_traffic

MULTIPLES, LIVES = 30, 60
"""Accounts that are drawn one by one, at most."""
ROUND_THE_CLOCK_HOURS = 20
_COLUMNS = ("day", "account_key", "request_count", "input_tokens", "output_tokens", "rate_limited_count", "active_hours", *HOURS)
_EPOCH = dt.date(1970, 1, 1)
_DAY_US = 86_400_000_000


def account_days(run: FinishedRun, accounts: pl.DataFrame) -> pl.DataFrame:
    """The days of these accounts (account_key, account_id), all days of the run, with account_id; sorted by day and account."""
    known = accounts.select("account_key", "account_id").unique()
    parts = [day.join(known, on="account_key") for day in day_frames(run, "account_days", _COLUMNS, known["account_key"])]
    return pl.concat(parts).sort("day", "account_id") if parts else pl.DataFrame(schema=dict.fromkeys((*_COLUMNS, "account_id"), pl.Int64))


def traffic(days: pl.DataFrame, groups: pl.DataFrame, calendar: Sequence[dt.date]) -> dict[str, Traffic]:
    """Traffic by network_id of the accounts that `groups` (network_id, account_id) puts there."""
    sizes = dict(groups.group_by("network_id").agg(pl.col("account_id").n_unique()).iter_rows())
    found = group_traffic(days, groups, calendar)
    none = GroupTraffic()
    return {network: _traffic(size, found.get(network, none)) for network, size in sizes.items()}


def _traffic(accounts: int, found: GroupTraffic) -> Traffic:
    return Traffic(accounts, found.days, found.week, found.total)


def intensity(days: pl.DataFrame) -> Intensity:
    """How densely the accounts of these days work. Empty: zeros."""
    if days.is_empty():
        return Intensity(0, 0, 0, 0.0)
    busiest = days.select(pl.max_horizontal(*HOURS).max()).item()
    whole = int((days["active_hours"] >= ROUND_THE_CLOCK_HOURS).sum())
    middle = days["request_count"].median()
    return Intensity(days.height, whole, int(busiest), float(str(middle)))


def limited(days: pl.DataFrame, calendar: Sequence[dt.date]) -> tuple[int, ...]:
    """Throttled requests of each day of the calendar."""
    found = dict(days.group_by("day").agg(pl.col("rate_limited_count").sum()).iter_rows())
    return tuple(int(found.get(day, 0)) for day in calendar)


def multiples(days: pl.DataFrame, calendar: Sequence[dt.date], named: Callable[[str], str]) -> tuple[Series, ...]:
    """Requests a day of up to thirty accounts, evenly chosen from the busiest to the quietest."""
    order = days.group_by("account_id").agg(pl.col("request_count").sum()).sort("request_count", "account_id", descending=[True, False])["account_id"].to_list()
    chosen = evenly(order, MULTIPLES)
    by_account = {account: dict(part.select("day", "request_count").iter_rows()) for (account,), part in _of(days, chosen).items()}
    return tuple(Series(named(account), tuple(int(by_account[account].get(day, 0)) for day in calendar)) for account in chosen)


def _of(days: pl.DataFrame, accounts: Sequence[str]) -> Mapping[tuple[object, ...], pl.DataFrame]:
    return days.filter(pl.col("account_id").is_in(list(accounts))).partition_by("account_id", as_dict=True)


def evenly(order: Sequence[str], most: int) -> list[str]:
    """At most `most` entries at equal steps, the first and the last among them."""
    if len(order) <= most:
        return list(order)
    return [order[round(place * (len(order) - 1) / (most - 1))] for place in range(most)]


def lives(members: pl.DataFrame, bans: Mapping[str, dt.date], named: Callable[[str], str]) -> tuple[Life, ...]:
    """Up to sixty accounts by first request. In: account_id, first_us, last_us of the members."""
    order = members.sort("first_us", "last_us", "account_id")
    rows = {row["account_id"]: row for row in order.iter_rows(named=True)}
    return tuple(_life(rows[account], bans, named) for account in evenly(list(rows), LIVES))


def _life(row: Mapping[str, int | str | None], bans: Mapping[str, dt.date], named: Callable[[str], str]) -> Life:
    account = str(row["account_id"])
    first, last = _day(row["first_us"]), _day(row["last_us"])
    if first is None or last is None:
        raise ValueError("a member without a request in the window")
    return Life(named(account), first, last, bans.get(account))


def life_days(members: pl.DataFrame, bans: Mapping[str, dt.date], calendar: Sequence[dt.date]) -> tuple[LifeDay, ...]:
    """First and last requests and bans of members on each day of the calendar."""
    first, last = (_counts([_day(value) for value in members[column]]) for column in ("first_us", "last_us"))
    own = set(members["account_id"].to_list())
    banned = _counts([day for account, day in bans.items() if account in own])
    return tuple(LifeDay(day, first.get(day, 0), last.get(day, 0), banned.get(day, 0)) for day in calendar)


def _counts(days: Sequence[dt.date | None]) -> dict[dt.date, int]:
    found: dict[dt.date, int] = {}
    for day in days:
        if day is not None:
            found[day] = found.get(day, 0) + 1
    return found


def _day(us: int | str | None) -> dt.date | None:
    return None if us is None else _EPOCH + dt.timedelta(days=int(us) // _DAY_US)
