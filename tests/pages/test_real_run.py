"""The pages of a real run over the tiny log: whole, linked, and in words throughout."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.pages.reading import Page


def made(finished: Path) -> dict[str, Page]:
    folder = finished / "latest"
    return {path.relative_to(folder).as_posix(): Page(path.read_bytes()) for path in sorted(folder.rglob("*.html"))}


def test_there_is_a_page_for_each_network_and_every_link_leads_to_one(finished):
    pages = made(finished)
    networks = pl.read_parquet(finished / "latest" / "tables" / "networks.parquet")["network_id"].to_list()
    assert networks
    assert set(pages) == {"index.html", *(f"networks/{name}.html" for name in networks)}
    assert {target for target in pages["index.html"].attributes("href") if not target.startswith("#")} <= set(pages)


def test_every_page_is_well_formed_and_drawn(finished):
    pages = made(finished)
    assert {name: page.faults for name, page in pages.items() if page.faults} == {}
    assert all(any(tag == "svg" for tag, _ in page.elements) for page in pages.values())


def test_every_name_that_the_stages_wrote_is_in_words(finished):
    for page in made(finished).values():
        for sign in ("The run gives the reason as", "comparison accounts (", "not recorded", "The run does not record", "unnamed", "fits_", "shared_"):
            assert sign not in page.text


def test_the_page_counts_what_the_tables_count(finished):
    tables = finished / "latest" / "tables"
    for row in pl.read_parquet(tables / "networks.parquet").rows(named=True):
        text = made(finished)[f"networks/{row['network_id']}.html"].text
        members = pl.read_parquet(tables / "members.parquet").filter(pl.col("network_id") == row["network_id"])
        assert f"Accounts {row['account_count']:,}" in text
        assert f"Requests {row['request_count']:,}" in text
        assert f"n = {row['request_count']:,} requests of members" in text  # account_days adds up to what the features counted
        assert all(account in text for account in members["account_id"])
