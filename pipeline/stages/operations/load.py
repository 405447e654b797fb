"""Equalised load: whether requests are dealt out over members more evenly than chance deals them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.measures.dealt import chance_of_less, dealt_tables, unevenness
from pipeline.measures.nulls import permutation_p
from pipeline.stages.operations import Outcome
from pipeline.stages.population import Population

Ints = NDArray[np.int64]

MIN_DAYS, MIN_MEMBERS, MAX_MEMBERS = 5, 5, 24
"""Days and members that make a table, and members that are looked at: more cost more and tell no more."""
MIN_CELL = 1.0
"""Requests a member and day, on average, from which a table tells."""
DRAWS, PLAIN = 999, 0.25
"""Random tables behind a p-value; from this lower tail of the chi-square distribution on, which no reader looks at, that tail is given and no table is drawn."""
DEALT = "all tables of accounts by days with the same totals: each request goes to an account by chance"


@dataclass(frozen=True)
class Days:
    """Requests by account and day: rows of daily_requests with positions, sorted; the days are numbered from 0."""

    account: Ints
    day: Ints
    requests: Ints


def day_counts(daily: pl.DataFrame, people: Population) -> Days:
    """In: rows of daily_requests."""
    day = daily["day"].to_physical().to_numpy().astype(np.int64)
    account = people.positions(daily["account_key"]).astype(np.int64)
    order = np.lexsort((day, account))
    start = int(day.min()) if len(day) else 0
    return Days(account[order], (day - start)[order], daily["request_count"].to_numpy().astype(np.int64)[order])


def even_load(days: Days, members: Ints, rng: np.random.Generator) -> Outcome:
    """Chi-square of the members' requests by days over its degrees of freedom, against random tables of the same totals. In: ascending positions."""
    table, positions = common_days(days, members)
    if table.shape[0] < MIN_MEMBERS or table.shape[1] < MIN_DAYS:
        return Outcome("coordination", reason=f"needs {MIN_MEMBERS} members with requests before, after and on {MIN_DAYS} common days")
    if table.sum() < MIN_CELL * table.size:
        return Outcome("coordination", reason="members send less than one request a day on their common days")
    observed = float(unevenness(table[None])[0])
    p_value, null = chance_of_less(table), np.ones(1)
    if p_value < PLAIN:
        null = unevenness(dealt_tables(table, DRAWS, rng))
        p_value = permutation_p(-observed, -null)
    count = len(null) if len(null) > 1 else 0
    return Outcome("coordination", "ratio", observed, math.fsum(null) / len(null), p_value, count, int(table.sum()), DEALT, "ran", "", lambda: _dealt_to(positions))


def _dealt_to(positions: Ints) -> pl.DataFrame:
    return pl.DataFrame({"account": positions, "strength": np.zeros(len(positions), np.int64)})


def common_days(days: Days, members: Ints) -> tuple[Ints, Ints]:
    """Requests of members on the days strictly between the first and the last of half of them, for those members who were there before and after, and who they are.

    An account that is born or banned meanwhile would look uneven. Days and members without a request are left out. Out: (members, days); their positions.
    """
    begin, end = np.searchsorted(days.account, members), np.searchsorted(days.account, members, side="right")
    there = begin < end
    begin, end, some = begin[there], end[there], members[there]
    if not len(some):
        return np.zeros((0, 0), np.int64), some
    first, last = int(np.median(days.day[begin])), int(np.ceil(np.median(days.day[end - 1])))
    whole = (days.day[begin] <= first) & (days.day[end - 1] >= last)
    begin, end, some = begin[whole][:MAX_MEMBERS], end[whole][:MAX_MEMBERS], some[whole][:MAX_MEMBERS]
    table = np.zeros((len(some), max(last - first - 1, 0)), np.int64)
    for row, (a, b) in enumerate(zip(begin, end, strict=True)):
        inside = (days.day[a:b] > first) & (days.day[a:b] < last)
        table[row, days.day[a:b][inside] - first - 1] = days.requests[a:b][inside]
    used = table.sum(axis=1) > 0
    table, some = table[used], some[used]
    return (table[:, table.sum(axis=0) > 0] if len(table) else table), some
