"""`bundle seal`, `verify` and `rerun` as they are typed: formats, exit codes, next lines, hostile names, and a real report through all three."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.cli import start
from pipeline.cli.operating import in_bags
from pipeline.evidence.finished import FinishedRun
from pipeline.measures.backends import is_compiled
from pipeline.redaction import PROFILES
from tests.conftest import run_program

Said = tuple[int, str, str]
Typed = Callable[..., Said]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """The command line, in this process: exit code, stdout, stderr."""
    environment, handlers = dict(os.environ), {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def called(*words: object) -> Said:
        capfd.readouterr()
        code = start([str(word) for word in words])
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        assert "\x1b" not in printed.out + printed.err
        return code, printed.out, printed.err

    yield called
    for number, handler in handlers.items():
        signal.signal(number, handler)
    os.environ.clear()
    os.environ.update(environment)
    is_compiled.cache_clear()


@pytest.fixture(scope="module")
def made(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with real reports of two profiles, sealed. Read only."""
    home = tmp_path_factory.mktemp("bundles")
    shutil.copytree(finished, home / "out", symlinks=True)
    network = FinishedRun(home / "out").where("networks", tier="refer")["network_id"][0]
    for profile in ("internal", "public"):
        done = run_program("report", "build", network, "--case", "CASE-1", "--profile", profile, "--author", "Ann", "--out", home / "out", STILLHUNT_KEYS=str(home / "keys"))
        assert done.returncode == 0, done.stderr
    done = run_program("bundle", "seal", "CASE-1", "--out", home / "out", STILLHUNT_KEYS=str(home / "keys"))
    assert done.returncode == 0, done.stderr
    return home / "out"


@pytest.fixture
def out(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    monkeypatch.setenv("STILLHUNT_KEYS", str(made.parent / "keys"))
    shutil.copytree(made, tmp_path / "out", symlinks=True)
    return tmp_path / "out"


def _bag(out: Path, profile: str = "internal") -> Path:
    return out / "cases" / "CASE-1" / "bundles" / f"CASE-1_{profile}_v1"


@pytest.mark.parametrize("command", ["bundle", "bundle seal", "verify", "rerun"])
def test_every_help_ends_in_an_example_that_parses(run: Typed, command: str) -> None:
    code, printed, _ = run(*command.split(), "--help")
    assert code == 0
    example = " ".join(printed.rstrip().rsplit("Example:", 1)[1].split())
    assert example.startswith(f"stillhunt {command}")
    code, printed, told = run(*shlex.split(example)[1:], *(["--out", "nowhere"] if "bundle" in command else []))
    assert (code, printed) == (6, ""), told


def test_seal_says_what_it_made_in_every_form_and_never_makes_it_twice(run: Typed, out: Path) -> None:
    code, printed, told = run("bundle", "seal", "CASE-1", "--out", out)
    assert code == 0
    assert printed.splitlines()[0] == str(_bag(out))
    assert told.count("nothing was written") == 2
    assert told.splitlines()[-1] == f"next: stillhunt verify {_bag(out)}"
    code, printed, _ = run("bundle", "seal", "CASE-1", "--profile", "public", "--out", out, "--format", "json")
    document = json.loads(printed)
    (row,) = document["rows"]
    assert (code, document["schema"], row["profile"], row["is_signed"], row["is_new"]) == (0, "stillhunt.bundle/1", "public", False, False)
    code, printed, _ = run("bundle", "seal", "CASE-1", "--out", out, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [(row["bag"], row["profile"]) for row in rows] == [(str(_bag(out)), "internal"), (str(_bag(out, "public")), "public")]
    shown = json.loads(run("case", "show", "CASE-1", "--out", out, "--format", "json")[1])
    assert [entry["details"]["seal"] for entry in shown["journal"] if entry["action"] == "seal"] == [row["seal"] for row in rows]


def test_seal_refuses_with_the_code_that_fits(run: Typed, out: Path) -> None:
    code, printed, told = run("bundle", "seal", "CASE-11", "--out", out)
    assert (code, printed, "Did you mean CASE-1?" in told) == (6, "", True)
    assert run("bundle", "seal", "../x", "--out", out)[0] == 2
    assert run("bundle", "seal", "CASE-1", "--profile", "partner", "--out", out)[0] == 6
    assert run("bundle", "seal", "CASE-1", "--sign", out.parent / "gone.pem", "--out", out)[0] == 6
    page = out / "cases" / "CASE-1" / "internal" / "incident.html"
    page.write_text(page.read_text() + " ")
    code, printed, told = run("bundle", "seal", "CASE-1", "--out", out)
    assert (code, printed) == (4, "")
    assert "incident.html: was changed since the report was built" in told


def test_verify_in_every_form_and_what_a_tampered_bag_looks_like(run: Typed, out: Path) -> None:
    bag = _bag(out)
    code, printed, told = run("verify", bag)
    assert code == 0
    assert [line.split("  ")[0] for line in printed.splitlines()] == ["pass"] * 10 + ["seal"]
    assert told.splitlines() == ["all 10 checks passed", f"next: stillhunt rerun {bag} --inputs LOGS"]
    (bag / "data" / "20_exhibits" / "members.csv").write_text("x")
    hostile = bag / "data" / "\x1b[31mred\u202e.csv"
    hostile.write_text("x")
    code, printed, told = run("verify", bag)
    assert code == 4
    assert "FAIL  payload hashes    data/20_exhibits/members.csv: was changed" in printed
    assert "<U+001B>[31mred<U+202E>.csv: was added" in printed
    assert "checks failed" in told
    code, printed, _ = run("verify", bag, "--format", "json")
    document = json.loads(printed)
    assert (code, document["schema"], document["passed"]) == (4, "stillhunt.verify/1", False)
    failed = {one["check"] for one in document["checks"] if one["result"] == "FAIL"}
    assert {"payload hashes", "payload complete", "payload size"} <= failed
    code, printed, _ = run("verify", bag, "--format", "csv")
    assert (code, printed.splitlines()[0]) == (4, "check,result,detail")
    for path in (out, out / "gone"):
        code, printed, told = run("verify", path)
        assert (code, printed, "is no bag" in told) == (6, "", True)


def test_a_real_report_outside_internal_names_nobody(made: Path) -> None:
    private = re.compile(rb"pool-\d{3}|person-\d{3}|(?<![\d.])(?:203\.0\.113|198\.51\.100|10\.\d{1,3}\.\d{1,3})\.\d{1,3}(?!\d|/24)")
    named = {profile: [path.name for path in _bag(made, profile).rglob("*") if path.is_file() and private.search(path.read_bytes())] for profile in ("internal", "public")}
    assert "incident.html" in named["internal"]
    assert named["public"] == []
    assert all(profile in PROFILES for profile in named)


def test_rerun_says_equal_and_a_changed_file_ends_it_before_anything_is_computed(run: Typed, out: Path, tiny_log: Path, tiny_accounts: Path, tmp_path: Path) -> None:
    bag = _bag(out, "public")
    code, printed, told = run("rerun", bag, "--inputs", tiny_log, "--accounts", tiny_accounts, "--threads", 1)
    assert code == 0, told
    assert printed.splitlines()[-1].split() == ["result", "equal"]
    assert "same version, code, packages and platform as the run" in printed
    assert told.splitlines()[-1] == f"next: stillhunt verify {bag}"
    code, printed, told = run("rerun", bag, "--inputs", tiny_log)
    assert (code, printed) == (6, "")
    assert "--accounts FILE" in told
    logs = Path(shutil.copytree(tiny_log, tmp_path / "logs"))
    first = min(logs.rglob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    code, printed, told = run("rerun", bag, "--inputs", logs, "--accounts", tiny_accounts)
    assert (code, printed) == (4, "")
    assert f"{first.relative_to(logs)}: not what the run read" in told
    (bag / "bag-info.txt").write_text("")
    assert run("rerun", bag, "--inputs", tiny_log, "--accounts", tiny_accounts)[0] == 4
    assert run("rerun", out, "--inputs", tiny_log)[0] == 6


def test_a_result_that_differs_is_3_and_a_degraded_one_is_5(run: Typed, out: Path, tiny_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.evidence.comparing import Compared
    from pipeline.evidence.rerun import Rerun

    there = (Compared("index.html", "equal", ""), Compared("tables/members.parquet", "differs", "first in row 3 (account_id \x1b[2Jx); column role; 8 rows then and now"))
    found = Rerun("differs", "a" * 12, "b" * 12, ("2026-05-03",), 3, ("polars 2.0.0 then, 2.1.0 now",), there, ("Not all.",), ())
    monkeypatch.setattr("pipeline.evidence.rerun.rerun", lambda *_: found)
    code, printed, told = run("rerun", _bag(out), "--inputs", tiny_log)
    assert code == 3
    assert "tables/members.parquet: first in row 3" in printed
    assert "tables     0 of 1 equal byte by byte, 1 other than in the bag" in printed
    assert "Not all." in told
    assert json.loads(run("rerun", _bag(out), "--inputs", tiny_log, "--format", "json")[1])["compared"][1]["result"] == "differs"
    assert run("rerun", _bag(out), "--inputs", tiny_log, "--format", "csv")[1].splitlines()[:2] == ["path,result,detail", "index.html,equal,"]
    rounded = Rerun("equal", "a" * 12, "b" * 12, ("2026-05-03",), 3, ("polars 2.0.0 then, 2.1.0 now",), (Compared("index.html", "equal but for the run id", ""),), (), ())
    monkeypatch.setattr("pipeline.evidence.rerun.rerun", lambda *_: rounded)
    code, printed, _ = run("rerun", _bag(out), "--inputs", tiny_log)
    assert (code, "equal as far as another program can be: 1 of 1 files" in printed) == (0, True)
    degraded = Rerun("equal", "a" * 12, "b" * 12, ("2026-05-03",), 3, (), there[:1], (), ("a file was skipped",))
    monkeypatch.setattr("pipeline.evidence.rerun.rerun", lambda *_: degraded)
    code, _, told = run("rerun", _bag(out), "--inputs", tiny_log)
    assert (code, "not all ran: a file was skipped" in told) == (5, True)


def test_erase_says_which_sealed_bags_still_hold_the_account(run: Typed, out: Path) -> None:
    code, _, told = run("erase", "pool-003", "--apply", "--by", "Ann", "--out", out)
    assert code == 5
    line = next(line for line in told.splitlines() if line.startswith("sealed bag, still names it in "))
    assert str(_bag(out)) in line
    assert "never changed" in line
    assert str(_bag(out, "public")) not in told, "pseudonyms only"
    assert "copy of a sealed bag that was handed on" in told
    assert run("verify", _bag(out))[0] == 0, "erase left it as it was"


def test_files_of_bags_are_told_by_bag() -> None:
    bags, others = in_bags(["cases/A/bundles/A_internal_v1/data/x", "cases/A/bundles/A_internal_v1/data/y", "cases/A/case.json", "cases/A/bundles/x"])
    assert bags == {"cases/A/bundles/A_internal_v1": 2}
    assert others == ["cases/A/case.json", "cases/A/bundles/x"]
