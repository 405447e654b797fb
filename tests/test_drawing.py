"""What a terminal is given: tables that fit, sparklines and bars of the right heights and places, ASCII where the locale has nothing else, colour only on a terminal."""

from __future__ import annotations

import io
import itertools
import os
import pty
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import console, drawing, redact
from tests.conftest import ROOT

CELLS = st.text("ab -_\u00e9\u4f60\u597d\u0301\U0001f600", max_size=40)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locale of UTF-8."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6), st.integers(10, 200))
def test_a_fitted_table_keeps_its_first_column_its_order_and_its_room(rows: list[tuple[str, str, str]], room: int) -> None:
    names = ("account_id", "why", "more")
    fit = drawing.fitted(names, [names, *rows], [False] * 3, ("more",), room)
    assert fit.shown[0] == 0
    assert list(fit.shown) == sorted(fit.shown)
    taken = sum(fit.widths[at] for at in fit.shown) + drawing.GAP * (len(fit.shown) - 1)
    assert taken <= room or fit.shown == (0,), "only an id that is wider than the terminal may stand out"
    assert fit.widths[0] == max(redact.columns(row[0]) for row in [names, *rows]), "an id is never cut"
    full = [max(redact.columns(row[at]) for row in [names, *rows]) for at in range(3)]
    changed = [names[at] for at in range(3) if at not in fit.shown or fit.widths[at] < full[at]]
    assert all(name in fit.note for name in changed)
    assert bool(fit.note) == bool(changed)


def test_least_columns_go_first_then_text_is_shortened() -> None:
    names, row = ("account_id", "requests", "reason", "q"), ("a" * 20, "1,000", "r" * 40, "0.01")
    right = [False, True, False, True]
    assert [names[at] for at in drawing.fitted(names, [names, row], right, ("q", "reason"), 75).shown] == ["account_id", "requests", "reason"]
    assert [names[at] for at in drawing.fitted(names, [names, row], right, ("q", "reason"), 60).shown] == ["account_id", "requests"]
    short = drawing.fitted(names, [names, row], right, (), 60)
    assert short.shown == (0, 1, 2, 3)
    assert short.widths[2] == 40 - (20 + 8 + 40 + 4 + 3 * drawing.GAP - 60)
    assert drawing.fitted(names, [names, row], right, ("q",), None).note == ""


@given(CELLS, st.integers(0, 60))
def test_a_cut_text_takes_its_room_at_most_and_is_a_beginning_or_an_end(text: str, room: int) -> None:
    for keeps_end in (False, True):
        cut = drawing.cut(text, room, keeps_end=keeps_end)
        assert redact.columns(cut) <= room or cut == text == ""
        if cut != text and cut:
            kept = cut[1:] if keeps_end else cut[:-1]
            assert text.endswith(kept) if keeps_end else text.startswith(kept)


def test_wide_letters_take_two_columns_and_combining_marks_none() -> None:
    assert (redact.columns("ab"), redact.columns("\u4f60\u597d"), redact.columns("e\u0301")) == (2, 4, 1)


def test_a_sparkline_rises_with_its_values_and_only_nothing_is_lowest(blocks: None) -> None:
    assert drawing.sparkline([0, 1, 50, 100]) == "\u2581\u2582\u2585\u2588"
    assert drawing.sparkline([None, 5]) == " \u2588"
    assert drawing.sparkline([0, 0]) == "\u2581\u2581"
    assert drawing.sparkline([]) == ""


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**9)), max_size=100), st.integers(1, 60))
def test_a_sparkline_has_at_most_its_room_and_keeps_the_peak(values: list[int | None], room: int) -> None:
    line = drawing.sparkline(values, room)
    assert len(line) == min(len(values), room)
    if any(values):
        assert line.count("#") + line.count("\u2588") >= 1


def test_a_bar_begins_and_ends_where_it_should(blocks: None) -> None:
    assert drawing.bar(0, 5, 0, 10, 10) == "\u2588" * 5
    assert drawing.bar(-10, -5, -10, 10, 20) == "\u2588" * 5 + " " * 5 + "\u2502"
    assert drawing.bar(2, 2.001, 0, 10, 10) == "\u2502 \u2588", "something shows as something"
    assert drawing.bar(2, 2, 0, 10, 10) == "\u2502", "nothing shows as nothing"


def test_without_utf8_all_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    drawn = drawing.sparkline(range(9)) + drawing.bar(-3, 4, -5, 5) + drawing.cut("a" * 30, 10)
    assert drawn.isascii()


def test_a_stream_that_lacks_a_letter_gets_it_spelt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    console.rows(("name", "drawn"), [("caf\u00e9", drawing.sparkline([0, 5]))], "table", "s/1")
    assert raw.getvalue() == b"name  drawn\ncaf\\xe9  _#\n"


def test_a_pipe_gets_whole_tables_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    console.rows(("account_id", "tier", "text"), [("a", "refer", "t" * 300)], "table", "s/1", ("text",))
    console.heading("TITLE " * 40)
    captured = capsys.readouterr()
    assert "t" * 300 in captured.out
    assert ("\x1b" in captured.out, captured.err) == (False, "")
    assert "TITLE " * 39 in captured.out


def _on_a_terminal(code: str, columns: int, **environment: str) -> str:
    """What a piece of code writes to a terminal of so many columns, both streams."""
    master, slave = pty.openpty()
    settings = {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **environment}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=slave, stderr=slave, env=settings, cwd=ROOT)
    os.close(slave)
    written = b""
    try:
        for _ in itertools.count():
            piece = os.read(master, 65536)
            if not piece:
                break
            written += piece
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(master)
    assert process.wait() == 0, written.decode()
    return written.decode().replace("\r\n", "\n")


TABLE = (
    "from pipeline import console\n"
    "rows = [('acct-0001', tier, 12, 'because ' * 8, 'x' * 30) for tier in ('refer', 'watch', 'explained', 'other')]\n"
    "console.rows(('account_id', 'tier', 'requests', 'reason', 'least_of_all'), rows, 'table', '', ('least_of_all',))\n"
)


@pytest.mark.parametrize("columns", [80, 160])
def test_a_terminal_gets_tables_of_its_width_with_tiers_in_colour(columns: int) -> None:
    shown = _on_a_terminal(TABLE, columns)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= columns
    assert ("not shown: least_of_all" in plain) == (columns == 80)
    assert all(f"\x1b[{console.TONES[tier]}m{tier}\x1b[0m" in shown for tier in ("refer", "watch", "explained"))
    assert re.findall(r"\x1b\[[0-9;]*m", shown.splitlines()[4]) == [], "no colour without a meaning"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(environment: dict[str, str]) -> None:
    assert "\x1b" not in _on_a_terminal(TABLE, 80, **environment)


def test_an_escape_in_data_stays_dead_beside_real_colour() -> None:
    code = (
        "from pipeline import console\n"
        "console.rows(('tier', 'name'), [('refer', '\\x1b[2J\\x1b]0;t\\x07'), ('\\x1b[31mrefer', 'x')], 'table', '')\n"
        "console.line(('\\x1b[2J', 'title'), '\\x9b31m')\n"
    )
    shown = _on_a_terminal(code, 80)
    ours = "|".join(re.escape(f"\x1b[{code}m") for code in (*console.TONES.values(), "0"))
    assert re.sub(ours, "", shown).isprintable() or not set(re.sub(ours, "", shown)) & {"\x1b", "\x9b", "\x07"}
    assert shown.count("\x1b[31m") == 0
