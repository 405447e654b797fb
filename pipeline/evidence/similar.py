"""The accounts nearest to one: those that share rare facts with it, then those whose traffic looks alike.

The first are the run's own links, in bits. The second compares features, each put on one scale by the median and the spread between the quartiles over all accounts and
bent by asinh, which is the number itself near the median and its logarithm far off, so that no single number decides; the distance is the root of the mean squared
difference over features that both have. Likeness is not control: two strangers with one job can look the same, and no accusation may rest on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    table = run.columns("accounts", "account_id", "network_id", *(feature for feature in FEATURE_NAMES if account[feature] is not None))
    ids = table["account_id"].to_list()
    own = ids.index(name)
    scaled = _scaled(table)
    distances = _distances(list(scaled.values()), own, len(ids))
    compared = int(np.isfinite(distances).sum())
    taken = {row["other_account_id"] for row in linked}
    near = [at for at in np.argsort(distances, kind="stable")[:compared].tolist() if ids[at] not in taken][:count]
    alike = tuple(_likeness(table, scaled, own, at, distances) for at in near)
    return Neighbours(name, tuple(linked), alike, compared, len(scaled))


def _scaled(table: pl.DataFrame) -> dict[str, Floats]:
    """Features by name in spreads from their median, bent, unknown as nan.

    A spread is half the distance between the quartiles, else between the outer twentieths; a feature that has none is left out.
    """
    found = {}
    for name in table.columns[2:]:
        values = table[name].cast(pl.Float64).to_numpy()
        low, first, median, third, high = _order_statistics(values[np.isfinite(values)])
        spread = (third - first) / 2 or (high - low) / 2
        if spread > 0:
            found[name] = np.arcsinh((values - median) / spread)
    return found


def _order_statistics(known: Floats) -> tuple[float, ...]:
    """The values at 5, 25, 50, 75 and 95 % of their order: values that are there, so that no sum enters. All 0 if there is none."""
    if not len(known):
        return (0.0,) * 5
    at = [min(len(known) - 1, int(share * len(known))) for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
    parted = np.partition(known, at)
    return tuple(float(parted[place]) for place in at)


def _distances(scaled: Sequence[Floats], own: int, count: int) -> Floats:
    """Distance of each account to one; inf for itself and for those that know too few of its features."""
    squares, counts = np.zeros(count), np.zeros(count, dtype=np.int64)
    for values in scaled:
        difference = values - values[own]
        both = ~np.isnan(difference)
        counts += both
        squares += np.where(both, difference, 0.0) ** 2
    found: Floats = np.sqrt(squares / np.maximum(counts, 1)).round(6)
    found[(counts < max(1.0, SHARED * len(scaled))) | (np.arange(count) == own)] = np.inf
    return found


def _likeness(table: pl.DataFrame, scaled: Mapping[str, Floats], own: int, at: int, distances: Floats) -> Likeness:
    pairs = {name: (float(values[own]), float(values[at])) for name, values in scaled.items() if not np.isnan(values[at])}
    depth = {name: round(min(abs(mine), abs(theirs)), 6) for name, (mine, theirs) in pairs.items() if mine * theirs > 0}
    same = [name for name, (mine, theirs) in pairs.items() if depth.get(name, 0.0) >= UNUSUAL and abs(mine - theirs) <= ALIKE]
    same.sort(key=lambda name: (-depth[name], name))
    worst = max(pairs, key=lambda name: (round(abs(pairs[name][0] - pairs[name][1]), 6), name))
    compared = distances[np.isfinite(distances)]
    values = [_values(table, name, own, at) for name in same[:REASONS]]
    unlike = _values(table, worst, own, at) if pairs[worst][0] != pairs[worst][1] else ""
    further = round(int((compared > distances[at]).sum()) / len(compared), 6)
    return Likeness(table["account_id"][at], table["network_id"][at], float(distances[at]), further, ", ".join(values), unlike)


def _values(table: pl.DataFrame, name: str, own: int, at: int) -> str:
    return f"{name} {_short(table[name][own])}/{_short(table[name][at])}"


def _short(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
