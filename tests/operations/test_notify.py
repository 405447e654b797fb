"""The end of a run is told to the operator's command: the right JSON, no shell, and its failure does not lose the run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.operations.notify import notify, split_command
from tests.conftest import ROOT, Program


def keeper(folder: Path) -> str:
    """A command that keeps what it is given."""
    return f"{sys.executable} -c 'import sys; open(sys.argv[1], \"wb\").write(sys.stdin.buffer.read())' {folder / 'summary.json'}"


def kept(folder: Path) -> dict[str, object]:
    return json.loads((folder / "summary.json").read_text())


def test_a_run_that_is_done_is_told_with_counts_hashes_and_relative_paths(program: Program, out: Path, tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    result = program("run", tiny_log, "--accounts", tiny_accounts, "--out", out, "--notify-cmd", keeper(tmp_path), "--fail-on", "refer")
    assert result.returncode == 3, result.stderr
    found = kept(tmp_path)
    manifest = json.loads((out / "latest" / "run.json").read_text())
    assert (found["schema"], found["status"], found["exit_code"], found["error"]) == ("stillhunt.summary/1", "done", 3, None)
    (night,) = found["nights"]  # type: ignore[misc]
    assert (night["run_id"], night["counts"], night["tiers"], night["outcome"]) == (manifest["run_id"], manifest["counts"], manifest["tiers"], "already done")
    assert night["changes"] == {"new": 1}
    assert [row["tier"] for row in night["changed_networks"]] == ["refer"]
    assert (out / night["paths"]["index"]).is_file()
    text = (tmp_path / "summary.json").read_text()
    assert str(out) not in text
    assert "pool-0" not in text, "the summary names no account"


def test_a_run_that_fails_is_told_too(program: Program, tmp_path: Path) -> None:
    result = program("run", tmp_path / "nothing", "--out", tmp_path / "out", "--notify-cmd", keeper(tmp_path))
    assert result.returncode == 6
    found = kept(tmp_path)
    assert (found["status"], found["exit_code"], found["nights"]) == ("failed", 6, [])
    assert "nothing" in str(found["error"])


def test_a_held_lock_is_told_as_such(program: Program, out: Path, tiny_log: Path, tmp_path: Path) -> None:
    from pipeline.store import open_store

    with open_store(out):
        result = program("run", tiny_log, "--out", out, "--notify-cmd", keeper(tmp_path))
    assert (result.returncode, kept(tmp_path)["status"]) == (75, "locked")


def test_an_interrupted_run_is_told(tiny_log: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "run", str(tiny_log), "--out", str(tmp_path / "out"), "--notify-cmd", keeper(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not (tmp_path / "out" / ".lock").exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert (kept(tmp_path)["status"], kept(tmp_path)["exit_code"]) == ("interrupted", 143)


def test_a_command_that_fails_turns_a_good_run_into_5_and_loses_nothing(program: Program, out: Path, tiny_log: Path, tiny_accounts: Path) -> None:
    before = (out / "latest").readlink()
    result = program("run", tiny_log, "--accounts", tiny_accounts, "--out", out, "--notify-cmd", "sh -c 'exit 7'")
    assert result.returncode == 5
    assert "--notify-cmd sh: ended with exit code 7. The run is not affected." in result.stderr
    assert (out / "latest").readlink() == before


def test_a_command_that_cannot_be_started_is_said() -> None:
    assert notify(("/no/such/program",), "{}") == "could not be started (FileNotFoundError)"
    assert notify(("/etc",), "{}") == "could not be started (PermissionError)"


def test_a_failed_run_keeps_its_own_code_when_the_command_fails(program: Program, tmp_path: Path) -> None:
    assert program("run", tmp_path / "nothing", "--out", tmp_path / "out", "--notify-cmd", "false").returncode == 6


@pytest.mark.parametrize("command", ["", "   ", "'open"])
def test_a_command_line_that_cannot_be_read_is_refused_before_the_run(program: Program, tiny_log: Path, tmp_path: Path, command: str) -> None:
    result = program("run", tiny_log, "--out", tmp_path / "out", "--notify-cmd", command)
    assert result.returncode == 2
    assert not (tmp_path / "out").exists()


def test_nothing_is_expanded_or_run_by_a_shell(tmp_path: Path) -> None:
    words = split_command(f"{sys.executable} -c 'import sys; print(sys.argv[1:])' $(touch {tmp_path / 'x'}) ; touch {tmp_path / 'y'} `id` $HOME")
    assert notify(words, "$(touch z)") == ""
    assert list(tmp_path.iterdir()) == []
    assert words[3].startswith("$(touch")
    with pytest.raises(UsageError):
        split_command("'")


def test_a_command_that_hangs_is_stopped() -> None:
    began = time.monotonic()
    assert notify(("sleep", "60"), "{}", time_limit_s=0.3) == "was stopped after 0 s"
    assert time.monotonic() - began < 20


def test_a_command_that_does_not_read_its_stdin_is_no_failure() -> None:
    assert notify(("true",), "x" * 1_000_000) == ""


def test_what_the_command_prints_is_talk_not_data(program: Program, out: Path, tiny_log: Path, tiny_accounts: Path) -> None:
    result = program("run", tiny_log, "--accounts", tiny_accounts, "--out", out, "--notify-cmd", "cat")
    assert result.returncode == 0
    assert result.stdout == ""
    assert "stillhunt.summary/1" in result.stderr
