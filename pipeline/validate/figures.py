"""One figure of a validation: a value, its bounds, and how many independent cases stand behind it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.measures.rates import NO_INTERVAL, Interval, bootstrap_ratio, clopper_pearson

EVERYONE = "all"
ROUNDED = 6


@dataclass(frozen=True)
class Figure:
    """One row of validation.parquet. Scores are rounded to 1e-6."""

    suite: str
    measure: str
    stratum: str
    value: float | None
    """None: no case to measure it on, or no finite answer."""
    low: float | None
    high: float | None
    n: int
    """Independent cases behind the interval."""
    unit: str
    """Of value, low and high."""
    cases: str
    """What n counts."""
    bound: str
    """two_sided, upper, lower, or none: n carries no interval."""


COLUMNS: dict[str, type[pl.DataType]] = {
    "suite": pl.String,
    "measure": pl.String,
    "stratum": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "unit": pl.String,
    "cases": pl.String,
    "bound": pl.String,
}


def figure(measure: str, stratum: str, value: float, interval: Interval, n: int, unit: str, cases: str, *, scale: float = 1.0) -> Figure:
    """A figure without its suite yet; value and bounds times `scale`."""
    return Figure("", measure, stratum, _plain(value * scale), _plain(interval.low * scale), _plain(interval.high * scale), n, unit, cases, interval.bound)


def table(suite: str, figures: Iterable[Figure]) -> pl.DataFrame:
    """The figures as rows, by measure and stratum in the order given."""
    return pl.DataFrame([dataclasses.asdict(dataclasses.replace(entry, suite=suite)) for entry in figures], schema=COLUMNS)


def share_of_cases(measure: str, stratum: str, hits: int, cases: int, what: str) -> Figure:
    """A share of independent cases, with Clopper and Pearson's interval."""
    return figure(measure, stratum, hits / cases if cases else math.nan, clopper_pearson(hits, cases), cases, "share", what)


def share_over_worlds(measure: str, stratum: str, counts: pl.DataFrame, *, unit: str = "share", scale: float = 1.0) -> Figure:
    """A ratio of sums over worlds with a bootstrap interval. `counts`: one row a world, columns hits and cases."""
    hits, cases = counts["hits"].to_numpy().astype(np.float64), counts["cases"].to_numpy().astype(np.float64)
    total = float(cases.sum())
    worlds = int(np.count_nonzero(cases))
    return figure(measure, stratum, float(hits.sum()) / total if total else math.nan, bootstrap_ratio(hits, cases), worlds, unit, "worlds", scale=scale)


def share_of(measure: str, stratum: str, rows: pl.DataFrame, worlds: Iterable[str], hit: pl.Expr, what: str) -> Figure:
    """A share of rows: independent cases if each world holds one at most, else a ratio over worlds."""
    counts = by_world(rows, worlds, hit)
    if (counts["cases"] > 1).any():
        return share_over_worlds(measure, stratum, counts)
    return share_of_cases(measure, stratum, int(counts["hits"].sum()), int(counts["cases"].sum()), what)


def plain_count(measure: str, stratum: str, count: int, out_of: int, unit: str) -> Figure:
    """A count among so many, without bounds."""
    return figure(measure, stratum, float(count), NO_INTERVAL, out_of, unit, unit)


def by_world(rows: pl.DataFrame, worlds: Iterable[str], hit: pl.Expr) -> pl.DataFrame:
    """Rows of each world and how many of them hit, worlds without a row with zero: columns world, hits, cases, in the order of `worlds`."""
    counts = rows.group_by("world").agg(hit.sum().cast(pl.Int64).alias("hits"), pl.len().cast(pl.Int64).alias("cases"))
    return pl.DataFrame({"world": list(worlds)}, schema={"world": pl.String}).join(counts, on="world", how="left", maintain_order="left").fill_null(0)


def kinds(rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Rows of each kind (column truth), in the order of names with their numbers as numbers: L2 before L10."""
    return sorted(((str(kind), part) for (kind,), part in rows.group_by("truth", maintain_order=True)), key=lambda item: _natural(item[0]))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _plain(value: float) -> float | None:
    """Rounded; None for NaN and infinity, which neither Parquet readers nor JSON agree on."""
    return round(value, ROUNDED) + 0.0 if math.isfinite(value) else None
