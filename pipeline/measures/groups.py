"""Groups of accounts drawn at random, and statistics of a group: the ground of every permutation test.

Accounts are positions; every draw takes a seeded generator; nothing here knows what the figures mean.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.measures.backends import is_compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_GROUPS_AT_ONCE = 256
_FEW_MEMBERS = 64
_FEW_COMPARED = 3_000_000
"""Pairs of a member and an account up to which all distances are taken, in a process that has not loaded scipy's trees: that takes as long."""
_ROUNDING = 1e-8
"""More than rounding a distance to nine digits moves it."""
SparseRows: TypeAlias = sparse.csr_matrix
"""Sparse rows of numbers, one an account."""


def standardise(columns: Floats) -> Floats:
    """Columns with mean 0 and deviation 1; a constant column becomes 0. In: (n, k). Out: (n, k). Empty: empty."""
    if len(columns) == 0:
        return columns
    deviation = columns.std(axis=0)
    scaled: Floats = (columns - columns.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return scaled


class Neighbours:
    """Accounts by standardised columns, indexed once for many questions."""

    def __init__(self, columns: Floats) -> None:
        """In: (n, k) standardised columns."""
        self.columns = columns

    @functools.cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.columns)

    def nearest(self, members: Ints, eligible: Ints, wanted: int) -> Ints:
        """As `nearest`; few members are asked through the index, which spares the walk over all accounts."""
        is_walked = "scipy.spatial" not in sys.modules and len(members) * len(eligible) <= _FEW_COMPARED
        if is_walked or not 0 < len(members) <= _FEW_MEMBERS or not 0 < wanted < len(eligible):
            return nearest(self.columns, members, eligible, wanted)
        return nearest(self.columns, members, self._around(members, eligible, wanted), wanted)

    def _around(self, members: Ints, eligible: Ints, wanted: int) -> Ints:
        """Whom `nearest` can choose, and some more: eligible accounts within a ball around each member, so wide that the ball of a central one likely holds enough of them."""
        is_eligible, is_near = np.zeros(len(self.columns), np.bool_), np.zeros(len(self.columns), np.bool_)
        is_eligible[eligible] = True
        reach = min(2 * wanted + len(members), len(self.columns))
        own = self.columns[members]
        central = own[np.abs(own - np.median(own, axis=0)).sum(axis=1).argmin()]
        radius = float(self._tree.query(central, k=[reach])[0][0])
        for some in self._tree.query_ball_point(own, radius + _ROUNDING):
            is_near[some] = True
        found = np.flatnonzero(is_near & is_eligible)
        distance = _to_nearest(own, self.columns[found])
        return found if np.count_nonzero(distance <= radius) >= wanted else eligible


def nearest(columns: Floats, members: Ints, eligible: Ints, wanted: int) -> Ints:
    """Eligible accounts nearest to any member, at most `wanted`, sorted by position.

    In: standardised columns (n, k), positions of the members and of those that may be drawn. Ties break by position. Empty: no accounts.
    """
    if not len(members) or not len(eligible):
        return np.empty(0, dtype=np.int64)
    distance = np.round(_to_nearest(columns[members], columns[eligible]), 9)
    if wanted < len(eligible):
        close = distance <= np.partition(distance, wanted - 1)[wanted - 1] if wanted else np.zeros(len(distance), np.bool_)
        eligible, distance = eligible[close], distance[close]
    order = np.lexsort((eligible, distance))
    return np.sort(eligible[order[:wanted]])


def _to_nearest(points: Floats, asked: Floats) -> Floats:
    """Distance of each row to the nearest point. In: (m, k) points and (n, k) rows. Out: (n,)."""
    if "scipy.spatial" not in sys.modules and len(points) * len(asked) <= _FEW_COMPARED:
        return walked_distance(points, asked)
    from scipy.spatial import cKDTree

    distance: Floats = cKDTree(points).query(asked)[0]
    return distance


def walked_distance(points: Floats, asked: Floats) -> Floats:
    """See `_to_nearest`; in numpy, squares added in the order of the columns, as scipy's tree adds them: equal to the bit."""
    least, columns = np.full(len(asked), np.inf), np.ascontiguousarray(asked.T)
    for point in points:
        squared = np.zeros(len(asked))
        for column, own in zip(columns, point, strict=True):
            squared += (column - own) ** 2
        np.minimum(least, squared, out=least)
    distance: Floats = np.sqrt(least)
    return distance


def others(count: int, *left_out: Ints) -> Ints:
    """Positions below `count` that are in none of the arrays, ascending."""
    free = np.ones(count, np.bool_)
    for positions in left_out:
        free[positions] = False
    return np.flatnonzero(free)


def pool_size(members: int) -> int:
    """Accounts to draw random groups from: four for each member, at least 300, so that groups differ, and at most 2,000, which is as many as their cosines fit in memory for."""
    return min(max(300, 4 * members), 2_000)


def draw_groups(pool: Ints, size: int, groups: int, rng: np.random.Generator) -> Ints:
    """Random groups without repetition inside a group. In: pool of positions, size <= len(pool). Out: (groups, size)."""
    chosen = np.argpartition(rng.random((groups, len(pool))), size - 1, axis=1)[:, :size]
    return pool[chosen]


def draw_sets(pool: Ints, size: int, groups: int, rng: np.random.Generator) -> Ints:
    """The groups that `draw_groups` gives with the same generator, each in the order of the pool: for statistics to which the order inside a group is nothing."""
    chosen = np.empty((groups, size), dtype=np.int64)
    drawn = np.empty((min(groups, _GROUPS_AT_ONCE), len(pool)))
    for start in range(0, groups, _GROUPS_AT_ONCE):
        part = drawn[: min(_GROUPS_AT_ONCE, groups - start)]
        rng.random(out=part)
        chosen[start : start + len(part)] = smallest(part, size)
    return pool[chosen]


def smallest(numbers: Floats, size: int) -> Ints:
    """Places of the `size` smallest numbers of each row, ascending; of equal ones the first. In: (n, k) numbers in 0..1, 1 <= size <= k. Out: (n, size)."""
    if is_compiled() and "numba" in sys.modules:
        from pipeline.measures import groups_numba

        found: Ints = groups_numba.smallest(numbers, size)
        return found
    return smallest_by_partition(numbers, size)


def smallest_by_partition(numbers: Floats, size: int) -> Ints:
    """See `smallest`; in numpy."""
    last = np.partition(numbers, size - 1, axis=1)[:, size - 1 : size]
    place = np.nonzero(numbers <= last)[1]
    if len(place) > size * len(numbers):  # equal numbers
        return np.sort(np.argsort(numbers, axis=1, kind="stable")[:, :size], axis=1)
    return place.reshape(len(numbers), size)


def _places(groups: Ints) -> tuple[Ints, Ints]:
    """The accounts of some groups, ascending, and of each entry its account's place among them: as numpy's unique, without a sort."""
    is_in = np.zeros(int(groups.max()) + 1 if groups.size else 0, np.bool_)
    is_in[groups.ravel()] = True
    return np.flatnonzero(is_in), (np.cumsum(is_in) - 1)[groups]


def draw_pairs(size: int, pairs: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs of places inside a group: all of them if they are few, else `pairs` distinct ones. In: size >= 2. Out: two arrays of places, i < j."""
    i, j = np.triu_indices(size, k=1)
    if len(i) > pairs:
        kept = np.sort(rng.choice(len(i), pairs, replace=False))
        i, j = i[kept], j[kept]
    return i.astype(np.int64), j.astype(np.int64)


def mean_cosine(unit: Floats, groups: Ints) -> Floats:
    """Mean cosine over all pairs of each group, from the length of the sum: (|sum z|^2 - sum |z|^2) / (m (m - 1)).

    In: (n, d) rows of length 1 or 0; groups (g, m) of positions, m >= 2. Out: (g,), -1..1.
    """
    rows = unit[groups]
    size = groups.shape[1]
    total = (rows.sum(axis=1) ** 2).sum(axis=1) - (rows**2).sum(axis=(1, 2))
    cosine: Floats = total / (size * (size - 1))
    return cosine


def mean_cosine_sparse(unit: SparseRows, groups: Ints) -> Floats:
    """The same for sparse rows. Many groups out of one pool share the pool's cosines; one group needs only the length of its sum."""
    size = groups.shape[1]
    if len(groups) == 1:
        own = unit[groups[0]]
        total = np.asarray(own.sum(axis=0)).ravel()
        cosine: Floats = np.array([(total @ total - own.multiply(own).sum()) / (size * (size - 1))])
        return cosine
    pool, place = _places(groups)
    between = np.asarray((unit[pool] @ unit[pool].T).todense())
    np.fill_diagonal(between, 0.0)
    parts = (place[start : start + _GROUPS_AT_ONCE] for start in range(0, len(place), _GROUPS_AT_ONCE))
    sums = [between[part[:, :, None], part[:, None, :]].reshape(len(part), -1).sum(axis=1) for part in parts]
    means: Floats = np.concatenate(sums) / (size * (size - 1))
    return means


def tied_share_sparse(rows: SparseRows, groups: Ints) -> Floats:
    """Share of a group's pairs whose rows have a column in common. In: (n, d) rows; groups (g, m) of positions, m >= 2. Out: (g,), 0..1."""
    size = groups.shape[1]
    pool, place = _places(groups)
    common = (rows[pool] @ rows[pool].T).tocoo()
    apart = common.row != common.col
    tied = sparse.csr_matrix((np.ones(int(apart.sum()), dtype=np.int64), (common.row[apart], common.col[apart])), shape=common.shape)
    group = np.repeat(np.arange(len(groups)), size)
    inside = sparse.csr_matrix((np.ones(len(group), dtype=np.int64), (group, place.ravel())), shape=(len(groups), len(pool)))
    found = np.asarray((inside @ tied).multiply(inside).sum(axis=1)).ravel()
    shares: Floats = found / (size * (size - 1))
    return shares


def unit_rows(row: Ints, column: Ints, value: Floats, rows: int) -> SparseRows:
    """Sparse rows of length 1 (0 if empty). In: coordinates and values of equal length, the number of rows."""
    columns = int(column.max()) + 1 if len(column) else 1
    matrix = sparse.csr_matrix((value, (row, column)), shape=(rows, columns))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(np.divide(1.0, length, out=np.zeros(rows), where=length > 0)).dot(matrix).tocsr()


def likeness_to_rest(unit: SparseRows, members: Ints) -> Floats:
    """Cosine of each member's row to the mean of the other members' rows. In: rows of length 1 or 0. Out: (members,), 0..1 for non-negative rows; 0 for an empty row."""
    own = unit[members]
    total = np.asarray(own.sum(axis=0)).ravel()
    out = np.zeros(len(members))
    for place in range(len(members)):
        row = np.asarray(own[place].todense()).ravel()
        rest = total - row
        length = float(np.sqrt(rest @ rest))
        out[place] = float(row @ rest) / length if length > 1e-12 else 0.0
    return np.round(out, 6)


def day_means(counts: Floats) -> Floats:
    """Every day's own level: the mean over accounts of the root of the counts less each account's mean root. In: (accounts, days) counts. Out: (days,)."""
    levels: Floats = _less_own(counts).mean(axis=0)
    return levels


def _less_own(counts: Floats) -> Floats:
    """Roots of counts, each account's own level taken off."""
    roots = np.sqrt(counts)
    left: Floats = roots - roots.mean(axis=1, keepdims=True)
    return left


def daily_residuals(counts: Floats, levels: Floats | None = None) -> Floats:
    """What is left of daily activity after each account's own level and every day's own level. In: (accounts, days) counts; `day_means` of all accounts, if these are not all.

    Out: rows of length 1 (0 if flat).
    """
    left = _less_own(counts)
    left = left - (left.mean(axis=0) if levels is None else levels)
    length = np.sqrt((left**2).sum(axis=1, keepdims=True))
    unit: Floats = np.divide(left, length, out=np.zeros_like(left), where=length > 1e-9)
    return unit
