"""Pages stay small and quick, whatever the size of the network or the number of networks."""

from __future__ import annotations

import re
import time

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.pages import build_pages
from pipeline.pages.source import ACCOUNT_DAY_COLUMNS
from tests.pages import fixtures
from tests.pages.reading import Page

INDEX_LIMIT, PAGE_LIMIT, PICTURE_LIMIT = 500_000, 1_500_000, 250_000


def largest_picture(page: bytes) -> int:
    return max((len(picture) for picture in re.findall(rb"<svg.*?</svg>", page, re.DOTALL)), default=0)


def test_pages_keep_their_weight(pages, empty_page):
    assert max(len(pages["index.html"]), len(empty_page)) <= INDEX_LIMIT
    assert max(len(page) for page in pages.values()) <= PAGE_LIMIT
    assert max(largest_picture(page) for page in pages.values()) <= PICTURE_LIMIT


def many_networks(count: int) -> dict[str, pl.DataFrame]:
    """The referred network `count` times over, each with its findings."""
    frames = fixtures.frames(6)
    copies = {}
    for name in ("networks", "findings", "lineage"):
        one = frames[name].filter(pl.col("network_id") == fixtures.REFER)
        copies[name] = pl.concat([one.with_columns(pl.lit(f"N-{number:010x}").alias("network_id")) for number in range(count)])
    return {**frames, **copies}


def test_the_index_keeps_its_weight_with_a_thousand_networks():
    page = dict(build_pages(many_networks(1_000), fixtures.manifest(), load_config(), pages_for=[]))["index.html"]
    assert len(page) <= INDEX_LIMIT
    assert Page(page).faults == []
    assert "800 further networks not shown here; `stillhunt networks` lists all 1,000." in Page(page).text


@pytest.mark.parametrize("count", [1, 25_000])
def test_a_network_of_any_size_has_a_page_in_time(count):
    frames = fixtures.frames(6)
    networks = frames["networks"].filter(pl.col("network_id") == fixtures.REFER).with_columns(pl.lit(count, dtype=pl.Int64).alias("account_count"))
    ids = [f"acct-{number:05d}" for number in range(count)]
    members = pl.DataFrame({"account_id": ids}).join(frames["members"].head(1).drop("account_id"), how="cross").select(frames["members"].columns)
    days = (
        pl.DataFrame({"account_id": ids})
        .join(frames["account_days"].filter(pl.col("account_id") == "acct-r-00000").drop("account_id"), how="cross")
        .select(list(ACCOUNT_DAY_COLUMNS))
    )
    given = {**frames, "networks": networks, "members": members, "account_days": days}
    list(build_pages(fixtures.frames(5), fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))  # imports are not the page's cost
    started = time.process_time()
    made = dict(build_pages(given, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))
    spent = time.process_time() - started
    page = made[f"networks/{fixtures.REFER}.html"]
    assert len(page) <= PAGE_LIMIT
    assert largest_picture(page) <= PICTURE_LIMIT
    assert Page(page).faults == []
    assert f"Accounts {count:,}" in Page(page).text
    assert spent < 3.0  # the index, one page and one pass over 700,000 account days


def shared_by_many(count: int) -> dict[str, pl.DataFrame]:
    """The run with a referred network of `count` members: a card for every seven, an address for every hundred, a template of all, each linked to the next."""
    frames = fixtures.frames(6)
    ids = [f"acct-r-{number:05d}" for number in range(count)]
    keys = pl.int_range(count, eager=True)
    first = 1_000_000
    members = pl.DataFrame({"account_id": ids}).join(frames["members"].head(1).drop("account_id"), how="cross").select(frames["members"].columns)
    known = pl.DataFrame({"account_id": ids, "account_key": keys + first}).join(frames["accounts"].head(1).drop("account_id", "account_key"), how="cross")
    held = [_held_by_all(keys, "payment", "identity", 7, first), _held_by_all(keys, "ip", "infrastructure", 100, first), _held_by_all(keys, "template", "templates", count, first)]
    values = pl.concat(held).select(frames["shared_values"].columns)
    sizes = values.group_by("kind", "value_key").agg(pl.len().cast(pl.Int64).alias("inside_count"), pl.col("df").first())
    shared_values = sizes.with_columns(pl.lit(1, dtype=pl.Int64).alias("cluster"), (pl.col("kind") == "payment").alias("qualifies")).select(frames["cluster_values"].columns)
    links = pl.concat([pl.DataFrame({"account_a": ids[:-1], "account_b": ids[1:]}).join(one.drop("account_a", "account_b"), how="cross") for one in _two_families(frames["links"])])
    return {
        **frames,
        "networks": frames["networks"].filter(pl.col("network_id") == fixtures.REFER).with_columns(pl.lit(count, dtype=pl.Int64).alias("account_count")),
        "members": members,
        "accounts": pl.concat([known.select(frames["accounts"].columns), frames["accounts"].filter(pl.col("network_id").is_null())]),
        "shared_values": values,
        "cluster_values": shared_values.filter(pl.col("inside_count") >= 2),
        "clusters": pl.DataFrame({"cluster": [1] * count, "account_key": keys + first, "origin": ["network"] * count, "bits": [31.0] * count}),
        "links": links.select(frames["links"].columns),
    }


def _held_by_all(keys: pl.Series, kind: str, family: str, share: int, first: int) -> pl.DataFrame:
    """Each value held by `share` members in a row."""
    rows = pl.DataFrame({"account_key": keys + first, "entity_key": keys + first, "value_key": keys // share})
    return rows.with_columns(pl.lit(kind).alias("kind"), pl.lit(family).alias("family"), pl.lit(1.0).alias("share"), pl.lit(share, dtype=pl.Int64).alias("df")).with_columns(
        (16_000_000 - pl.col("df") * 10).cast(pl.Int64).alias("rarity_micro_bits"), pl.col("df").alias("counted_df")
    )


def _two_families(links: pl.DataFrame) -> list[pl.DataFrame]:
    one = links.filter(pl.col("kind") == "payment").head(1).with_columns(pl.lit(14.0).alias("bits"))
    return [one, one.with_columns(pl.lit("template").alias("kind"), pl.lit("templates").alias("family"))]


def test_twenty_five_thousand_members_that_share_and_are_linked_have_a_page_in_time():
    frames = shared_by_many(25_000)
    list(build_pages(fixtures.frames(5), fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))  # imports are not the page's cost
    started = time.process_time()
    made = dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))
    spent = time.process_time() - started
    page = made[f"networks/{fixtures.REFER}.html"]
    text = Page(page).text
    assert Page(page).faults == []
    assert "A row is a block of members that hold the same values, 60 at most" in text
    assert "25,000 members into one piece" in text
    assert len(made[f"networks/{fixtures.REFER}-members.csv"].splitlines()) == 25_001
    assert max(len(each) for name, each in made.items() if name.endswith(".html")) <= PAGE_LIMIT
    assert largest_picture(page) <= PICTURE_LIMIT
    assert spent < 4.0  # the index, the page, nine further pages of members, the file, and the tables cut by network


def test_a_year_of_window_fits():
    manifest = fixtures.manifest(window={"first_day": "2025-05-07", "last_day": "2026-05-06", "days": 365})
    page = dict(build_pages(fixtures.frames(6), manifest, load_config(), pages_for=[fixtures.REFER]))[f"networks/{fixtures.REFER}.html"]
    assert len(page) <= PAGE_LIMIT
    assert largest_picture(page) <= PICTURE_LIMIT


def test_a_page_costs_less_than_half_a_second():
    frames, config = fixtures.frames(40), load_config()
    list(build_pages(frames, fixtures.manifest(), config, pages_for=[fixtures.WATCH]))
    started = time.process_time()
    made = [name for name, _ in build_pages(frames, fixtures.manifest(), config) if name.endswith(".html")]
    assert (time.process_time() - started) / (len(made) - 1) < 0.5
