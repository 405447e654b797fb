"""Whether accounts are born when others of their group are banned, more than births and bans of their rhythms meet by chance.

A birth follows a ban if it comes within the day after it, or six hours before (a spare account opened when the first challenge came). The null places every wave of bans on another
day of the window, drawn at random, at its own hour, a weekday on a weekday and a weekend on a weekend: hours and working weeks of people who ban and of people who sign up
meet as before, and births keep their own clusters, so that a class that signs up together counts as often as its day is hit and not as often as it has pupils.
How many accounts were banned never enters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
BEFORE_US, AFTER_US = 6 * HOUR_US, DAY_US
WAVE_GAP_US = 6 * HOUR_US
"""Bans closer than this are one wave."""
_THURSDAY = 3
"""Weekday of 1970-01-01, Monday being 0."""


def waves(bans: Ints) -> Ints:
    """The first ban of each wave. In: moments in microseconds. Out: ascending. Empty: none."""
    ordered = np.sort(bans)
    starts: Ints = ordered[np.concatenate([np.ones(min(len(ordered), 1), np.bool_), np.diff(ordered) > WAVE_GAP_US])]
    return starts


def following(births: Ints, starts: Ints) -> Ints:
    """How many births follow any of the waves, of each set of waves. In: ascending births (n,); starts (sets, waves). Out: (sets,). A birth that follows two counts once."""
    begin = np.sort(starts, axis=1) - BEFORE_US
    end = begin + BEFORE_US + AFTER_US
    begin[:, 1:] = np.maximum(begin[:, 1:], end[:, :-1] + 1)  # both ends count, so what two waves cover is counted with the first
    counts: Ints = (np.searchsorted(births, end.ravel(), side="right") - np.searchsorted(births, begin.ravel(), side="left")).reshape(starts.shape).sum(axis=1)
    return counts


def covered_share(starts: Ints, first_us: int, last_us: int) -> float:
    """Share of the window that follows a wave. Out: 0..1."""
    begin = np.sort(starts) - BEFORE_US
    end = begin + BEFORE_US + AFTER_US
    begin[1:] = np.maximum(begin[1:], end[:-1])
    inside = np.clip(end, first_us, last_us) - np.clip(begin, first_us, last_us)
    return float(inside.sum() / max(last_us - first_us, 1))


def placed(starts: Ints, first_us: int, last_us: int, draws: int, rng: np.random.Generator) -> Ints:
    """Waves on random days of their kind (working day or weekend), each at its own hour. Out: (draws, waves)."""
    days = np.arange(first_us // DAY_US, last_us // DAY_US + 1)
    rest = (days + _THURSDAY) % 7 >= 5
    columns = []
    for start in starts.tolist():
        like = days[rest == ((start // DAY_US + _THURSDAY) % 7 >= 5)]
        like = like if len(like) else days
        columns.append(like[rng.integers(len(like), size=draws)] * DAY_US + start % DAY_US)
    return np.column_stack(columns).astype(np.int64) if columns else np.empty((draws, 0), np.int64)
