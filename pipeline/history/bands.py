"""What is usual: a band around the median of earlier values, robust against a few days that were not.

The half width is `spread` times 1.4826 times the median absolute deviation from the median (for normal values that factor makes it
an estimate of the standard deviation: Rousseeuw and Croux 1993), but never less than a floor, and for counts never less than three times the square
root of the median (of 1 at least), which is what a Poisson count varies by on its own. Half of the days may be outliers before the band moves with them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONSISTENCY = 1.4826


@dataclass(frozen=True)
class Band:
    """Where a value usually lies: low <= value <= high."""

    low: float
    median: float
    high: float
    count: int
    """Earlier values it rests on."""

    def holds(self, value: float) -> bool:
        """Whether a value is usual; the edges are."""
        return self.low <= value <= self.high


def count_band(values: Sequence[int], spread: float, floor_share: float) -> Band:
    """The band of a count, at least zero. Needs one value or more."""
    median = statistics.median(values)
    return _band(values, median, spread, max(floor_share * median, 3.0 * math.sqrt(max(1.0, median))))


def share_band(values: Sequence[float], spread: float, floor: float) -> Band:
    """The band of a share, within 0..1. Needs one value or more."""
    found = _band(values, statistics.median(values), spread, floor)
    return Band(found.low, found.median, min(1.0, found.high), found.count)


def _band(values: Sequence[float], median: float, spread: float, floor: float) -> Band:
    deviation = statistics.median(abs(value - median) for value in values)
    half = max(spread * CONSISTENCY * deviation, floor)
    return Band(round(max(0.0, median - half), 6), round(median, 6), round(median + half, 6), len(values))
