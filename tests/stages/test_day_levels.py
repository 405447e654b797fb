"""How busy each day was for everybody: worked out by hand on a small log, nothing of nothing."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from pipeline.stages.day_levels import day_counts, day_levels
from tests.stages.builders import CONFIG, empty, frame

DAY = dt.date(2026, 5, 1)
LATER = dt.date(2026, 5, 3)


def _log() -> dict[str, object]:
    rows = [{"account_key": 7, "day": DAY, "request_count": 4}, {"account_key": 7, "day": LATER, "request_count": 16}, {"account_key": 3, "day": LATER, "request_count": 9}]
    return {"daily_requests": frame("daily_requests", rows), "account_records": frame("account_records", [{"account_key": key, "account_id": str(key)} for key in (7, 3)])}


def test_a_level_is_the_mean_of_roots_less_each_accounts_own():
    found = day_levels(_log(), CONFIG)["day_levels"]
    first = ((math.sqrt(4) - 3.0) + (0.0 - 1.5)) / 2
    assert found["day"].to_list() == [DAY, LATER]
    assert found["level"].to_list() == pytest.approx([first, -first])


def test_counts_stand_by_account_and_day():
    log = _log()
    counts = day_counts(log["daily_requests"], np.array([3, 5, 7]), log["daily_requests"]["day"].unique().sort())
    assert counts.tolist() == [[0.0, 9.0], [0.0, 0.0], [4.0, 16.0]]


def test_no_requests_no_days():
    assert day_levels({"daily_requests": empty("daily_requests"), "account_records": empty("account_records")}, CONFIG)["day_levels"].height == 0
