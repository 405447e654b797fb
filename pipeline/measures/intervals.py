"""Measures of time: burstiness, the quietest stretch of the day, the spread of daily counts.

Pure and vectorised over accounts; integer inputs, NaN where a measure has nothing to say.
"""

from __future__ import annotations

import numpy as np

from pipeline.measures.ratios import Floats, Ints, ratio

HOURS = 24


def burstiness(gap_count: Ints, gap_sum_s: Floats, gap_sum_s2: Floats) -> Floats:
    """(sd - mean) / (sd + mean) of inter-arrival times, -1 .. 1 (Goh and Barabasi 2008, population standard deviation).

    Shapes (n,): number of gaps, their sum in seconds, the sum of their squares in s^2. NaN without gaps or if all are 0.
    """
    mean = ratio(gap_sum_s, gap_count)
    variance = np.maximum(ratio(gap_sum_s2, gap_count) - mean * mean, 0.0)
    deviation = np.sqrt(variance)
    return ratio(deviation - mean, deviation + mean)


def quietest_share(hours: Ints, width: int) -> Floats:
    """Share of a day's counts in its quietest `width` consecutive hours, midnight bridged; shape (n, 24) to (n,), 0 .. width / 24.

    No time zone is assumed: all 24 starts are tried. NaN for a row without counts.
    """
    ring = np.concatenate([hours, hours[:, : width - 1]], axis=1)
    sums = np.concatenate([np.zeros((len(hours), 1), dtype=np.int64), np.cumsum(ring, axis=1)], axis=1)
    windows = sums[:, width:] - sums[:, :HOURS]
    return ratio(windows.min(axis=1), hours.sum(axis=1))


def dispersion(count_sum: Ints, count_squares: Ints, periods: Ints) -> Floats:
    """Variance / mean of counts a period (population variance; index of dispersion, Fano 1947), 0 and above.

    Shapes (n,): sum of the counts, sum of their squares, number of periods. NaN with fewer than two periods or no counts. The
    variance is found in integers, so equal counts give exactly 0.
    """
    several = periods > 1
    spread = count_squares.astype(np.float64) * periods - np.square(count_sum.astype(np.float64))
    return np.where(several, np.maximum(ratio(spread, periods.astype(np.float64) * count_sum), 0.0), np.nan)
