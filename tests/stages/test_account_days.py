"""An account's day in numbers: row by row (account_days.toml, written like the cases of tests/sql), for any cut into batches, and as Python counts it."""

from __future__ import annotations

import bisect
import itertools
import tomllib
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import CheckFailed
from pipeline.run.execute import empty
from pipeline.stages import TABLES
from tests.sql.test_cases import assert_rows
from tests.stages.builders import CONFIG, DAY_US, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.account_days:account_days")
CASES = tomllib.loads(Path(__file__).with_name("account_days.toml").read_text(encoding="utf-8"))["case"]
GAP_EDGES = [1024 * 8**place for place in range(9)]
LENGTH_EDGES = [64 * 2**place for place in range(9)]


def account_days(rows, at_once=100):
    return streamed(STAGE, frame("requests", rows), CONFIG, rows=at_once)


@pytest.mark.parametrize("at_once", [1, 2, 100])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_rows_in_give_rows_out(case, at_once):
    assert_rows(account_days(case.get("given", {}).get("requests", []), at_once).to_dicts(), case["expect"])


def test_no_requests_give_no_days_in_the_columns_of_the_table():
    assert streamed(STAGE, empty(TABLES["requests"]), CONFIG).schema == empty(TABLES["account_days"]).schema


@pytest.mark.parametrize("at_once", [1, 100])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_beyond_64_bits_is_an_error_and_not_another_number(at_once, sign):
    rows = [{"account_key": 1, "ts_us": at, "cost_micro_usd": sign * 2**60} for at in range(8)]
    assert account_days(rows[:7], at_once)["cost_micro_usd"].to_list() == [sign * 7 * 2**60]
    with pytest.raises(CheckFailed, match="20_account_days__sums_fit"):
        account_days(rows, at_once)


def test_a_night_of_rest_and_thousands_of_requests_are_a_day_like_any_other():
    """Their squared gaps fit; the longest gap times the most requests would not."""
    quiet = [{"account_key": 1, "ts_us": at, "gap_us": gap} for at, gap in ((0, None), (DAY_US - 2, DAY_US - 2))]
    busy = [{"account_key": 2, "ts_us": at * 1000, "gap_us": None if not at else 1000 if at > 1 else DAY_US - 10**8} for at in range(3_000)]
    assert account_days(quiet + busy, 5_000)["gap_ms_squared"].to_list() == [((DAY_US - 2) // 1000) ** 2, ((DAY_US - 10**8) // 1000) ** 2 + 2_998]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(-(2**62), 2**62) | st.sampled_from([2**62, -(2**62), 2**32, -1])), min_size=1, max_size=12))
def test_exactly_the_sums_that_do_not_fit_are_refused(costs):
    rows = [{"account_key": account, "ts_us": at, "cost_micro_usd": cost} for at, (account, cost) in enumerate(costs)]
    sums = [sum(cost for account, cost in costs if account == one) for one in sorted({account for account, _ in costs})]
    if max(map(abs, sums)) < 2**63 - 2**32:
        assert account_days(rows)["cost_micro_usd"].to_list() == sums
    elif max(map(abs, sums)) >= 2**63:
        with pytest.raises(CheckFailed, match="20_account_days__sums_fit"):
            account_days(rows)


def counted(values):
    return sum(1 for value in values if value)


def total(values):
    return sum(value for value in values if value is not None)


def bins(letter, places, count):
    return {f"{letter}{at:02d}": sum(1 for place in places if place == at) for at in range(count)}


def ending(row):
    limited = bool(row["is_rate_limited"]) or row["status_code"] == 429
    return "limited" if limited else "failed" if (row["status_code"] or 0) >= 400 else "ok"


def harvested(row):
    answers = row["operation"] not in ("embeddings", "count_tokens") and not row["is_cached_response"]
    return min(row["output_tokens"], 2**20) if ending(row) == "ok" and answers and row["output_tokens"] is not None else None


def expected(day, account, rows):
    """What is said of one account's day, out of the definitions of schema.py."""
    values = {name: [row[name] for row in rows] for name in rows[0]}
    known = {name: [value for value in held if value is not None] for name, held in values.items()}
    harvest = [harvested(row) for row in rows]
    caps = [(row["output_tokens"], row["max_tokens"]) for row in rows if row["output_tokens"] is not None and (row["max_tokens"] or 0) > 0]
    hours = [ts // 3_600_000_000 % 24 for ts in values["ts_us"]]
    return {
        "day": date(1970, 1, 1) + timedelta(days=day), "account_key": account, "request_count": len(rows), "first_us": min(values["ts_us"]), "last_us": max(values["ts_us"]),
        "ok_count": counted(ending(row) == "ok" for row in rows), "error_count": counted(ending(row) == "failed" for row in rows),
        "rate_limited_count": counted(ending(row) == "limited" for row in rows), "cached_response_count": counted(values["is_cached_response"]),
        "policy_count": counted(value != "none" for value in known["policy_action"]), "policy_known_count": len(known["policy_action"]),
        "harvest_count": counted(tokens is not None for tokens in harvest), "harvest_tokens": total(harvest),
        "harvest_tokens_squared": total(tokens**2 for tokens in harvest if tokens is not None),
        "ratio_output_tokens": total(tokens for tokens, row in zip(harvest, rows, strict=True) if row["input_tokens"] is not None),
        "ratio_input_tokens": total(row["input_tokens"] for tokens, row in zip(harvest, rows, strict=True) if tokens is not None),
        "input_tokens": total(values["input_tokens"]), "input_known_count": len(known["input_tokens"]), "output_tokens": total(values["output_tokens"]),
        "cache_read_tokens": total(values["cache_read_tokens"]),
        "cache_known_input_tokens": total(row["input_tokens"] for row in rows if row["cache_read_tokens"] is not None),
        "reasoning_tokens": total(values["reasoning_tokens"]),
        "reasoning_known_output_tokens": total(row["output_tokens"] for row in rows if row["reasoning_tokens"] is not None),
        "cost_micro_usd": total(values["cost_micro_usd"]), "cost_known_count": len(known["cost_micro_usd"]),
        "stream_count": counted(values["stream"]), "stream_known_count": len(known["stream"]),
        "batch_count": counted(values["is_batch"]), "batch_known_count": len(known["is_batch"]),
        "length_finish_count": counted(value == "length" for value in known["finish_reason"]), "finish_known_count": len(known["finish_reason"]),
        "max_tokens_use_milli": sum(1000 * min(used, cap) // cap for used, cap in caps), "max_tokens_use_count": len(caps),
        "temperature_known_count": len(known["temperature_milli"]), "temperature_milli": total(values["temperature_milli"]),
        "temperature_milli_squared": total(value**2 for value in known["temperature_milli"]),
        "single_turn_count": counted(value <= 1 for value in known["message_count"]), "message_known_count": len(known["message_count"]),
        "message_count": total(values["message_count"]), "max_message_count": max(known["message_count"], default=None),
        "session_known_count": len(known["session_key"]), "prompt_known_count": len(known["prompt_chars"]), "prompt_chars": total(values["prompt_chars"]),
        "longest_gap_us": max(known["gap_us"], default=None), "gap_ms_squared": sum((gap // 1000) ** 2 for gap in known["gap_us"]), "active_hours": len(set(hours)),
        **bins("h", hours, 24), **bins("g", [bisect.bisect(GAP_EDGES, gap) for gap in known["gap_us"]], 10),
        **bins("c", [bisect.bisect(LENGTH_EDGES, chars) for chars in known["prompt_chars"]], 10),
    }  # fmt: skip


def amount(*values):
    return st.none() | st.sampled_from([0, 1, 7, 1000, *values])


FLAG = st.none() | st.booleans()
ROW = st.fixed_dictionaries(
    {
        "account_key": st.integers(0, 3) | st.just(2**63 - 1), "ts_us": st.integers(0, 3 * DAY_US),
        "gap_us": st.none() | st.sampled_from([edge + off for edge in GAP_EDGES for off in (-1, 0)]),
        "operation": st.sampled_from([None, "chat", "embeddings", "count_tokens"]), "status_code": st.sampled_from([None, 200, 399, 400, 429, 503]),
        "is_rate_limited": FLAG, "is_cached_response": FLAG, "stream": FLAG, "is_batch": FLAG, "policy_action": st.sampled_from([None, "none", "blocked"]),
        "finish_reason": st.sampled_from([None, "length", "stop"]), "input_tokens": amount(2**31 - 1), "output_tokens": amount(2**20, 2**31 - 1), "cache_read_tokens": amount(),
        "reasoning_tokens": amount(), "cost_micro_usd": amount(-5, 10**15), "max_tokens": amount(3, 2**31 - 1), "temperature_milli": amount(-3, 10**6),
        "message_count": amount(2, 3),
        "session_key": amount(2**60), "prompt_chars": st.none() | st.sampled_from([0, *(edge + off for edge in LENGTH_EDGES for off in (-1, 0))]),
    }
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, max_size=40), st.integers(1, 7))
def test_days_are_those_of_plain_python_whatever_the_batches(rows, at_once):
    held = defaultdict(list)
    for row in rows:
        held[row["ts_us"] // DAY_US, row["account_key"]].append(row)
    found = account_days(rows, at_once)
    wanted = [expected(*key, held[key]) for key in sorted(held)]
    assert found.to_dicts() == pl.DataFrame(wanted, schema=found.schema).to_dicts()
    assert all(set(row) == set(found.columns) for row in wanted)
    assert all(before < after for before, after in itertools.pairwise(found.select("day", "account_key").rows()))
