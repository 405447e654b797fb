"""Operational tests of one group that was asked for: from its members' rows they say what stage 63 says from everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from pipeline.evidence.group_stages import DISJOINT, FEW, NEEDS_ALL, coupled
from pipeline.kinds import OPERATIONAL
from pipeline.measures.succession import DAY_US, HOUR_US
from tests.stages import test_operational as planted
from tests.stages.builders import CONFIG, START, START_US, Frames, python_stage

MEMBERS = [planted.KEYS[n] for n in planted.MEMBERS]


class _Rows:
    """Tables of a run, of which only the rows asked for are given."""

    config = CONFIG

    def __init__(self, tables: Frames) -> None:
        self._tables = tables

    def frames(self, names: Sequence[str]) -> Frames:
        return {name: self._tables[name] for name in names}

    def columns(self, name: str, *columns: str) -> pl.DataFrame:
        return self._tables[name].select(columns)

    def rows_of(self, name: str, keys: Sequence[int], column: str = "account_key") -> pl.DataFrame:
        return self._tables[name].filter(pl.col(column).is_in(list(keys)))

    def first_of(self, name: str, **equals: list[Any]) -> pl.DataFrame:
        return self._tables[name].filter(*(pl.col(column).is_in(values) for column, values in equals.items())).head(1)


def _given(each: int = 60) -> Frames:
    """Members who move at a release, are born after bans, work on `each` items of one list, and whose days are the middle of the log's."""
    born = planted._born(lambda n: START_US + (3, 6)[n % 2] * DAY_US + 11 * HOUR_US + n if n > 2 else START_US - DAY_US, planted.BANS)
    moves = planted._given(release_moves=[planted._moved(n, moved=n in planted.MEMBERS or n % 20 == 0) for n in range(planted.ACCOUNTS)])
    work = planted._given(work_items=planted._items(lambda n: list(range(n * 20, n * 20 + each)))[0])
    inside = pl.col("day").is_between(START.replace(day=3), START.replace(day=11)) | ~pl.col("account_key").is_in(MEMBERS)
    days = born["daily_requests"].filter(inside)
    return {**born, "release_moves": moves["release_moves"], "work_items": work["work_items"], "daily_requests": days}


def _told(tables: Frames) -> dict[str, dict[str, Any]]:
    read = {name: tables[name] for name in ("clusters", "account_records", "features", "boilerplate", "sample_totals")}
    made = coupled(_Rows(tables), read, MEMBERS, planted.KEYS)  # type: ignore[arg-type]  # of the workings of a run it asks these four
    return {row["test"]: row for row in made.rows(named=True)}


def test_rows_of_the_group_tell_what_all_rows_tell() -> None:
    given = _given()
    whole = {row["test"]: row for row in python_stage(planted.STAGE, given)["operational_tests"].rows(named=True)}
    told = _told(given)
    asked = set(OPERATIONAL) - {DISJOINT}
    assert {test: told[test] for test in asked} == {test: whole[test] for test in asked}
    assert {told[test]["status"] for test in asked} == {"ran"}


@pytest.mark.parametrize(("each", "reason"), [(60, NEEDS_ALL), (0, FEW)])
def test_what_takes_the_whole_log_says_that_it_was_not_asked_unless_it_could_not_tell(each: int, reason: str) -> None:
    row = _told(_given(each))[DISJOINT]
    assert (row["status"], row["reason"], row["p_value"], row["statistic"], row["unit"]) == ("not_run", reason, None, None, "")
    if reason == FEW:
        assert python_stage(planted.STAGE, _given(each))["operational_tests"].filter(pl.col("test") == DISJOINT)["status"].item() == "not_run"


def test_a_log_without_days_and_releases_gives_reasons() -> None:
    given = _given()
    told = _told({name: table if name in ("clusters", "account_records") else table.clear() for name, table in given.items()})
    assert {row["status"] for row in told.values()} == {"not_run"}
    assert all(row["reason"] for row in told.values())
