"""How much asks that reasoning be written out: sentences through the fingerprint pass, shares and intervals by hand, laws."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.measures.cluster_shares import share_interval
from pipeline.stages import elicitation as rule
from tests.stages.builders import CONFIG, empty, frame, shuffled
from tests.stages.test_capabilities import prompts, tokens

ASKING = "Think step by step and articulate the internal reasoning behind the answer."
PLAIN = "Good morning, my cat would like some breakfast."


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        (ASKING, True),
        ("Before the conclusion, write a scratchpad with each intermediate thought.", True),
        ("Give the rationale for each step.", True),
        ("Why is the sky blue?", False),
        ("Explain why the sky is blue.", False),
        ("Add the two numbers and reply with the sum only.", False),
        (PLAIN, False),
    ],
)
def test_a_prompt_asks_or_does_not(text: str, asks: bool) -> None:
    assert rule.asks_for_reasoning(pl.Series(tokens(text), dtype=pl.List(pl.Int32))).to_list() == [asks]


def controls(*rows: dict[str, object]) -> pl.DataFrame:
    return frame("control_prompts", [{"network_id": "P-1", "request_count": 1} | row for row in rows])


def made(members: pl.DataFrame, others: pl.DataFrame) -> dict[str, dict[str, object]]:
    table = rule.elicitation({"network_prompts": members, "control_prompts": others}, CONFIG)["network_elicitation"]
    return {str(row["part"]): row for row in table.rows(named=True)}


def test_shares_count_requests_and_intervals_accounts() -> None:
    asking, plain = tokens(ASKING, PLAIN)
    members = prompts(
        {"account_key": 1, "prompt_key": 1, "tokens": asking, "request_count": 3, "is_worded": True},
        {"account_key": 1, "prompt_key": 2, "tokens": plain, "request_count": 1},
        {"account_key": 1, "prompt_key": 3, "tokens": plain, "request_count": 1, "is_worded": False},
        {"account_key": 2, "prompt_key": 5, "tokens": asking, "request_count": 1, "is_worded": True},
        {"account_key": 2, "prompt_key": 7, "tokens": plain, "request_count": 2, "is_worded": True},
        {"account_key": 2, "prompt_key": -1, "tokens": None, "request_count": 90},
    )
    rows = made(members, controls({"account_key": 8, "prompt_key": 1, "tokens": plain}, {"account_key": 9, "prompt_key": 1, "tokens": asking}))
    assert {part: row["share"] for part, row in rows.items()} == {"all": 0.5, "operator": round(4 / 6, 6), "carried": 0.0, "controls": 0.5}
    assert (rows["all"]["prompt_count"], rows["all"]["account_count"], rows["all"]["sample_count"], rows["all"]["sample_account_count"]) == (2, 2, 5, 2)
    low, high = share_interval(pl.Series([3.0, 1.0]).to_numpy(), pl.Series([5.0, 3.0]).to_numpy(), 5)
    assert (rows["all"]["low_share"], rows["all"]["high_share"]) == (round(low, 6), round(high, 6))


def test_networks_are_told_apart_and_the_order_of_rows_says_nothing() -> None:
    asking, plain = tokens(ASKING, PLAIN)
    members = prompts(
        *({"network_id": f"P-{1 + place % 2}", "account_key": place, "prompt_key": place, "tokens": asking if place % 2 else plain} for place in range(1, 9)),
    )
    table = rule.elicitation({"network_prompts": members, "control_prompts": controls()}, CONFIG)["network_elicitation"]
    assert dict(table.select("network_id", "share").iter_rows()) == {"P-1": 0.0, "P-2": 1.0}
    again = rule.elicitation(shuffled({"network_prompts": members, "control_prompts": controls()}, 5), CONFIG)["network_elicitation"]
    assert again.equals(table)


def test_nothing_sampled_gives_an_empty_table() -> None:
    table = rule.elicitation({"network_prompts": prompts(), "control_prompts": controls()}, CONFIG)["network_elicitation"]
    assert table.equals(empty("network_elicitation"))
