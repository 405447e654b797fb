"""Calibration, time to detection and sensitivity on worlds written down by hand."""

from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest

from pipeline.validate.calibration import figures_of_calibration, main_groups
from pipeline.validate.delay import figures_of_delay
from pipeline.validate.judging import _day_of_ten
from pipeline.validate.plans import AS_IT_IS
from pipeline.validate.results import DELAYS
from pipeline.validate.sensitivity import figures_of_sensitivity
from tests.validate.tables import results, row, world


def delays(*rows):
    return pl.DataFrame([row if len(row) == len(DELAYS) else (*row, None) for row in rows], schema=DELAYS, orient="row")


def test_the_main_group_is_the_largest_and_strangers_are_none():
    made = results(world("w", ("campaign:a", "a", 3, "refer-1"), ("classroom", "c", 4, "refer-1"), ("individual", None, 9, "watch-1")))
    found = {line["network_id"]: (line["main_group"], line["held"], line["members"]) for line in main_groups(made.accounts(AS_IT_IS)).rows(named=True)}
    assert found == {"refer-1": ("c", 4, 7), "watch-1": (None, 0, 9)}


def test_a_class_is_no_chance_grouping_and_strangers_are():
    made = results(
        world("w", ("classroom", "c", 9, "watch-1"), ("individual", None, 9, "watch-2"), ("campaign:a", "a", 9, "refer-1"), q={"watch-1": 0.0005, "watch-2": 0.03, "refer-1": 0.01})
    )
    figures = figures_of_calibration(made)
    shares = {entry.stratum: entry.value for entry in figures if entry.measure == "chance_networks_at_q"}
    assert shares == {"q at most 0.001": 0.0, "q at most 0.01": 0.0, "q at most 0.05": pytest.approx(1 / 3, abs=1e-6), "q at most 0.2": pytest.approx(1 / 3, abs=1e-6)}


def test_a_network_without_a_q_value_is_not_counted():
    made = results(world("w", ("individual", None, 9, "watch-2")))
    assert {entry.value for entry in figures_of_calibration(made) if entry.measure == "chance_networks_at_q"} == {None}


@pytest.mark.parametrize(("stated", "band"), [(0.0, "0 to 0.2"), (0.2, "0.2 to 0.4"), (0.5, "0.4 to 0.6"), (0.8, "0.8 to 1"), (1.0, "0.8 to 1")])
def test_membership_is_compared_inside_its_band(stated, band):
    made = results(world("w", ("campaign:a", "a", 6, "refer-1"), ("individual", None, 2, "refer-1"), membership=stated))
    figures = figures_of_calibration(made)
    assert row(figures, "membership_observed", f"referred, membership {band}").value == 0.75
    assert row(figures, "membership_stated", f"referred, membership {band}").value == stated
    assert sum(entry.value is not None for entry in figures if entry.measure == "membership_observed") == 1
    assert row(figures, "membership_brier", "referred").value == pytest.approx((6 * (1 - stated) ** 2 + 2 * stated**2) / 8, abs=1e-6)


def test_strangers_of_a_watched_network_do_not_blame_the_memberships_of_a_referred_one():
    made = results(world("w", ("campaign:a", "a", 6, "refer-1"), ("individual", None, 9, "watch-1"), membership=0.9))
    figures = figures_of_calibration(made)
    assert [row(figures, "membership_observed", f"{tier}, membership 0.8 to 1").value for tier in ("referred", "watched")] == [1.0, 0.0]
    assert [row(figures, "membership_brier", tier).value for tier in ("referred", "watched")] == pytest.approx([0.01, 0.81], abs=1e-6)


def test_delays_are_medians_and_a_campaign_never_referred_has_none():
    worlds = [world(f"w{at}", ("campaign:a", "a", 5, None), delays=delays(("a", "campaign:a", 9, at, 100, 10 * at))) for at in (1, 2, 3)]
    never = world("w9", ("campaign:b", "b", 5, None), delays=delays(("b", "campaign:b", 9, None, 100, 100)))
    figures = figures_of_delay(results(*worlds, never))
    found = row(figures, "nights_until_referred", "campaign:a")
    assert (found.value, found.n, found.bound, found.cases) == (2, 3, "none", "campaigns, one a world")
    assert row(figures, "requests_until_referred", "campaign:a").value == 0.2
    assert row(figures, "nights_until_referred", "campaign:b").value is None
    assert [row(figures, "referred_by_night", f"campaign:a, night {night}").value for night in (1, 2, 3, 9)] == pytest.approx([1 / 3, 2 / 3, 1, 1], abs=1e-6)
    assert row(figures, "referred_by_night", "all, night 9").value == 0.75


def test_a_campaign_is_watched_only_while_the_log_lasts():
    short = world("w1", ("campaign:a", "a", 5, None), delays=delays(("a", "campaign:a", 2, None, 10, 10)))
    long = world("w2", ("campaign:a", "a", 5, None), delays=delays(("a", "campaign:a", 4, 3, 10, 5)))
    figures = figures_of_delay(results(short, long))
    second, third = (row(figures, "referred_by_night", f"campaign:a, night {night}") for night in (2, 3))
    assert [(second.value, second.n), (third.value, third.n)] == [(0.0, 2), (1.0, 1)]


@pytest.mark.parametrize(
    ("nights", "flagged", "ten", "expected"),
    [
        (9, 5, 2, (1.0, 1)),
        (9, 6, 2, (0.0, 1)),
        (9, 1, 2, (1.0, 1)),  # found before it was so large
        (9, None, 2, (0.0, 1)),
        (4, None, 2, (None, 0)),  # not watched for three nights more
        (4, 3, 2, (1.0, 1)),
        (5, None, 2, (0.0, 1)),
        (9, 3, None, (None, 0)),  # never so large
    ],
)
def test_nights_are_also_counted_from_ten_active_accounts(nights, flagged, ten, expected):
    made = results(world("w", ("campaign:L3", "a", 12, None), delays=delays(("a", "campaign:L3", nights, flagged, 100, 50, ten))))
    for stratum in ("all", "campaign:L3", "campaigns L0 to L4"):
        found = row(figures_of_delay(made), "referred_soon_after_ten", stratum)
        assert (found.value, found.n) == expected


def test_only_the_lower_rungs_are_the_plain_ones():
    made = results(world("w", ("campaign:L5", "a", 12, None), delays=delays(("a", "campaign:L5", 9, 3, 100, 50, 1))))
    assert [entry.stratum for entry in figures_of_delay(made) if entry.measure == "referred_soon_after_ten"] == ["all", "campaign:L5"]


def test_the_day_of_ten_is_that_of_the_tenth_accounts_first_request():
    days = [date(2026, 5, 1 + number // 4) for number in range(12)]
    rows = [("large", f"a{number}", day, 1) for number, day in enumerate(days)] + [("large", "a0", date(2026, 5, 9), 1)]
    rows += [("small", f"b{number}", date(2026, 5, 1), 1) for number in range(9)]
    daily = pl.DataFrame(rows, schema={"group": pl.String, "account_id": pl.String, "day": pl.Date, "requests": pl.Int64}, orient="row")
    assert _day_of_ten(daily) == {"large": date(2026, 5, 3)}


def test_no_world_judged_night_by_night_gives_no_delay():
    assert figures_of_delay(results(world("w", ("campaign:a", "a", 5, "refer-1")))) == []


def test_a_try_is_compared_with_the_same_worlds_only():
    parts = ("campaign:a", "a", 10, "refer-1")
    tried = world("w1", parts, ("individual", None, 10, None), tries={"stricter": (("campaign:a", "a", 10, None), ("individual", None, 10, None))})
    looser = world("w2", parts, ("individual", None, 10, None), tries={"looser": (parts, ("individual", None, 10, "refer-1"))})
    figures = figures_of_sensitivity(results(tried, looser))
    assert row(figures, "try_recall_change", "threshold: stricter").value == -1.0
    assert row(figures, "try_recall_change", "threshold: stricter").n == 1
    assert row(figures, "try_agreement", "threshold: stricter").value == 0.0
    assert row(figures, "try_recall_change", "threshold: looser").value == 0.0
    assert row(figures, "try_false_accusations_change", "threshold: looser").value == 100_000
    assert row(figures, "try_agreement", "threshold: looser").value == 0.5
    assert row(figures, "try_campaigns_found", "threshold: looser").value == 1.0
    assert row(figures, "try_campaigns_found", "threshold: stricter").value == 0.0


def test_nothing_flagged_either_time_is_no_agreement():
    made = world("w1", ("individual", None, 5, None), tries={"other": (("individual", None, 5, None),)})
    assert row(figures_of_sensitivity(results(made)), "try_agreement", "threshold: other").value is None
    assert not any(math.isnan(entry.value) for entry in figures_of_sensitivity(results(made)) if entry.value is not None)
