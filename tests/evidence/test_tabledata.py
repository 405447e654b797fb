"""The CSV files beside a report: every table of the page with what it shows, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from pipeline.evidence.tabledata import table_files


def _rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"))))


def test_each_table_is_a_file_named_by_its_anchor() -> None:
    page = (
        '<div id="table-1"><table><caption id="table-1-caption">x</caption><thead><tr><th>Account</th><th>Requests</th></tr></thead>'
        '<tbody><tr><th scope="row"><code>a-1</code></th><td>1,234 <b>requests</b><span class="note">of 9</span></td></tr>'
        '<tr><th>=cmd()</th><td>&lt;b&gt;, "q"</td></tr></tbody></table></div>'
        "<p id='fig-2-data'>Data</p><table><tr><td>1</td></tr></table><table><tr><td>2</td></tr></table>"
    )
    files = table_files(page)
    assert list(files) == ["data/table-1.csv", "data/fig-2-data.csv", "data/fig-2-data--2.csv"]
    assert _rows(files["data/table-1.csv"]) == [["Account", "Requests"], ["a-1", "1,234 requests | of 9"], ["'=cmd()", '<b>, "q"']]
    assert [_rows(files[name]) for name in list(files)[1:]] == [[["1"]], [["2"]]]
    assert table_files("<p>nothing</p>") == {}


@given(cells=st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_no_cell_is_lost_and_none_begins_as_a_formula(cells: list[str]) -> None:
    from html import escape

    (data,) = table_files(f'<table id="t"><tr>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr></table>').values()
    (row,) = _rows(data)
    assert len(row) == len(cells)
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_an_anchor_cannot_leave_the_folder() -> None:
    (name,) = table_files('<table id="../../etc/passwd"><tr><td>1</td></tr></table>')
    assert name.startswith("data/")
    assert "/" not in name.removeprefix("data/")
