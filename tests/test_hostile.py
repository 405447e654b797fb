"""The hostile log itself, which must be readable or the tests that use it prove nothing; and hostile names through every command."""

from __future__ import annotations

import csv
import io
import json
import signal
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli import start
from tests import hostile
from tests.conftest import run_program


def test_the_hostile_log_survives_parquet(tmp_path):
    table = hostile.requests_table(1)
    pq.write_table(table, tmp_path / "log.parquet")
    assert pq.read_table(tmp_path / "log.parquet").equals(table)
    assert table.num_rows == len(hostile.STRINGS)


def test_accounts_and_requests_name_the_same_accounts():
    assert set(hostile.requests_table(1)["account_id"].to_pylist()) == set(hostile.accounts_table()["account_id"].to_pylist())


def test_every_mark_is_carried_by_some_string():
    for mark in hostile.MARKS:
        assert any(mark in text for text in hostile.STRINGS.values())


def test_the_long_string_is_a_megabyte():
    assert len(hostile.LONG.encode()) > 2**20


IDS = (*(hostile.STRINGS[name] for name in ("formula", "escape", "rtl", "control", "nul")), "\uff1dSUM(A1)", "\u00a0 @cmd", "--out=/\x1b[2J\n")
"""The members of the planted pool under names of their own choosing."""


@pytest.fixture(autouse=True)
def _process_left_as_found(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands run in this process set handlers of signals and the thread count of Polars."""
    monkeypatch.setenv("POLARS_MAX_THREADS", "2")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _renamed(path: Path, target: Path) -> None:
    table = pq.read_table(path, partitioning=None)
    names = {f"pool-{number:03d}": name for number, name in enumerate(IDS)}
    target.parent.mkdir(parents=True, exist_ok=True)
    for column in {"account_id", "request_id"} & set(table.column_names):
        renamed = [next((text.replace(old, new) for old, new in names.items() if text.startswith(old)), text) for text in table[column].to_pylist()]
        table = table.set_column(table.column_names.index(column), column, pa.array(renamed))
    pq.write_table(table, target)


@pytest.fixture(scope="module")
def judged(tiny_log: Path, tiny_accounts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of hostile names, a run over it under `out`, and what the run said."""
    folder = tmp_path_factory.mktemp("hostile")
    for path in tiny_log.rglob("*.parquet"):
        _renamed(path, folder / "logs" / path.parent.name / "part\x1b[2J\u202e.parquet")
    _renamed(tiny_accounts, folder / "accounts.parquet")
    result = run_program("run", folder / "logs", "--accounts", folder / "accounts.parquet", "--out", folder / "out")
    assert result.returncode == 0, result.stderr
    (folder / "said.txt").write_bytes((result.stdout + result.stderr).encode())
    return folder


def _neutral(text: str) -> None:
    assert [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")] == []


def _printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command prints; both streams are neutral."""
    capsys.readouterr()
    start([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    _neutral(printed.out + printed.err)
    return printed.out


def test_a_run_and_its_pages_over_hostile_names_are_neutral(judged: Path) -> None:
    _neutral((judged / "said.txt").read_text(encoding="utf-8"))
    pages = list((judged / "out" / "latest").rglob("*.html"))
    assert len(pages) == 2, "the index and the page of the pool"
    for page in pages:
        _neutral(page.read_text(encoding="utf-8"))


def test_every_command_prints_hostile_names_neutrally_in_every_format(judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = judged / "out"
    (network,) = json.loads(_printed(capsys, "networks", "--out", out, "--format", "json"))["rows"]
    for arguments in (["check", judged / "logs"], ["networks", "--out", out], ["features"], *(["show", "--out", out, "--", name] for name in (network["network_id"], *IDS))):
        command, *rest = arguments
        table, document, cells = (_printed(capsys, command, "--format", form, *rest) for form in ("table", "json", "csv"))
        assert table
        assert set(document) <= set(map(chr, range(0x20, 0x7F))) | {"\n"}
        assert json.loads(document)["schema"].startswith("stillhunt.")
        for row in csv.reader(io.StringIO(cells)):
            for cell in row:
                starts = unicodedata.normalize("NFKC", cell.lstrip())[:1]
                assert starts not in tuple("=@+"), cell
                assert starts != "-" or float(cell) < 0, "a negative number is the one cell that may begin with a minus"


def test_every_question_about_hostile_names_is_answered_neutrally(judged: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLHUNT_NO_NUMBA", "0")
    out = ["--out", str(judged / "out")]
    logs = ["--accounts", str(judged / "accounts.parquet")]
    asked = [["timeline", *out, *logs, "@1"], ["prompts", *out, "--logs", str(judged / "logs"), "@1"], ["pivot", "--ip", "203.0.113.2", *out], ["diff", "latest", "latest", *out]]
    for command in ("explain", "similar", "timeline"):
        assert all(_printed(capsys, command, *out, "--", name) for name in IDS)
    asked += [["pivot", option, text, *out] for option in ("--ip", "--ua", "--template", "--card") for text in (hostile.STRINGS["escape"], hostile.STRINGS["rtl"])]
    for arguments in asked:
        for form in ("table", "json", "csv"):
            printed = _printed(capsys, arguments[0], "--format", form, *arguments[1:])
            assert printed, arguments
            if form == "json":
                assert json.loads(printed)["schema"].startswith("stillhunt.")


def test_json_gives_hostile_names_back_exactly_and_other_forms_keep_them_apart(judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (network,) = json.loads(_printed(capsys, "networks", "--out", judged / "out", "--format", "json"))["rows"]
    shown = json.loads(_printed(capsys, "show", network["network_id"], "--out", judged / "out", "--format", "json"))
    assert {row["account_id"] for row in shown["members"]} == set(IDS)
    rows = list(csv.DictReader(io.StringIO(_printed(capsys, "show", network["network_id"], "--out", judged / "out", "--format", "csv"))))
    assert len({row["account_id"] for row in rows}) == len(IDS)


@pytest.mark.parametrize(
    "arguments",
    [("show", "N-\x1b[2J\u202e"), ("run", "x", "--night", "\x1b[2J"), ("run", "x", "--memory", "\u202e1"), ("run", "\x1b[2J.parquet"), ("networks", "--tier", "\x1b[2J")],
)
def test_what_a_user_pastes_comes_back_neutrally(arguments: tuple[str, ...], judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _printed(capsys, *arguments, "--out", judged / "out") == ""
    assert start(["show", "\x1b[2J", "--out", str(judged / "out")]) == 6
