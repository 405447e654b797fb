"""The smallest numbers of each row, compiled by numba: the same places as `groups.smallest_by_partition`, out of the few that are small at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled, inlined


@inlined
def _last(numbers: Any, places: Any, least: Any) -> Any:
    """The largest of the len(least) smallest numbers at some places, and how many of these equal it. `least` is overwritten."""
    size, held = len(least), 0
    for at in range(len(places)):
        number = numbers[places[at]]
        if held < size or number < least[size - 1]:
            slot = min(held, size - 1)
            while slot > 0 and least[slot - 1] > number:
                least[slot] = least[slot - 1]
                slot -= 1
            least[slot] = number
            held = min(held + 1, size)
    equal: Any = 0
    for at in range(size):
        equal += np.int64(least[at] == least[size - 1])
    return least[size - 1], equal


@compiled
def smallest(numbers: Any, size: Any) -> Any:
    """See `groups.smallest`. Of numbers drawn evenly from 0..1 hardly ever fewer than `size` lie below the bound; then all are looked at."""
    rows, width = numbers.shape
    found, near, least = np.empty((rows, size), np.int64), np.empty(width, np.int64), np.empty(size)
    bound = (size + 4.0 * np.sqrt(size) + 8.0) / width
    for row in range(rows):
        count: Any = 0
        for place in range(width):
            near[count] = place
            count += np.int64(numbers[row, place] < bound)
        if count < size:
            count = width
            for place in range(width):
                near[place] = place
        last, equal = _last(numbers[row], near[:count], least)
        filled = 0
        for at in range(count):
            number = numbers[row, near[at]]
            if number < last or (number == last and equal > 0):
                equal -= np.int64(number == last)
                found[row, filled] = near[at]
                filled += 1
    return found
