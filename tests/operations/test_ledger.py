"""The ledger as a table, and the dead man's check."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.operations.ledger import is_late, parse_age, read_ledger, told_age
from tests.conftest import Program

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)


def line(hours_ago: float, outcome: str, run_id: str | None = "0" * 12, wall_s: float = 60.0) -> bytes:
    started = NOW - dt.timedelta(hours=hours_ago)
    return json.dumps({"started_at": started.isoformat(), "outcome": outcome, "run_id": run_id, "night": "2026-05-03", "wall_s": wall_s, "peak_rss_bytes": 5e8}).encode() + b"\n"


def write(folder: Path, *lines: bytes) -> Path:
    (folder / "ledger.jsonl").write_bytes(b"".join(lines))
    return folder


def manifest(folder: Path, run_id: str, degraded: list[str]) -> None:
    (folder / "runs" / run_id).mkdir(parents=True)
    (folder / "runs" / run_id / "run.json").write_text(json.dumps({"version": "0.1.0", "config_sha256": "ab", "degraded": degraded}))


def test_the_last_good_run_is_the_one_that_did_everything(tmp_path: Path) -> None:
    ledger = read_ledger(write(tmp_path, line(50, "done", "a" * 12), line(26, "degraded", "b" * 12), line(2, "InputError", None), line(1, "interrupted", None)))
    good = ledger.last_good()
    assert good is not None
    assert good.run_id == "a" * 12
    assert good.ended_at == NOW - dt.timedelta(hours=50) + dt.timedelta(seconds=60)


def test_asking_again_makes_nothing_newer(tmp_path: Path) -> None:
    ledger = read_ledger(write(tmp_path, line(50, "done"), line(1, "already done")))
    good = ledger.last_good()
    assert good is not None
    assert is_late(good, dt.timedelta(hours=26), NOW)


def test_a_degraded_night_that_is_asked_again_is_still_not_good(tmp_path: Path) -> None:
    manifest(tmp_path, "b" * 12, ["a file was skipped"])
    ledger = read_ledger(write(tmp_path, line(3, "degraded", "b" * 12), line(1, "already done", "b" * 12)))
    assert ledger.last_good() is None


def test_a_run_whose_own_line_was_lost_counts_from_when_it_was_first_found_done(tmp_path: Path) -> None:
    good = read_ledger(write(tmp_path, line(9, "already done"), line(1, "already done"))).last_good()
    assert good is not None
    assert good.ended_at == NOW - dt.timedelta(hours=9) + dt.timedelta(seconds=60)


@pytest.mark.parametrize(
    "broken", [b'{"started_at": "2026-', b"null\n", b"[]\n", b"\xff\xfe\n", b'{"started_at": "yesterday", "outcome": "done"}\n', b'{"outcome": "done"}\n', b"7\n"]
)
def test_a_line_that_cannot_be_read_breaks_nothing(tmp_path: Path, broken: bytes) -> None:
    ledger = read_ledger(write(tmp_path, line(5, "done"), broken))
    assert (len(ledger.lines), ledger.broken) == (1, 1)
    after = read_ledger(write(tmp_path, line(5, "done"), broken.rstrip(b"\n") + b"\n", line(1, "done", "c" * 12)))
    assert [one.run_id for one in after.lines] == ["0" * 12, "c" * 12]


def test_exactly_as_old_as_allowed_is_in_time(tmp_path: Path) -> None:
    good = read_ledger(write(tmp_path, line(26, "done", wall_s=0.0))).last_good()
    assert not is_late(good, dt.timedelta(hours=26), NOW)
    assert is_late(good, dt.timedelta(hours=26) - dt.timedelta(seconds=1), NOW)
    assert is_late(None, dt.timedelta(hours=26), NOW)


def test_no_folder_is_said_and_no_ledger_is_empty(tmp_path: Path) -> None:
    assert read_ledger(tmp_path).lines == ()
    with pytest.raises(InputError, match="no such folder"):
        read_ledger(tmp_path / "missing")


@pytest.mark.parametrize(("text", "minutes"), [("26h", 1560), ("90m", 90), ("2d", 2880), ("1.5h", 90)])
def test_an_age_is_read(text: str, minutes: float) -> None:
    assert parse_age(text) == dt.timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "26", "h", "-1h", "0h", "26 hours", "1e3h", "nan h"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_age(text)


def test_ages_are_told_in_words() -> None:
    assert [told_age(dt.timedelta(minutes=minutes)) for minutes in (0, 59, 60, 1560, 2880, 4000)] == ["0 min", "59 min", "1 h 0 min", "26 h 0 min", "2 d 0 h", "2 d 18 h"]


def test_the_command_lists_runs_and_checks_the_age(program: Program, finished: Path, tmp_path: Path) -> None:
    listed = program("runs", "--out", finished, "--format", "json")
    rows = json.loads(listed.stdout)
    assert (listed.returncode, rows["schema"]) == (0, "stillhunt.runs/1")
    latest = json.loads((finished / "latest" / "run.json").read_text())
    assert rows["rows"][-1]["run_id"] == latest["run_id"]
    assert rows["rows"][-1]["config_sha256"] == latest["config_sha256"]
    fine = program("runs", "--max-age", "26h", "--out", finished)
    assert (fine.returncode, len(fine.stdout.splitlines())) == (0, 1)
    assert fine.stdout.startswith("ok: the last good run (night 2026-05-03")
    (tmp_path / "runs").mkdir()
    none = program("runs", "--max-age", "26h", "--out", tmp_path)
    assert (none.returncode, none.stdout) == (3, f"LATE: no good run is on record in {tmp_path}\n")
    old = write(tmp_path, line(0, "done"))
    late = program("runs", "--max-age", "1m", "--out", old)
    assert (late.returncode, late.stdout[:5]) == (3, "LATE:")
    assert program("runs", "--max-age", "soon", "--out", old).returncode == 2
