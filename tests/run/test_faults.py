"""What goes wrong at night: each fault has one outcome, nothing is lost and nothing half-written is ever taken for whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from pipeline.provenance import sha256_file
from pipeline.run import RunOutcome, remembered
from pipeline.stages import STAGES
from pipeline.store import Store, open_store
from tests.careers import date_of, write_day
from tests.conftest import ROOT, Program
from tests.run.diary import Diary, same_tables, traffic

STEPS = ("day kept", "published", "spoken for")
ALL_STEPS = ["ingested", "day kept", *(stage.label for stage in STAGES if not stage.per_day and not stage.is_edge), "laid out", "published", "spoken for", "pointed to"]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Diary, RunOutcome]:
    """One finished night. Read only: copy the folder to write to it."""
    diary = Diary(tmp_path_factory.mktemp("first"), 3)
    write_day(diary.logs, 0, traffic(0, 9, 9))
    return diary, diary.run(0)


def copy_of(first: tuple[Diary, RunOutcome], folder: Path) -> Diary:
    shutil.copytree(first[0].logs.parent, folder, symlinks=True, copy_function=shutil.copy2)
    return Diary(folder, 3)


def die(step: str, diary: Diary, day: int = 0) -> None:
    command = [sys.executable, "-m", "tests.run.dying", step, str(diary.logs.parent), "3", str(day)]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def everything_there_is_whole(out: Path) -> None:
    """Every published run has the tables it says, every kept day is complete, and `latest` points to a run."""
    store = Store(out)
    for run in store.runs.glob("*"):
        manifest = json.loads((run / "run.json").read_text())
        assert {path.stem: sha256_file(path) for path in (run / "tables").glob("*.parquet")} == {name: table["sha256"] for name, table in manifest["tables"].items()}
    for day in store.kept_days():
        record = store.day_record(day)
        assert record is not None
        assert all(sha256_file(record.folder / f"{name}.parquet") == table["sha256"] for name, table in record.tables.items())
    assert not (out / "latest").is_symlink() or (out / "latest" / "run.json").is_file()


def killed_at_each(steps: Sequence[str], first: tuple[Diary, RunOutcome], folder: Path) -> None:
    """One process after another goes on where the one before it died, and dies a step later; the last one ends in the tables of a run that nobody stopped."""
    diary = copy_of(first, folder)
    shutil.rmtree(diary.out)
    for step in steps:
        die(step, diary)
        everything_there_is_whole(diary.out)
        assert (diary.out / "latest").is_symlink() == (step == "pointed to"), step
        assert (diary.out / ".lock").read_text() != "", "it died holding the lock"
    outcome = diary.run(0)
    assert outcome.already_done
    assert outcome.run_id == first[1].run_id
    assert same_tables(outcome, first[1]) == []


def test_killed_between_keeping_and_publishing_it_goes_on_and_ends_in_the_same_tables(first: tuple[Diary, RunOutcome], tmp_path: Path) -> None:
    killed_at_each(STEPS, first, tmp_path / "again")


@pytest.mark.slow
def test_killed_at_every_step_and_after_each_stage_in_turn_it_ends_in_the_same_tables(first: tuple[Diary, RunOutcome], tmp_path: Path) -> None:
    killed_at_each(ALL_STEPS, first, tmp_path / "again")


def test_two_runs_at_once_the_second_is_75_and_says_who(program: Program, first: tuple[Diary, RunOutcome], tmp_path: Path) -> None:
    diary = copy_of(first, tmp_path / "again")
    with open_store(diary.out):
        found = program("run", diary.logs, "--out", diary.out)
    assert found.returncode == 75
    assert f"process {os.getpid()} on host {os.uname().nodename}" in found.stderr


def test_a_read_only_folder_is_6_and_nothing_changes(program: Program, first: tuple[Diary, RunOutcome], tmp_path: Path) -> None:
    """A folder below a file cannot be written by anybody, root included; refused rights and a read-only disk are told apart in test_store.py."""
    (tmp_path / "file").write_text("")
    found = program("run", first[0].logs, "--out", tmp_path / "file" / "out")
    assert found.returncode == 6
    assert "Choose another --out" in found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("clock", [0, 4_102_444_800_000_000_000], ids=["1970", "2100"])
def test_a_clock_that_jumps_changes_no_result(first: tuple[Diary, RunOutcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: int) -> None:
    diary = copy_of(first, tmp_path / "again")
    monkeypatch.setattr(time, "time_ns", lambda: clock)
    monkeypatch.setattr(time, "time", lambda: clock / 1e9)
    outcome = diary.run(0)
    assert (outcome.already_done, outcome.run_id) == (True, first[1].run_id)


def test_a_file_from_the_future_is_read_each_time(first: tuple[Diary, RunOutcome], tmp_path: Path) -> None:
    """Its stamp says nothing about what was written to it since."""
    diary = copy_of(first, tmp_path / "again")
    (path,) = diary.logs.rglob("*.parquet")
    os.utime(path, (4_102_444_800, 4_102_444_800))
    assert diary.run(0).already_done
    assert remembered.remembered_files(Store(diary.out)) == {}


def test_a_folder_of_the_layout_before_goes_on_under_the_same_ids(first: tuple[Diary, RunOutcome], tmp_path: Path) -> None:
    """What that version did not write down is unknown; ids, first nights and lines of lineage are carried on."""
    diary = copy_of(first, tmp_path / "again")
    to_first_layout(diary.out)
    write_day(diary.logs, 1, traffic(1, 9, 9))
    outcome = diary.run(1)
    tables = outcome.folder / "tables"
    known = pl.read_parquet(tables / "known_networks.parquet")
    before = pl.read_parquet(first[1].folder / "tables" / "known_networks.parquet")
    assert set(known["network_id"]) == set(before["network_id"])
    assert set(known["first_night"]) == {date_of(0)}
    lineage = pl.read_parquet(tables / "lineage.parquet").filter(pl.col("night") == date_of(0))
    assert lineage["event"].to_list() == ["new"]
    assert lineage["tier"].to_list() == [None]
    assert json.loads((diary.out / "layout.json").read_text()) == {"layout": 2}
    assert diary.run(1).already_done


def to_first_layout(out: Path) -> None:
    """Make a folder what the version before stage 80 wrote known_values and returned_values would have left."""
    (out / "layout.json").unlink()
    (out / "remembered.json").unlink()
    for run in (out / "runs").iterdir():
        tables, path = run / "tables", run / "run.json"
        manifest = json.loads(path.read_text())
        for name in ("known_values", "returned_values"):
            (tables / f"{name}.parquet").unlink()
            del manifest["tables"][name]
        for name, columns in (("known_networks", "network_id account_id first_night last_night"), ("lineage", "network_id night event other_id account_count")):
            frame = pl.read_parquet(tables / f"{name}.parquet").select(columns.split())
            frame.write_parquet(tables / f"{name}.parquet")
            manifest["tables"][name]["sha256"] = sha256_file(tables / f"{name}.parquet")
        del manifest["recipe"]["base"]
        path.write_text(json.dumps(manifest))


FULL_DISK = """
set -e
mount -t tmpfs -o size=$2k tmpfs "$1"
run() { "$PYTHON" -m pipeline run "$LOGS" --accounts "$ACCOUNTS" --out "$1/out" "${@:2}" 2>>"$1/../told"; }
code=0; run "$1" || code=$?; echo "full $code"
test ! -e "$1/out/latest" || echo "a run was published"
mount -o remount,size=64m "$1"
code=0; run "$1" || code=$?; echo "freed $code"
sha256sum "$1"/out/latest/tables/*.parquet | sed 's|/[^ ]*/||' >"$1/../sums"
mount -o remount,ro "$1"
code=0; run "$1" --window 2 --night 2026-05-01 || code=$?; echo "read-only $code"
"""


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [64, 800, 1200])
def test_a_disk_that_is_really_full_then_freed_then_read_only(first: tuple[Diary, RunOutcome], tmp_path: Path, kilobytes: int) -> None:
    """On a small disk in memory, mounted for these processes only: full while reading, while judging; 6 each time, and the rest is made when space is there."""
    diary = first[0]
    (tmp_path / "disk").mkdir()
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "LOGS": str(diary.logs), "ACCOUNTS": str(diary.accounts)}
    command = ["unshare", "--mount", "--map-root-user", "bash", "-c", FULL_DISK, "bash", str(tmp_path / "disk"), str(kilobytes)]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if "unshare" in ended.stderr:
        pytest.skip(f"this machine lets nobody mount a disk: {ended.stderr.strip()}")
    assert ended.stdout.split("\n")[:3] == ["full 6", "freed 0", "read-only 6"], ended.stderr
    told = (tmp_path / "told").read_text()
    assert "the disk is full. Free space and run again; finished days are kept." in told
    assert "the file system is read-only. Choose another --out" in told
    assert "Traceback" not in told
    assert len((tmp_path / "sums").read_text().splitlines()) > 10
