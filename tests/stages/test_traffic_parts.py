"""Components of traffic: counts by hand, laws over random tables, and a planted pool of which it is known what it carries for others."""

from __future__ import annotations

import dataclasses
from collections import Counter

import polars as pl
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.measures.cluster_shares import share_interval
from pipeline.schema import COMPONENT_MEMBERS, NETWORK_TRAFFIC
from pipeline.stages import traffic_parts as rule
from tests.packing import with_lists
from tests.stages import planted
from tests.stages.builders import CONFIG, Frames, empty, frame, key, run, shuffled, world

PROMPT = st.fixed_dictionaries({
    "account_key": st.integers(1, 4),
    "prompt_key": st.integers(-1, 9),
    "request_count": st.integers(1, 40),
    "handed": st.floats(0, 1),
    "client": st.floats(0, 1),
    "worded": st.booleans(),
})  # fmt: skip


def prompts(*rows: dict[str, object]) -> pl.DataFrame:
    return frame("network_prompts", [{"network_id": "P-1", "handed_count": 0, "client_count": 0} | row for row in rows])


def made(table: pl.DataFrame) -> Frames:
    records = frame("account_records", [{"account_key": key, "account_id": f"a{key}"} for key in table["account_key"].unique().sort()])
    return rule.traffic_parts({"network_prompts": table, "account_records": records}, CONFIG)


def member(tables: Frames, account: str) -> dict[str, dict[str, object]]:
    return {row["component"]: row for row in tables["component_members"].filter(pl.col("account_id") == account).rows(named=True)}


def network(tables: Frames) -> dict[str, dict[str, object]]:
    return {row["part"]: row for row in tables["network_traffic"].rows(named=True)}


WORDED = prompts(
    {"account_key": 1, "prompt_key": 2, "request_count": 5},
    {"account_key": 1, "prompt_key": 3, "request_count": 6, "is_worded": True, "handed_count": 1},
    {"account_key": 1, "prompt_key": 5, "request_count": 3, "is_worded": False, "handed_count": 2},
    {"account_key": 1, "prompt_key": 7, "request_count": 1, "is_worded": False, "client_count": 1},
    {"account_key": 1, "prompt_key": -1, "request_count": 15, "handed_count": 4, "client_count": 5},
    {"account_key": 2, "prompt_key": 9, "request_count": 4, "is_worded": False},
    {"account_key": 2, "prompt_key": -1, "request_count": 4},
    {"account_key": 3, "prompt_key": -1, "request_count": 10, "handed_count": 3},
)


def test_members_components_by_hand() -> None:
    rows = member(made(WORDED), "a1")
    assert {name: row["request_count"] for name, row in rows.items()} == {"boilerplate": 18, "session_stream": 6, "client_stack": 3, "unexplained": 3}  # of 30: 6, 2, 1, 1 of 10
    assert {name: row["marked_count"] for name, row in rows.items()} == {"boilerplate": None, "session_stream": 7, "client_stack": 6, "unexplained": None}
    assert {row["sampled_count"] for row in rows.values()} == {10}
    low, high = share_interval(pl.Series([6.0, 0.0, 0.0]).to_numpy(), pl.Series([6.0, 3.0, 1.0]).to_numpy(), 3)
    assert (rows["boilerplate"]["low_count"], rows["boilerplate"]["high_count"]) == (round(30 * low), round(30 * high))
    assert rows["session_stream"]["high_count"] == 7
    assert not any(row["is_exact"] for row in rows.values())


def test_what_no_request_shows_is_counted_and_what_was_not_sampled_is_not_estimated() -> None:
    tables = made(WORDED)
    two, three = member(tables, "a2"), member(tables, "a3")
    assert [two[name]["is_exact"] for name in rule.COMPONENTS] == [False, True, True, False]
    assert [two[name]["request_count"] for name in rule.COMPONENTS] == [0, 0, 0, 8]
    assert [three[name]["request_count"] for name in rule.COMPONENTS] == [None, None, 0, None]
    assert [(three[name]["low_count"], three[name]["high_count"]) for name in rule.COMPONENTS] == [(0, 10), (0, 3), (0, 0), (0, 10)]


def test_a_networks_shares_by_hand() -> None:
    rows = network(made(WORDED))
    known = 30 + 8  # account 3 showed no prompt that tells
    expect = {"operator": 18 / known, "carried": 20 / known, "boilerplate": 18 / known, "session_stream": 6 / known, "client_stack": 3 / known, "unexplained": 11 / known}
    assert {part: row["share"] for part, row in rows.items()} == pytest.approx(expect, abs=1e-6)
    assert rows["operator"]["request_count"] == round(48 * 18 / known)
    assert (rows["operator"]["account_count"], rows["operator"]["prompt_count"], rows["operator"]["sampled_count"]) == (2, 4, 14)
    low, high = share_interval(pl.Series([18.0, 0.0]).to_numpy(), pl.Series([30.0, 8.0]).to_numpy(), 4)
    assert (rows["operator"]["low_share"], rows["operator"]["high_share"]) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert rows["carried"]["low_share"] == pytest.approx(1 - high, abs=1e-6)


def test_without_wording_in_common_all_is_counted_and_the_operators_share_is_unknown() -> None:
    tables = made(WORDED.with_columns(is_worded=pl.when(pl.col("is_worded").is_not_null()).then(pl.lit(value=False))))
    assert [member(tables, "a1")[name]["request_count"] for name in rule.COMPONENTS] == [0, 7, 6, 17]
    assert tables["component_members"]["is_exact"].all()
    assert (tables["component_members"]["low_count"] == tables["component_members"]["high_count"]).all()
    rows = network(tables)
    assert (rows["operator"]["share"], rows["carried"]["share"], rows["operator"]["low_share"], rows["operator"]["request_count"]) == (None, None, None, None)
    assert rows["session_stream"]["share"] == pytest.approx(10 / 48, abs=1e-6)


@settings(max_examples=60, deadline=None)
@drawn(st.lists(PROMPT, max_size=20, unique_by=lambda row: (row["account_key"], row["prompt_key"])))
def test_components_add_up_and_lie_in_their_intervals(rows: list[dict[str, object]]) -> None:
    table = prompts(*(_prompt(row) for row in rows))
    tables, totals = made(table), Counter()
    for row in rows:
        totals[f"a{row['account_key']}"] += row["request_count"]
    found = tables["component_members"]
    assert found.height == 4 * len(totals)
    known = found.drop_nulls("request_count")
    whole = known.group_by("account_id").agg(pl.len(), pl.col("request_count").sum()).filter(pl.col("len") == 4)
    assert all(totals[account] == count for account, _, count in whole.rows())
    assert known.filter((pl.col("request_count") < pl.col("low_count")) | (pl.col("request_count") > pl.col("high_count")) | (pl.col("request_count") < 0)).height == 0
    assert known.filter(pl.col("high_count") > pl.col("marked_count")).height == 0
    parts = tables["network_traffic"].drop_nulls("share")
    assert parts.filter((pl.col("low_share") > pl.col("share")) | (pl.col("share") > pl.col("high_share"))).height == 0
    assert parts.filter(pl.col("part").is_in(rule.COMPONENTS))["share"].sum() == pytest.approx(1.0 if parts.height else 0.0, abs=1e-5)


def _prompt(row: dict[str, object]) -> dict[str, object]:
    count, handed = row["request_count"], int(row["request_count"] * row["handed"])
    odd = row["prompt_key"] % 2 == 1 and row["prompt_key"] > 0
    return {key: row[key] for key in ("account_key", "prompt_key", "request_count")} | {
        "handed_count": handed,
        "client_count": int((count - handed) * row["client"]),
        "is_worded": row["worded"] if odd else None,
    }


def test_a_pool_that_carries_strangers_is_told_from_what_it_carries() -> None:
    pool = [dataclasses.replace(account, requests=60, templated_share=0.45) for account in planted.carded()]
    given = world([*planted.ordinary(150, 20), *pool])
    tables = run(given)
    (network_id,) = tables["members"].filter(pl.col("account_id").str.starts_with("carded"))["network_id"].unique()
    rows = {row["part"]: row for row in tables["network_traffic"].filter(pl.col("network_id") == network_id).rows(named=True)}
    marks = {row["request_id"]: row for row in given["requests"].rows(named=True)}
    named = set(tables["members"].filter(pl.col("network_id") == network_id)["account_id"])
    fixed = {key("wording", "harvest", n) >> 31 for n in range(14)}
    sent = {row["prompt_key"]: set(row["shingles"]) for row in with_lists(given["prompt_samples"]).rows(named=True)}
    own = [fixed <= sent[row["prompt_key"]] for name, row in marks.items() if name.rsplit("-", 1)[0] in named]
    truth = sum(own) / len(own)
    assert 0.4 < truth < 0.5
    assert rows["operator"]["low_share"] <= truth <= rows["operator"]["high_share"]
    assert rows["operator"]["share"] == pytest.approx(truth, abs=0.06)
    assert rows["carried"]["share"] == pytest.approx(1 - rows["operator"]["share"], abs=1e-6)


def test_rows_in_any_order_give_the_same_tables_and_no_rows_give_none(tables: Frames, nothing: Frames) -> None:
    names = ("network_prompts", "account_records")
    again = rule.traffic_parts(shuffled({name: tables[name] for name in names}, 5), CONFIG)
    for name, table in again.items():
        assert table.equals(tables[name])
        assert nothing[name].equals(empty(name))
    assert sorted(set(tables["component_members"]["account_id"])) == sorted(tables["members"]["account_id"])


def test_the_tables_hold_names_and_no_other_words() -> None:
    words = {column.name for table in (COMPONENT_MEMBERS, NETWORK_TRAFFIC) for column in table.columns if column.type == "VARCHAR"}
    assert words == {"network_id", "account_id", "component", "part"}
