"""Figures of likeness between two accounts, by topic, behaviour and timing; smaller is more alike in all three.

Sums over columns are sums of integers, so that compiled code, numpy and any order give the same figure. Formulas: detection design, section 3.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri

from pipeline.measures.backends import is_compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_WEIGHT = 1 << 20
_SCORE = 1_000
_RESIDUAL = 1 << 14
_CHUNK = 50_000
HOURS = 24


@dataclass(frozen=True)
class Topics:
    """Mean word vector of each account: sparse rows of whole 2^-20ths, with what their differences would be by chance."""

    ends: Ints
    """row i is columns[ends[i]:ends[i + 1]], ascending: the words that two accounts or more use"""
    columns: Ints
    weights: Ints
    length: Ints
    """squared length of each mean, words that no other account uses among it"""
    noise: Floats
    """variance of one prompt about the mean / prompts, in the same squared units"""


def topics(account: Ints, word: Ints, prompts: Ints, total: Ints) -> Topics:
    """Means over the prompts of each account; a prompt is the set of its words, each weighing ln(accounts / accounts that use the word) (Sparck Jones 1972).

    In: account position, word (0, 1, ..., or -1: one that no other account uses) and prompts that hold it, sorted by account and word; total: prompts of each
    account. The variance of a prompt is that of its words, each there or not there: sum of w^2 p (1 - p) n / (n - 1). An account of fewer than two
    prompts has no variance (NaN). Empty: no rows.
    """
    shared = word >= 0
    users = np.ones(len(word), dtype=np.int64)
    users[shared] = np.bincount(word[shared])[word[shared]] if shared.any() else 1
    weight = np.log(np.maximum(2, np.count_nonzero(np.bincount(account))) / users) if len(word) else np.zeros(0)
    count = np.maximum(total, 1)[account]
    share = np.minimum(prompts, count) / count
    spread = np.bincount(account, weight**2 * share * (1.0 - share), minlength=len(total))
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = np.where(total >= 2, spread / (total - 1), np.nan) * float(_WEIGHT) ** 2
    mean = np.round(share * weight * _WEIGHT).astype(np.int64)
    all_ends, ends = _ends(account, len(total)), _ends(account[shared], len(total))
    running = np.concatenate([[0], np.cumsum(mean * mean)])
    return Topics(ends, word[shared], mean[shared], running[all_ends[1:]] - running[all_ends[:-1]], noise)


def _ends(account: Ints, accounts: int) -> Ints:
    """Where each account's entries begin, and where the last one's end."""
    return np.concatenate([[0], np.cumsum(np.bincount(account, minlength=accounts))]).astype(np.int64)


def exchangeability(found: Topics, a: Ints, b: Ints) -> Floats:
    """ln(|mean_a - mean_b|^2 / (v_a / n_a + v_b / n_b)): near 0 for two draws from one pool of prompts, high for strangers. NaN where a side has no variance or no word."""
    apart = found.length[a] + found.length[b] - 2 * dots(found.ends, found.columns, found.weights, a, b)
    chance = found.noise[a] + found.noise[b]
    with np.errstate(divide="ignore", invalid="ignore"):
        figure: Floats = np.log(np.maximum(apart, 1) / chance)
    known: Floats = np.where((found.length[a] > 0) & (found.length[b] > 0) & (chance > 0), figure, np.nan)
    return np.round(known, 6)


def rank_normal(columns: Floats) -> Ints:
    """Each column as normal scores of its ranks, in thousandths, ties by their mean rank; unknown (NaN) stays unknown, as the smallest integer of 64 bits (van der Waerden 1952).

    In: (n, k). Out: (n, k). Empty: empty.
    """
    found = np.full(columns.shape, np.iinfo(np.int64).min, dtype=np.int64)
    for place in range(columns.shape[1]):
        known = np.flatnonzero(~np.isnan(columns[:, place]))
        ranks = _mean_ranks(columns[known, place])
        found[known, place] = np.round(ndtri(ranks / (len(known) + 1.0)) * _SCORE).astype(np.int64)
    return found


def _mean_ranks(values: Floats) -> Floats:
    """Rank of each value from 1, equal ones all by their mean rank."""
    ordered = np.sort(values)
    ranks: Floats = (np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right") + 1) / 2.0
    return ranks


def profile_distance(scores: Ints, a: Ints, b: Ints, least: int) -> Floats:
    """Mean squared difference of normal scores over the columns that both know. NaN where these are fewer than `least`."""
    found: Floats = _chunked(functools.partial(_profile_distance, scores, least), a, b)
    return found


def _profile_distance(scores: Ints, least: int, a: Ints, b: Ints) -> Floats:
    one, other, unknown = scores[a], scores[b], np.iinfo(np.int64).min
    both = (one != unknown) & (other != unknown)
    apart = np.where(both, one, 0) - np.where(both, other, 0)
    known = both.sum(axis=1)
    figure = (apart * apart).sum(axis=1) / np.maximum(known, 1) / float(_SCORE) ** 2
    distance: Floats = np.where(known >= max(1, least), figure, np.nan)
    return np.round(distance, 6)


def hour_residuals(counts: Floats) -> NDArray[np.int16]:
    """What is left of each account's hours after its own hour of the day and its own days: square roots of counts less what day and hour let expect, as rows of length 2^14.

    Expected is sum of the day x sum of the hour / sum of all, of square roots. In: (n, days, 24) requests. Out: (n, days * 24), 0 everywhere if nothing is left.
    """
    roots = np.sqrt(counts)
    by_day, by_hour, whole = roots.sum(axis=2), roots.sum(axis=1), roots.sum(axis=(1, 2))
    left = (roots - by_day[:, :, None] * by_hour[:, None, :] / np.maximum(whole, 1.0)[:, None, None]).reshape(len(roots), counts.shape[1] * HOURS)
    length = np.sqrt((left**2).sum(axis=1, keepdims=True))
    rows: NDArray[np.int16] = np.round(np.divide(left, length, out=np.zeros_like(left), where=length > 1e-9) * _RESIDUAL).astype(np.int16)
    return rows


def timing_distance(rows: NDArray[np.int16], place: Ints, a: Ints, b: Ints) -> Floats:
    """1 - cosine of two accounts' residual hours, 0..2. In: rows of length 2^14, each account's row or -1. NaN where a side has none."""
    known = (place[a] >= 0) & (place[b] >= 0)
    figure = np.full(len(a), np.nan)
    figure[known] = 1.0 - row_dots(rows, place[a[known]], place[b[known]]) / float(_RESIDUAL) ** 2
    return np.round(figure, 6)


def dots(ends: Ints, columns: Ints, weights: Ints, a: Ints, b: Ints) -> Ints:
    """Product of two sparse rows of whole numbers, of each pair. In: rows as in Topics, pairs of rows. Out: (pairs,)."""
    found: Ints = _backend("dots")(ends, columns, weights, a, b)
    return found


def row_dots(rows: NDArray[np.int16], a: Ints, b: Ints) -> Ints:
    """Product of two dense rows of small whole numbers, of each pair. Out: (pairs,)."""
    found: Ints = _backend("row_dots")(rows, a, b)
    return found


def plain_dots(ends: Ints, columns: Ints, weights: Ints, a: Ints, b: Ints) -> Ints:
    """See `dots`; in scipy."""
    matrix = sparse.csr_matrix((weights, columns, ends), shape=(len(ends) - 1, int(columns.max()) + 1 if len(columns) else 1))
    found: Ints = _chunked(lambda one, other: np.asarray(matrix[one].multiply(matrix[other]).sum(axis=1), dtype=np.int64).ravel(), a, b)
    return found


def plain_row_dots(rows: NDArray[np.int16], a: Ints, b: Ints) -> Ints:
    """See `row_dots`; in numpy."""
    found: Ints = _chunked(lambda one, other: np.einsum("ij,ij->i", rows[one].astype(np.int64), rows[other].astype(np.int64)), a, b, 2_000)
    return found


def _chunked(figure: Callable[[Ints, Ints], NDArray[Any]], a: Ints, b: Ints, size: int = _CHUNK) -> NDArray[Any]:
    """The figure of many pairs, some at a time."""
    return np.concatenate([figure(a[start : start + size], b[start : start + size]) for start in range(0, max(1, len(a)), size)])


@functools.cache
def _backend(name: str) -> Callable[..., Any]:
    """A product compiled, or as it stands where numba is missing or not wanted."""
    if is_compiled():
        from pipeline.measures import likeness_numba

        compiled: dict[str, Callable[..., Any]] = {"dots": likeness_numba.dots, "row_dots": likeness_numba.row_dots}
        return compiled[name]
    plain: dict[str, Callable[..., Any]] = {"dots": plain_dots, "row_dots": plain_row_dots}
    return plain[name]
