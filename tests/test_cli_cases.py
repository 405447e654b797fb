"""`case` and `report` at the command line: examples that parse, formats, exit codes, and a report from nothing but a finished run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from pipeline.cli import start
from pipeline.evidence.finished import FinishedRun

COMMANDS = ("case new", "case edit", "case add-fact", "case terms import", "case prices import", "case hold", "case review", "case show", "report build", "report lint")
PRICES = "as_of,model,input_micro_usd_per_million,output_micro_usd_per_million\n2026-05-01,large-1,3000000,15000000\n"
TERMS = '[[clause]]\nclause_id = "4.2"\nversion = "1"\ntext = "No resale."\nin_force_from = 2026-01-01\n'
Said = tuple[int, str, str]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """The command line, in this process: exit code, stdout, stderr."""

    def called(*words: object) -> Said:
        code = start([str(word) for word in words])
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return called


@pytest.fixture
def out(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished output folder, with keys of its own."""
    monkeypatch.setenv("STILLHUNT_KEYS", str(tmp_path / "keys"))
    shutil.copytree(finished, tmp_path / "out", symlinks=True)
    return tmp_path / "out"


@pytest.fixture
def network(out: Path) -> str:
    """The planted network."""
    return str(FinishedRun(out).where("networks", tier="refer")["network_id"][0])


@pytest.mark.parametrize("command", [*COMMANDS, "case", "report", "case terms", "case prices"])
def test_every_help_ends_in_an_example_that_parses(run, command: str) -> None:  # type: ignore[no-untyped-def]
    code, printed, _ = run(*command.split(), "--help")
    assert code == 0
    example = " ".join(printed.rstrip().rsplit("Example:", 1)[1].split())
    assert example.startswith(f"stillhunt {command}")
    if command in COMMANDS:
        assert run(*shlex.split(example)[1:], "--out", "nowhere")[0] == 6, "it parses; there is no run"


@pytest.mark.parametrize(
    "words",
    [
        ("case", "dance"),
        ("case", "new", "../x"),
        ("case", "hold", "CASE-1", "maybe"),
        ("case", "add-fact", "CASE-1", "--rung", "L3", "--grade", "B2", "--source", "s", "--text", "t", "--by", "Ann"),
        ("case", "review", "CASE-1"),
        ("case", "edit", "CASE-1"),
        ("report", "build", "--case", "CASE-1"),
        ("report", "build", "--profile", "counsel"),
        ("report", "build", "--case", "CASE-1", "--profile", "everybody"),
        ("report", "build", "--case", "CASE-1", "--profile", "internal"),
    ],
)
def test_usage_errors_are_2_and_write_nothing(run, out: Path, tmp_path: Path, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    code, printed, told = run(*words, *(["--out", out] if words[1] in ("build", "edit", "new") else []))
    assert (code, printed) == (2, "")
    assert "Traceback" not in told
    assert not (out / "cases").exists()
    assert not (tmp_path / "keys").exists()


def test_one_command_makes_a_report_and_lint_reads_it(run, out: Path, network: str) -> None:  # type: ignore[no-untyped-def]
    code, printed, told = run("report", "build", network, "--case", "CASE-1", "--profile", "counsel", "--out", out, "--format", "json")
    document = json.loads(printed)
    assert code == 0
    assert (document["schema"], document["case_id"], document["version"], document["status"], document["networks"]) == ("stillhunt.report/1", "CASE-1", 1, "DRAFT", [network])
    assert {"incident.html", "lint.json", "data/table-0.csv"} <= {file["name"] for file in document["files"]}
    assert "made now" in told
    code, printed, told = run("report", "lint", "CASE-1", "--out", out, "--format", "json")
    assert (code, json.loads(printed)) == (0, {"schema": "stillhunt.lint/1", "rows": []})
    assert told.splitlines()[-1] == f"next: stillhunt case review CASE-1 --by NAME --out {out}"
    assert run("case", "show", "CASE-1", "--out", out)[2].splitlines()[-1] == f"next: stillhunt report lint CASE-1 --out {out}"
    page = out / "cases" / "CASE-1" / "counsel" / "incident.html"
    page.write_text(page.read_text().replace("</main>", "<p>This proves it.</p></main>"))
    code, printed, told = run("report", "lint", "CASE-1", "--profile", "counsel", "--out", out)
    assert code == 3
    assert "proves" in printed
    assert "instead:  shows, supports" in printed
    assert "1 findings" in told or "1 finding " in told
    assert told.splitlines()[-1] == f"next: stillhunt report build {network} --case CASE-1 --profile counsel --out {out}"
    assert run("report", "lint", "CASE-1", "--profile", "public", "--out", out)[0] == 6
    code, printed, _ = run("report", "lint", "CASE-1", "--out", out, "--format", "csv")
    assert (code, printed.splitlines()[0]) == (3, "profile,rule,place,found,instead,reason,sentence")


def test_a_case_from_first_to_last(run, out: Path, network: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Everything that people may add, shown in every format, and journaled."""
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "terms.toml").write_text(TERMS)
    at = ("--out", out)
    code, _, told = run("case", "new", "CASE-1", "--network", network, "--title", "=Title\u202e", "--author", "Ann", "--created-on", "2026-05-09", *at)
    assert code == 0
    assert "keep a copy" in told
    fact = ("--rung", "L5", "--grade", "b2", "--source", "registry", "--text", "Run by Example Trading Ltd", "--by", "Ann", "--organisation", "Example")
    for words in (
        ("case", "add-fact", "CASE-1", *fact),
        ("case", "prices", "import", "CASE-1", tmp_path / "prices.csv"),
        ("case", "terms", "import", "CASE-1", tmp_path / "terms.toml", "--by", "Bob"),
        ("case", "hold", "CASE-1", "on"),
    ):
        assert run(*words, *at)[0] == 0, words
    code, printed, _ = run("case", "show", "CASE-1", *at, "--format", "json")
    shown = json.loads(printed)
    assert (shown["schema"], shown["created_on"], shown["hold"], shown["organisations"]) == ("stillhunt.case_summary/1", "2026-05-09", True, ["Example", "Example Trading Ltd"])
    assert [entry["action"] for entry in shown["journal"]] == ["new", "add-fact", "import prices", "import terms", "hold on"]
    assert [entry["actor"] for entry in shown["journal"]] == ["Ann", "Ann", "Ann", "Bob", "Ann"]
    assert len(list((out / "cases" / "CASE-1" / "imports").iterdir())) == 2
    code, printed, told = run("case", "show", "CASE-1", *at)
    assert told.splitlines()[-1] == f"next: stillhunt report build {network} --case CASE-1 --profile internal --out {out}"
    for words in ("FACTS", "TERMS", "PRICES", "JOURNAL", "3,000,000", "<U+202E>"):
        assert words in printed
    assert run("case", "show", "CASE-1", *at, "--format", "csv")[1].splitlines()[2].startswith("title,'=Title")
    code, _, told = run("case", "show", "CASE-2", *at)
    assert (code, "Did you mean CASE-1" in told) == (6, True)


def test_two_people_make_it_final(run, out: Path, network: str) -> None:  # type: ignore[no-untyped-def]
    at = ("--out", out)
    build = ("report", "build", network, "--case", "CASE-1", "--profile", "internal", "--author", "Ann", *at)
    assert run(*build)[0] == 0
    assert run("case", "review", "CASE-1", "--by", "Ann", *at)[0] == 6
    code, _, told = run("case", "review", "CASE-1", "--by", "Bob", *at)
    assert code == 0
    assert re.search(r"next: stillhunt report build .*--profile internal", told)
    assert run("case", "review", "CASE-1", "--by", "Ann", *at)[0] == 0
    assert run(*build)[0] == 0
    page = (out / "cases" / "CASE-1" / "internal" / "incident.html").read_text()
    assert "FINAL" in page
    assert "Bob" in page
    before = (out / "cases" / "CASE-1" / "journal.jsonl").read_bytes()
    code, _, told = run(*build)
    assert (code, "every byte as before" in told) == (0, True)
    assert (out / "cases" / "CASE-1" / "journal.jsonl").read_bytes() == before


def test_a_key_that_is_gone_is_6_and_says_where_it_was(run, out: Path, network: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("case", "new", "CASE-1", "--network", network, "--out", out)[0] == 0
    shutil.rmtree(tmp_path / "keys")
    code, printed, told = run("report", "build", "--case", "CASE-1", "--profile", "public", "--out", out)
    assert (code, printed) == (6, "")
    assert str(tmp_path / "keys") in told
    assert "STILLHUNT_KEYS" in told
