"""The console: data clean for machines, names from the log harmless for terminals and spreadsheets."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shlex
import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import console
from tests.conftest import ROOT

HOSTILE = ["\x1b[2J\x1b[1;1Hgone", "a\u202etxt.exe", "nul\x00l", "two\nlines", "bell\x07", "\u009b31mred", "\ud800"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_no_control_character_reaches_the_terminal(text: str, form: console.Format, capsys: pytest.CaptureFixture[str]) -> None:
    console.rows(("name", "count"), [(text, 1)], form, "stillhunt.test/1")
    out = capsys.readouterr().out
    assert not [character for character in out if character != "\n" and (ord(character) < 32 or character in "\x7f\u009b\u202e\ud800")]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_formula_is_quoted_in_csv(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.rows(("name", "value"), [(text, -1.5)], "csv", "stillhunt.test/1")
    (row,) = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert row["name"].startswith("'")
    assert row["value"] == "-1.5", "a number stays a number"


def test_a_formula_in_a_column_name_cannot_happen_but_json_keeps_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.rows(("name",), [("=1+1\x1b",)], "json", "stillhunt.test/1")
    assert json.loads(capsys.readouterr().out) == {"schema": "stillhunt.test/1", "rows": [{"name": "=1+1\x1b"}]}


def test_dates_are_iso_and_nulls_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    console.rows(("day", "none"), [(date(2026, 5, 1), None)], "json", "s/1")
    assert json.loads(capsys.readouterr().out)["rows"] == [{"day": "2026-05-01", "none": None}]


def test_a_table_aligns_numbers_right_and_says_when_it_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    console.rows(("name", "count"), [("a", 5), ("bb", 12345)], "table", "s/1")
    assert capsys.readouterr().out == "name   count\na          5\nbb    12,345\n"
    console.rows(("name", "count"), [], "table", "s/1")
    assert capsys.readouterr().out == "(none)\n"


def test_talk_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("hello\x1b")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\u241b\n")


def test_progress_off_a_terminal_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with console.Bars() as bars:
        bars("days", 0, 2)
        bars("days", 1, 2)
        bars("days", 2, 2)
        bars("stages: 55 networks", 0, 9)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("s  ")[1] for line in lines] == ["days: 2", "stages: 55 networks"]
    assert "\x1b" not in "".join(lines)


def test_a_formula_behind_spaces_or_in_full_width_is_quoted_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [" =1+1", "\u00a0=1", "\u3000+1", "\uff1d1", "\ufe661", "\n@SUM(A1)"]
    console.rows(("name",), [(text,) for text in texts], "csv", "s/1")
    assert all(row["name"].startswith("'") for row in csv.DictReader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.parametrize("form", ["table", "csv"])
def test_two_ids_never_look_alike(form: console.Format, capsys: pytest.CaptureFixture[str]) -> None:
    console.rows(("name",), [("admin",), ("ad\u200bmin",), ("admin\x00",), ("admin\u2400",)], form, "s/1")
    assert len(set(capsys.readouterr().out.splitlines()[1:])) == 4


def test_a_credential_is_printed_for_nobody_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    key = "sk-" + "a1B2c3" * 5
    console.say(f"next: stillhunt run s3://me:{key}@host")
    for form in ("table", "csv"):
        console.rows(("name",), [(key,)], form, "s/1")
    captured = capsys.readouterr()
    assert "a1B2c3" not in captured.out + captured.err


def test_what_to_type_next_can_be_pasted_into_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    console.say_next("show", "acct-1", "--out", Path("out"))
    console.say_next("show", "$(reboot); x\x1b[2J\ny")
    plain, hostile = capsys.readouterr().err.splitlines()
    assert plain == "next: stillhunt show acct-1 --out out"
    assert shlex.split(hostile)[:3] == ["next:", "stillhunt", "show"]
    assert len(shlex.split(hostile)) == 4


@settings(deadline=None)
@given(st.text(st.characters()))
def test_whatever_is_printed_leaves_as_lines_without_a_control_or_hidden_mark(text: str) -> None:
    """Every public writer, with text that nobody made safe before."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        console.say(text)
        console.say_next("show", text)
        console.data(text)
        console.document({text: [text]}, text)
        for form in ("table", "json", "csv"):
            console.rows((text,), [(text,)], form, text)
        with console.Bars() as bars:
            bars(text, 1, 1)
    assert [character for character in out.getvalue() if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")] == []


def test_a_bar_shows_names_as_text_not_as_markup(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    with console.Bars() as bars:
        bars("[red]part[/red]\x07", 1, 2)
    assert "[red]part[/red]\u2407" in capsys.readouterr().err


LEAVING = """
import atexit, sys, threading
from pipeline.cli.guard import leave
atexit.register(lambda: print("told at the end"))
print("data")
if sys.argv[1] == "thread":
    threading.Thread(target=lambda: (__import__("time").sleep(0.2), print("thread done"))).start()
leave(3)
"""


@pytest.mark.parametrize(("how", "said"), [("alone", ["data", "told at the end"]), ("thread", ["data", "thread done", "told at the end"])])
def test_leaving_flushes_runs_what_was_registered_and_waits_for_threads(how: str, said: list[str]) -> None:
    found = subprocess.run([sys.executable, "-c", LEAVING, how], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (found.returncode, found.stdout.split("\n")[:-1], found.stderr) == (3, said, "")


def test_output_that_cannot_be_written_is_no_success() -> None:
    with Path("/dev/full").open("w") as full:
        found = subprocess.run([sys.executable, "-c", LEAVING, "alone"], stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    assert found.returncode not in (0, 3)
