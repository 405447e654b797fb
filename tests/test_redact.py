"""The redaction gate: nothing that hides, reorders, escapes, runs or gives away leaves it."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import redact
from tests.conftest import ROOT

HOSTILE = {
    "nul": "a\x00b",
    "colour": "a\x1b[31mred\x1b[0m",
    "title": "a\x1b]0;owned\x07b",
    "link": "a\x1b]8;;http://x\x1b\\b",
    "clear": "\x1bc\x1b[2J",
    "c1": "a\x9b31mb",
    "override": "abc\u202egnp.exe",
    "isolate": "a\u2066b\u2069c",
    "zero width": "ad\u200bmin",
    "tag": "a\U000e0041b",
    "newline": "one\ntwo\r\nthree\u2028four",
    "backspace": "abc\b\b\bxyz",
    "surrogate": "a\ud800b",
    "hangul filler": "a\u3164b",
}
KEY = "sk-" + "a1B2c3" * 5
SHOWN = {
    "for_html": redact.for_html,
    "for_terminal": redact.for_terminal,
    "for_cell": redact.for_cell,
    "for_csv": redact.for_csv,
    "identifier": redact.identifier,
    "file_path": redact.file_path,
}


@pytest.mark.parametrize("gate", SHOWN)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_leaves_visible_on_one_line(gate, text):
    shown = SHOWN[gate](text)
    assert [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")] == []
    assert shown.encode("utf-8")


@pytest.mark.parametrize("gate", SHOWN)
@given(text=st.text(st.characters()))
def test_no_text_leaves_a_control_or_format_character(gate, text):
    assert [c for c in SHOWN[gate](text) if unicodedata.category(c) in ("Cc", "Cf", "Cs")] == []


@pytest.mark.parametrize("gate", SHOWN)
@given(text=st.text(max_size=300))
def test_a_second_pass_changes_nothing(gate, text):
    once = SHOWN[gate](text)
    assert SHOWN[gate](once) == once


@given(text=st.text(max_size=400), limit=st.integers(20, 60))
def test_limits_hold(text, limit):
    assert len(redact.for_html(text, limit)) <= limit
    assert len(redact.for_csv(text, limit)) <= limit
    assert len(redact.for_terminal(text, limit)) <= limit
    assert len(redact.identifier(text, limit)) <= limit
    assert len(redact.file_path(text, limit)) <= limit
    assert len(redact.for_filename(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail bob.smith+x@example.co.uk now", "mail [mail] now"),
        ("call +49 (30) 1234-5678", "call [telephone]"),
        ("call 030 1234 56789 today", "call [telephone] today"),
        ("from 203.0.113.77", "from 203.0.113.0/24"),
        ("from 203.0.113.77/32", "from 203.0.113.0/24"),
        ("block 10.0.0.0/8", "block 10.0.0.0/8"),
        ("from 2001:db8:1:2:3:4:5:6", "from 2001:db8:1::/48"),
        ("from 2001:db8:1:2::7", "from 2001:db8:1::/48"),
        (f"key {KEY}", "key [key]"),
        ("key AKIAABCDEFGHIJKLMNOP", "key [key]"),
        ("Bearer abcdef0123456789", "Bearer [token]"),
        ("password=hunter22 x", "password=[secret] x"),
        ("https://me:secret@host/x", "https://[login]@host/x"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc", "[token]"),
    ],
)
def test_what_gives_somebody_away_is_masked(text, shown):
    assert redact.for_html(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-06 14:03",
        "12:30:45",
        "412,345 rows",
        "1.26.0",
        "Mozilla/5.0 (X11) Chrome/120.0.6099.71",
        "p = 0.00001234",
        "1234567890123",
        "10 000 000",
        "std::vector",
        "date=2026-05-06/part-0.parquet",
    ],
)
def test_dates_versions_and_counts_stay(text):
    assert redact.for_html(text) == text


def test_piled_up_marks_cannot_cover_other_lines():
    assert redact.for_html("Z" + "\u0301" * 90 + "a") == "Z" + "\u0301" * 4 + "<86 marks>a"
    assert redact.for_html("\u1ec7 Tha\u0302\u0323t") == "\u1ec7 Tha\u0302\u0323t"


def test_half_a_secret_at_a_cut_is_not_shown():
    secret = "sk-" + "a1B2c3D4" * 20
    for padding in range(600, 1500, 7):
        shown = redact.for_html("x " * (padding // 2) + secret, 200)
        assert "a1B2" not in shown


def test_ids_stay_typable_and_distinct():
    assert redact.identifier("acct-00042") == "acct-00042"
    assert redact.identifier("bob@example.com") == "bob@example.com"  # an id has to be typed back
    assert redact.identifier("13800138000") == "13800138000"
    hidden = {redact.identifier(text) for text in ("adm\u200bin", "ad\u200bmin", "admin", "admin\x00")}
    assert len(hidden) == 4
    assert redact.identifier(KEY).startswith("[key]#")
    assert redact.identifier("a" * 200) != redact.identifier("a" * 201)


def test_a_path_keeps_its_end_and_loses_addresses():
    assert redact.file_path("host=203.0.113.77/bob@example.com/part-20260506 0930 0001.parquet") == "host=203.0.113.0/24/[mail]/part-20260506 0930 0001.parquet"
    assert redact.file_path("x/" * 300 + "date=2026-05-06/part-7.parquet").endswith("date=2026-05-06/part-7.parquet")


@pytest.mark.parametrize(
    "text",
    [
        "=cmd()",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\uff1d1",
        "\u00a0=1",
        "\tx",
        "\rx",
        "  \u3000+1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "\ufe661",
        "\ufe62\u0661",
        "\u207b1",
        "\u22121",
        "\n=1",
        " \t @x",
    ],
)
def test_a_spreadsheet_runs_nothing(text):
    cell = redact.for_csv(text)
    assert cell.startswith("'")
    buffer = io.StringIO()
    csv.writer(buffer).writerow([cell])
    assert next(csv.reader(io.StringIO(buffer.getvalue()))) == [cell]


def test_ordinary_cells_are_left_alone():
    assert redact.for_csv("acct-1") == "acct-1"
    assert redact.for_csv("a=b") == "a=b"
    assert redact.for_csv("'=b") == "'=b"
    assert redact.for_csv("") == ""


@pytest.mark.parametrize(
    ("text", "start"),
    [("../../etc/passwd", "_.._etc_passwd-"), ("a/b", "a_b-"), ("CON", "CON-"), ("", "unnamed-"), (".hidden", "hidden-"), ("N-0a1b2c3d4e", "N-0a1b2c3d4e"), ("x.", "x-")],
)
def test_file_names_are_safe_everywhere(text, start):
    assert redact.for_filename(text).startswith(start)


@given(st.text(max_size=200))
def test_file_names_hold_only_safe_characters(text):
    name = redact.for_filename(text)
    assert name
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert not name.startswith((".", "-"))
    assert not name.endswith(".")


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_texts_never_get_one_file_name(one, other):
    assert (redact.for_filename(one) == redact.for_filename(other)) == (one == other)


def test_a_megabyte_costs_no_more_than_a_line():
    hostile = [character * 1_000_000 for character in ("a", "1", "1.", "a@", "-", ":", "\x1b[", "\u202e", "eyJ", "sk-", "=")] + ["x@" + "a." * 400_000, "1-" * 500_000]
    started = time.process_time()
    for text in hostile:
        redact.for_html(text), redact.identifier(text), redact.file_path(text), redact.for_filename(text)
        redact.for_csv(text), redact.for_cell(text), redact.for_terminal(text)
    assert time.process_time() - started < 2.0


def test_a_terminal_and_a_cell_show_ids_as_logged_and_no_credential():
    for text in ("acct-00042", "bob@example.com", "203.0.113.77", "+49 30 1234 5678", "a" * 4000, "日本 €"):
        assert redact.for_cell(text) == redact.for_terminal(text) == text
    assert redact.for_terminal(f"next: stillhunt run s3://me:{KEY}@host/x") == "next: stillhunt run s3://[login]@host/x"
    assert redact.for_cell(KEY).startswith("[key]#")
    assert redact.for_csv("acct\x00") == redact.for_cell("acct\x00") != redact.for_cell("acct\u2400")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters()), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_is_printable_ascii_and_keeps_every_value(document):
    written = redact.for_json(document)
    assert set(written) <= set(map(chr, range(0x20, 0x7F))) | {"\n"}
    assert json.loads(written) == document


def test_no_other_module_has_a_gate_of_its_own():
    """Tables of characters, and what only such a table is built with, stand in redact.py alone."""
    found = {}
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[path.relative_to(ROOT / "pipeline").as_posix()] = [*_gates(tree), *_characters(tree)]
    assert found.pop("redact.py"), "the rule must know a gate when it sees one"
    assert {module: signs for module, signs in found.items() if signs} == {}


def _gates(tree: ast.Module):
    """Imports of unicodedata, and collections of characters that hold two signs which start a formula."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(name.name == "unicodedata" for name in node.names):
            yield "unicodedata"
        if isinstance(node, ast.ImportFrom) and node.module == "unicodedata":
            yield "unicodedata"
        if (
            isinstance(node, ast.Tuple | ast.List | ast.Set)
            and len({"=", "+", "-", "@"} & {item.value for item in node.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)}) > 1
        ):
            yield ast.unparse(node)


def _characters(tree: ast.Module):
    """Constants that name a terminal escape, a control, or a mark that hides or reorders, as itself or as it is written in a pattern."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            hidden = any(unicodedata.category(c) in ("Cc", "Cf") for c in node.value if c not in "\n\t\r\x0b\x0c\0")
            if hidden or re.search(r"\\x1b|\\x9b|\\u202[a-e]|\\u206|\\033|=\+-@|=@\+", node.value):
                yield repr(node.value)
