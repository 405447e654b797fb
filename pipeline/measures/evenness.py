"""How evenly times lie over the hours of the day, without a time zone and without a bias for few times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_DAY_US = 86_400_000_000


def evenness(holder: Ints, time_us: Ints, size: int) -> Floats:
    """How little an account's requests keep to hours of the day: 1 less the mean cosine, over all pairs of them, of the angle between their times on a clock of 24 hours.

    0: all at one time of day; 1: even over the day, or in equal parts by day and by night; no time zone is assumed. The mean over pairs is unbiased, so that a few requests look
    no more regular than many do; for the same reason it may pass 1 by 1/(n - 1). In: positions 0 .. size - 1 and times in us, a row a request. Out: (size,); 0 for fewer than two.
    Ref: Mardia and Jupp 2000 s.2.3 (mean resultant length), its square without the n pairs of a request with itself.
    """
    angle = 2.0 * np.pi * (time_us % _DAY_US) / _DAY_US
    count = np.bincount(holder, minlength=size).astype(np.float64)
    square = np.bincount(holder, np.cos(angle), size) ** 2 + np.bincount(holder, np.sin(angle), size) ** 2
    together = (square - count) / np.maximum(count * (count - 1.0), 1.0)
    even: Floats = np.where(count >= 2, 1.0 - together, 0.0)
    return even
