"""Whether requests are dealt out over accounts more evenly than chance deals them.

Requests that go to an account at random, by the account's share, give a table of accounts by days whose chi-square over its degrees of freedom is near 1;
people give far more, because each has days of its own. Only who hands requests out in turn, or to whoever has had least, stays below. The null is exact: all tables with the
totals of the accounts and of the days that were seen (Patefield 1981).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def unevenness(tables: Ints) -> Floats:
    """Chi-square of each table over its degrees of freedom, rounded to six digits.

    In: (tables, accounts, days), no row or column of zeros. Out: (tables,); 1 for one row or column.
    """
    rows, columns = tables.sum(axis=2, keepdims=True), tables.sum(axis=1, keepdims=True)
    expected = rows * columns / tables.sum(axis=(1, 2), keepdims=True)
    freedom = (tables.shape[1] - 1) * (tables.shape[2] - 1)
    if freedom < 1:
        return np.ones(len(tables))
    index: Floats = np.round(((tables - expected) ** 2 / expected).sum(axis=(1, 2)) / freedom, 6)
    return index


def dealt_tables(table: Ints, draws: int, rng: np.random.Generator) -> Ints:
    """Random tables with the row and column totals of one. In: (accounts, days). Out: (draws, accounts, days)."""
    from scipy import stats  # half a cpu second to load, and few groups come this far

    drawn: Ints = stats.random_table(table.sum(axis=1), table.sum(axis=0)).rvs(size=draws, method="patefield", random_state=rng).astype(np.int64).reshape(draws, *table.shape)
    return drawn


def chance_of_less(table: Ints) -> float:
    """Lower tail of the chi-square distribution at the table's: near the exact chance where cells are not small. In: (accounts, days). Out: 0..1."""
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(special.chdtr(freedom, float(unevenness(table[None])[0]) * freedom))
