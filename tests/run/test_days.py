"""Whatever the order in which files come, change and go: the kept days are those of a fresh start over the files as they are in the end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.engines.duckdb import DuckEngine
from pipeline.errors import InputError
from pipeline.ingest import LogListing, list_logs
from pipeline.ingest.context import Context
from pipeline.provenance import sha256_file
from pipeline.run import RunOptions
from pipeline.run import days as days_module
from pipeline.run.days import WindowDays, keep_days
from pipeline.run.execute import Bench
from pipeline.store import Store, open_store
from tests.careers import date_of, pool
from tests.logs import write_rows
from tests.run.diary import quiet
from tests.run.diary import settings as run_settings

CONFIG = run_settings(3)
FILES = {"a": (0,), "b": (1,), "c": (2,), "d": (0, 1), "e": (1, 2)}
"""File -> days that it holds rows of."""


def rows_of(name: str, version: int) -> list[dict[str, object]]:
    return [row | {"request_id": f"{row['request_id']}{name}"} for day in FILES[name] for row in pool(name, day)[: 12 + 5 * version]]


def put(folder: Path, present: dict[str, int]) -> None:
    """Let exactly these files, in these versions, stand in the folder; files that stay as they are are not touched."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.parquet"):
        if present.get(path.stem[0]) != int(path.stem[1]):
            path.unlink()
    for name, version in present.items():
        if not (folder / f"{name}{version}.parquet").exists():
            write_rows(folder / f"{name}{version}.parquet", rows_of(name, version))


def keep(logs: Path, out: Path, listing: LogListing | None = None) -> WindowDays:
    """Make the days of night 2."""
    options = RunOptions((str(logs),), out, CONFIG, night=date_of(2), threads=1)
    with open_store(out) as store, DuckEngine(threads=1, memory_bytes=1_000_000_000, temp_dir=store.scratch / "spill") as engine:
        found = listing or list_logs(options.logs, on_bad_file="fail")
        return keep_days(store, Bench(engine, CONFIG, store.scratch), options, found, Context(), quiet)


def kept(out: Path) -> dict[str, str]:
    """Hash of every table of every kept day."""
    return {path.relative_to(out).as_posix(): sha256_file(path) for path in sorted((out / "days").glob("date=*/*.parquet"))}


@pytest.fixture(autouse=True)
def _code_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash of the code costs more than these small days; it does not change while tests run."""
    monkeypatch.setattr(days_module, "closure_sha256", lambda *_: "this version")


PRESENT = st.dictionaries(st.sampled_from(sorted(FILES)), st.integers(0, 1), min_size=1)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(PRESENT, min_size=2, max_size=3))
def test_any_order_of_late_corrected_and_deleted_files_ends_in_the_days_of_a_fresh_start(steps: list[dict[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for present in steps:
            put(folder / "logs", present)
            grown = keep(folder / "logs", folder / "grown")
        fresh = keep(folder / "logs", folder / "fresh")
        assert kept(folder / "grown") == kept(folder / "fresh")
        assert [(record.day, record.files) for record in grown.records] == [(record.day, record.files) for record in fresh.records]
        assert grown.files == fresh.files


def made_at(folder: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in sorted((folder / "days").glob("date=*/made.json"))}


@pytest.mark.parametrize(
    ("change", "days"),
    [("late", {0, 1}), ("corrected", {2}), ("deleted", {1}), ("deleted with its day", {2}), ("renamed", {1})],
)
def test_a_change_makes_its_own_days_again_and_no_other(tmp_path: Path, change: str, days: set[int]) -> None:
    logs, out = tmp_path / "logs", tmp_path / "out"
    whole = {"a": 0, "b": 0, "c": 0} | ({"e": 0} if change == "deleted" else {})
    put(logs, whole if change != "deleted" else {**whole, "b": 0})
    keep(logs, out)
    before = made_at(out)
    if change == "renamed":
        (logs / "b0.parquet").rename(logs / "z0.parquet")
    else:
        left = {"late": {**whole, "d": 0}, "corrected": {**whole, "c": 1}, "deleted": {name: 0 for name in whole if name != "b"}, "deleted with its day": {"a": 0, "b": 0}}[change]
        put(logs, left)
    found = keep(logs, out)
    assert set(found.made) == {date_of(day) for day in days}
    after = made_at(out)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {f"date={date_of(day)}" for day in days}
    assert keep(logs, out).made == (), "once"


def test_a_folder_that_was_retired_as_a_whole_takes_no_day_with_it(tmp_path: Path) -> None:
    for name in "abc":
        write_rows(tmp_path / "logs" / f"date={date_of(FILES[name][0])}" / "part.parquet", rows_of(name, 0))
    keep(tmp_path / "logs", tmp_path / "out")
    before = made_at(tmp_path / "out")
    gone = tmp_path / "logs" / f"date={date_of(0)}"
    (gone / "part.parquet").unlink()
    gone.rmdir()
    assert keep(tmp_path / "logs", tmp_path / "out").made == ()
    assert made_at(tmp_path / "out") == before
    gone.mkdir()
    assert keep(tmp_path / "logs", tmp_path / "out").made == (date_of(0),), "in a folder that stands it counts as deleted"
    assert sorted(made_at(tmp_path / "out")) == sorted(before)[1:]


def test_a_file_that_is_written_to_while_it_is_read_keeps_no_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "logs", {"a": 0, "b": 0})
    ingest = days_module.ingest_days

    def meanwhile(*arguments: object, **rest: object) -> object:
        report = ingest(*arguments, **rest)  # type: ignore[arg-type]
        write_rows(tmp_path / "logs" / "b0.parquet", rows_of("b", 1))
        return report

    with monkeypatch.context() as patch:
        patch.setattr(days_module, "ingest_days", meanwhile)
        with pytest.raises(InputError, match=r"b0\.parquet: changed while it was being read") as error:
            keep(tmp_path / "logs", tmp_path / "out")
    assert error.value.exit_code == 6
    assert not list((tmp_path / "out").glob("days/date=*"))
    found = keep(tmp_path / "logs", tmp_path / "out")
    assert found.made == (date_of(0), date_of(1), date_of(2))[:2]
    assert found.records[1].tables["requests"]["rows"] == len(rows_of("b", 1))


def test_days_of_other_code_are_made_again_and_without_their_logs_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "logs", {"a": 0, "c": 0})
    keep(tmp_path / "logs", tmp_path / "out")
    monkeypatch.setattr(days_module, "closure_sha256", lambda *_: "another version")
    put(tmp_path / "logs", {"c": 0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(days_module, "_deleted", lambda *_: frozenset())
        with pytest.raises(InputError, match=r"a0\.parquet: made a day that has to be made again.*another --out"):
            keep(tmp_path / "logs", tmp_path / "out")
    put(tmp_path / "logs", {"a": 0, "c": 0})
    assert keep(tmp_path / "logs", tmp_path / "out").made == (date_of(0), date_of(2))


def test_an_empty_file_belongs_to_no_day(tmp_path: Path) -> None:
    put(tmp_path / "logs", {"a": 0, "c": 0})
    keep(tmp_path / "logs", tmp_path / "out")
    pl.read_parquet(tmp_path / "logs" / "a0.parquet").clear().write_parquet(tmp_path / "logs" / "none.parquet")
    assert keep(tmp_path / "logs", tmp_path / "out").made == ()


def test_a_day_whose_folder_is_damaged_is_made_again(tmp_path: Path) -> None:
    put(tmp_path / "logs", {"a": 0, "b": 0})
    keep(tmp_path / "logs", tmp_path / "out")
    sound = kept(tmp_path / "out")
    folder = Store(tmp_path / "out").day_folder(date_of(1))
    (folder / "requests.parquet").write_bytes(b"")
    assert keep(tmp_path / "logs", tmp_path / "out").made == (date_of(1),)
    assert kept(tmp_path / "out") == sound
