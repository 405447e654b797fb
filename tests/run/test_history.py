"""Which nights are stale: those whose days were made from other files, those that follow one that was judged again, and no other."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline import schema
from pipeline.run.execute import empty
from pipeline.run.history import EARLIER, earlier_tables, read_table, replaced_tables, stale_nights
from pipeline.stages import TABLES
from pipeline.store import Store, write_json
from tests.careers import date_of

WINDOW = 3


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Five judged nights, each over the days of its window, each with its predecessor's tables."""
    store = Store(tmp_path)
    for day in range(5):
        keep(store, day, f"file-{day}")
    for night in range(5):
        judge(store, night)
    return store


def keep(store: Store, day: int, *files: str) -> None:
    source = store.root / "new"
    source.mkdir()
    (source / "requests.parquet").write_bytes(b"rows")
    store.keep_day(source, date_of(day), "key", [(name, "1") for name in files], {"requests": 1})


def judge(store: Store, night: int, sha: str | None = None, *, is_night: bool = True) -> None:
    """A run's manifest as far as history looks at it."""
    before = max((day for day in store.nights() if day < date_of(night)), default=None)
    left = store.finished(store.nights()[before]) if before else None
    tables = {source: {"sha256": sha or f"{source} of {night}"} for source in EARLIER.values()}
    days = {}
    for day in range(max(0, night - WINDOW + 1), night + 1):
        record = store.day_record(date_of(day))
        if record:
            days[date_of(day).isoformat()] = {"files": [{"name": name, "sha256": sha} for name, sha in record.files]}
    hashes = {name: left["tables"][source]["sha256"] for name, source in EARLIER.items()} if left else {}
    recipe = {"is_night": is_night, "tables": {"previous_night": before.isoformat() if before else None, **hashes}}
    run_id = f"run-{night}-{sha}"
    folder = store.run_folder(run_id)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    write_json(folder / "run.json", {"run_id": run_id, "recipe": recipe, "days": days, "tables": tables})
    store.speak(run_id, date_of(night))


def stale(store: Store, night: int = 5) -> list[date]:
    return stale_nights(store, date_of(night), WINDOW)


def test_nothing_changed_nothing_is_stale(store: Store) -> None:
    assert stale(store) == []


def test_a_late_file_makes_the_nights_stale_that_saw_its_day_and_all_after(store: Store) -> None:
    keep(store, 3, "file-3", "late")
    assert stale(store) == [date_of(3), date_of(4)]


def test_a_day_that_is_gone_or_new_in_the_window_counts_too(store: Store) -> None:
    store.day_folder(date_of(4)).rename(store.root / "gone")
    assert stale(store) == [date_of(4)]


def test_what_lies_before_the_window_is_let_alone(store: Store) -> None:
    keep(store, 2, "file-2", "late")
    assert stale(store) == [], "day 2 is no part of the window of night 5"
    assert stale(store, 4) == [date_of(2), date_of(3)]


def test_a_night_that_would_be_judged_on_less_is_left_as_it_was(store: Store) -> None:
    """Gc dropped days that the night saw."""
    keep(store, 4, "file-4", "late")
    store.day_folder(date_of(2)).rename(store.root / "dropped")
    assert stale(store) == []


def test_a_night_whose_predecessor_was_judged_again_is_stale(store: Store) -> None:
    judge(store, 3, "otherwise")
    assert stale(store) == [date_of(4)]


def test_a_night_that_was_judged_late_makes_the_next_one_stale(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for day in range(3):
        keep(store, day, f"file-{day}")
    judge(store, 0)
    judge(store, 2)
    assert stale(store, 3) == []
    judge(store, 1)
    assert stale(store, 3) == [date_of(2)]


def test_runs_over_all_rows_are_never_judged_again(store: Store) -> None:
    judge(store, 4, "all rows", is_night=False)
    keep(store, 4, "file-4", "late")
    assert stale(store) == []


def test_a_run_that_was_removed_makes_no_night_stale(store: Store) -> None:
    """Without it the night after it would seem to follow another; but nothing was judged since."""
    shutil.rmtree(store.run_folder("run-3-None"))
    assert stale(store) == []


def test_what_a_night_replaces_is_the_last_word_on_it(store: Store) -> None:
    for run in store.runs.iterdir():
        for table in ("known_networks", "known_values", "lineage", "returned_values"):
            (run / "tables" / f"{table}.parquet").write_bytes(b"")
    nights = store.nights()
    assert replaced_tables(store, nights, date_of(5)) == {}
    found = {name: path.parent.parent.name for name, path in replaced_tables(store, nights, date_of(2)).items()}
    assert found == {"published_networks": "run-4-None", "published_lineage": "run-4-None", "published_tonight": "run-2-None"}
    assert {path.parent.parent.name for path in earlier_tables(store, nights, date_of(1)).values()} == {"run-1-None"}
    assert earlier_tables(store, nights, None) == {}


@pytest.mark.parametrize("name", ["known_networks", "lineage"])
def test_a_table_of_the_first_layout_is_read_with_what_it_did_not_say_left_open(tmp_path: Path, name: str) -> None:
    old = {"known_networks": "network_id account_id first_night last_night", "lineage": "network_id night event other_id account_count"}[name].split()
    table = TABLES[name]
    rows = {"network_id": "N-1", "account_id": "a", "first_night": date_of(0), "last_night": date_of(2), "night": date_of(0), "event": "new", "other_id": None, "account_count": 5}
    pl.DataFrame([{column: rows[column] for column in old}], schema={column: empty(table).schema[column] for column in old}).write_parquet(tmp_path / "x.parquet")
    found = read_table(tmp_path / "x.parquet", table)
    assert found.schema == empty(table).schema
    line = found.row(0, named=True)
    assert {column: line[column] for column in old} == {column: rows[column] for column in old}
    assert (line["tier"], line["is_superseded"]) == (None, False)
    if name == "known_networks":
        assert (line["first_seen_at"].isoformat(), line["last_seen_at"].isoformat()) == ("2026-05-01T00:00:00+00:00", "2026-05-03T23:59:59.999999+00:00")


def test_a_table_of_this_layout_is_read_as_it_is(tmp_path: Path) -> None:
    empty(schema.KNOWN_NETWORKS).write_parquet(tmp_path / "x.parquet")
    assert read_table(tmp_path / "x.parquet", schema.KNOWN_NETWORKS).equals(empty(schema.KNOWN_NETWORKS))
