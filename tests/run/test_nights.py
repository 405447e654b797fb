"""Night after night with faults: the same tables as a clean replay of the nights, and nothing lost on the way."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.run import RunOutcome
from pipeline.store import Store
from tests.careers import date_of, write_day
from tests.run.diary import Diary, ledger, same_tables, split, traffic

NIGHTS, WINDOW, BANNED, RETURNS = 7, 3, 2, 6
Week = tuple[Diary, list[RunOutcome]]


def late(account: str) -> bool:
    return account.startswith(("person-00", "person-01"))


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    """Seven nights: a kill, a late file, a duplicate, a file still being written, another schema, an empty night, a full disk."""
    diary, outcomes = Diary(tmp_path_factory.mktemp("week"), WINDOW), []
    with pytest.MonkeyPatch.context() as monkeypatch:
        for day in range(NIGHTS):
            rows = traffic(day, BANNED, RETURNS)
            in_time, held_back = split(rows, late) if day == 2 else (rows, [])
            if day == 4:
                diary.half_written(day, rows)
                diary.other_schema(day, rows)
            elif day != 5:
                write_day(diary.logs, day, in_time)
            if day == 1:
                diary.killed(day, stage=40)
            if day == 3:
                write_day(diary.logs, 2, split(traffic(2, BANNED, RETURNS), late)[1], "late.parquet")
                shutil.copy(diary.logs / f"date={date_of(3)}" / "part-0.parquet", diary.logs / f"date={date_of(3)}" / "twice.parquet")
            if day == 6:
                diary.full(day, monkeypatch)
            outcomes.append(diary.run(day))
            assert bool(held_back) == (day == 2)
    return diary, outcomes


def test_a_week_with_faults_ends_in_the_tables_of_a_clean_replay(week: Week, tmp_path: Path) -> None:
    diary, outcomes = week
    assert same_tables(outcomes[-1], diary.replay(tmp_path / "clean", NIGHTS)[0]) == []


def test_each_fault_leaves_its_mark_in_the_ledger_and_no_other(week: Week) -> None:
    diary, outcomes = week
    assert ledger(diary.out) == ["done", "done", "done", "done", "InputError", "done", "degraded", "OSError", "done"]
    assert [outcome.judged_again for outcome in outcomes] == [(), (), (), (date_of(2),), (), (), ()]
    assert [outcome.days_made for outcome in outcomes] == [tuple(map(date_of, days)) for days in ([0], [], [2], [2, 3], [4], [], [])]
    assert [bool(outcome.degraded) for outcome in outcomes] == [False] * 5 + [True, False]


def test_the_killed_night_went_on_after_the_stage_that_was_done(week: Week) -> None:
    _, outcomes = week
    stages = outcomes[1].manifest["measured"]["stages"]
    assert "40 candidate_pairs" not in stages
    assert "80 network_ids" in stages
    assert "10 requests" not in stages, "its day was kept before it died"


def test_what_was_doubled_counts_once_and_the_late_rows_count(week: Week) -> None:
    _, outcomes = week
    days = outcomes[3].manifest["days"]
    assert days[date_of(3).isoformat()]["tables"]["requests"]["rows"] == len(traffic(3, BANNED, RETURNS))
    assert days[date_of(2).isoformat()]["tables"]["requests"]["rows"] == len(traffic(2, BANNED, RETURNS))
    assert outcomes[3].manifest["counts"]["duplicates_resolved"] == len(traffic(3, BANNED, RETURNS))


def test_every_night_is_spoken_for_by_a_whole_run(week: Week) -> None:
    diary, outcomes = week
    store = Store(diary.out)
    nights = store.nights()
    assert sorted(nights) == [date_of(day) for day in range(NIGHTS)]
    assert nights[date_of(2)] != outcomes[2].run_id, "judged again"
    assert (diary.out / "latest").readlink().name == outcomes[-1].run_id
    assert {path.name for path in store.runs.iterdir()} == {outcome.run_id for outcome in outcomes} | {nights[date_of(2)]}, "what was published stays"


def test_the_banned_pool_is_known_again_under_new_accounts_and_another_operator_with_a_popular_client_is_not(week: Week) -> None:
    _, outcomes = week
    tables = outcomes[-1].folder / "tables"
    lineage, members = pl.read_parquet(tables / "lineage.parquet"), pl.read_parquet(tables / "members.parquet")
    homes = dict(members.with_columns(pl.col("account_id").str.split("-").list.first()).select("account_id", "network_id").unique().iter_rows())
    assert set(homes) == {"back", "other"}
    first = pl.read_parquet(outcomes[0].folder / "tables" / "members.parquet")
    assert set(first["network_id"]) == {homes["back"]}
    assert lineage.filter(pl.col("network_id") == homes["back"])["event"].to_list() == ["new", "dormant", "returned"]
    returned = lineage.filter(pl.col("event") == "returned").row(0, named=True)
    assert (returned["night"], returned["matched_by"], returned["is_superseded"]) == (date_of(6), "values", False)
    assert "new" in lineage.filter(pl.col("network_id") == homes["other"])["event"].to_list()
    known = pl.read_parquet(tables / "known_networks.parquet").filter(pl.col("network_id") == homes["back"])
    assert set(known["account_id"].str.split("-").list.first()) == {"back"}
    assert set(known["first_flagged_night"]) == {date_of(0)}, "the time of the first flag is kept"


MANY, LONG_WINDOW, LONG_BANNED, LONG_RETURNS = 60, 7, 8, 18
FAULTS = ("kill", "late", "twice", "schema", "empty", "full", "half", "deleted", "corrected", "none", "none")


def _faulty_night(diary: Diary, day: int, fault: str, owed: dict[int, str], monkeypatch: pytest.MonkeyPatch) -> RunOutcome:
    """One night of the sixty: what the last one owed arrives, then this night's fault strikes."""
    for earlier, kind in list(owed.items()):
        path = diary.logs / f"date={date_of(earlier)}" / "part-0.parquet"
        rows = traffic(earlier, LONG_BANNED, LONG_RETURNS)
        if kind == "late":
            write_day(diary.logs, earlier, split(rows, late)[1], "late.parquet")
        elif kind == "corrected":
            write_day(diary.logs, earlier, rows)
        else:
            path.with_name("wrong.parquet").unlink()
        del owed[earlier]
    rows = traffic(day, LONG_BANNED, LONG_RETURNS)
    in_time = split(rows, late)[0] if fault in ("late", "corrected") else rows
    if fault == "half":
        diary.half_written(day, rows)
    elif fault == "schema":
        diary.other_schema(day, rows)
    elif fault != "empty":
        path = write_day(diary.logs, day, in_time)
        if fault in ("twice", "deleted"):
            shutil.copy(path, path.with_name("twice.parquet" if fault == "twice" else "wrong.parquet"))
    owed.update({day: fault} if fault in ("late", "corrected", "deleted") else {})
    if fault == "kill":
        diary.killed(day, stage=random.Random(day).choice([30, 34, 40, 55, 65, 80]))
    if fault == "full":
        diary.full(day, monkeypatch)
    return diary.run(day)


@pytest.mark.slow
def test_sixty_nights_with_faults_end_in_the_tables_of_a_clean_replay(tmp_path: Path) -> None:
    diary, owed, draw = Diary(tmp_path, LONG_WINDOW), dict[int, str](), random.Random(60)
    outcomes = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        outcomes += [_faulty_night(diary, day, "none" if day in (0, MANY - 1) else draw.choice(FAULTS), owed, monkeypatch) for day in range(MANY)]
    clean, spent = diary.replay(tmp_path / "clean", MANY)
    assert same_tables(outcomes[-1], clean) == []
    assert {name for name in ledger(diary.out) if name not in ("done", "degraded")} == {"InputError", "OSError"}
    assert sum(bool(outcome.judged_again) for outcome in outcomes) >= 5
    events = pl.read_parquet(clean.folder / "tables" / "lineage.parquet")
    assert {"new", "dormant", "returned"} <= set(events["event"])
    assert not events["is_superseded"].any()
    print(f"cpu seconds of a night, least of ten: {min(spent[25:35]):.2f} around night 30, {min(spent[50:]):.2f} around night 60")
    assert min(spent[50:]) <= 1.1 * min(spent[25:35]), "a night costs the night, however many came before"
