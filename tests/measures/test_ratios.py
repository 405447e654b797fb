"""Laws of ratios, deviations and quantiles read off histograms; numpy on the raw values is the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measures.ratios import deviation, log2_quantile, ratio

EDGES = np.array([32.0, *(2.0**k for k in range(6, 16))])
LENGTHS = st.lists(st.integers(32, 32_767), min_size=1, max_size=200)


def histogram(lengths):
    return np.histogram(lengths, bins=EDGES)[0].astype(np.int64)[None, :]


@given(st.lists(st.tuples(st.integers(-100, 100), st.integers(-3, 3)), max_size=20))
def test_a_ratio_is_the_quotient_or_nothing(pairs):
    above, below = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    found = ratio(above, below)
    assert [None if np.isnan(value) else value for value in found] == [None if b == 0 else a / b for a, b in pairs]


@given(st.lists(st.integers(0, 10**5), min_size=1, max_size=40))
def test_deviation_agrees_with_numpy(values):
    found = deviation(np.array([len(values)]), np.array([sum(values)]), np.array([sum(value * value for value in values)]))[0]
    assert found == pytest.approx(np.std(values), rel=1e-3, abs=0.1)


@given(LENGTHS, st.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bin_of_the_true_one(lengths, share):
    true = np.quantile(lengths, share, method="inverted_cdf")
    bin_of = np.searchsorted(EDGES, true, side="right") - 1
    found = 2 ** log2_quantile(histogram(lengths), EDGES, share)[0]
    assert EDGES[bin_of] * (1 - 1e-9) <= found <= EDGES[bin_of + 1] * (1 + 1e-9)


@given(LENGTHS)
def test_quantiles_rise(lengths):
    low, middle, high = (log2_quantile(histogram(lengths), EDGES, share)[0] for share in (0.25, 0.5, 0.75))
    assert np.log2(32) <= low <= middle <= high <= 15


def test_the_middle_of_one_bin_is_its_geometric_middle():
    counts = np.zeros((1, 10), dtype=np.int64)
    counts[0, 3] = 8
    assert 2 ** log2_quantile(counts, EDGES, 0.5)[0] == pytest.approx(np.sqrt(256 * 512))


def test_no_counts_say_nothing():
    assert np.isnan(log2_quantile(np.zeros((1, 10), dtype=np.int64), EDGES, 0.5)[0])
    assert log2_quantile(np.zeros((0, 10), dtype=np.int64), EDGES, 0.5).shape == (0,)
