"""The command line in a process of its own: every exit code, every format, examples, nothing written where nothing may be."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer

from pipeline.cli import HOMES, app_of
from pipeline.cli.guard import guarded, under_guard
from pipeline.errors import SqlError
from tests.conftest import ROOT, Program
from tests.logs import REQUESTS, _innocent, write_rows

COMMANDS = ("run", "demo", "check", "networks", "show", "explain", "simulate", "validate", "config", "features")


def _tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")} if folder.exists() else set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_ends_in_an_example_that_parses(program: Program, command: str) -> None:
    result = program(command, "--help")
    assert result.returncode == 0
    example = " ".join(result.stdout.rstrip().rsplit("Example:", 1)[1].split())
    assert example.startswith(f"stillhunt {command}")


def test_help_costs_little(program: Program, tmp_path: Path) -> None:
    """Least of four, because the machine may be busy: the cpu time of the whole process, compiled once as an installed program is."""
    costs = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert program("--help", PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(tmp_path)).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.3


def test_help_loads_no_heavy_package() -> None:
    code = "import sys\nfrom pipeline.cli import start\nstart(['--help'])\nprint(sorted({n.split('.')[0] for n in sys.modules}), file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stderr
    assert "'typer'" in loaded
    for heavy in ("polars", "pyarrow", "numpy", "duckdb", "rich", "sklearn", "numba", "altair", "jinja2"):
        assert f"'{heavy}'" not in loaded


def test_a_command_loads_the_module_that_is_said_to_hold_it_and_no_other() -> None:
    named = {name: module for module, names in HOMES.items() for name in names}
    for module, names in HOMES.items():
        command: Any = typer.main.get_command(app_of([module]))
        assert set(command.commands) == set(names)
    code = "import sys\nfrom pipeline.cli import start\nstart(['whatif', '--help'])\nprint(*sorted(sys.modules), file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stderr.split()
    assert {f"pipeline.cli.{module}" for module in named.values()} & set(loaded) == {"pipeline.cli.rejudging", "pipeline.cli.opening"}


def test_a_name_that_is_nearly_a_command_is_answered_with_that_command(program: Program) -> None:
    assert "whatif" in program("whatiff").stderr


def test_version_and_no_arguments(program: Program) -> None:
    assert program("--version").stdout.startswith("stillhunt 0.")
    assert program().returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "x", "--nonsense"),
        ("run", "x", "--night", "May 1"),
        ("run", "x", "--since", "2026-05-01"),
        ("run", "x", "--since", "2026-05-02", "--until", "2026-05-01"),
        ("run", "x", "--night", "2026-05-01", "--since", "2026-05-01", "--until", "2026-05-02"),
        ("run", "x", "--memory", "much"),
        ("run", "x", "--threads", "0"),
        ("run", "x", "--on-bad-file", "ignore"),
        ("run", "x", "--fail-on", "guilty"),
        ("networks", "--format", "xml"),
        ("simulate", "world"),
        ("simulate", "world", "--seed", "1", "--scenario", "nothing"),
        ("dance",),
    ],
)
def test_usage_errors_are_2_and_write_nothing(program: Program, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = program(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    assert _tree(tmp_path) == set()


def test_an_unknown_setting_is_7_and_names_the_nearest(program: Program, tmp_path: Path, tiny_log: Path) -> None:
    (tmp_path / "mine.toml").write_text("[window]\nwindow_day = 7\n")
    result = program("run", tiny_log, "--config", tmp_path / "mine.toml", "--out", tmp_path / "out")
    assert result.returncode == 7
    assert "'window_days'" in result.stderr
    assert not (tmp_path / "out").exists()


def test_too_little_memory_is_7(program: Program, tmp_path: Path, tiny_log: Path) -> None:
    result = program("run", tiny_log, "--memory", "999MB", "--out", tmp_path / "out")
    assert result.returncode == 7
    assert "--memory" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [b"", b"PAR1", b"not parquet at all, but long enough to be something", None])
def test_a_bad_file_is_6_and_nothing_is_made_of_the_good_ones(program: Program, tmp_path: Path, text: bytes | None) -> None:
    write_rows(tmp_path / "logs" / "good.parquet", _innocent(1, 0))
    whole = (tmp_path / "logs" / "good.parquet").read_bytes()
    (tmp_path / "logs" / "part.parquet").write_bytes(whole[: len(whole) // 2] if text is None else text)
    result = program("run", tmp_path / "logs", "--out", tmp_path / "out")
    assert result.returncode == 6
    assert "part.parquet" in result.stderr
    assert len(result.stderr.strip().splitlines()) <= 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("row", ["SECRETACCT,2026-05-01,4111111111111111,john@x.test", "SECRETACCT", 'SECRETACCT,"a). Export it again. (b",john@x.test'])
def test_a_row_of_the_accounts_table_that_is_too_long_or_too_short_is_not_quoted(program: Program, tmp_path: Path, tiny_log: Path, row: str) -> None:
    (tmp_path / "accounts.csv").write_text(f"account_id,created_at\nx,2026-05-01\n{row}\n")
    keeper = f"sh -c 'cat > {tmp_path / 'told'}'"
    result = program("run", tiny_log, "--accounts", tmp_path / "accounts.csv", "--out", tmp_path / "out", "--notify-cmd", keeper)
    assert result.returncode == 6
    assert "accounts.csv: readable neither as Parquet nor as CSV" in result.stderr
    assert re.search(r"Expected 2 columns, got \d\)\. Export it again\.", result.stderr)
    told = result.stderr + (tmp_path / "told").read_text()
    assert not [secret for secret in ("SECRETACCT", "4111", "john", "(b") if secret in told]


def test_a_column_that_cannot_be_cast_names_file_column_and_both_types(program: Program, tmp_path: Path) -> None:
    rows = [{**row, "output_tokens": "many"} for row in _innocent(1, 0)]
    schema = pa.schema([field if field.name != "output_tokens" else pa.field("output_tokens", pa.struct([("n", pa.int64())])) for field in REQUESTS])
    write_rows(tmp_path / "odd.parquet", [{**row, "output_tokens": {"n": 1}} for row in rows], schema)
    result = program("run", tmp_path / "odd.parquet", "--out", tmp_path / "out")
    assert result.returncode == 6
    assert all(word in result.stderr for word in ("odd.parquet", "output_tokens", "int64", "struct"))


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_log_without_a_required_column_says_which_and_that_it_is_missing(program: Program, tmp_path: Path, command: str) -> None:
    path = write_rows(tmp_path / "odd.parquet", _innocent(1, 0))
    pq.write_table(pq.read_table(path).drop_columns(["model"]), path)
    result = program(command, path, *(("--out", tmp_path / "out") if command == "run" else ()))
    assert result.returncode == 6
    assert "odd.parquet: required column 'model' (string) is missing" in result.stderr
    assert "cast" not in result.stderr


def test_check_of_one_file_that_is_no_parquet_says_so_rather_than_that_there_is_none(program: Program, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("request_id,prompt\n1,quiet words\n")
    result = program("check", tmp_path / "log.csv")
    assert (result.returncode, result.stdout) == (6, "")
    assert "log.csv: not a readable Parquet file" in result.stderr
    assert "quiet" not in result.stderr


def test_an_accounts_table_that_does_not_fit_is_not_told_to_be_skipped(program: Program, tmp_path: Path, tiny_log: Path) -> None:
    (tmp_path / "accounts.csv").write_text("id,created_at\nx,2026-05-01\n")
    result = program("run", tiny_log, "--accounts", tmp_path / "accounts.csv", "--out", tmp_path / "out")
    assert result.returncode == 6
    assert "accounts.csv: required column 'account_id' (string) is missing" in result.stderr
    assert "of logs, --on-bad-file skip" in result.stderr


@pytest.mark.parametrize("logs", ["nowhere", "nowhere/*.parquet"])
def test_missing_logs_are_6(program: Program, tmp_path: Path, logs: str) -> None:
    assert program("run", logs, "--out", tmp_path / "out", cwd=tmp_path).returncode == 6


def test_a_missing_accounts_table_is_6(program: Program, tmp_path: Path, tiny_log: Path) -> None:
    result = program("run", tiny_log, "--accounts", tmp_path / "none.parquet", "--out", tmp_path / "out")
    assert result.returncode == 6
    assert "none.parquet" in result.stderr


def test_a_held_lock_is_75(program: Program, tmp_path: Path, tiny_log: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = program("run", tiny_log, "--out", out)
    assert result.returncode == 75
    assert _tree(out) == {".lock"}


def test_erasing_without_a_name_is_2(program: Program, tmp_path: Path) -> None:
    result = program("erase", "acct-1", "--apply", "--out", tmp_path / "out")
    assert result.returncode == 2
    assert "--by" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [("networks",), ("show", "N-0"), ("explain", "a")])
def test_reading_before_any_run_is_6(program: Program, tmp_path: Path, command: tuple[str, ...]) -> None:
    result = program(*command, "--out", tmp_path)
    assert result.returncode == 6
    assert "stillhunt run" in result.stderr


def test_an_unknown_id_is_6(program: Program, finished: Path) -> None:
    result = program("show", "N-\x1b[2J", "--out", finished)
    assert result.returncode == 6
    assert "\x1b" not in result.stderr


def test_a_damaged_table_is_4(program: Program, finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "x"
    (run / "tables").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (run / "tables" / "networks.parquet").write_bytes((finished / "latest" / "tables" / "networks.parquet").read_bytes()[:-20])
    (tmp_path / "latest").symlink_to("runs/x")
    assert program("networks", "--out", tmp_path).returncode == 4


def test_networks_in_three_formats_agree(program: Program, finished: Path) -> None:
    expected = pq.read_table(finished / "latest" / "tables" / "networks.parquet").to_pylist()
    assert len(expected) == 1, "the planted pool"
    found = json.loads(program("networks", "--out", finished, "--format", "json").stdout)
    assert found["schema"] == "stillhunt.networks/1"
    assert [row["network_id"] for row in found["rows"]] == [row["network_id"] for row in expected]
    (row,) = csv.DictReader(io.StringIO(program("networks", "--out", finished, "--format", "csv").stdout))
    assert (row["network_id"], int(row["account_count"])) == (expected[0]["network_id"], expected[0]["account_count"])
    table = program("networks", "--out", finished)
    assert expected[0]["network_id"] in table.stdout
    assert table.stderr.strip().splitlines()[-1].startswith("next: stillhunt show N-")


def test_networks_can_be_narrowed(program: Program, finished: Path) -> None:
    assert json.loads(program("networks", "--out", finished, "--tier", "explained", "--format", "json").stdout)["rows"] == []


def test_show_a_network_and_an_account(program: Program, finished: Path) -> None:
    (network,) = pq.read_table(finished / "latest" / "tables" / "networks.parquet").to_pylist()
    shown = json.loads(program("show", network["network_id"], "--out", finished, "--format", "json").stdout)
    assert (shown["schema"], shown["network"]["tier"]) == ("stillhunt.network/1", network["tier"])
    assert {row["account_id"] for row in shown["members"]} == {f"pool-{number:03d}" for number in range(8)}
    account = json.loads(program("show", "pool-003", "--out", finished, "--format", "json").stdout)
    assert account["account"]["network_id"] == network["network_id"]
    assert all(row["other_account_id"] != "pool-003" for row in account["links"])
    rows = list(csv.DictReader(io.StringIO(program("show", network["network_id"], "--out", finished, "--format", "csv").stdout)))
    assert len(rows) == 8


def test_explain_an_account_against_its_network_and_another(program: Program, finished: Path) -> None:
    (network,) = pq.read_table(finished / "latest" / "tables" / "networks.parquet").to_pylist()
    found = json.loads(program("explain", "pool-003", "--out", finished, "--format", "json").stdout)
    assert (found["schema"], found["compared_with"]) == ("stillhunt.explanation/1", 7)
    assert found["network"]["network_id"] == network["network_id"]
    assert {row["family"] for row in found["without"]} == (
        {row["family"] for row in found["bars"]} | {"timing", "topic", "behaviour", "synchrony"} if network["flagged"] else set()
    )
    pair = json.loads(program("explain", "pool-003", "--vs", "pool-004", "--out", finished, "--format", "json").stdout)
    assert (pair["compared_with"], pair["without"]) == (1, [])
    both = program("explain", "pool-003", "--vs", "pool-004", "--net", network["network_id"], "--out", finished)
    assert both.stdout.splitlines()[0] == "pool-003 against account pool-004: 1 account"
    rows = list(csv.DictReader(io.StringIO(program("explain", "pool-003", "--out", finished, "--format", "csv").stdout)))
    assert [row["family"] for row in rows] == [row["family"] for row in (*found["bars"], *found["likeness"])]
    table = program("explain", "pool-003", "--out", finished)
    assert all(request["request_id"] in table.stdout for request in found["rows"])
    assert table.stderr.strip().splitlines()[-1] == f"next: stillhunt show {network['network_id']} --out {finished}"


def test_an_account_of_no_network_is_explained_by_what_it_is_linked_to_or_by_nothing(program: Program, finished: Path) -> None:
    result = program("explain", "person-001", "--out", finished, "--format", "json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["network"] is None
    assert program("explain", "person-001", "--out", finished).returncode == 0
    outsider = json.loads(program("explain", "person-001", "--net", _only_network(finished), "--out", finished, "--format", "json").stdout)
    assert (outsider["compared_with"], outsider["mean_bits"] < outsider["edge_bits"]) == (8, True)


def _only_network(finished: Path) -> str:
    (name,) = pq.read_table(finished / "latest" / "tables" / "networks.parquet")["network_id"].to_pylist()
    return str(name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pool-0003",), "pool-003"),
        (("\x1b[2Jnobody",), "no account"),
        (("pool-003", "--vs", "pool-003"), "itself"),
        (("pool-003", "--vs", "nobody"), "no account"),
        (("pool-003", "--net", "N-none"), "no network"),
    ],
)
def test_what_cannot_be_explained_is_6_and_says_why(program: Program, finished: Path, arguments: tuple[str, ...], said: str) -> None:
    result = program("explain", *arguments, "--out", finished)
    assert result.returncode == 6
    assert said in result.stderr
    assert "\x1b" not in result.stderr + result.stdout
    assert result.stdout == ""


def test_reading_commands_are_quick_and_do_not_open_scratch(program: Program, finished: Path) -> None:
    began = time.monotonic()
    before = (finished / "scratch").stat().st_atime_ns
    assert program("show", "pool-001", "--out", finished).returncode == 0
    assert program("explain", "pool-001", "--out", finished).returncode == 0
    assert time.monotonic() - began < 20, "two seconds each on a quiet machine"
    assert (finished / "scratch").stat().st_atime_ns == before


def test_check_reads_and_writes_nothing(program: Program, tiny_log: Path, tmp_path: Path) -> None:
    result = program("check", tiny_log, "--format", "json", cwd=tmp_path)
    assert result.returncode == 0
    found = json.loads(result.stdout)
    assert (found["schema"], found["first_day"], found["last_day"], len(found["files"])) == ("stillhunt.check/1", "2026-05-01", "2026-05-03", 3)
    assert found["rows"] == sum(pq.read_metadata(path).num_rows for path in tiny_log.rglob("*.parquet"))
    assert {row["column"]: row["percent"] for row in found["columns"]}["prompt"] == 100
    assert _tree(tmp_path) == set()
    for form in ("table", "csv"):
        assert "prompt" in program("check", tiny_log, "--format", form).stdout


def test_check_of_a_broken_file_is_5(program: Program, tmp_path: Path) -> None:
    write_rows(tmp_path / "good.parquet", _innocent(1, 0))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    result = program("check", tmp_path)
    assert result.returncode == 5
    assert "bad.parquet" in result.stderr


def test_the_printed_configuration_is_a_configuration(program: Program, tmp_path: Path) -> None:
    from pipeline.config import load_config

    (tmp_path / "mine.toml").write_text(program("config").stdout)
    assert load_config(tmp_path / "mine.toml") == load_config()


def test_a_log_that_is_named_as_the_accounts_table_is_refused(program: Program, tiny_log: Path, tmp_path: Path) -> None:
    part = min(tiny_log.rglob("part-0.parquet"))
    for command in (("check", tiny_log), ("run", tiny_log, "--on-bad-file", "skip", "--out", tmp_path / "out")):
        refused = program(*command, "--accounts", part)
        assert (refused.returncode, "is a request log, and is given as the accounts table" in refused.stderr) == (6, True)
    assert not (tmp_path / "out" / "latest").exists()


def test_an_accounts_table_among_the_logs_that_is_no_parquet_is_not_to_be_skipped(program: Program, tiny_log: Path, tmp_path: Path) -> None:
    """It is no log, so the option that leaves bad logs out does not help."""
    logs = tmp_path / "logs"
    shutil.copytree(tiny_log, logs)
    (logs / "accounts.parquet").write_text("garbage")
    refused = program("run", logs, "--accounts", logs / "accounts.parquet", "--out", tmp_path / "out")
    assert (refused.returncode, "accounts.parquet" in refused.stderr, "--on-bad-file" in refused.stderr) == (6, True, False)


def test_check_takes_an_accounts_table_among_the_logs_for_no_log(program: Program, tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(tiny_log, logs)
    shutil.copy(tiny_accounts, logs / "accounts.parquet")
    assert program("check", logs).returncode == 5
    checked = program("check", logs, "--accounts", logs / "accounts.parquet")
    assert checked.returncode == 0
    assert checked.stderr.splitlines()[-1] == f"next: stillhunt run {logs} --accounts {logs / 'accounts.parquet'}"


def test_simulate_writes_a_world_that_check_accepts(program: Program, tmp_path: Path) -> None:
    result = program("simulate", tmp_path / "world", "--scenario", "quiet", "--seed", 3, "--accounts", 60, "--days", 1)
    assert result.returncode == 0, result.stderr
    assert {"requests", "accounts.parquet", "truth.parquet"} <= {path.name for path in (tmp_path / "world").iterdir()}
    assert program("check", tmp_path / "world" / "requests").returncode == 0


def test_features_are_at_least_forty_each_explained(program: Program) -> None:
    rows = json.loads(program("features", "--format", "json").stdout)["rows"]
    assert len({row["feature"] for row in rows}) >= 40
    assert all(row["formula"] and row["source"] for row in rows)


def test_no_colour_code_off_a_terminal(program: Program, finished: Path) -> None:
    for environment in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"FORCE_COLOR": "1"}):
        result = program("networks", "--out", finished, **environment)
        assert "\x1b" not in result.stdout + result.stderr


def test_a_reader_that_leaves_early_is_no_error(finished: Path) -> None:
    command = f"{sys.executable} -m pipeline features | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.count("Error")) == (0, 0)


@pytest.mark.parametrize("words", ["networks --format csv", "query 'SELECT range FROM range(100000)' --format csv"], ids=["talk", "more than a pipe holds"])
def test_a_reader_of_data_and_talk_that_leaves_early_changes_no_exit_code(finished: Path, words: str) -> None:
    command = f"{sys.executable} -m pipeline {words} --out {finished} 2>&1 | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, len(result.stdout.splitlines())) == (0, 1)


def test_a_run_whose_reader_leaves_goes_on_to_its_end(tiny_log: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m pipeline run {tiny_log} --out {tmp_path / 'out'} --fail-on watch 2>&1 | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 3, result.stdout
    assert (tmp_path / "out" / "latest" / "index.html").is_file()


def test_a_bug_is_1_with_one_line_and_a_traceback_that_quotes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> None:
        try:
            {}["a prompt that is nobody's business"]
        except KeyError:
            raise ValueError("another secret prompt")  # noqa: B904 (the chain is what is tested)

    with pytest.raises(SystemExit) as left:
        guarded(broken)
    (report,) = tmp_path.iterdir()
    written, said = report.read_text(), capsys.readouterr().err
    assert left.value.code == 1
    assert len(said.splitlines()) == 1
    assert str(report) in said
    assert "in broken" in written
    assert "ValueError" in written
    assert "KeyError" in written
    assert "business" not in said + written.replace('{}["a prompt that is nobody\'s business"]', "")
    assert "secret" not in said + written.replace('raise ValueError("another secret prompt")', "")


def test_a_broken_sql_file_is_a_bug_that_says_which(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> None:
        raise SqlError("34_x.sql", "no such column")

    with pytest.raises(SystemExit) as left:
        guarded(broken)
    assert left.value.code == 1
    assert "sql/34_x.sql: no such column" in capsys.readouterr().err


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as left:
        guarded(interrupted)
    assert left.value.code == 130
    assert "same command" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_signal_ends_the_command_even_if_a_query_turns_it_into_an_error(monkeypatch: pytest.MonkeyPatch, number: int, code: int, turned: bool) -> None:
    monkeypatch.setattr("pipeline.cli.guard._arrived", [])
    before = {each: signal.signal(each, signal.SIG_DFL) for each in (signal.SIGTERM, signal.SIGINT)}

    def stopped() -> None:
        try:
            os.kill(os.getpid(), number)
        except BaseException:
            if turned:
                raise SqlError("34_x.sql", "interrupted") from None
            raise

    try:
        assert under_guard(lambda: guarded(stopped)) == code
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_the_console_is_the_only_writer() -> None:
    """No other module of the package prints or touches the standard streams, but the check that lies in a sealed bag and has nothing but Python there."""
    for path in (ROOT / "pipeline").rglob("*.py"):
        if path.name not in ("console.py", "guard.py") and path != ROOT / "pipeline" / "evidence" / "verify.py":
            assert not re.search(r"sys\.std(out|err)|(?<![\w.])print\(", path.read_text()), path


def test_a_package_that_is_not_there_is_searched_for_once_and_one_that_is_there_stays() -> None:
    code = (
        "import importlib.util, sys\nfrom pipeline.__main__ import _remember_missing\n"
        "_remember_missing('no_such_package_here'); _remember_missing('json')\nimport json\n"
        "sys.path_hooks.clear(); sys.path_importer_cache.clear(); sys.meta_path.clear()\n"  # a search would now be an error of its own
        "try: import no_such_package_here\nexcept ModuleNotFoundError as error: print(error)\nprint(json.dumps([]))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.splitlines() == ["import of no_such_package_here halted; None in sys.modules", "[]"]
