"""The analyst's commands as typed: every example of every help runs, what is printed has the promised form, and the line `next:` goes on."""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline import console, redact
from pipeline.cli import app_of, start
from tests.conftest import Program
from tests.nights import EARLIER, VANISHED, with_an_earlier_night
from tests.sealing import seal

Ran = tuple[int, str, str]
Typed = Callable[..., Ran]
ELSEWHERE = frozenset(
    "run demo check simulate validate canary runs gc erase note disposition allow journal case report bundle verify rerun expand test whatif open doctor completion config".split()
)
"""Commands whose example names logs, a file of its own or another folder, or takes long; other tests run them."""
READING = tuple(sorted({name for command in app_of().registered_commands if command.callback and (name := command.name or command.callback.__name__) not in ELSEWHERE}))


@pytest.fixture(autouse=True)
def _process_left_as_found(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands run in this process set handlers of signals, and would choose how to hash for all that comes after."""
    monkeypatch.setenv("STILLHUNT_NO_NUMBA", "0")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def place(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory whose stillhunt-out holds two nights."""
    folder = tmp_path_factory.mktemp("analyst")
    with_an_earlier_night(finished, folder / "stillhunt-out")
    return folder


@pytest.fixture
def typed(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command in that directory: its exit code and both streams."""

    def run(*words: object) -> Ran:
        monkeypatch.chdir(place)
        capsys.readouterr()
        code = start([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def _example(typed: Typed, command: str) -> list[str]:
    code, out, _ = typed(command, "--help")
    assert code == 0
    words = shlex.split(" ".join(out.rstrip().rsplit("Example:", 1)[1].split()))
    assert words[:2] == ["stillhunt", command]
    return words[1 : words.index(">")] if ">" in words else words[1:]


def _next(err: str) -> list[str]:
    """The command of the last line."""
    last = err.strip().splitlines()[-1]
    assert last.startswith("next: stillhunt ")
    return shlex.split(last.removeprefix("next: stillhunt "))


@pytest.mark.parametrize("command", READING)
def test_every_example_runs_and_so_does_what_it_says_comes_next(typed: Typed, command: str) -> None:
    words = _example(typed, command)
    code, out, err = typed(*words)
    assert code in ((0, 3) if "--fail-on" in words else (0,)), err
    assert out.strip()
    if "--out" in err:  # a question about this folder, not a hint at something to be filled in
        assert typed(*_next(err))[0] == 0


def test_the_examples_of_this_issue_are_among_them() -> None:
    assert {"networks", "show", "explain", "pivot", "similar", "timeline", "prompts", "diff"} <= set(READING)


COMMANDS = {
    "networks": (("networks",), "stillhunt.networks/1", {"rows"}, "network_id"),
    "fields": (("networks", "--fields"), "stillhunt.network_fields/1", {"rows"}, "field"),
    "show": (
        ("show", "@1"),
        "stillhunt.network/1",
        {"id", "kind", "network", "findings", "families", "without", "tests", "capabilities", "elicitation", "traffic", "pace", "members", "journal", "lineage"},
        "account_id",
    ),
    "account": (("show", "@1.1"), "stillhunt.account/1", {"id", "kind", "account", "membership", "links", "features", "journal"}, "what"),
    "explain": (
        ("explain", "@1.1"),
        "stillhunt.explanation/1",
        {
            "against",
            "network",
            "account_id",
            "compared_with",
            "colleague_count",
            "bars",
            "mean_bits",
            "median_bits",
            "edge_bits",
            "facts",
            "rows",
            "waterfall",
            "without",
            "likeness",
        },
        "family",
    ),
    "pivot": (
        ("pivot", "--ip", "203.0.113.2"),
        "stillhunt.pivot/1",
        {"kind", "value", "accounts", "networks", "account_total", "rarity_bits", "not_carried", "notes"},
        "account_id",
    ),
    "similar": (("similar", "@1.1"), "stillhunt.similar/1", {"account_id", "linked", "alike", "compared", "features", "note"}, "account_id"),
    "timeline": (("timeline", "@1"), "stillhunt.timeline/1", {"id", "kind", "network_id", "days", "events", "notes"}, "day"),
    "prompts": (("prompts", "@1"), "stillhunt.prompts/1", {"network_id", "by", "skeletons", "skeleton_total", "request_total", "notes"}, "rank"),
    "diff": (("diff",), "stillhunt.diff/1", {"run_before", "run", "night_before", "night", "changes", "same_count", "causes", "level"}, "change"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_json_names_its_schema_and_csv_has_a_head(typed: Typed, name: str) -> None:
    words, schema, keys, first = COMMANDS[name]
    code, out, err = typed(*words, "--format", "json")
    assert code == 0, err
    found = json.loads(out)
    assert found.pop("schema") == schema
    assert set(found) == keys
    _, out, _ = typed(*words, "--format", "csv")
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0][0] == first
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("columns", [80, 160])
def test_every_screen_fits_its_terminal(typed: Typed, monkeypatch: pytest.MonkeyPatch, name: str, columns: int) -> None:
    monkeypatch.setattr(console, "width", lambda: columns)
    code, out, _ = typed(*COMMANDS[name][0])
    assert code == 0
    assert [line for line in out.splitlines() if redact.columns(line) > columns] == []
    assert out.count("\n") > 1


def test_a_terminal_gets_the_head_of_a_long_queue_and_a_pipe_all_of_it(finished: Path, tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    path = out / "latest" / "tables" / "networks.parquet"
    one = pl.read_parquet(path)
    many = pl.concat([one] * 40).with_columns(pl.Series("network_id", [f"N-{number:010x}" for number in range(40)]))
    many.with_columns(pl.Series("tier", ["refer"] + ["watch"] * 39)).write_parquet(path)
    seal(out / "latest")
    whole = typed("networks", "--out", out)
    assert whole[1].count("\nN-") == 40
    monkeypatch.setattr(console, "width", lambda: 80)
    code, shown, talk = typed("networks", "--out", out)
    assert (code, shown.count("\nN-")) == (0, 30)
    assert "30 shown of 40 networks in all" in talk
    assert "All of them: --limit 40." in talk
    assert typed("networks", "--out", out, "--limit", 40)[1].count("\nN-") == 40
    many.with_columns(pl.lit("refer").alias("tier")).write_parquet(path)
    seal(out / "latest")
    assert typed("networks", "--out", out)[1].count("\nN-") == 40, "nothing that is to be referred is left out"


@pytest.mark.parametrize("words", [("features",), ("runs",), ("prompts", "@1")])
def test_names_and_times_are_whole_on_a_narrow_terminal(typed: Typed, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setattr(console, "width", lambda: 80)
    code, shown, talk = typed(*words)
    assert code == 0
    assert max(map(redact.columns, shown.splitlines())) <= 80
    assert "\u2026" not in shown
    assert "cut short" not in talk


def test_a_search_narrows_and_sorts(typed: Typed) -> None:
    (network,) = json.loads(typed("networks", "--format", "json")[1])["rows"]
    for terms, count in (("bits:>=20 accounts:>=5 new:7d", 1), ("bits:<20", 0), ("-tier:refer,watch,explained", 0), ("family:identity", 1)):
        assert len(json.loads(typed("networks", "--where", terms, "--sort", "tokens-desc", "--format", "json")[1])["rows"]) == count, terms
    code, out, err = typed("networks", "--where", "tokens:<1")
    assert (code, out) == (0, "(none)\n")
    assert "no network that fit" in err
    assert network["families"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("networks", "--where", "acounts:>3"), "'accounts'"),
        (("networks", "--where", "bits"), "field:value"),
        (("networks", "--sort", "size"), "Fields:"),
        (("pivot",), "exactly one"),
        (("pivot", "--ip", "10.0.0.1", "--asn", "1"), "exactly one"),
        (("pivot", "--asn", "x"), "AS number"),
        (("pivot", "--time", "yesterday"), "A..B"),
        (("diff", "a", "b", "c"), "two runs"),
        (("diff", "--fail-on", "all"), "any"),
        (("similar", "pool-001", "--limit", "0"), "limit"),
        (("prompts", "@1", "--limit", "51"), "limit"),
    ],
)
def test_what_is_typed_wrong_is_2_and_says_what_is_right(typed: Typed, words: tuple[str, ...], said: str) -> None:
    code, out, err = typed(*words)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("words", [("show",), ("explain",), ("similar",), ("timeline",)])
def test_an_unknown_account_is_6_and_told_the_nearest(typed: Typed, words: tuple[str, ...]) -> None:
    code, out, err = typed(*words, "pool-0003")
    assert (code, out) == (6, "")
    assert "pool-003" in err


@pytest.mark.parametrize("words", [("show",), ("prompts",), ("timeline",), ("explain", "pool-001", "--net")])
def test_an_unknown_network_is_6_and_told_the_nearest(typed: Typed, words: tuple[str, ...]) -> None:
    (network,) = json.loads(typed("networks", "--format", "json")[1])["rows"]
    name = network["network_id"]
    wrong = name[:5] + ("0" if name[5] != "0" else "1") + name[6:]
    code, out, err = typed(*words, wrong)
    assert (code, out) == (6, "")
    assert name in err


@pytest.mark.parametrize(("level", "code"), [(None, 0), ("any", 3), ("tier", 3), ("refer", 3)])
def test_a_difference_at_or_above_the_asked_level_is_3(typed: Typed, level: str | None, code: int) -> None:
    (network,) = json.loads(typed("networks", "--format", "json")[1])["rows"]
    assert network["tier"] == "refer", "or the level `refer` is not reached"
    assert typed("diff", *(("--fail-on", level) if level else ()))[0] == code
    assert typed("diff", "latest", "latest", *(("--fail-on", level) if level else ()))[0] == 0


def test_diff_shows_what_changed_and_why(typed: Typed) -> None:
    _, out, _ = typed("diff")
    assert VANISHED in out
    assert "7 -> 8" in out
    assert EARLIER in out
    for cause in ("data", "config", "code", "versions", "networks.edge_margin_bits"):
        assert cause in out


def test_diff_in_words_of_people(typed: Typed) -> None:
    """A cause is never cut short, units are said, and what was not weighed has no bits."""
    _, out, err = typed("diff")
    assert "bits: for one operator, of the median member." in " ".join(out.split())
    assert re.search(r"^config       networks\.edge_margin_bits: \S+ -> \S+$", out, flags=re.MULTILINE)
    gone = next(line for line in out.splitlines() if VANISHED in line)
    assert gone.startswith("gone")
    assert "->" not in gone, "the word gone says in which run it is"
    assert err.splitlines()[-1].startswith("next: stillhunt show N-")
    assert typed("diff", "latest", EARLIER)[2].splitlines()[-1].startswith("next: stillhunt runs "), "show knows the latest run only"


def test_prompts_of_a_source_that_is_gone_or_changed_are_6_and_4(typed: Typed, tiny_log: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(tiny_log, tmp_path / "moved")
    code, out, err = typed("prompts", "@1", "--logs", moved, "--limit", 3)
    assert code == 0, err
    assert "exercise" not in out, "only the network uses that word"
    for path in moved.rglob("*.parquet"):
        path.write_bytes(path.read_bytes() + b" ")
    code, out, err = typed("prompts", "@1", "--logs", moved, "--limit", 3)
    assert code == 4
    assert "SHA-256 is another" in err
    shutil.rmtree(moved)
    moved.mkdir()
    code, out, err = typed("prompts", "@1", "--logs", moved, "--limit", 3)
    assert code == 6
    assert "is not below the folders" in err
    assert "(gone)" in out


def test_a_waterfall_is_drawn_from_chance_over_the_threshold(typed: Typed) -> None:
    _, out, _ = typed("explain", "@1.1")
    lines = out.split("WATERFALL", 1)[1].splitlines()
    total = next(line for line in lines if line.startswith("above the threshold"))
    first = next(line for line in lines if line.startswith("possible partners"))
    found = json.loads(typed("explain", "@1.1", "--format", "json")[1])
    assert f"{found['mean_bits'] - found['edge_bits']:+.2f}" in total
    assert "-7.30" in first, "log2 of 158 accounts"
    assert all(fact["kind"] in out for fact in found["facts"])


def test_likeness_is_said_not_to_be_control(typed: Typed) -> None:
    assert "not control" in typed("similar", "@1.1")[1]
    assert "not control" in json.loads(typed("similar", "@1.1", "--format", "json")[1])["note"]


def test_a_damaged_day_is_4_and_named(finished: Path, tmp_path: Path, typed: Typed) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    for name in ("requests", "account_days"):
        (out / "days" / "date=2026-05-02" / f"{name}.parquet").write_bytes(b"PAR1")
    for words, name in ((("pivot", "--ip", "203.0.113.2"), "requests"), (("timeline", "@1"), "account_days"), (("prompts", "@1"), "requests")):
        code, _, err = typed(*words, "--out", out)
        assert code == 4
        assert f"date=2026-05-02/{name}.parquet" in err


def test_a_log_without_networks_is_answered_everywhere(finished: Path, tmp_path: Path, typed: Typed) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    for name in ("networks", "members", "findings", "lineage", "network_families", "network_tests"):
        path = out / "latest" / "tables" / f"{name}.parquet"
        pl.read_parquet(path).clear().write_parquet(path)
    accounts = out / "latest" / "tables" / "accounts.parquet"
    pl.read_parquet(accounts).with_columns(pl.lit(None, dtype=pl.String).alias("network_id")).write_parquet(accounts)
    seal(out / "latest")
    for words, code in ((("networks",), 0), (("show", "pool-001"), 0), (("similar", "pool-001"), 0), (("timeline", "pool-001"), 0), (("show", "@1"), 6), (("prompts", "@1"), 6)):
        assert typed(*words, "--out", out)[0] == code, words
    for form in ("json", "csv"):
        assert typed("networks", "--out", out, "--format", form)[0] == 0


@pytest.mark.parametrize(
    "words", [("networks", "--where", "bits:>=5"), ("show", "@1"), ("explain", "@1.1"), ("pivot", "--ip", "203.0.113.2"), ("similar", "@1.1"), ("timeline", "@1")]
)
def test_a_question_costs_less_than_two_cpu_seconds(program: Program, finished: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    """Cold, in a process of its own; less of two, because the machine may be busy."""
    monkeypatch.delenv("STILLHUNT_NO_NUMBA")
    costs: list[float] = []
    while len(costs) < 2 and min(costs, default=9.0) >= 2.0:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert program(*words, "--out", finished).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 2.0


def test_what_is_said_of_a_network_is_what_its_page_says(typed: Typed, place: Path) -> None:
    """Each sentence of the assessment stands on the page, too; strength and confidence are two."""
    import html
    import re

    from pipeline.evidence.cards import assessed
    from pipeline.evidence.finished import FinishedRun

    run = FinishedRun(place / "stillhunt-out")
    (network,) = run.table("networks").rows(named=True)
    page = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", (run.folder / "networks" / f"{network['network_id']}.html").read_text())))
    found = assessed(run, network)
    _, out, _ = typed("show", "@1")
    assert found.is_weighed
    for sentence in (found.first, found.second, found.strength, found.confidence, found.innocent, found.attribution, found.decisive):
        assert sentence in out
        assert re.sub(r"\s+", " ", sentence) in page


def test_a_group_that_is_not_weighed_has_no_bits(finished: Path, tmp_path: Path, typed: Typed) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    tables = out / "latest" / "tables"
    small = {"account_count": 2, "coordination_bits": 0.0, "extraction_bits": 0.0, "q_value": None, "tier": "watch", "reason": "small_group", "best_alternative": "none"}
    networks = pl.read_parquet(tables / "networks.parquet")
    networks.with_columns(pl.lit(value, dtype=networks.schema[name]).alias(name) for name, value in small.items()).write_parquet(tables / "networks.parquet")
    pl.read_parquet(tables / "network_families.parquet").clear().write_parquet(tables / "network_families.parquet")
    seal(out / "latest")
    _, shown, _ = typed("show", "@1", "--out", out)
    assert "not weighed" in shown
    assert "None is tried" in shown
    assert "proposition" not in shown
    assert typed("networks", "--where", "bits:<=100", "--out", out)[1] == "(none)\n"
    assert len(json.loads(typed("networks", "--where", "bits:none", "--format", "json", "--out", out)[1])["rows"]) == 1


@pytest.mark.parametrize(
    "words",
    [("networks",), ("show", "@1"), ("show", "pool-001"), ("explain", "pool-001"), ("similar", "pool-001"), ("timeline", "@1"), ("query", "SELECT tier FROM networks")],
)
def test_a_table_that_says_something_else_than_the_run_answers_nobody(finished: Path, tmp_path: Path, typed: Typed, words: tuple[str, ...]) -> None:
    """It reads well and is not what the run wrote: somebody would act on it."""
    out = tmp_path / "out"
    shutil.copytree(finished, out, symlinks=True)
    assert typed(*words, "--out", out)[0] == 0
    for name in ("networks", "accounts"):
        path = out / "latest" / "tables" / f"{name}.parquet"
        frame = pl.read_parquet(path)
        path.unlink()
        frame.write_parquet(path, compression="gzip")
    code, shown, talk = typed(*words, "--out", out)
    assert (code, shown) == (4, "")
    assert "SHA-256" in talk


@pytest.mark.parametrize(("words", "table"), [(("whatif", "@1", "--threshold", "20"), "recurring_shingles"), (("test", "TIP"), "habits")])
def test_a_changed_table_that_only_a_stage_would_read_answers_nobody_either(finished: Path, tmp_path: Path, typed: Typed, words: tuple[str, ...], table: str) -> None:
    """`whatif` and `test` let stages read tables by path."""
    out, tip = tmp_path / "out", tmp_path / "tip.txt"
    shutil.copytree(finished, out, symlinks=True)
    tip.write_text("pool-001\npool-002\npool-003\npool-004\npool-005\n")
    path = out / "latest" / "tables" / f"{table}.parquet"
    frame = pl.read_parquet(path)
    path.unlink()
    frame.write_parquet(path, compression="gzip")
    code, shown, talk = typed(*(tip if word == "TIP" else word for word in words), "--out", out)
    assert (code, shown) == (4, "")
    assert f"{table}.parquet" in talk
