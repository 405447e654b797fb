"""Which figures of a night are unusual: its own day against the days before it, its scores and networks against the nights before.

A day is compared with days of its kind (Monday to Friday, or Saturday and Sunday) where the window holds enough of them, else with all. Figures with too
little behind them have no band and are never called unusual. Everything here follows from run.json, so a page can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.history.bands import Band, count_band, share_band
from pipeline.history.nights import EarlierNight
from pipeline.history.settings import Operations

TIERS = ("refer", "watch", "explained")
_WEEKEND = 5
_EMPTY_DAY: Mapping[str, Any] = {"rows_read": 0, "rows_kept": 0, "duplicates": 0, "rejected": 0, "accounts": 0, "hours": [0] * 24, "filled": {}}


@dataclass(frozen=True)
class Figure:
    """One figure of a night beside what is usual."""

    group: str
    """rows, hour, column, score or networks."""
    name: str
    """Within the group: rows_read, rejected ..., `13`, a column, a bin's lower edge, a tier."""
    value: float
    is_share: bool
    band: Band | None
    """None where too little is known."""

    @property
    def is_unusual(self) -> bool:
        """Outside its band."""
        return self.band is not None and not self.band.holds(self.value)


@dataclass(frozen=True)
class Report:
    """The health and drift of a night."""

    figures: tuple[Figure, ...]
    compared_days: tuple[str, ...]
    """Days that the night's own day is compared with, oldest first."""
    kind: str
    """all days, weekdays or weekend days."""
    compared_nights: int
    is_recorded: bool
    """False where the run took no record of its days."""

    def group(self, *names: str) -> tuple[Figure, ...]:
        """The figures of some groups."""
        return tuple(figure for figure in self.figures if figure.group in names)

    def unusual(self) -> tuple[Figure, ...]:
        """Figures outside their bands."""
        return tuple(figure for figure in self.figures if figure.is_unusual)


def report(manifest: Mapping[str, Any], nights: Sequence[EarlierNight], operations: Operations) -> Report:
    """The report of a night out of its run.json and those of the nights before it, oldest first."""
    health: Mapping[str, Any] = manifest.get("health", {})
    night = str(manifest["night"])
    days: Mapping[str, Any] = health.get("days", {})
    kind, compared = _compared(date.fromisoformat(night), sorted(day for day in days if day < night), operations)
    enough = len(compared) >= (operations.minimum_days if kind == "all days" else operations.minimum_same_kind)
    before = [days[day] for day in compared]
    near = nights[-operations.history_days :]
    figures = (
        (*_of_day(days.get(night, _EMPTY_DAY), before, operations, enough=enough), *_of_scores(health, near, operations), *_of_networks(manifest, near, operations))
        if health
        else ()
    )
    return Report(figures, tuple(compared), kind, len(near), bool(health))


def _compared(night: date, days: Sequence[str], operations: Operations) -> tuple[str, list[str]]:
    """The days to compare with: of the night's kind if there are enough, within the last history_days."""
    recent = [day for day in days if (night - date.fromisoformat(day)).days <= operations.history_days]
    same = [day for day in recent if (date.fromisoformat(day).weekday() >= _WEEKEND) == (night.weekday() >= _WEEKEND)]
    if len(same) >= max(operations.minimum_same_kind, 1) and len(same) < len(recent):
        return ("weekend days" if night.weekday() >= _WEEKEND else "weekdays"), same
    return "all days", recent


def _of_day(tonight: Mapping[str, Any], before: Sequence[Mapping[str, Any]], operations: Operations, *, enough: bool) -> Iterable[Figure]:
    usual = before if enough else ()
    yield _count("rows", "rows_read", tonight["rows_read"], [day["rows_read"] for day in usual], operations)
    yield _count("rows", "accounts", tonight["accounts"], [day["accounts"] for day in usual], operations)
    for name in ("rejected", "duplicates"):
        yield _share("rows", name, tonight, usual, lambda day, name=name: day[name], operations)  # type: ignore[misc]
    for hour in range(24):
        yield _count("hour", f"{hour:02d}", tonight["hours"][hour], [day["hours"][hour] for day in usual], operations)
    for column in sorted({column for day in (tonight, *before) for column in day["filled"]}):
        yield _share("column", column, tonight, usual, lambda day, column=column: day["filled"].get(column, 0), operations, of="rows_kept")  # type: ignore[misc]


def _count(group: str, name: str, value: int, usual: Sequence[int], operations: Operations) -> Figure:
    return Figure(group, name, value, is_share=False, band=count_band(usual, operations.spread, operations.count_floor_share) if usual else None)


def _share(
    group: str, name: str, tonight: Mapping[str, Any], usual: Sequence[Mapping[str, Any]], part: Callable[[Mapping[str, Any]], int], operations: Operations, of: str = "rows_read"
) -> Figure:
    """A share of rows; days without rows tell nothing about it, and tonight's without rows has no band."""
    shares = [part(day) / day[of] for day in usual if day[of]]
    band = share_band(shares, operations.spread, operations.share_floor) if shares and tonight[of] else None
    return Figure(group, name, round(part(tonight) / tonight[of], 6) if tonight[of] else 0.0, is_share=True, band=band)


def _of_scores(health: Mapping[str, Any], nights: Sequence[EarlierNight], operations: Operations) -> Iterable[Figure]:
    """Share of the accounts in each bin of the score histogram."""
    counts: Sequence[int] = health["score_counts"]
    usual = [shares for night in nights if (shares := _shares(night.health.get("score_counts", ())))]
    if len(usual) < operations.minimum_days or any(len(shares) != len(counts) for shares in usual):
        usual = []
    for place, share in enumerate(_shares(counts) or [0.0] * len(counts)):
        band = share_band([shares[place] for shares in usual], operations.spread, operations.score_floor_share) if usual and sum(counts) else None
        yield Figure("score", f"{place / len(counts):.2f}", share, is_share=True, band=band)


def _of_networks(manifest: Mapping[str, Any], nights: Sequence[EarlierNight], operations: Operations) -> Iterable[Figure]:
    """Networks by tier."""
    usual = nights if len(nights) >= operations.minimum_days else ()
    for tier in TIERS:
        yield _count("networks", tier, manifest.get("tiers", {}).get(tier, 0), [night.tiers.get(tier, 0) for night in usual], operations)


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [round(count / total, 6) for count in counts] if total else []
