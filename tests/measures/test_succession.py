"""Births after bans: counted one by one, births in clusters count as clusters, and the null keeps hours and working weeks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.nulls import permutation_p
from pipeline.measures.succession import AFTER_US, BEFORE_US, DAY_US, HOUR_US, covered_share, following, placed, waves

MOMENTS = st.lists(st.integers(0, 28 * 24), min_size=1, max_size=30).map(lambda hours: np.sort(np.array(hours, dtype=np.int64)) * HOUR_US)


@settings(max_examples=80, deadline=None)
@given(MOMENTS, MOMENTS)
def test_births_are_counted_once_however_many_waves_they_follow(births, bans):
    starts = waves(bans)
    by_hand = sum(any(start - BEFORE_US <= birth <= start + AFTER_US for start in starts.tolist()) for birth in births.tolist())
    assert following(births, starts[None, :])[0] == by_hand
    assert set(starts.tolist()) <= set(bans.tolist())


@settings(max_examples=40, deadline=None)
@given(MOMENTS)
def test_the_share_of_the_window_is_what_a_birth_each_hour_sees(bans):
    starts = waves(bans)
    minutes = np.arange(0, 28 * 24 * 6, dtype=np.int64) * HOUR_US // 6 + 7
    assert abs(following(minutes, starts[None, :])[0] / len(minutes) - covered_share(starts, 0, 28 * DAY_US)) < 0.01


@settings(max_examples=40, deadline=None)
@given(MOMENTS, st.integers(0, 2**32 - 1))
def test_a_wave_keeps_its_hour_and_its_kind_of_day(bans, seed):
    starts = waves(bans)
    drawn = placed(starts, 0, 28 * DAY_US - 1, 20, np.random.default_rng(seed))
    assert drawn.shape == (20, len(starts))
    assert (drawn % DAY_US == starts % DAY_US).all()
    assert ((drawn >= 0) & (drawn < 28 * DAY_US)).all()
    weekend = ((starts // DAY_US + 3) % 7) >= 5
    assert ((((drawn // DAY_US + 3) % 7) >= 5) == weekend).all()


def test_births_by_chance_and_births_in_one_cluster_keep_the_level():
    rng = np.random.default_rng(5)
    p_values = []
    for trial in range(200):
        starts = waves(rng.choice(20, 3, replace=False) // 5 * 7 * DAY_US + rng.integers(0, 5, 3) * DAY_US + rng.integers(9, 17, 3) * HOUR_US)
        births = rng.integers(0, 28 * DAY_US, 30) if trial % 2 else np.repeat(rng.integers(0, 28 * DAY_US, 2), 15)
        null = following(np.sort(births), placed(starts, 0, 28 * DAY_US - 1, 499, rng))
        p_values.append(permutation_p(float(following(np.sort(births), starts[None, :])[0]), null.astype(float)))
    for level in (0.02, 0.1, 0.3):
        assert np.mean(np.array(p_values) <= level) <= level + 3 * np.sqrt(level / 200)


def test_no_bans_and_no_births():
    nothing = np.empty(0, np.int64)
    assert waves(nothing).tolist() == []
    assert following(nothing, np.zeros((1, 2), np.int64)).tolist() == [0]
    assert covered_share(nothing, 0, DAY_US) == 0.0
    assert placed(nothing, 0, DAY_US, 3, np.random.default_rng(0)).shape == (3, 0)
