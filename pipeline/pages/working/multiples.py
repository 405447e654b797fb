"""Members one by one, all on the same scales: requests a day, and below them the hours of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import redact
from pipeline.pages import numbers
from pipeline.pages.incident.drawings.canvas import BLUE, WIDTH, Canvas, cividis, short
from pipeline.pages.pieces import Numbering, unnumbered_table
from pipeline.pages.records import Cell, Figure, Picture, Table
from pipeline.pages.source import Row
from pipeline.pages.traffic import HOURS
from pipeline.pages.working.bench import Bench
from pipeline.pages.working.wording import say

if TYPE_CHECKING:
    from markupsafe import Markup

Floats = NDArray[np.float64]

SHOWN = 30
"""Accounts that are drawn, at most."""
DAYS_DRAWN, STRETCH = 92, 7
"""In a longer window a bar is so many days."""
_SHADES = 6
_SOME, _CLEAR = 0.15, 0.4
"""Correlations from which the caption speaks of a loose and of a clear common rhythm, if they are twice that of matched accounts, too."""


@dataclass(frozen=True)
class Member:
    """One account: requests of each day (or stretch of days) and of each hour of the day."""

    account_id: str
    days: tuple[int, ...]
    hours: tuple[int, ...]

    @property
    def total(self) -> int:
        """Requests in the window."""
        return sum(self.days)


def multiples_figure(bench: Bench, network: Row, numbering: Numbering) -> Figure:
    """The figure of one network."""
    anchor, label = numbering.figure()
    calendar, days = bench.source.calendar, bench.days(network["network_id"])
    active = days.filter(pl.col("request_count") > 0)["account_id"].n_unique()
    stretch = 1 if len(calendar) <= DAYS_DRAWN else STRETCH
    members = series(days, calendar, stretch)
    caption = _answer(bench, network, members, calendar, stretch)
    return Figure(
        anchor=anchor,
        label=label,
        caption=caption,
        question=say("multiples", "question"),
        counted=f"n = {numbers.counted(len(members), 'members')} of {numbers.count(active)} with traffic; {say('multiples', 'scale')}",
        left_out=_left_out(active - len(members), stretch),
        pictures=(Picture("", _picture(members, f"{anchor}-a", caption)),) if members else (),
        data=_data(members, calendar, stretch, anchor, label),
        absent="" if members else say("multiples", "absent"),
    )


def series(days: pl.DataFrame, calendar: Sequence[dt.date], stretch: int) -> tuple[Member, ...]:
    """Up to `SHOWN` accounts, evenly chosen from the busiest to the quietest. In: account_id, day, request_count and, if there, the hours."""
    inside = days.filter(pl.col("day").is_in(list(calendar)))
    order = inside.group_by("account_id").agg(pl.col("request_count").sum()).filter(pl.col("request_count") > 0).sort("request_count", "account_id", descending=[True, False])
    chosen = _evenly(order["account_id"].to_list())
    hours = [name for name in HOURS if name in inside.columns]
    own = inside.filter(pl.col("account_id").is_in(chosen))
    by_day: dict[str, dict[dt.date, int]] = {account: {} for account in chosen}
    for account, day, count in own.select("account_id", "day", "request_count").iter_rows():
        by_day[account][day] = int(count or 0)
    sums = {row[0]: row[1:] for row in own.group_by("account_id").agg(pl.col(name).sum() for name in hours).iter_rows()}
    return tuple(_member(account, [by_day[account].get(day, 0) for day in calendar], sums[account] or (0,) * 24, stretch) for account in chosen)


def _evenly(order: Sequence[str]) -> list[str]:
    if len(order) <= SHOWN:
        return list(order)
    return [order[round(place * (len(order) - 1) / (SHOWN - 1))] for place in range(SHOWN)]


def _member(account: str, counts: Sequence[int], hours: Sequence[int | None], stretch: int) -> Member:
    return Member(account, tuple(sum(counts[at : at + stretch]) for at in range(0, len(counts), stretch)), tuple(int(count or 0) for count in hours))


def likeness(days: Sequence[Sequence[int]]) -> float | None:
    """Median Pearson correlation of two accounts' requests by day, over all pairs whose requests vary; None if there is no such pair."""
    if not days or not days[0]:
        return None
    table = np.array(days, dtype=np.float64)
    centred = table - table.mean(axis=1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=1))
    varied = centred[norm > 1e-9] / norm[norm > 1e-9][:, None]
    if len(varied) < 2:
        return None
    a, b = np.triu_indices(len(varied), k=1)
    return round(float(np.median((varied[a] * varied[b]).sum(axis=1))), 6)


def _answer(bench: Bench, network: Row, members: Sequence[Member], calendar: Sequence[dt.date], stretch: int) -> str:
    own = likeness([one.days for one in members])
    if own is None:
        return say("multiples", "too_few")
    network_id, minimum = network["network_id"], bench.source.config.pages.control_minimum
    others = series(bench.control_days(network_id), calendar, stretch) if bench.source.control_counts.get(network_id, 0) >= minimum else ()
    theirs = likeness([one.days for one in others]) if len(others) >= minimum else None
    if theirs is None:
        return say("multiples", "alone", own=numbers.decimal(own, 2))
    verdict = "apart" if own < max(_SOME, 2 * theirs) else "together" if own >= _CLEAR else "loosely"
    return say("multiples", verdict, own=numbers.decimal(own, 2), theirs=numbers.decimal(theirs, 2), n=numbers.counted(len(others), "matched accounts"))


def _left_out(rest: int, stretch: int) -> str:
    parts = [say("multiples", "rest", rest=numbers.counted(rest, "members"))] if rest > 0 else []
    parts += [say("multiples", "stretch", days=numbers.count(stretch))] if stretch > 1 else []
    return " ".join([*parts, say("multiples", "utc")])


def _picture(members: Sequence[Member], name: str, description: str) -> Markup:
    columns, height = 5, 78
    width = WIDTH / columns
    top = max(max(one.days) for one in members) or 1
    most = max(max(one.hours) / one.total for one in members) or 1.0
    canvas = Canvas(WIDTH, -(-len(members) // columns) * height + 34)
    for place, one in enumerate(members):
        x, y = place % columns * width + 6, place // columns * height + 6
        _panel(canvas, one, x, y, width - 16, top, most)
    _key(canvas, -(-len(members) // columns) * height + 20, top, most)
    return canvas.drawn(name, "Members one by one", description)


def _panel(canvas: Canvas, one: Member, x: float, y: float, width: float, top: int, most: float) -> None:
    step = width / max(1, len(one.days))
    canvas.text(x, y + 9, short(redact.identifier(one.account_id), 23), size=10)
    canvas.line(x, y + 50, x + width, y + 50, opacity=0.4)
    canvas.boxes([(x + at * step, y + 50 - 36 * count / top, max(0.8, step - 0.6), 36 * count / top) for at, count in enumerate(one.days) if count], BLUE)
    shades: dict[int, list[tuple[float, float, float, float]]] = {}
    for hour, count in enumerate(one.hours):
        shades.setdefault(-(-_SHADES * count // max(1, round(most * one.total))) if count else 0, []).append((x + hour * width / 24, y + 54, width / 24, 8))
    for shade, boxes in sorted(shades.items()):
        canvas.boxes(boxes, cividis(min(shade, _SHADES) / _SHADES))


def _key(canvas: Canvas, y: float, top: int, most: float) -> None:
    canvas.rect(6, y - 2, 12, 10, BLUE)
    canvas.text(24, y + 7, f"requests a day; full height: {numbers.count(top)}", size=10)
    for shade in range(_SHADES + 1):
        canvas.rect(310 + 14 * shade, y - 2, 14, 10, cividis(shade / _SHADES))
    canvas.text(310 + 14 * (_SHADES + 1) + 6, y + 7, f"hour of day, 00 to 23 UTC: none to {numbers.percent(most, 0)} of the account's requests".replace("\u202f", " "), size=10)


def _data(members: Sequence[Member], calendar: Sequence[dt.date], stretch: int, anchor: str, label: str) -> Table:
    rows = [_row(one, calendar, stretch) for one in members]
    columns = f"Account | Requests # | {'Days' if stretch == 1 else 'Stretches'} with requests # | Busiest | Requests then # | Busiest hour, UTC | Hours of the day with requests #"
    return unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}: members one by one", columns, rows, empty="No data.")


def _row(one: Member, calendar: Sequence[dt.date], stretch: int) -> tuple[Cell | str, ...]:
    busiest = max(range(len(one.days)), key=lambda at: (one.days[at], -at))
    hour = max(range(24), key=lambda at: (one.hours[at], -at))
    return (
        Cell(redact.identifier(one.account_id), tone="code"),
        numbers.count(one.total),
        numbers.count(sum(count > 0 for count in one.days)),
        calendar[busiest * stretch].isoformat(),
        numbers.count(one.days[busiest]),
        f"{hour:02d}:00",
        numbers.count(sum(count > 0 for count in one.hours)),
    )
