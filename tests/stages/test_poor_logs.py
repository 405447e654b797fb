"""Logs that lack a column or a table: fewer families, never a crash, never a referral that rests on what is not there."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.stages import PUBLISHED, TABLES
from tests.stages.builders import Account, Frames, empty, run, world
from tests.stages.planted import carded, ordinary

LATER = ("network_ids", "lineage", "known_networks", "known_values", "returned_values", "blind_spots", "context_events")
POPULATION = [*ordinary(180, 12, requests=16), *carded(8, 8)]


@pytest.fixture(scope="module")
def small() -> Frames:
    """Two hundred accounts and a campaign of eight. Read only."""
    return world(POPULATION)


def _without(table: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return table.with_columns(pl.lit(None, dtype=table.schema[column]).alias(column) for column in columns)


def _poor(given: Frames, missing: str) -> Frames:
    requests, records = given["requests"], given["account_records"]
    known = ("account_key", "account_id", "has_record", "is_vouched")
    return {
        "prompts": {**given, "prompt_samples": empty("prompt_samples"), "requests": _without(requests, "prompt_key", "skeleton_key", "prompt_chars", "prompt_words")},
        "addresses": {**given, "requests": _without(requests, "ip_key")},
        "output lengths": {
            **given,
            "requests": _without(requests, "output_tokens"),
            "prompt_samples": given["prompt_samples"].with_columns(pl.lit(0, dtype=pl.Int64).alias("output_tokens")),
        },
        "accounts": {**given, "account_records": _without(records, *(column for column in records.columns if column not in known))},
        "days": {**given, "requests": requests.with_columns(pl.col("ts_us").min() + pl.col("ts_us") % 3_600_000_000)},
    }[missing]


@pytest.mark.parametrize(("missing", "tiers"), [("addresses", ["refer"]), ("output lengths", ["watch"]), ("accounts", ["watch"]), ("days", ["refer"]), ("prompts", [])])
def test_what_becomes_of_a_campaign_in_a_poor_log(small: Frames, missing: str, tiers: list[str]) -> None:
    made = run(_poor(small, missing))
    for name in set(PUBLISHED) - set(LATER):
        assert dict(made[name].schema) == dict(empty(name).schema), name
        assert made[name].select(TABLES[name].grain).is_unique().all(), name
    held = made["members"].filter(pl.col("account_id").str.starts_with("carded"))
    found = made["networks"].join(held, on="network_id", how="semi")
    assert found["tier"].to_list() == tiers or (missing == "prompts" and set(found["tier"]) == {"watch"})  # cards and addresses alone may or may not make an edge
    assert held.height in {0, 8}


def test_accounts_without_a_request_in_the_window_are_no_members(small: Frames) -> None:
    silent = world([Account("silent-1", requests=0, payment="x", device="x"), Account("silent-2", requests=0, payment="x", device="x")])["account_records"]
    records = small["account_records"].filter(pl.col("account_id").str.starts_with("person"))
    given = {name: table.join(records, on="account_key", how="semi") for name, table in small.items()} | {"account_records": pl.concat([records, silent])}
    made = run(given)
    assert made["networks"].filter("flagged").height == 0
    assert made["accounts"].filter(pl.col("account_id").str.starts_with("silent")).height == 0
