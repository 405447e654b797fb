"""What is usual: bands that a few bad days do not move, days compared with their kind, and a record that says what the day tables say."""

from __future__ import annotations

import datetime as dt
import json
import statistics
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.history.bands import count_band, share_band
from pipeline.history.health import SCORE_BINS, health_of
from pipeline.history.nights import EarlierNight
from pipeline.history.report import report
from pipeline.history.settings import read_operations, shipped_operations

OPERATIONS = shipped_operations()
NIGHT = dt.date(2026, 5, 6)  # a Wednesday


def day(rows: int = 1000, accounts: int = 100, rejected: int = 0, hours: list[int] | None = None, **filled: int) -> dict[str, Any]:
    return {
        "rows_read": rows,
        "rows_kept": rows - rejected,
        "duplicates": 0,
        "rejected": rejected,
        "accounts": accounts,
        "hours": hours or [rows // 24] * 24,
        "filled": filled or {"prompt": rows - rejected},
    }


def manifest(tonight: dict[str, Any] | None, before: list[dict[str, Any]], scores: list[int] | None = None, tiers: dict[str, int] | None = None) -> dict[str, Any]:
    days = {(NIGHT - dt.timedelta(days=offset)).isoformat(): counts for offset, counts in enumerate(before, start=1)}
    if tonight is not None:
        days[NIGHT.isoformat()] = tonight
    return {"night": NIGHT.isoformat(), "tiers": tiers or {}, "health": {"days": days, "score_counts": scores or [100, *[0] * (SCORE_BINS - 1)]}}


def earlier(scores: list[int], refer: int = 2) -> EarlierNight:
    return EarlierNight(NIGHT, "0" * 12, "0.1.0", "ab", "cd", (), {}, {"refer": refer}, {"days": {}, "score_counts": scores})


def unusual(found: dict[str, Any], nights: tuple[EarlierNight, ...] = ()) -> set[tuple[str, str]]:
    return {(figure.group, figure.name) for figure in report(found, nights, OPERATIONS).unusual()}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40), st.integers(0, 10**10))
def test_a_count_is_usual_if_it_is_within_five_deviations_a_fifth_or_chance(values: list[int], value: int) -> None:
    """Known answer another way, from the definition."""
    band = count_band(values, 5.0, 0.2)
    median = statistics.median(values)
    deviation = 1.4826 * statistics.median([abs(one - median) for one in values])
    half = max(5.0 * deviation, 0.2 * median, 3.0 * max(1, median) ** 0.5)
    assert band.holds(value) == (round(max(0, median - half), 6) <= value <= round(median + half, 6))
    assert band.holds(round(median))
    assert 0 <= band.low <= band.median <= band.high


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 1), min_size=9, max_size=9), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_fewer_than_half_of_the_days_cannot_move_a_band_far(usual: list[float], bad: list[float]) -> None:
    """The median of 13 values of which 4 are arbitrary lies among the 9 others."""
    band = share_band([*usual, *bad], 5.0, 0.02)
    assert min(usual) - 1e-6 <= band.median <= max(usual) + 1e-6
    assert 0 <= band.low <= band.high <= 1


def test_a_night_like_the_others_is_healthy() -> None:
    assert unusual(manifest(day(), [day(), day(1010), day(990), day(), day(1005)])) == set()


@pytest.mark.parametrize(
    ("tonight", "names"),
    [
        (day(500), {("rows", "rows_read")}),
        (day(accounts=10), {("rows", "accounts")}),
        (day(rejected=50), {("rows", "rejected")}),
        (day(hours=[0] * 6 + [55] * 18), {("hour", f"{hour:02d}") for hour in range(6)}),
        (day(prompt=1000, client_ip=0), {("column", "client_ip")}),
        (day(prompt=1000, client_ip=1000, ja4=1000), {("column", "ja4")}),
    ],
)
def test_what_breaks_is_named(tonight: dict[str, Any], names: set[tuple[str, str]]) -> None:
    before = [day(prompt=1000, client_ip=1000) for _ in range(6)] if "client_ip" in tonight["filled"] else [day() for _ in range(6)]
    found = unusual(manifest(tonight, before))
    assert names <= found
    assert {name for name in found if name[0] != "hour"} == {name for name in names if name[0] != "hour"}


def test_a_day_without_a_row_is_unusual_and_divides_by_nothing() -> None:
    assert ("rows", "rows_read") in unusual(manifest(None, [day() for _ in range(6)]))
    assert unusual(manifest(day(), [day(0, 0, hours=[0] * 24) for _ in range(6)])) >= {("rows", "rows_read")}


def test_too_few_days_say_nothing() -> None:
    found = report(manifest(day(1), [day() for _ in range(OPERATIONS.minimum_days - 1)]), (), OPERATIONS)
    assert found.unusual() == ()
    assert all(figure.band is None for figure in found.figures)
    assert report({"night": NIGHT.isoformat()}, (), OPERATIONS).is_recorded is False


def test_a_weekday_is_compared_with_weekdays() -> None:
    """Weekends of a tenth of the rows: a Wednesday is compared with the weekdays, and a Saturday with the weekends."""
    before = [day(100 if (NIGHT - dt.timedelta(days=offset)).weekday() >= 5 else 1000) for offset in range(1, 28)]
    found = report(manifest(day(), before), (), OPERATIONS)
    assert (found.kind, len(found.compared_days)) == ("weekdays", 19)
    assert ("rows", "rows_read") in unusual(manifest(day(100), before))
    weekend = {**manifest(day(100), []), "night": "2026-05-09"}
    weekend["health"]["days"] = {
        (dt.date(2026, 5, 9) - dt.timedelta(days=o)).isoformat(): day(100 if (dt.date(2026, 5, 9) - dt.timedelta(days=o)).weekday() >= 5 else 1000) for o in range(28)
    }
    found = report(weekend, (), OPERATIONS)
    assert (found.kind, found.unusual()) == ("weekend days", ())


def test_a_shift_of_the_scores_is_drift() -> None:
    usual, shifted = [90, 10, *[0] * 18], [50, 10, *[0] * 17, 40]
    nights = tuple(earlier(usual) for _ in range(8))
    assert unusual(manifest(day(), [], usual, {"refer": 2}), nights) == set()
    assert unusual(manifest(day(), [], shifted, {"refer": 2}), nights) == {("score", "0.00"), ("score", "0.95")}
    assert unusual(manifest(day(), [], usual, {"refer": 40}), nights) == {("networks", "refer")}
    assert unusual(manifest(day(), [], shifted), nights[:3]) == set(), "three nights are too few"


def test_the_record_says_what_the_day_tables_say(finished: Path) -> None:
    found = json.loads((finished / "latest" / "run.json").read_text())["health"]
    assert list(found["days"]) == ["2026-05-01", "2026-05-02", "2026-05-03"]
    for name, counts in found["days"].items():
        requests = pl.read_parquet(finished / "days" / f"date={name}" / "requests.parquet")
        assert counts["rows_kept"] == counts["rows_read"] == requests.height
        assert counts["accounts"] == requests["account_key"].n_unique()
        hours = requests.select((pl.col("ts_us") // 3_600_000_000 % 24).alias("hour")).group_by("hour").len().sort("hour")
        assert counts["hours"] == hours["len"].to_list()
        assert counts["filled"]["prompt"] == requests.height
        assert "session_id" not in counts["filled"]
    scores = pl.read_parquet(finished / "latest" / "tables" / "accounts.parquet")["extraction_score"]
    assert sum(found["score_counts"]) == len(scores.drop_nulls())
    assert found["score_counts"][-1] == (scores >= 0.95).sum()


def test_the_record_of_nothing(tmp_path: Path) -> None:
    pl.DataFrame({"extraction_score": pl.Series([], dtype=pl.Float64)}).write_parquet(tmp_path / "accounts.parquet")
    assert health_of([], tmp_path / "accounts.parquet") == {"days": {}, "score_counts": [0] * SCORE_BINS}


def test_settings_of_operations_may_be_set_and_are_checked(tmp_path: Path) -> None:
    assert read_operations(tmp_path) == OPERATIONS
    (tmp_path / "operations.toml").write_text("spread = 3\n")
    assert read_operations(tmp_path).spread == 3.0
    for text in ("spred = 3", "spread = 'x'", "spread = 0.5", "history_days = 1.5", "spread ="):
        (tmp_path / "operations.toml").write_text(text)
        with pytest.raises(ConfigError, match=r"operations\.toml"):
            read_operations(tmp_path)
