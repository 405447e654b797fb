"""README and help are true: commands run, tables equal the code, words exist, the Makefile does what the README says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import schema
from pipeline.contract import ACCOUNT_COLUMNS, REQUEST_COLUMNS
from pipeline.stages import GIVEN, PUBLISHED, SCRATCH, STAGES, TABLES
from tests.conftest import ROOT, Program

README = (ROOT / "README.md").read_text(encoding="utf-8")


def _table(header: str) -> list[list[str]]:
    """The rows of every Markdown table whose header line starts so."""
    rows = []
    for block in README.split("\n\n"):
        lines = block.splitlines()
        if lines and lines[0].startswith(header):
            rows += [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return rows


def _commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line]


@pytest.mark.parametrize("first", [11, pytest.param(None, marks=pytest.mark.slow)], ids=["of the first steps", "of all sections"])
def test_every_command_of_the_readme_runs(tmp_path: Path, first: int | None) -> None:
    shutil.copytree(ROOT / "data_samples", tmp_path / "data_samples")
    program = tmp_path / "bin" / "stillhunt"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    commands = _commands()[:first]
    assert len(commands) >= (first or 30)
    said = {}
    for command in commands:
        result = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{command}\n{result.stderr}"
        said[command] = result.stdout + result.stderr
    assert "already done" in said[[command for command in said if command.startswith("stillhunt run")][-1]]
    assert "N-" in said["stillhunt networks --tier refer"], "the demo's campaigns are referred"
    assert (tmp_path / "stillhunt-out" / "latest" / "index.html").is_file()


def test_make_demo_is_the_demo_of_the_readme() -> None:
    recipe = subprocess.run(["make", "--no-print-directory", "-n", "-o", ".venv/.installed", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert recipe.strip().splitlines()[-1] == ".venv/bin/stillhunt demo --out stillhunt-out"


@pytest.mark.slow
def test_make_demo_on_a_fresh_copy_from_nothing(tmp_path: Path) -> None:
    """Python and make, nothing else: installs from the package index, so it needs one."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    result = subprocess.run(["make", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "stillhunt-out/latest/index.html" in result.stderr
    assert (tmp_path / "stillhunt-out" / "latest" / "index.html").is_file()


def test_the_gate_runs_every_tool() -> None:
    recipe = subprocess.run(["make", "-n", "-o", ".venv/.tested", "-o", "browser", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for tool in ("ruff check", "ruff format --check", "mypy --strict", "lint-imports", "pytest -m 'not slow'"):
        assert tool in recipe
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_stage_map_is_the_code() -> None:
    expected = []
    for stage in STAGES:
        source = f"sql/{stage.source}" if stage.is_sql else stage.source.removeprefix("pipeline.").replace(":", ".")
        expected.append([str(stage.number), " ".join(stage.writes), source, " ".join(stage.reads)])
    assert _table("| no | table |") == expected


def test_a_stage_reads_only_what_an_earlier_one_writes() -> None:
    made = set(GIVEN)
    for stage in STAGES:
        assert set(stage.reads) <= made, stage
        assert not made & set(stage.writes), stage
        assert set(stage.writes) <= set(TABLES), stage
        made |= set(stage.writes)
    assert set(PUBLISHED) | SCRATCH == {name for stage in STAGES if not stage.per_day for name in stage.writes}


def test_the_headers_of_sql_files_and_the_map_agree() -> None:
    from pipeline.engines.sqlfile import load, sql_files

    for stage in STAGES:
        if stage.is_sql:
            assert set(load(stage.source).reads) == set(stage.reads), stage
            assert load(stage.source).grain == TABLES[stage.writes[0]].grain, stage
            assert stage.source == f"{stage.number}_{stage.writes[0]}.sql"
    unused = {name for name in sql_files() if "/" not in name} - {stage.source for stage in STAGES}
    assert unused == set()


def test_the_input_section_lists_exactly_the_contract() -> None:
    rows = _table("| column | type | need |")
    expected = [(column.name, column.need) for contract in (REQUEST_COLUMNS, ACCOUNT_COLUMNS) for column in contract.values()]
    assert [(row[0], row[2]) for row in rows] == expected
    assert all(row[3] for row in rows)


def test_every_exit_code_is_explained() -> None:
    from pipeline import errors

    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.StillhuntError)}
    told = {int(code) for row in _table("| exit code |") for code in row[0].split(",")}
    assert codes | {0, 1, 2, 3, 5, 130, 143} == told


def test_every_word_of_the_glossary_is_in_the_schema_or_names_what_a_stage_makes() -> None:
    from pipeline.stages import coupling, relinking

    names = {column.name for table in TABLES.values() for column in table.columns} | set(TABLES) | set(vars(coupling)) | set(vars(relinking))
    text = " ".join(names).replace("_", " ")
    for word, _ in _table("| word |"):
        assert word.replace("-", "") in text or word == "run", word


def test_every_command_is_in_the_readme(program: Program) -> None:
    listed = program("--help").stdout.split("Commands:")[1]
    for command in re.findall(r"^  (\w+)  ", listed, flags=re.MULTILINE):
        assert f"stillhunt {command}" in README, command


def test_every_column_says_what_it_means() -> None:
    for table in TABLES.values():
        assert len(set(table.column_names)) == len(table.columns), table.name
        assert set(table.grain) <= set(table.column_names), table.name
        for column in table.columns:
            assert column.meaning, (table.name, column.name)
    assert schema.REQUESTS.stage == 10


def test_links_of_the_readme_exist() -> None:
    for name in set(re.findall(r"(?:pipeline|sql|reports|data_samples|tests)/[\w./]+\w", README.replace("\\", ""))):
        if name.startswith("sql/") and not name.endswith(".sql"):
            assert list((ROOT / "sql").glob(name.removeprefix("sql/") + "*")), name
        else:
            assert (ROOT / name).exists(), name


def test_the_pictures_of_the_readme_are_there_and_small() -> None:
    """As PNG, at most 250 kB each, outside what a wheel carries."""
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert shown
    for name in shown:
        data = (ROOT / name).read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n"), name
        assert 1_000 < len(data) <= 250_000, name
        assert int.from_bytes(data[16:20]) >= 600, "as wide as it can be read"
        assert name.split("/")[0] not in ("pipeline", "reports", "sql"), "these travel in the wheel"
