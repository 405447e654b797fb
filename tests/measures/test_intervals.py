"""Laws of the measures of time, and numpy on the raw values as an independent oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from pipeline.measures.intervals import burstiness, dispersion, quietest_share

GAPS = st.lists(st.floats(0, 10**6), min_size=1, max_size=50)
HOURS = hn.arrays(np.int64, st.tuples(st.integers(0, 6), st.just(24)), elements=st.integers(0, 10**6))
DAYS = st.lists(st.integers(1, 10**5), min_size=1, max_size=60)


def one_burstiness(gaps):
    values = np.array(gaps)
    return burstiness(np.array([len(values)]), np.array([values.sum()]), np.array([np.square(values).sum()]))[0]


@given(GAPS)
def test_burstiness_stays_between_minus_one_and_one(gaps):
    found = one_burstiness(gaps)
    assert np.isnan(found) or -1 <= found <= 1


@given(GAPS)
def test_burstiness_agrees_with_its_definition(gaps):
    mean, deviation = np.mean(gaps), np.std(gaps)
    if mean > 1e-3:
        assert one_burstiness(gaps) == pytest.approx((deviation - mean) / (deviation + mean), abs=1e-5)


def test_clockwork_is_minus_one_and_a_burst_approaches_one():
    assert one_burstiness([60.0] * 100) == pytest.approx(-1, abs=1e-6)
    assert one_burstiness([0.0] * 9999 + [10.0**6]) > 0.97


def test_random_arrivals_are_near_zero():
    gaps = np.random.default_rng(7).exponential(30.0, 100_000)
    assert abs(one_burstiness(gaps)) < 0.01


def test_no_gaps_and_no_time_say_nothing():
    assert np.isnan(burstiness(np.array([0]), np.array([0.0]), np.array([0.0]))[0])
    assert np.isnan(one_burstiness([0.0, 0.0]))


@given(HOURS, st.integers(1, 24))
def test_the_quietest_share_is_the_least_over_all_starts(hours, width):
    for row, found in zip(hours, quietest_share(hours, width), strict=True):
        if row.sum():
            windows = [np.take(row, range(start, start + width), mode="wrap").sum() for start in range(24)]
            assert found == pytest.approx(min(windows) / row.sum())
            assert 0 <= found <= width / 24 + 1e-12
        else:
            assert np.isnan(found)


@given(HOURS, st.integers(0, 23))
def test_the_quietest_share_does_not_know_the_time_zone(hours, shift):
    assert np.array_equal(quietest_share(hours, 8), quietest_share(np.roll(hours, shift, axis=1), 8), equal_nan=True)


@given(DAYS)
def test_dispersion_is_variance_over_mean(days):
    found = dispersion(np.array([sum(days)]), np.array([sum(day * day for day in days)]), np.array([len(days)]))[0]
    if len(days) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(np.var(days) / np.mean(days), rel=1e-6, abs=1e-6)


def test_equal_days_have_no_dispersion_at_all():
    assert dispersion(np.array([3 * 77]), np.array([3 * 77**2]), np.array([3]))[0] == 0
