"""Every member can be reached without a script: pages of as many rows each, and one file for a spreadsheet."""

from __future__ import annotations

import csv
import dataclasses
import io
import re

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.pages import build_pages
from pipeline.pages.working.bench import Bench
from pipeline.pages.working.members import members_csv
from pipeline.pages.working.what_if import judged_again
from tests import hostile
from tests.pages import fixtures
from tests.pages.reading import Page

STEM = f"networks/{fixtures.REFER}"


def config(rows: int):
    return dataclasses.replace(load_config(), pages=dataclasses.replace(load_config().pages, member_rows=rows))


def built(rows: int, frames=None) -> dict[str, bytes]:
    return dict(build_pages(frames or fixtures.frames(40), fixtures.manifest(), config(rows), pages_for=[fixtures.REFER]))


@pytest.fixture(scope="module")
def tens() -> dict[str, bytes]:
    """Forty members, ten a page."""
    return built(10)


def file_of(frames) -> bytes:
    """The list of the referred network's members, alone."""
    bench = Bench(fixtures.source(frames))
    network = next(row for row in bench.source.networks if row["network_id"] == fixtures.REFER)
    return members_csv(bench.source, network, judged_again(bench, network))


def members_of(page: bytes) -> list[str]:
    """Accounts in the first column of the table of members."""
    table = page.decode()[page.decode().index('<h2 id="members">') :]
    table = table[: table.index("</table>")]
    return re.findall(r'<th scope="row"><code>(acct-r-\d+)</code>', table)


def test_the_pages_hold_every_member_once_in_one_order(tens):
    names = [f"{STEM}.html", *(f"{STEM}-members-{number}.html" for number in (2, 3, 4))]
    assert [name for name in tens if name.endswith(".html") and name != "index.html"] == names
    listed = [account for name in names for account in members_of(tens[name])]
    rows = list(csv.DictReader(io.StringIO(tens[f"{STEM}-members.csv"].decode())))
    assert listed == [row["account_id"] for row in rows]
    assert sorted(listed) == [f"acct-r-{number:05d}" for number in range(40)]
    assert [row["role"] for row in rows] == sorted((row["role"] for row in rows), key=("core", "bridge", "fringe").index)


def test_each_page_leads_to_all_others_and_back(tens):
    for name in (f"{STEM}-members-{number}.html" for number in (2, 3, 4)):
        page = Page(tens[name])
        assert page.faults == []
        targets = {target for target in page.attributes("href") if not target.startswith("#")}
        here = name.removeprefix("networks/")
        assert {f"{fixtures.REFER}.html", f"{fixtures.REFER}-members.csv", "../index.html"} <= targets
        assert targets - {"../index.html", f"{fixtures.REFER}.html", f"{fixtures.REFER}-members.csv"} == {
            f"{fixtures.REFER}-members-{number}.html" for number in (2, 3, 4) if f"-members-{number}." not in here
        }
        assert page.attributes("aria-current") == ["page"]
    assert "Members 11 to 20 of 40" in Page(tens[f"{STEM}-members-2.html"]).text


def test_one_page_of_members_has_no_list_of_pages(files):
    page = files[f"{STEM}.html"].decode()
    assert f"{fixtures.REFER}-members.csv" in page
    assert "-members-2.html" not in page
    assert f"{STEM}-members-2.html" not in files


def test_beyond_ten_pages_the_file_alone_holds_the_rest():
    made = built(2)
    assert sum(name.startswith(f"{STEM}-members-") for name in made) == 9
    assert "20 members with least weight are in the file alone." in Page(made[f"{STEM}.html"]).text
    assert len(made[f"{STEM}-members.csv"].decode().splitlines()) == 41


def test_the_file_says_what_the_tables_say(tens):
    rows = {row["account_id"]: row for row in csv.DictReader(io.StringIO(tens[f"{STEM}-members.csv"].decode()))}
    for row in fixtures.frames(40)["members"].filter(pl.col("network_id") == fixtures.REFER).iter_rows(named=True):
        found = rows[row["account_id"]]
        for name in ("membership", "bits", "extraction_score", "strongest_bits"):
            assert float(found[name]) == row[name]
        assert (int(found["request_count"]), found["strongest_account_id"], found["strongest_kind"]) == (row["request_count"], row["strongest_account_id"], row["strongest_kind"])
    assert {name: sum(row[name] == "yes" for row in rows.values()) for name in ("joined_lower", "joined_as_is", "joined_higher")} == {
        "joined_lower": 39,
        "joined_as_is": 3,
        "joined_higher": 2,
    }


@pytest.mark.parametrize("bad", [*hostile.STRINGS.values(), "=1+1", "+1", "-1", "@x", "\t=1"])
def test_no_cell_of_the_file_is_a_formula_or_hides_a_line(bad):
    frames = fixtures.frames(5)
    frames["members"] = frames["members"].with_columns(pl.concat_str(pl.lit(bad), pl.col("account_id")).alias("account_id"))
    made = file_of(frames).decode()
    rows = list(csv.reader(io.StringIO(made)))
    assert len(rows) == 6 == len(made.splitlines())
    assert all(len(row) == len(rows[0]) for row in rows)
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t")) for row in rows for cell in row if not re.fullmatch(r"-?[\d.]+", cell))


def test_a_network_whose_links_are_not_weighed_has_no_roles_and_bits_in_its_file():
    frames = fixtures.frames(5)
    own = pl.col("network_id") == fixtures.REFER
    frames["networks"] = frames["networks"].with_columns(
        pl.when(own).then(0.0).otherwise("coordination_bits").alias("coordination_bits"), pl.when(own).then(1).otherwise("entity_count").alias("entity_count")
    )
    frames["network_families"] = frames["network_families"].filter(~own)
    rows = list(csv.DictReader(io.StringIO(file_of(frames).decode())))
    assert {(row["role"], row["bits"], row["strongest_account_id"]) for row in rows} == {("", "", "")}
    assert "joined_as_is" not in rows[0]
    assert all(row["request_count"] for row in rows)
