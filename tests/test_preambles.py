"""End to end on text: a public client that puts its own text in front of every prompt, used by strangers and by a campaign.

A simulated world with campaigns is given such a client: forty innocent accounts and one whole campaign send all their requests with
it. The pipeline must find out by itself whose text that is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from pipeline.config import load_config
from pipeline.measures import fingerprints as fp
from pipeline.run import RunOptions, run_night
from pipeline.simulate import write_world

CLIENT = "quillpad/2.1 (desktop)"
CAMPAIGN = "campaign:synchronised"
STRANGERS = 40
PREAMBLE = (
    "You are connected through Quillpad, a notebook for people who like to write things down. Keep to the margin, mind the spelling of names, say plainly "
    "what you do not know, and hand back one page that can be pasted below the note that follows here. NOTE: "
)


@pytest.fixture(scope="module")
def truth_and_tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, Path]:
    """Truth of the accounts with a request, with `is_user` of the client, and the folder of tables."""
    world = tmp_path_factory.mktemp("preambles")
    write_world(world, "demo", 500, 7, 1, 0.08)
    truth = pl.read_parquet(world / "truth.parquet").filter("active")
    days = sorted((world / "requests").rglob("*.parquet"))
    rows = pl.concat([pl.read_parquet(day, columns=["account_id"], hive_partitioning=False) for day in days]).group_by("account_id").len()
    busy = truth.filter(~pl.col("malicious")).join(rows.filter(pl.col("len") >= 24), on="account_id", how="semi").sort("account_id").head(STRANGERS)
    users = pl.concat([busy["account_id"], truth.filter(pl.col("network") == CAMPAIGN)["account_id"]])
    for day in days:
        is_user = pl.col("account_id").is_in(users.implode())
        requests = pl.read_parquet(day, hive_partitioning=False)
        text = pl.when(is_user).then(pl.lit(PREAMBLE) + pl.col("prompt")).otherwise("prompt").alias("prompt")
        requests.with_columns(text, pl.when(is_user).then(pl.lit(CLIENT)).otherwise("user_agent").alias("user_agent")).write_parquet(day)
    options = RunOptions(logs=(str(world / "requests"),), out=world / "out", config=load_config(), accounts=world / "accounts.parquet", threads=2)
    outcome = run_night(options, lambda _what, _done, _total: None)
    return truth.with_columns(pl.col("account_id").is_in(users.implode()).alias("is_user")), outcome.folder / "tables"


def _flagged(tables: Path) -> pl.DataFrame:
    networks = pl.read_parquet(tables / "networks.parquet").filter("flagged")
    return pl.read_parquet(tables / "members.parquet").join(networks, on="network_id", how="semi")


def test_the_preamble_is_mined_whole_and_known_for_the_clients(truth_and_tables: tuple[pl.DataFrame, Path]) -> None:
    truth, tables = truth_and_tables
    (row,) = pl.read_parquet(tables / "preambles.parquet").filter("is_client").iter_rows(named=True)
    assert row["words"] == max(rung for rung in (8, 16, 32, 64) if rung <= len(PREAMBLE.split()))
    assert row["held_share"] == row["inside_share"] == 1.0
    assert row["user_count"] >= STRANGERS
    (client,) = pl.read_parquet(tables / "public_clients.parquet").filter(pl.col("product") == row["product"]).iter_rows(named=True)
    assert client["is_public"]
    assert STRANGERS <= client["entity_count"] <= truth["is_user"].sum()  # colleagues of a vouched organisation are one


def test_every_prompt_of_its_users_begins_with_it_and_no_other(truth_and_tables: tuple[pl.DataFrame, Path]) -> None:
    truth, tables = truth_and_tables
    shares = pl.read_parquet(tables / "accounts.parquet").join(truth, on="account_id").select("is_user", "client_preamble_share").drop_nulls()
    assert dict(shares.group_by("is_user").agg(pl.col("client_preamble_share").unique()).iter_rows()) == {True: [1.0], False: [0.0]}


def test_what_is_left_of_its_wording_cannot_link_two_accounts(truth_and_tables: tuple[pl.DataFrame, Path]) -> None:
    _, tables = truth_and_tables
    texts = fp.texts(fp.spans_of(pa.array([PREAMBLE])), "prompt")
    written = {int(shingle) for shingle in fp.sketches(texts, np.array([0])).shingles}
    assert len(written) == len(PREAMBLE.split()) - 3
    brought = set(pl.read_parquet(tables / "client_wording.parquet").filter(pl.col("kind") == "template")["value_key"])
    left = written & set(pl.read_parquet(tables / "shared_values.parquet").filter(pl.col("kind") == "template")["value_key"])
    assert not left & brought
    assert len(left) < load_config().links.template_min_shingles


def test_the_campaign_among_its_users_is_found_whole_and_nobody_else_is_accused(truth_and_tables: tuple[pl.DataFrame, Path]) -> None:
    truth, tables = truth_and_tables
    accused = _flagged(tables).join(truth, on="account_id", suffix="_true")
    assert accused.filter(~pl.col("malicious")).height == 0
    campaign = set(truth.filter(pl.col("network") == CAMPAIGN)["account_id"])
    found = [set(part["account_id"]) for _, part in accused.group_by("network_id")]
    assert max(len(campaign & members) / len(campaign | members) for members in found) >= 0.9
