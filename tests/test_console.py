"""The console: data clean for machines, names from the log harmless for terminals and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import console

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
    assert (captured.out, captured.err) == ("", "hello<U+001B>\n")


def test_progress_off_a_terminal_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with console.Bars() as bars:
        bars("days", 0, 2)
        bars("days", 1, 2)
        bars("days", 2, 2)
        bars("stages: 55 networks", 0, 9)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("s  ")[1] for line in lines] == ["days: 2", "stages: 55 networks"]
    assert "\x1b" not in "".join(lines)


@settings(deadline=None)
@given(st.text())
def test_visible_text_is_one_line_and_keeps_what_can_be_seen(text: str) -> None:
    shown = console.visible(text)
    assert len(shown.splitlines()) <= 1
    assert [character for character in text if character.isalnum()] == [character for character in shown if character.isalnum()] or "<U+" in shown
