"""Files that did not change are not opened, files outside the window are not read, and no change goes unseen."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.ingest import listing as listing_module
from pipeline.ingest.listing import LogFile, LogListing, absolute, list_logs, opened_again
from pipeline.run import remembered
from pipeline.run.remembered import remember, remembered_files
from pipeline.store import Store
from tests.careers import date_of, pool, write_day

DAY_US = 86_400_000_000


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names of the files that are opened and of those that are read whole."""
    seen: dict[str, list[str]] = {"opened": [], "read": []}
    opening, reading = listing_module._open, listing_module._digest
    monkeypatch.setattr(listing_module, "_open", lambda name, *rest: seen["opened"].append(name) or opening(name, *rest))
    monkeypatch.setattr(listing_module, "_digest", lambda name, found: seen["read"].append(name) or reading(name, found))
    return seen


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for day in range(4):
        write_day(tmp_path / "logs", day, pool("old", day)[:20])
    return tmp_path / "logs"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(remembered, "SETTLED_NS", -(10**18))
    (tmp_path / "out").mkdir()
    return Store(tmp_path / "out")


def window(first: int, last: int) -> tuple[int, int]:
    start = (date_of(first) - date_of(0)).days * DAY_US + 1_777_593_600_000_000
    return start, start + (last - first + 1) * DAY_US - 1


def listed(logs: Path, store: Store, within: tuple[int, int] | None = None, on_bad_file: str = "fail") -> LogListing:
    found = list_logs([str(logs)], on_bad_file=on_bad_file, known=remembered_files(store), within=within)
    remember(store, (*found.files, *found.elsewhere))
    return found


def clear(touched: dict[str, list[str]]) -> None:
    for names in touched.values():
        names.clear()


def test_only_the_files_of_the_window_are_read(logs: Path, store: Store, touched: dict[str, list[str]]) -> None:
    found = listed(logs, store, window(2, 2))
    assert [file.name for file in found.files] == touched["read"] == [f"date={date_of(2)}/part-0.parquet"]
    assert len(found.elsewhere) == 3
    assert {file.sha256 for file in found.elsewhere} == {""}


def test_the_next_night_opens_and_reads_its_own_file_only(logs: Path, store: Store, touched: dict[str, list[str]]) -> None:
    listed(logs, store, window(0, 2))
    clear(touched)
    write_day(logs, 4, pool("old", 4)[:20])
    found = listed(logs, store, window(2, 4))
    assert touched["opened"] == [f"date={date_of(4)}/part-0.parquet"]
    assert touched["read"] == [f"date={date_of(day)}/part-0.parquet" for day in (3, 4)], "the third was outside the window before"
    assert len(found.files) == 3


def test_what_is_remembered_is_what_is_found(logs: Path, store: Store, touched: dict[str, list[str]]) -> None:
    fresh = listed(logs, store)
    clear(touched)
    known = listed(logs, store)
    assert touched == {"opened": [], "read": []}
    assert [(file.name, file.sha256, file.row_count, file.first_us, file.last_us, file.footer_non_null) for file in known.files] == [
        (file.name, file.sha256, file.row_count, file.first_us, file.last_us, file.footer_non_null) for file in fresh.files
    ]
    assert [opened_again(file) for file in known.files] == list(fresh.files)


def test_bytes_that_change_behind_the_same_size_and_time_are_seen(logs: Path, store: Store, touched: dict[str, list[str]]) -> None:
    before = listed(logs, store)
    path = logs / f"date={date_of(1)}" / "part-0.parquet"
    kept = path.stat()
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert path.stat().st_size == kept.st_size
    clear(touched)
    after = listed(logs, store)
    assert touched["read"] == [f"date={date_of(1)}/part-0.parquet"]
    assert [one.sha256 == other.sha256 for one, other in zip(before.files, after.files, strict=True)] == [True, False, True, True]


def test_a_file_that_was_just_written_is_not_remembered(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    store = Store(tmp_path / "out")
    remember(store, list_logs([str(logs)], on_bad_file="fail").files)
    assert remembered_files(store) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 1}', '{"files": {"/x": {}}}', '{"files": {"/x": {"casts": 3}}}'])
def test_a_broken_memory_is_no_memory(store: Store, text: str) -> None:
    (store.root / "remembered.json").write_text(text)
    assert remembered_files(store) == {}


@pytest.mark.parametrize("on_bad_file", ["fail", "skip"])
def test_a_file_that_grows_while_it_is_hashed_is_refused(logs: Path, monkeypatch: pytest.MonkeyPatch, on_bad_file: str) -> None:
    reading = listing_module._digest

    def meanwhile(name: str, found: listing_module.Found) -> tuple[int, str]:
        digest = reading(name, found)
        if date_of(1).isoformat() in name:
            pq.write_table(pq.read_table(found.path).slice(3), found.path)
        return digest

    monkeypatch.setattr(listing_module, "_digest", meanwhile)
    if on_bad_file == "fail":
        with pytest.raises(InputError, match=r"still being written\. Run again when the export is finished") as error:
            list_logs([str(logs)], on_bad_file="fail")
        assert error.value.exit_code == 6
    else:
        found = list_logs([str(logs)], on_bad_file="skip")
        assert [(file.name, "still being written" in file.reason) for file in found.skipped] == [(f"date={date_of(1)}/part-0.parquet", True)]
        assert len(found.files) == 3


def test_a_link_or_other_rights_are_no_change_of_content(logs: Path, tmp_path: Path) -> None:
    (file, *_) = list_logs([str(logs)], on_bad_file="fail").files
    os.link(file.path, tmp_path / "backup")
    Path(file.path).chmod(0o600)
    assert not file.is_changed
    Path(file.path).unlink()
    assert file.is_changed


def test_places_are_absolute(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(logs.parent)
    found: tuple[LogFile, ...] = list_logs(["logs"], on_bad_file="fail").files
    assert {absolute(file) for file in found} == {str(path.resolve()) for path in logs.rglob("*.parquet")}
