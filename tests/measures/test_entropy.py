"""Laws of entropy, and scipy as an independent oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from scipy import stats

from pipeline.measures.entropy import entropy_bits, group_sums, grouped_entropy_bits

TABLES = hn.arrays(np.int64, hn.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 10**9))
GROUPS = st.lists(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), max_size=8)


def counts_of_counts(groups):
    """The same groups as starts, uses and values, rows of a group sorted by uses."""
    starts, uses, values = [], [], []
    for group in groups:
        starts.append(len(uses))
        found, times = np.unique(group, return_counts=True)
        uses.extend(found.tolist())
        values.extend(times.tolist())
    return tuple(np.array(part, dtype=np.int64) for part in (starts, uses, values))


@given(TABLES)
def test_entropy_lies_between_none_and_the_logarithm_of_the_bins_in_use(table):
    bits = entropy_bits(table)
    used = (table > 0).sum(axis=1)
    assert (np.isnan(bits) == (used == 0)).all()
    known = used > 0
    assert (bits[known] >= 0).all()
    assert (bits[known] <= np.log2(used[known]) + 1e-9).all()


@given(TABLES)
def test_entropy_agrees_with_scipy(table):
    for row, bits in zip(table, entropy_bits(table), strict=True):
        if row.sum():
            assert bits == pytest.approx(stats.entropy(row, base=2), abs=1e-9)


@given(TABLES, st.randoms(use_true_random=False))
def test_entropy_does_not_know_the_order_of_bins(table, random):
    order = list(range(table.shape[1]))
    random.shuffle(order)
    assert np.array_equal(entropy_bits(table), entropy_bits(table[:, order]), equal_nan=True)


@given(st.integers(1, 60), st.integers(1, 10**9))
def test_equal_counts_give_the_logarithm_and_one_bin_gives_nothing(bins, count):
    assert entropy_bits(np.full((1, bins), count, dtype=np.int64))[0] == pytest.approx(np.log2(bins), abs=1e-9)
    assert entropy_bits(np.array([[count]]))[0] == 0


@given(GROUPS)
def test_counts_of_counts_give_the_entropy_of_the_counts(groups):
    found = grouped_entropy_bits(*counts_of_counts(groups))
    assert len(found) == len(groups)
    for group, bits in zip(groups, found, strict=True):
        assert bits == pytest.approx(stats.entropy(group, base=2), abs=1e-9)


@given(GROUPS)
def test_group_sums_are_sums(groups):
    lengths = [len(group) for group in groups]
    starts = np.cumsum([0, *lengths])[:-1].astype(np.int64)
    flat = np.array([value for group in groups for value in group], dtype=np.int64)
    assert group_sums(starts, flat).tolist() == [sum(group) for group in groups]


def test_nothing_gives_nothing():
    none = np.zeros(0, dtype=np.int64)
    assert grouped_entropy_bits(none, none, none).shape == (0,)
    assert group_sums(none, none).shape == (0,)
    assert entropy_bits(np.zeros((0, 24), dtype=np.int64)).shape == (0,)
    assert np.isnan(entropy_bits(np.zeros((1, 24), dtype=np.int64))[0])
