"""The accounts nearest to one: those that share rare facts with it, then those whose traffic looks alike.

The first are the run's own links, in bits. The second compares features, each put on one scale by the median and the spread between the quartiles over all accounts and
bent by asinh, which is the number itself near the median and its logarithm far off, so that no single number decides; the distance is the root of the mean squared
difference over features that both have. Likeness is not control: two strangers with one job can look the same, and no accusation may rest on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.evidence.cards import FEATURE_NAMES, linked_accounts
from pipeline.evidence.finished import FinishedRun

Floats = NDArray[np.float64]
UNUSUAL, ALIKE = 0.88, 0.2
"""On the bent scale: distance from the median (one spread) from which a feature can be a reason for being alike, and how near the other must be.

Most accounts are alike in what is usual, so that is no reason.
"""
SHARED = 0.5
"""Share of the account's own known features that another must have, too, to be compared."""
REASONS = 3


@dataclass(frozen=True)
class Likeness:
    """An account of a similar profile."""

    account_id: str
    network_id: str | None
    distance: float
    """root of the mean squared difference on the bent scale"""
    nearer_than: float
    """0..1, share of the compared accounts that are further away"""
    alike_in: str
    """features in which both are unusual in the same way, most unusual first: name value/value"""
    unlike_in: str
    """the feature in which they differ most"""


@dataclass(frozen=True)
class Neighbours:
    """What is near an account."""

    account_id: str
    linked: tuple[dict[str, Any], ...]
    """other_account_id, bits, family, kind, network_id; most bits first"""
    alike: tuple[Likeness, ...]
    compared: int
    """accounts whose profile could be compared"""
    features: int
    """features that the account has and that vary over accounts"""


def similar(run: FinishedRun, account: dict[str, Any], count: int) -> Neighbours:
    """The linked accounts, and the `count` accounts of the most similar profile that are not linked, nearest first, ties by id."""
    name = str(account["account_id"])
    linked = linked_accounts(run, name)
    table = run.columns("accounts", "account_id", "network_id", *FEATURE_NAMES).sort("account_id")
    ids = table["account_id"].to_list()
    scaled, names = _scaled(table)
    own = ids.index(name)
    known = ~np.isnan(scaled[own])
    scaled, names = scaled[:, known], [one for one, is_known in zip(names, known, strict=True) if is_known]
    distances = _distances(scaled, own)
    order = [at for at in np.argsort(distances, kind="stable") if np.isfinite(distances[at])]
    taken = {row["other_account_id"] for row in linked}
    near = [int(at) for at in order if ids[at] not in taken][:count]
    alike = tuple(_likeness(table, scaled, names, own, at, distances, len(order)) for at in near)
    return Neighbours(name, tuple(linked), alike, len(order), len(names))


def _scaled(table: pl.DataFrame) -> tuple[Floats, list[str]]:
    """Features in spreads from their median, bent, unknown as nan, and their names.

    A spread is half the distance between the quartiles, else between the outer twentieths; a feature that has none is left out.
    """
    columns, names = [], []
    for name in FEATURE_NAMES:
        values = table[name].cast(pl.Float64).to_numpy()
        low, first, median, third, high = _order_statistics(values[np.isfinite(values)])
        spread = (third - first) / 2 or (high - low) / 2
        if spread > 0:
            columns.append(np.arcsinh((values - median) / spread))
            names.append(name)
    return (np.column_stack(columns) if columns else np.zeros((table.height, 0))), names


def _order_statistics(known: Floats) -> tuple[float, ...]:
    """The values at 5, 25, 50, 75 and 95 % of their order: values that are there, so that no sum enters. All 0 if there is none."""
    if not len(known):
        return (0.0,) * 5
    at = [min(len(known) - 1, int(share * len(known))) for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
    parted = np.partition(known, at)
    return tuple(float(parted[place]) for place in at)


def _distances(scaled: Floats, own: int) -> Floats:
    """Distance of each account to one; inf for itself and for those that know too few of its features."""
    if not scaled.shape[1]:
        return np.full(len(scaled), np.inf)
    differences = scaled - scaled[own]
    both = ~np.isnan(differences)
    counts = both.sum(axis=1)
    squares = np.where(both, differences, 0.0) ** 2
    found: Floats = np.sqrt(squares.sum(axis=1) / np.maximum(counts, 1)).round(6)
    found[(counts < SHARED * scaled.shape[1]) | (np.arange(len(scaled)) == own)] = np.inf
    return found


def _likeness(table: pl.DataFrame, scaled: Floats, names: list[str], own: int, at: int, distances: Floats, compared: int) -> Likeness:
    mine, theirs = scaled[own], scaled[at]
    both = np.flatnonzero(~np.isnan(theirs))
    depth = np.minimum(np.abs(mine), np.abs(theirs)) * (mine * theirs > 0)
    same = [index for index in both if depth[index] >= UNUSUAL and abs(mine[index] - theirs[index]) <= ALIKE]
    same.sort(key=lambda index: (-round(float(depth[index]), 6), names[index]))
    worst = max(both, key=lambda index: (round(float(abs(mine[index] - theirs[index])), 6), names[index]))
    further = int((distances[np.isfinite(distances)] > distances[at]).sum())
    values = [_values(table, names[index], own, at) for index in same[:REASONS]]
    unlike = _values(table, names[worst], own, at) if mine[worst] != theirs[worst] else ""
    return Likeness(table["account_id"][at], table["network_id"][at], float(distances[at]), round(further / max(compared, 1), 6), ", ".join(values), unlike)


def _values(table: pl.DataFrame, name: str, own: int, at: int) -> str:
    return f"{name} {_short(table[name][own])}/{_short(table[name][at])}"


def _short(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
