"""How many times as often findings like a network's were made about a network of one operator as about an innocent group: a ratio calibrated on known truth.

A validation counts the networks that it judged by verdict and by bits of extraction (`judged` of validation.json). A verdict is a stratum; inside it the ratio rises with the
bits (measures/ratio_scale). How well the ratios do is measured on archetypes that did not help to make them: each kind of campaign and each innocent persona is left out in
turn. Bits of links alone are no scale: an innocent class is linked as strongly as a pool. Finer strata (families that cover a network) would only divide the cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Count = Mapping[str, Any]
"""One of the counts of `judged`: archetype, is_operated, tier, extraction_bits, networks."""

TIERS = ("explained", "watch", "refer")
KINDS = ((True, "networks of one operator"), (False, "innocent groups"))
"""Whether one operator runs them, and what they are called."""
LEVELS = (1, 10, 100, 1000)
"""Ratios for which it is said how many networks of either kind reach them."""
MOST_BITS = 16
"""Bits of extraction are counted in whole bits up to this."""


@dataclass(frozen=True)
class Weight:
    """What the findings on one network weigh."""

    ratio: float
    """networks of one operator over innocent groups; below 1 they speak for an innocent group"""
    is_bound: bool
    """whether no group of the kind that it speaks against was ever found so: the ratio is then what the number of groups can carry, 'at least' or 'at most'"""


@dataclass(frozen=True)
class Scale:
    """Ratios of every finding, and what they rest on; read from a validation."""

    operated: int
    innocent: int
    """networks of one operator and innocent groups that were judged"""
    archetypes: int
    cost: float | None
    """Cllr of ratios each made without the network's own archetype, bits"""
    left_out: tuple[tuple[bool, float, int], ...]
    """(operated, ratio, networks): of each network that ratio; equal ones together, ascending"""
    cells: Mapping[tuple[int, int], Weight]
    """by stratum and bits"""

    def weigh(self, tier: str, extraction_bits: float | None) -> Weight:
        """The weight of a finding. In: one of TIERS, and bits (None: none)."""
        return self.cells[TIERS.index(tier), _bits(extraction_bits or 0.0)]

    def curve(self, *, operated: bool) -> list[tuple[float, float]]:
        """(log10 of the ratio, share of networks of a kind with at least that ratio), ascending: a Tippett curve."""
        return survival([(ratio, count) for kind, ratio, count in self.left_out if kind is operated])

    def above(self, level: float, *, operated: bool) -> int:
        """Networks of a kind whose ratio, made without their archetype, is at least `level`."""
        return sum(count for kind, ratio, count in self.left_out if kind is operated and ratio >= level)

    def total(self, *, operated: bool) -> int:
        """Networks of a kind that were judged."""
        return self.operated if operated else self.innocent

    def blocks(self) -> list[tuple[str, int, int, Weight]]:
        """(tier, fewest bits, most bits, weight) of each run of bits that weighs the same; most bits 16 stand for all above."""
        found: list[tuple[str, int, int, Weight]] = []
        for (tier, bits), weight in sorted(self.cells.items()):
            if found and found[-1][0] == TIERS[tier] and found[-1][3] == weight:
                found[-1] = (TIERS[tier], found[-1][1], bits, weight)
            else:
                found.append((TIERS[tier], bits, bits, weight))
        return found


def ratio_table(judged: Iterable[Count]) -> dict[str, Any] | None:
    """What validation.json keeps as `ratios`: the fields of `Scale`, cells as rows (tier, bits, ratio, is_bound). None unless networks of both kinds were judged."""
    rows = [row for row in judged if row["tier"] in TIERS]
    counts = _counted(rows)
    if not counts[0].any() or not counts[1].any():
        return None
    left_out = _left_out(rows, counts)
    cost = _cost(*(np.repeat([ratio for kind, ratio, _ in left_out if kind is own], [many for kind, _, many in left_out if kind is own]) for own in (True, False)))
    return {
        "operated": int(counts[0].sum()),
        "innocent": int(counts[1].sum()),
        "archetypes": len({row["archetype"] for row in rows}),
        "cost": round(cost, 6) if math.isfinite(cost) else None,
        "left_out": [list(entry) for entry in left_out],
        "cells": _cells(_ratios(*counts), counts),
    }


def read_scale(table: Mapping[str, Any] | None) -> Scale | None:
    """The scale that `ratio_table` wrote; None for None."""
    if table is None:
        return None
    cells = {(TIERS.index(tier), bits): Weight(ratio, is_bound) for tier, bits, ratio, is_bound in table["cells"]}
    left_out = tuple((bool(operated), float(ratio), int(networks)) for operated, ratio, networks in table["left_out"])
    return Scale(table["operated"], table["innocent"], table["archetypes"], table["cost"], left_out, cells)


def survival(ratios: Sequence[tuple[float, int]]) -> list[tuple[float, float]]:
    """(log10 of the ratio, share of networks with at least that ratio), ascending: a Tippett curve. In: ratios with how many have each."""
    total = sum(count for _, count in ratios)
    points, above = [], 0
    for ratio, count in sorted(ratios, reverse=True):
        above += count
        points.append((math.log10(ratio), above / total))
    return points[::-1]


def _bits(extraction_bits: float) -> int:
    return min(max(math.floor(extraction_bits), 0), MOST_BITS)


def _counted(rows: Iterable[Count]) -> tuple[Ints, Ints]:
    counts = np.zeros((2, len(TIERS), MOST_BITS + 1), dtype=np.int64)
    for row in rows:
        counts[0 if row["is_operated"] else 1, TIERS.index(row["tier"]), _bits(row["extraction_bits"])] += row["networks"]
    return counts[0], counts[1]


def _cells(ratios: Floats, counts: tuple[Ints, Ints]) -> list[list[Any]]:
    """Every cell; bound by the number of groups if its block (equal ratios of a stratum) holds none of the kind that it speaks against."""
    cells = []
    for stratum, row in enumerate(ratios):
        for bits, ratio in enumerate(row):
            against = counts[1 if ratio >= 1 else 0][stratum][np.isclose(row, ratio)]
            cells.append([TIERS[stratum], bits, round(float(ratio), 6), not against.any()])
    return cells


def _left_out(rows: Sequence[Count], counts: tuple[Ints, Ints]) -> tuple[tuple[bool, float, int], ...]:
    """See `Scale.left_out`."""
    found: dict[tuple[bool, float], int] = {}
    for archetype in sorted({row["archetype"] for row in rows}):
        own = [row for row in rows if row["archetype"] == archetype]
        without = _counted(own)
        ratios = _ratios(counts[0] - without[0], counts[1] - without[1])
        for row in own:
            key = bool(row["is_operated"]), round(float(ratios[TIERS.index(row["tier"]), _bits(row["extraction_bits"])]), 6)
            found[key] = found.get(key, 0) + row["networks"]
    return tuple((operated, ratio, count) for (operated, ratio), count in sorted(found.items()))


def _ratios(operated: Ints, innocent: Ints) -> Floats:
    from pipeline.measures.ratio_scale import likelihood_ratios  # loads scikit-learn, which only a validation needs here

    return likelihood_ratios(operated, innocent)


def _cost(operated: Floats, innocent: Floats) -> float:
    from pipeline.measures.ratio_scale import cllr

    return cllr(operated, innocent)
