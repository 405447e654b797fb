"""The store: whole or not there, one writer, `latest` last, clear words when the disk says no."""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import InputError, IntegrityError, LockHeld, StorageError
from pipeline.store import LAYOUT, Store, latest_run, open_store, read_json, storage_errors, write_bytes, write_json

DAY = date(2026, 5, 1)
ROOT = Path(__file__).parents[1]


def _day(folder: Path, text: bytes = b"rows") -> Path:
    folder.mkdir(parents=True)
    (folder / "requests.parquet").write_bytes(text)
    return folder


def test_a_kept_day_comes_back_with_what_made_it(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.keep_day(_day(tmp_path / "new"), DAY, "key", [("b", "2"), ("a", "1")], {"requests": 7})
        record = store.day_record(DAY)
    assert record is not None
    assert (record.key, record.files, record.tables["requests"]["rows"], record.tables["requests"]["bytes"]) == ("key", (("a", "1"), ("b", "2")), 7, 4)
    assert store.kept_days() == (DAY,)


@pytest.mark.parametrize("damage", ["shorter", "gone", "no record", "broken record"])
def test_a_damaged_day_is_not_there(tmp_path: Path, damage: str) -> None:
    with open_store(tmp_path) as store:
        folder = store.keep_day(_day(tmp_path / "new"), DAY, "key", [("a", "1")], {"requests": 7}).folder
        if damage == "shorter":
            (folder / "requests.parquet").write_bytes(b"row")
        elif damage == "gone":
            (folder / "requests.parquet").unlink()
        elif damage == "no record":
            (folder / "made.json").unlink()
        else:
            (folder / "made.json").write_text("{")
        assert store.day_record(DAY) is None


def test_a_day_is_replaced_as_one(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        old = _day(tmp_path / "old")
        (old / "only_in_old.parquet").write_bytes(b"x")
        store.keep_day(old, DAY, "old", [("a", "1")], {"requests": 1, "only_in_old": 1})
        store.keep_day(_day(tmp_path / "new", b"new rows"), DAY, "new", [("a", "2")], {"requests": 2})
        record = store.day_record(DAY)
    assert record is not None
    assert record.key == "new"
    assert sorted(path.name for path in record.folder.iterdir()) == ["made.json", "requests.parquet"]


def test_a_write_that_fails_leaves_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"new and longer")
    assert path.read_bytes() == b"old"


def test_latest_points_to_the_run_asked_for_last_and_survives_repetition(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        for run_id in ("aaa", "bbb"):
            store.run_folder(run_id).mkdir(parents=True)
            write_json(store.run_folder(run_id) / "run.json", {"run_id": run_id})
        store.point_to("aaa", DAY)
        store.point_to("bbb", DAY)
        store.point_to("bbb", DAY)
        assert store.nights() == {DAY: "bbb"}
    assert (tmp_path / "latest").readlink() == Path("runs/bbb")
    assert latest_run(tmp_path).name == "bbb"
    assert not (tmp_path / ".latest.new").is_symlink()


def test_a_night_whose_run_was_deleted_no_longer_speaks(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        for run_id, night in (("aaa", DAY), ("bbb", date(2026, 5, 2))):
            store.run_folder(run_id).mkdir(parents=True)
            write_json(store.run_folder(run_id) / "run.json", {"run_id": run_id})
            store.point_to(run_id, night)
        shutil.rmtree(store.run_folder("aaa"))
        assert store.nights() == {date(2026, 5, 2): "bbb"}


def test_a_run_without_manifest_is_not_finished(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.run_folder("aaa").mkdir(parents=True)
        assert store.finished("aaa") is None
        write_json(store.run_folder("aaa") / "run.json", {"run_id": "aaa"})
        assert store.finished("aaa") == {"run_id": "aaa"}


def test_no_finished_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stillhunt run"):
        latest_run(tmp_path)


def test_a_second_writer_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom pipeline.store import open_store\nwith open_store(Path({str(tmp_path)!r})): pass"
    with open_store(tmp_path):
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "LockHeld" in other.stderr
    assert f"process {os.getpid()} on host {platform.node()}" in other.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0, "the lock is free again"


def test_the_lock_is_not_reentrant(tmp_path: Path) -> None:
    with open_store(tmp_path), pytest.raises(LockHeld), open_store(tmp_path):
        pass


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission denied"), (errno.EROFS, "read-only")])
def test_the_disk_says_no(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(StorageError, match=words), storage_errors(tmp_path):
        raise OSError(number, "x", "file")


def test_other_os_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="odd"), storage_errors(tmp_path):
        raise OSError(errno.EIO, "odd")


def test_out_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="folder"), open_store(tmp_path / "file"):
        pass


def test_the_ledger_grows_by_lines(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append_ledger({"outcome": "done"})
    store.append_ledger({"outcome": "degraded"})
    assert [json.loads(line)["outcome"] for line in (tmp_path / "ledger.jsonl").read_text().splitlines()] == ["done", "degraded"]


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_broken_file_of_ours_is_an_integrity_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"run\.json"):
        read_json(tmp_path / "run.json")


def test_an_error_before_anything_was_made_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError), open_store(tmp_path / "new"):
        raise InputError("no logs")
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with pytest.raises(InputError), open_store(tmp_path / "old"):
        raise InputError("no logs")
    assert (tmp_path / "old").exists(), "a folder that was there is not ours to remove"


def test_an_error_after_a_day_was_made_keeps_it(tmp_path: Path) -> None:
    def run() -> None:
        with open_store(tmp_path / "out") as store:
            store.keep_day(_day(tmp_path / "new"), DAY, "key", [("a", "1")], {"requests": 7})
            raise InputError("later")

    with pytest.raises(InputError):
        run()
    assert Store(tmp_path / "out").day_record(DAY) is not None


def test_json_files_are_ascii_so_that_a_name_cannot_turn_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"name": "a\u202eb\x9b31m\u00e9"})
    assert path.read_bytes().isascii()
    assert read_json(path) == {"name": "a\u202eb\x9b31m\u00e9"}


def test_the_lock_of_a_dead_process_is_no_lock(tmp_path: Path) -> None:
    code = f"""import os, signal, sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from pipeline.store import open_store
with open_store(Path({str(tmp_path)!r})):
    os.kill(os.getpid(), signal.SIGKILL)"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    left = (tmp_path / ".lock").read_text()
    assert left.split()[1] == platform.node(), "it died holding the lock"
    with open_store(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()} {platform.node()}"
    assert (tmp_path / ".lock").read_text() == ""


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ("4711 far-away", r"process 4711 on host far-away\).*another host than this one"),
        ("", r"an unknown process\)"),
        ("\x1b[31m evil\n\x1b]", r"an unknown process\)"),
    ],
)
def test_whoever_holds_the_lock_is_named_and_never_trusted(tmp_path: Path, left: str, words: str) -> None:
    with open_store(tmp_path):
        (tmp_path / ".lock").write_text(left)
        with pytest.raises(LockHeld, match=words) as held, open_store(tmp_path):
            pass
    assert str(held.value).isprintable()


def test_a_folder_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.keep_day(_day(tmp_path / "new"), DAY, "key", [("a", "1")], {"requests": 7})
    assert read_json(tmp_path / "layout.json") == {"layout": LAYOUT}
    write_json(tmp_path / "layout.json", {"layout": LAYOUT + 1})
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(StorageError, match=f"newer stillhunt .layout {LAYOUT + 1}") as error, open_store(tmp_path):
        pass
    assert error.value.exit_code == 6
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_folder_that_says_no_layout_is_of_the_first_and_is_taken_over(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.keep_day(_day(tmp_path / "new"), DAY, "key", [("a", "1")], {"requests": 7})
    (tmp_path / "layout.json").unlink()
    with open_store(tmp_path) as store:
        assert store.day_record(DAY) is not None
        store.keep_day(_day(tmp_path / "again"), date(2026, 5, 2), "key", [("a", "1")], {"requests": 7})
    assert read_json(tmp_path / "layout.json") == {"layout": LAYOUT}


@pytest.mark.parametrize("text", ['{"layout": "new"}', "{}", "{"])
def test_a_broken_layout_file_is_an_integrity_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "layout.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"layout\.json"), open_store(tmp_path):
        pass
