"""query, whatif, expand, test, doctor, open, completion and config check as an analyst types them: examples, formats, exit codes, hostile input."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.cli import start
from pipeline.measures.backends import is_compiled
from tests.conftest import ROOT, Program
from tests.logs import _token

Typed = Callable[..., tuple[int, str, str]]
COMMANDS = (("query",), ("whatif",), ("expand",), ("test",), ("doctor",), ("open",), ("completion",), ("config",), ("config", "check"))


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """A command line in this process (imports cost most of a command): arguments in; exit code, data and talk out."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    environment = dict(os.environ)

    def type_in(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = start([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert "\x1b" not in said.out + said.err
        return code, said.out, said.err

    yield type_in
    for number, handler in before.items():
        signal.signal(number, handler)
    os.environ.clear()
    os.environ.update(environment)  # a command may switch the compiler off for its own process
    is_compiled.cache_clear()


@pytest.fixture(scope="module")
def network(finished: Path) -> str:
    (name,) = pq.read_table(finished / "latest" / "tables" / "networks.parquet")["network_id"].to_pylist()
    return str(name)


@pytest.fixture
def workspace(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as an analyst has it: the output folder under its usual name, a tip, a configuration."""
    (tmp_path / "stillhunt-out").symlink_to(finished)
    (tmp_path / "tip.txt").write_text("pool-000\npool-001\npool-002\npool-003\npool-004\nnobody\n")
    (tmp_path / "mine.toml").write_text("[window]\nwindow_days = 7\n")
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_example_of_every_help_runs_as_it_stands(typed: Typed, workspace: Path, network: str, command: tuple[str, ...]) -> None:
    code, help_text, _ = typed(*command, "--help")
    assert code == 0
    example = " ".join(help_text.rstrip().rsplit("Example:", 1)[1].split())
    words = shlex.split(example.replace("N-0123456789", network).partition(" >")[0])
    assert words[: 1 + len(command)] == ["stillhunt", *command]
    code, data, _ = typed(*words[1:])
    assert (code, bool(data)) == (0, True)


def _json(typed: Typed, *arguments: object) -> dict[str, object]:
    code, data, _ = typed(*arguments, "--format", "json")
    assert code == 0
    assert data.isascii()
    found: dict[str, object] = json.loads(data)
    return found


@pytest.mark.parametrize(
    ("arguments", "schema", "names"),
    [
        (("query", "SELECT tier, account_count FROM networks"), "stillhunt.query/1", {"columns", "rows", "is_cut"}),
        (("query", "--list"), "stillhunt.saved_queries/1", {"rows"}),
        (("query", "--tables"), "stillhunt.tables/1", {"rows"}),
        (("whatif", "NET", "--without", "identity"), "stillhunt.whatif/3", {"before", "again", "after", "whole_log", "threshold_bits", "without", "network_id", "remade"}),
        (("expand", "tip.txt"), "stillhunt.expand/1", {"tip", "others", "edge_bits", "is_cut", "colleague_count"}),
        (
            ("test", "tip.txt"),
            "stillhunt.test/2",
            {"tip", "verdict", "members", "families", "tests", "alternatives", "without", "is_full", "blind_spots", "selection", "edge_bits"},
        ),
        (("doctor",), "stillhunt.doctor/1", {"rows"}),
        (("open",), "stillhunt.open/1", {"rows"}),
        (("config", "check", "mine.toml"), "stillhunt.config/1", {"rows"}),
        (("config",), "stillhunt.config/1", {"rows"}),
    ],
)
def test_json_and_csv_are_there_and_json_names_its_schema(typed: Typed, workspace: Path, network: str, arguments: tuple[str, ...], schema: str, names: set[str]) -> None:
    words = [network if word == "NET" else word for word in arguments]
    found = _json(typed, *words)
    assert found["schema"] == schema
    assert names <= set(found)
    code, data, _ = typed(*words, "--format", "csv")
    assert code == 0
    assert csv.reader(io.StringIO(data)).__next__()


def test_a_query_gives_rows_and_says_what_it_left_out(typed: Typed, workspace: Path) -> None:
    found = _json(typed, "query", "SELECT account_id, 'NaN'::DOUBLE AS n FROM members ORDER BY account_id", "--limit", "2")
    assert found["rows"] == [{"account_id": "pool-000", "n": "nan"}, {"account_id": "pool-001", "n": "nan"}]
    assert found["is_cut"] is True
    _, table, talk = typed("query", "SELECT account_id FROM accounts")
    assert len(table.splitlines()) == 101
    assert "only the first 100 rows" in talk
    assert talk.splitlines()[-1].startswith("next: stillhunt query")
    _, data, _ = typed("query", "SELECT account_id FROM accounts", "--format", "csv")
    assert len(data.splitlines()) == 159, "programs get all rows"


def test_a_saved_query_takes_typed_parameters(typed: Typed, workspace: Path, network: str) -> None:
    found = _json(typed, "query", "--saved", "network_days", "--set", f"network={network}")
    assert [(row["day"], row["account_count"], row["request_count"]) for row in found["rows"]] == [(f"2026-05-0{day}", 8, 240) for day in (1, 2, 3)]  # type: ignore[attr-defined]
    _, listed, talk = typed("query", "--list")
    assert "first_day=2026-05-01 --set last_day=2026-05-03" in talk
    assert "network_days" in listed
    assert "parameters: network VARCHAR" in listed


def test_a_query_is_read_from_standard_input(program: Program, workspace: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT count(*) AS n\nFROM accounts"))
    assert typed("query", "-")[1].split() == ["n", "158"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("query",), 2, "one of them"),
        (("query", "SELECT 1", "--list"), 2, "one of them"),
        (("query", "SELEC 1"), 2, "SELEC 1"),
        (("query", "SELECT * FROM read_csv('/etc/passwd')"), 2, "read_csv"),
        (("query", "SELECT * FROM '\x1b[2J'"), 2, "no table"),
        (("query", "COPY networks TO 'x'"), 2, "only a SELECT"),
        (("query", "SELECT count(*) AS n FROM range(1000000000) a, range(1000000000) b", "--seconds", "0.3"), 5, "--seconds"),
        (("query", "--saved", "nothing"), 2, "--list"),
        (("query", "--saved", "network_days"), 2, "network"),
        (("query", "--saved", "network_days", "--set", "network"), 2, "NAME=VALUE"),
        (("query", "SELECT 1 AS a", "--set", "a=1"), 2, "--saved"),
        (("whatif", "N-00"), 6, "no network"),
        (("whatif", "NETx"), 6, "Did you mean N-"),
        (("whatif", "NET", "--without", "astrology"), 2, "identity"),
        (("whatif", "NET", "--threshold", "-1"), 2, "threshold"),
        (("whatif", "NET", "--memory", "999MB"), 7, "--memory of 999000000 bytes is below 1000000000"),
        (("whatif", "NET", "--memory", "much"), 2, "not a size"),
        (("expand", "nowhere.txt"), 6, "nowhere.txt"),
        (("expand", "hostile.txt"), 6, "none of its"),
        (("expand", "tip.txt", "--kind", "star"), 2, "kind"),
        (("test", "one.txt"), 2, "two accounts"),
        (("test", "tip.txt", "--accounts", "tip.txt"), 6, "is not it"),
        (("test", "tip.txt", "--memory", "1KB"), 7, "Raise --memory"),
        (("test", "tip.txt", "--threads", "0"), 2, "threads"),
        (("completion", "tcsh"), 2, "bash"),
        (("open", "--serve", "99999"), 2, "serve"),
        (("config", "check", "nowhere.toml"), 7, "nowhere.toml"),
        (("config", "check", "wrong.toml"), 7, "window_days"),
        (("config", "dance"), 2, "dance"),
    ],
)
def test_what_goes_wrong_is_one_line_and_its_exit_code(typed: Typed, workspace: Path, network: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    (workspace / "hostile.txt").write_text("\x1b[2Jnobody\n</script>\n\u202eevil\n=1+1\n")
    (workspace / "one.txt").write_text("pool-000\n")
    (workspace / "wrong.toml").write_text("[window]\nwindow_day = 7\n")
    made = {path: path.read_bytes() for path in (workspace / "stillhunt-out" / "scratch").glob("*/account_records.parquet") if "--accounts" in arguments}
    for path in made:
        path.unlink()  # as long as what was made of the accounts table lies in scratch, nobody asks for the table
    found, data, talk = typed(*(word.replace("NET", network) if word.startswith("NET") else word for word in arguments))
    for path, content in made.items():
        path.write_bytes(content)
    assert found == code
    assert said in talk
    assert data == ""
    assert "\u202e" not in talk


@pytest.mark.parametrize(
    "command", [("query", "SELECT 1 AS a"), ("query", "--tables"), ("whatif", "N-1"), ("expand", "tip.txt"), ("test", "tip.txt"), ("open",), ("open", "--serve", "0")]
)
def test_before_any_run_it_says_how_to_start_one(typed: Typed, workspace: Path, command: tuple[str, ...]) -> None:
    code, _, talk = typed(*command, "--out", workspace / "empty")
    assert code == 6
    assert "stillhunt run" in talk


def test_whatif_tells_what_changes(typed: Typed, workspace: Path, network: str) -> None:
    code, shown, talk = typed("whatif", network, "--threshold", "500")
    assert code == 0
    assert "linked from 500.00 bits in place of" in shown
    assert "No five of the accounts hold together any more." in re.sub(r"\s+", " ", shown)
    assert "lost from" not in shown
    assert talk.splitlines()[-1].startswith(f"next: stillhunt whatif {network} --threshold 500 --whole-log")
    short = _json(typed, "whatif", network, "--threshold", "500")
    code, shown, talk = typed("whatif", network, "--threshold", "500", "--whole-log")
    assert code == 0
    assert short | {"whole_log": 0} == _json(typed, "whatif", network, "--threshold", "500", "--whole-log") | {"whole_log": 0}
    assert short["whole_log"] is None
    assert "lost from the first group: 8" in re.sub(r"\s+", " ", shown)
    assert "recomputing" in talk
    _, data, _ = typed("whatif", network, "--threshold", "500", "--format", "csv")
    assert min(csv.DictReader(io.StringIO(data)), key=lambda row: row["account_id"]) == {"account_id": "pool-000", "change": "lost"}


def test_whatif_without_one_family_is_answered_by_the_run_which_names_the_longer_way(typed: Typed, workspace: Path, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as nothing_is_recomputed:
        nothing_is_recomputed.delattr("pipeline.evidence.workings.Workings")
        code, shown, talk = typed("whatif", network, "--without", "identity")
        assert code == 0
        assert "table network_ablations" in re.sub(r"\s+", " ", shown)
        assert "put together again  " not in shown, "nothing was put together again with nothing changed"
        assert talk.splitlines()[-1].startswith(f"next: stillhunt whatif {network} --without identity --whole-log")
    whole = _json(typed, "whatif", network, "--without", "identity", "--whole-log")
    told = _json(typed, "whatif", network, "--without", "identity")
    assert (told["whole_log"], told["again"]) == (None, None)
    assert [whole[name] for name in ("before", "after", "member_pieces")] == [told[name] for name in ("before", "after", "member_pieces")]
    assert {"pieces", "lost", "gained", "unnamed_count"} == set(whole["whole_log"])  # type: ignore[call-overload]


def test_what_is_recomputed_keeps_to_the_memory_and_threads_it_is_given(workspace: Path, network: str, monkeypatch: pytest.MonkeyPatch, typed: Typed) -> None:
    """And gives the same bytes whatever they are; where everything is in scratch no stage runs and no database is opened."""
    from pipeline.engines import duckdb

    given: list[tuple[int, int]] = []
    engine = duckdb.DuckEngine

    def noted(*, threads: int, memory_bytes: int, temp_dir: Path) -> object:
        given.append((threads, memory_bytes))
        return engine(threads=threads, memory_bytes=memory_bytes, temp_dir=temp_dir)

    monkeypatch.setattr(duckdb, "DuckEngine", noted)
    small = typed("whatif", network, "--without", "identity", "--whole-log", "--format", "json", "--memory", "1GB", "--threads", "1")
    assert small[0] == 0
    assert small[1] == typed("whatif", network, "--without", "identity", "--whole-log", "--format", "json", "--memory", "2GB", "--threads", "2")[1]
    assert typed("test", "tip.txt")[0] == 0
    assert given == []
    assert typed("test", "tip.txt", "--all", "--memory", "1500MB", "--threads", "1")[0] == 0
    assert given == [(1, 1_500_000_000)]


def test_expand_lists_what_is_unknown_and_names_the_next_command(typed: Typed, workspace: Path) -> None:
    code, shown, talk = typed("expand", "tip.txt", "--limit", "3")
    assert code == 0
    assert "5 accounts of the window (account)" in shown
    assert sorted(re.findall(r"^(pool-\d+) ", shown, flags=re.MULTILINE)) == ["pool-005", "pool-006", "pool-007"]
    assert "not known in the window: 1 of 6 entries: nobody" in talk
    (workspace / "slip.txt").write_text("pool-000\npool-0001\n")
    assert "pool-0001: Did you mean pool-001" in typed("expand", "slip.txt")[2]
    next_line = talk.splitlines()[-1]
    assert next_line.startswith("next: stillhunt explain pool-00")
    assert typed(*shlex.split(next_line)[2:])[0] == 0


def test_expand_takes_cards_and_addresses(typed: Typed, workspace: Path) -> None:
    (workspace / "cards.csv").write_text(f"note,payment_fingerprint\nx,{_token('shared 0')}\n")
    (workspace / "addresses.txt").write_text("203.0.113.1\n")
    cards = _json(typed, "expand", "cards.csv")
    assert [holder["account_id"] for holder in cards["tip"]["holders"]] == ["pool-000", "pool-002", "pool-004", "pool-006"]  # type: ignore[index]
    assert sorted(other["account_id"] for other in cards["others"][:4]) == ["pool-001", "pool-003", "pool-005", "pool-007"]  # type: ignore[index]
    code, shown, _ = typed("expand", "addresses.txt", "--kind", "address")
    assert code == 0
    assert "ACCOUNTS OF THE TIP" in shown
    assert "203.0.113.1" in shown


def test_test_says_how_many_of_the_list_would_be_named(typed: Typed, workspace: Path) -> None:
    """A referred list with strangers in it: the first line counts the accounts that the verdict is on, not those that were asked about."""
    names = [f"pool-{n:03d}" for n in range(8)] + [f"person-{n:03d}" for n in range(2)]
    (workspace / "mixed.txt").write_text("\n".join(names) + "\n")
    found = json.loads(typed("test", "mixed.txt", "--format", "json")[1])
    named = sum(member["is_named"] for member in found["members"])
    assert 0 < named < len(names)
    shown = typed("test", "mixed.txt")[1]
    assert shown.startswith(f"{named} of {len(names)} accounts would be named, ")


def test_test_says_tier_tests_and_how_the_group_came_about(typed: Typed, workspace: Path) -> None:
    code, shown, talk = typed("test", "tip.txt")
    plain = re.sub(r"\s+", " ", shown)
    assert code == 0
    assert re.match(r"5 accounts, [\d,]+ requests: tier (refer|watch|explained), as a network of this run would get it", plain)
    for said in (
        "TESTS, on data that made no links",
        "FAMILIES OF EVIDENCE",
        "NOT TESTABLE IN THIS LOG",
        "One group, chosen by a person",
        "q is p",
        "innocent explanations that most",
    ):
        assert said in plain
    assert "recomputing from the run's tables" in talk
    assert "made again" not in talk, "scratch has what the run made"
    assert talk.splitlines()[-1] == "next: stillhunt expand tip.txt --out stillhunt-out"


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("command", [("whatif", "NET"), ("expand", "tip.txt"), ("test", "tip.txt"), ("doctor",), ("query", "--list"), ("query", "SELECT * FROM networks")])
def test_a_screen_fits_its_terminal(typed: Typed, workspace: Path, network: str, command: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.console.width", lambda: width)
    code, shown, _ = typed(*(network if word == "NET" else word for word in command))
    assert code == 0
    assert max(map(len, shown.splitlines())) <= width


def test_a_run_without_its_notes_asks_for_the_accounts_table(typed: Typed, workspace: Path, finished: Path, tiny_accounts: Path, network: str) -> None:
    out = workspace / "bare"
    out.mkdir()
    for name in ("days", "runs", "latest"):
        (out / name).symlink_to((finished / name).resolve() if name == "latest" else finished / name)
    code, _, talk = typed("whatif", network, "--out", out)
    assert code == 6
    assert "--accounts FILE" in talk
    assert typed("whatif", network, "--out", out, "--accounts", tiny_accounts)[0] == 0


def test_doctor_finds_what_is_missing_and_says_what_to_type(typed: Typed, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, shown, talk = typed("doctor")
    assert code == 0
    assert "nothing that a run needs is missing" in talk
    assert {row["status"] for row in _json(typed, "doctor")["rows"]} <= {"ok", "note"}  # type: ignore[attr-defined]
    from pipeline.evidence import condition

    whole = condition._version
    monkeypatch.setattr(condition, "_version", lambda name: None if name == "igraph" else whole(name))
    code, shown, talk = typed("doctor")
    assert code == 5
    assert "pip install igraph" in shown
    assert "missing: packages" in talk
    monkeypatch.setattr(condition, "_version", lambda name: "0.0.1" if name == "igraph" else whole(name))
    code, shown, _ = typed("doctor")
    assert code == 0
    assert "igraph 0.0.1 (lock:" in shown


def test_doctor_looks_at_the_machine_and_the_folder(typed: Typed, workspace: Path, monkeypatch: pytest.MonkeyPatch, finished: Path) -> None:
    import fcntl

    from pipeline.evidence import condition

    def found(what: str, out: Path) -> tuple[str, str]:
        (check,) = (check for check in condition.checks(out, 2) if check.what == what)
        return check.status, check.found

    assert found("last run", workspace / "empty")[0] == "note"
    assert found("last run", finished)[0] == "ok"
    (workspace / "busy").mkdir()
    with (workspace / "busy" / ".lock").open("w+") as lock:
        lock.write("4711")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert found("lock", workspace / "busy") == ("note", "process 4711 is writing to this folder")
        with monkeypatch.context() as without:
            without.setattr(condition, "_KERNEL_LOCKS", workspace / "none")
            assert found("lock", workspace / "busy")[0] == "note", "where the kernel lists no locks"
    assert found("lock", workspace / "busy")[0] == "ok"
    (workspace / "broken" / "latest").mkdir(parents=True)
    (workspace / "broken" / "latest" / "run.json").write_text("[]")
    assert found("last run", workspace / "broken")[0] == "missing"
    (workspace / "broken" / "latest" / "run.json").write_text('{"tables": {"networks": {}}, "days": {}, "tiers": {}, "run_id": "x", "night": "y", "degraded": []}')
    assert found("last run", workspace / "broken") == ("missing", "x, night y: no network; tables gone: networks")
    monkeypatch.setattr(condition, "_available", lambda: 900_000_000)
    assert found("memory", finished)[0] == "missing"
    monkeypatch.setattr(condition, "_available", lambda: 2_000_000_000)
    assert found("memory", finished)[0] == "note"
    monkeypatch.setattr(condition, "_engine_answers", lambda: 1 // 0)
    assert found("engine", finished) == ("missing", "does not work: ZeroDivisionError")
    (workspace / "a file").write_text("")
    assert found("output folder", workspace / "a file")[0] == "missing"
    assert found("installation", finished)[0] == "ok"

    def incomplete() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(condition, "sql_folder", incomplete)
    assert found("installation", finished)[0] == "missing"
    assert found("packages", finished)[0] == "ok", "without the lock file versions are not compared"
    monkeypatch.setattr(condition, "KNOWN_KEY", 5)
    assert found("compiled measures", finished)[0] == "missing"


def test_config_check_names_the_origin_of_every_value(typed: Typed, workspace: Path) -> None:
    (workspace / "mine.toml").write_text("[window]\nwindow_days = 7\n[networks]\nseed = 5\nmin_accounts = 5\n")
    rows = _json(typed, "config", "check", "mine.toml")["rows"]
    origins = {(row["section"], row["setting"]): (row["origin"], row["value"], row["default"]) for row in rows}  # type: ignore[attr-defined]
    assert origins["window", "window_days"] == ("mine.toml", 7, 28)
    assert origins["networks", "min_accounts"] == ("mine.toml", 5, 5), "a file that repeats the default is its origin"
    assert sum(origin != "default" for origin, _, _ in origins.values()) == 3
    assert {origin for origin, _, _ in ((row["origin"], 0, 0) for row in _json(typed, "config", "check")["rows"])} == {"default"}  # type: ignore[attr-defined]
    changed = _json(typed, "config", "check", "mine.toml", "--changed")["rows"]
    assert [row["setting"] for row in changed] == ["window_days", "seed"]  # type: ignore[attr-defined]
    _, _, talk = typed("config", "check", "mine.toml")
    assert "error rates were measured with the defaults" in talk
    assert "error rates" not in typed("config", "check")[2]


def test_config_alone_still_prints_the_template(typed: Typed) -> None:
    from pipeline.config import DEFAULT_FILE

    assert typed("config")[1].strip() == DEFAULT_FILE.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("line", "word", "offered"), [("stillhunt whati", 1, ["whatif"]), ("stillhunt networks --tier ", 3, ["refer", "watch", "explained"]), ("stillhunt config ch", 2, ["check"])]
)
def test_a_shell_completes_commands_options_and_values(line: str, word: int, offered: list[str], tmp_path: Path) -> None:
    """Bash itself, with the script that the command prints."""
    shim = tmp_path / "stillhunt"
    shim.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m pipeline "$@"\n')
    shim.chmod(0o755)
    words = line.split(" ")
    script = (
        f'eval "$(stillhunt completion bash 2>/dev/null)"; COMP_WORDS=({shlex.join(words)}); COMP_CWORD={word}; _stillhunt_completion stillhunt; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    found = subprocess.run(["bash", "-c", script], env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True)
    assert found.stdout.split() == offered


def test_the_scripts_of_zsh_and_fish_name_the_command(typed: Typed) -> None:
    assert "#compdef stillhunt" in typed("completion", "zsh")[1]
    assert "complete --command stillhunt" in typed("completion", "fish")[1]


def test_open_without_a_display_prints_the_page_and_with_one_opens_it(typed: Typed, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, shown, talk = typed("open")
    page = Path(shown.strip())
    assert (code, page.name, page.is_file()) == (0, "index.html", True)
    assert talk.splitlines()[-1] == "next: stillhunt open --serve 8000 --out stillhunt-out"
    opened: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    assert typed("open")[0] == 0
    assert opened == [page.as_uri()]


LISTENING = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from pipeline.cli import start; sys.exit(start(sys.argv[1:]))"
"""The program, started as by hand: what a shell puts in the background is deaf to SIGINT."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_serves_the_index_until_it_is_told_to_stop(finished: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", LISTENING, "open", "--serve", "0", "--out", str(finished)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        end = threading.Timer(60, server.kill)
        end.start()
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(url, timeout=20) as answer:
            assert answer.read() == (finished / "latest" / "index.html").read_bytes()
        server.send_signal(number)
        began = time.monotonic()
        assert server.wait(timeout=20) == 0
        assert time.monotonic() - began < 15
        assert "stopped" in (server.stderr.read() if server.stderr else "")
        end.cancel()
