"""The units, the crontab and the Airflow task of the README are taken out of its text and tried."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def units() -> dict[str, str]:
    """Unit files by the name in their first line."""
    return {found[1]: text for text in blocks("ini") if (found := re.match(r"# ([\w.-]+)\n", text))}


def test_the_service_and_its_timer_are_there() -> None:
    found = units()
    assert set(found) == {"stillhunt.service", "stillhunt.timer"}
    assert "SuccessExitStatus=3\n" in found["stillhunt.service"]
    assert "Persistent=true\n" in found["stillhunt.timer"]
    assert "--notify-cmd" in found["stillhunt.service"]


@pytest.mark.parametrize("name", ["stillhunt.service", "stillhunt.timer"])
def test_systemd_finds_no_fault_with_the_units(name: str, tmp_path: Path) -> None:
    """Where systemd is not installed, the sections and keys of the unit are read as its own parser would read them."""
    for unit, text in units().items():
        (tmp_path / unit).write_text(text)
    if shutil.which("systemd-analyze"):
        result = subprocess.run(["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False)
        assert (result.returncode, [line for line in result.stderr.splitlines() if name in line]) == (0, []), result.stderr
    section = None
    for line in units()[name].splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found[1]
        elif line and not line.startswith("#"):
            assert section in ("Unit", "Service", "Timer", "Install"), line
            assert re.fullmatch(r"[A-Z]\w+=\S.*", line), line


def test_the_service_asks_for_the_night_before(tmp_path: Path) -> None:
    """The shell of the unit gives the program yesterday's date; `%%` is one percent sign to systemd."""
    command = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", units()["stillhunt.service"], re.MULTILINE)
    assert command
    program = tmp_path / "stillhunt"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    result = subprocess.run(["/bin/sh", "-c", command[1].replace("%%", "%")], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    words = result.stdout.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", words[words.index("--night") + 1])
    assert_known_options(words)


def assert_known_options(words: list[str]) -> None:
    from typer.main import get_command

    from pipeline.cli import app_of

    command = get_command(app_of()).commands[words[0]]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_the_crontab_holds_commands_that_exist() -> None:
    lines = [line for line in blocks("crontab")[0].splitlines() if "stillhunt " in line]
    assert len(lines) == 2
    for line in lines:
        assert not re.search(r"(?<!\\)%", line), "cron ends the command at a bare percent sign"
        words = line.split(None, 5)[5].split(" || ")[0].split()
        assert_known_options(words[1:])


class _Failed(Exception):
    """AirflowFailException: no retry."""


class _Again(Exception):
    """AirflowException: retry."""


def airflow_task() -> Callable[..., None]:
    """The task of the README's example, with Airflow's names stood in for."""
    (source,) = blocks("python")
    ast.parse(source)
    tasks: list[Callable[..., None]] = []

    def passing(**_options: Any) -> Callable[[Any], Any]:
        return lambda function: function

    def keeping(**options: Any) -> Callable[[Any], Any]:
        assert options["retries"] > 0

        def kept(function: Callable[..., None]) -> Callable[..., None]:
            tasks.append(function)
            return lambda *_arguments: None

        return kept

    names = {"airflow": {}, "airflow.decorators": {"dag": passing, "task": keeping}, "airflow.exceptions": {"AirflowException": _Again, "AirflowFailException": _Failed}}
    before = {name: sys.modules.get(name) for name in names}
    for name, attributes in names.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(attributes)
    try:
        exec(compile(source, "README.md", "exec"), {})
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    (task,) = tasks
    return task


@pytest.mark.parametrize(("code", "ends"), [(0, None), (3, None), (75, _Again), (5, _Failed), (6, _Failed), (1, _Failed), (130, _Failed)])
def test_airflow_retries_only_a_held_lock(code: int, ends: type[Exception] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "stillhunt"
    program.write_text(f'#!/bin/sh\n[ "$1" = run ] && [ "$6" = 2026-05-01 ] || exit 99\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if ends is None:
        airflow_task()(ds="2026-05-01")
    else:
        with pytest.raises(ends):
            airflow_task()(ds="2026-05-01")
