"""Evenness over the hours of the day: by its definition over pairs, and its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measures.evenness import evenness

HOUR_US = 3_600_000_000
TIMES = st.lists(st.integers(0, 40 * 24 * HOUR_US), min_size=2, max_size=40)


def _of(times: list[int]) -> float:
    return float(evenness(np.zeros(len(times), np.int64), np.array(times, dtype=np.int64), 1)[0])


@given(times=TIMES)
def test_it_is_one_less_the_mean_cosine_over_all_pairs(times: list[int]) -> None:
    angle = 2 * np.pi * np.array(times) / (24 * HOUR_US)
    pairs = [np.cos(a - b) for i, a in enumerate(angle) for b in angle[:i]]
    assert _of(times) == pytest.approx(1 - np.mean(pairs), abs=1e-6)


@given(times=TIMES, shift=st.integers(0, 24 * HOUR_US))
def test_no_time_zone_is_assumed_and_no_date_counts(times: list[int], shift: int) -> None:
    assert _of([time + shift for time in times]) == pytest.approx(_of(times), abs=1e-6)
    assert _of([time % (24 * HOUR_US) for time in times]) == pytest.approx(_of(times), abs=1e-6)


@given(times=TIMES)
def test_it_lies_between_one_hour_and_all_hours(times: list[int]) -> None:
    assert -1e-9 <= _of(times) <= 1 + 1 / (len(times) - 1) + 1e-9


def test_one_hour_is_zero_and_few_requests_at_random_look_as_even_as_many() -> None:
    assert _of([9 * HOUR_US] * 5) == pytest.approx(0, abs=1e-9)
    draw = np.random.default_rng(5)
    for count in (4, 40):
        holder = np.repeat(np.arange(4000), count)
        assert evenness(holder, draw.integers(0, 24 * HOUR_US, len(holder)), 4000).mean() == pytest.approx(1.0, abs=0.02)


def test_fewer_than_two_requests_say_nothing() -> None:
    assert evenness(np.array([1], dtype=np.int64), np.array([7], dtype=np.int64), 3).tolist() == [0.0, 0.0, 0.0]
