"""Products of rows, compiled by numba: the same values as the functions of these names in `likeness`, which sum whole numbers, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled


@compiled
def dots(ends: Any, columns: Any, weights: Any, a: Any, b: Any) -> Any:
    """See `likeness.dots`: walks both rows at once."""
    found = np.zeros(len(a), np.int64)
    for pair in range(len(a)):
        one, one_end, other, other_end = ends[a[pair]], ends[a[pair] + 1], ends[b[pair]], ends[b[pair] + 1]
        total = np.int64(0)
        while one < one_end and other < other_end:
            column = columns[one]
            if column == columns[other]:
                total += weights[one] * weights[other]
            step = np.int64(column <= columns[other])
            other += np.int64(columns[other] <= column)
            one += step
        found[pair] = total
    return found


@compiled
def row_dots(rows: Any, a: Any, b: Any) -> Any:
    """See `likeness.row_dots`."""
    found = np.zeros(len(a), np.int64)
    for pair in range(len(a)):
        one, other, total = rows[a[pair]], rows[b[pair]], np.int64(0)
        for place in range(len(one)):
            total += np.int64(one[place]) * np.int64(other[place])
        found[pair] = total
    return found
