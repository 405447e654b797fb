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


def test_only_identity_hand_off_and_rewritten_clients_open_the_gate_and_every_referral_shows_one_open(finished):
    """The families that the page calls the gate are those that the verdict asks; nobody hands on or names a client after others in this log."""
    tables, pages = finished / "latest" / "tables", made(finished)
    families = pl.read_parquet(tables / "network_families.parquet")
    referred = pl.read_parquet(tables / "networks.parquet").filter(pl.col("tier") == "refer")["network_id"].to_list()
    assert referred
    for name in referred:
        others = families.filter((pl.col("network_id") == name) & ~pl.col("family").is_in(["identity", "handoff", "client"])).height
        text = pages[f"networks/{name}.html"].text
        assert "identity specific opened it" in text
        assert "rewritten client specific did not open it" in text
        assert "conversation hand-off operational did not open it" in text
        assert (text.count("opened it"), text.count("did not open it"), text.count("cannot open it")) == (1, 2, others)


def test_the_index_counts_the_columns_that_the_log_carries(finished, tiny_log, tiny_accounts):
    requests = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in tiny_log.rglob("*.parquet")])
    accounts = pl.read_parquet(tiny_accounts)
    filled, known = (sum(frame[name].null_count() < frame.height for name in frame.columns) for frame in (requests, accounts))
    text = made(finished)["index.html"].text
    assert f"{filled} of the 71 columns that the contract knows of a request carry data" in text
    assert f"Of the 28 columns of an accounts table {known} carry data." in text


def test_the_page_counts_what_the_tables_count(finished):
    tables = finished / "latest" / "tables"
    for row in pl.read_parquet(tables / "networks.parquet").rows(named=True):
        text = made(finished)[f"networks/{row['network_id']}.html"].text
        members = pl.read_parquet(tables / "members.parquet").filter(pl.col("network_id") == row["network_id"])
        assert f"Accounts {row['account_count']:,}" in text
        assert f"Requests {row['request_count']:,}" in text
        assert f"n = {row['request_count']:,} requests of members" in text  # account_days adds up to what the features counted
        assert all(account in text for account in members["account_id"])
