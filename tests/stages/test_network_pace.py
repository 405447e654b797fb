"""Turns sent at once: shares by hand, a law over random accounts, a planted pool that replays conversations, and who may read the table."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.measures.cluster_shares import share_interval
from pipeline.stages import STAGES, network_pace
from tests.stages import planted
from tests.stages.builders import CONFIG, Frames, empty, frame, run, shuffled, world

ANSWER_US = 5_000_000
ACCOUNT = st.tuples(st.sampled_from(("P-1", "P-2")), st.sampled_from(network_pace.SIDES), st.integers(1, 60), st.floats(0, 1))


def paces(*rows: tuple[str, str, int, int]) -> pl.DataFrame:
    """Network, side, later turns, those at once; each row an account."""
    names = ("network_id", "side", "later_turn_count", "at_once_count")
    return frame("turn_paces", [{**dict(zip(names, row, strict=True)), "account_key": place} for place, row in enumerate(rows)])


def made(table: pl.DataFrame) -> list[dict[str, object]]:
    return network_pace.network_pace({"turn_paces": table}, CONFIG)["network_pace"].rows(named=True)


def test_shares_by_hand() -> None:
    controls, members = made(paces(("P-1", "members", 10, 4), ("P-1", "members", 30, 6), ("P-1", "controls", 8, 0)))
    low, high = share_interval(pl.Series([4.0, 6.0]).to_numpy(), pl.Series([10.0, 30.0]).to_numpy(), 40)
    assert members["side"] == "members"
    assert (members["share"], members["at_once_count"], members["later_turn_count"], members["account_count"]) == (0.25, 10, 40, 2)
    assert (members["low_share"], members["high_share"]) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert (controls["share"], controls["low_share"], controls["high_share"]) == (0.0, 0.0, 1.0)  # one account tells nothing of others


@settings(max_examples=60, deadline=None)
@drawn(st.lists(ACCOUNT, max_size=14))
def test_a_side_is_its_accounts_together_and_lies_in_its_interval(rows: list[tuple[str, str, int, float]]) -> None:
    table = paces(*((network, side, turns, round(turns * share)) for network, side, turns, share in rows))
    found = made(table)
    assert {(row["network_id"], row["side"]) for row in found} == {row[:2] for row in rows}
    for row in found:
        own = table.filter((pl.col("network_id") == row["network_id"]) & (pl.col("side") == row["side"]))
        assert (row["at_once_count"], row["later_turn_count"]) == (own["at_once_count"].sum(), own["later_turn_count"].sum())
        assert row["low_share"] <= row["share"] <= row["high_share"]
    assert made(table.reverse()) == found


def talking(given: Frames, quick: str) -> Frames:
    """The world with a second turn behind every request: a second after its answer on accounts whose name starts so, a minute after it on others."""
    first = given["requests"].with_columns(pl.lit(ANSWER_US).alias("latency_us"), pl.lit("stop").alias("finish_reason"))
    pause = pl.when(pl.col("request_id").str.starts_with(quick)).then(1_000_000).otherwise(60_000_000) + ANSWER_US
    second = first.with_columns(
        (pl.col("ts_us") + pause).alias("ts_us"),
        pause.cast(pl.Int64).alias("gap_us"),
        (pl.col("request_id") + "-on").alias("request_id"),
        (pl.col("source_row") + 1_000_000_007).alias("source_row"),
        pl.lit(3, dtype=pl.Int32).alias("message_count"),
        pl.lit(None, dtype=pl.Int64).alias("prompt_key"),
    )
    return given | {"requests": pl.concat([first, second])}


def test_a_pool_that_sends_stored_conversations_again_goes_on_at_once_and_its_controls_do_not() -> None:
    tables = run(talking(world([*planted.ordinary(150, 20), *planted.carded()]), "carded"))
    (network,) = tables["members"].filter(pl.col("account_id").str.starts_with("carded"))["network_id"].unique()
    rows = {row["side"]: row for row in tables["network_pace"].filter(pl.col("network_id") == network).rows(named=True)}
    assert rows["members"]["share"] > 0.95
    assert rows["members"]["low_share"] > 0.7
    assert rows["controls"]["high_share"] < 0.1
    assert rows["members"]["account_count"] == tables["members"].filter(pl.col("network_id") == network).height
    # that it goes on at once was not what it was referred for
    slow = run(talking(world([*planted.ordinary(150, 20), *planted.carded()]), "nobody"))
    judged = ["network_id", "tier", "reason"]
    assert slow["networks"].select(judged).equals(tables["networks"].select(judged))
    assert slow["network_pace"]["at_once_count"].sum() < 0.02 * slow["network_pace"]["later_turn_count"].sum()


def test_nothing_that_judges_reads_it() -> None:
    readers = [stage.label for stage in STAGES if {"turn_paces", "network_pace"} & set(stage.reads)]
    assert readers == ["74 network_pace"]


def test_a_log_in_which_no_conversation_goes_on_has_no_rows_and_order_is_nothing(tables: Frames, nothing: Frames) -> None:
    assert tables["network_pace"].equals(empty("network_pace"))
    assert nothing["turn_paces"].equals(empty("turn_paces"))
    table = paces(("P-1", "members", 9, 3), ("P-1", "members", 5, 5), ("P-2", "members", 7, 0))
    assert made(shuffled({"turn_paces": table}, 3)["turn_paces"]) == made(table)
