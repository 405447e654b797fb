"""Values that accounts used on a day: row by row, for any cut into days and batches, and as Python counts them."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.run.execute import empty
from pipeline.stages import TABLES
from tests.stages.builders import CONFIG, DAY_US, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.account_entities:account_entities")
KEYS = {
    "agent": "agent_key", "agent_product": "agent_product_key", "api_key": "api_key_key", "asn": "asn", "end_user": "end_user_key", "headers": "headers_key", "ip": "ip_key",
    "ip_prefix": "ip_prefix_key", "ja4": "ja4_key", "stack": "stack_key", "tools": "tools_key",
}  # fmt: skip
FIRST = date(1970, 1, 1)


def entities(rows, at_once=100):
    """(day, kind, account_key, value_key, request_count) of requests."""
    return streamed(STAGE, frame("requests", rows), CONFIG, rows=at_once).rows()


def used(rows, *columns):
    """The entities of requests of the first day, without it; only some columns if asked."""
    names = ("kind", "account_key", "value_key", "request_count")
    found = streamed(STAGE, frame("requests", rows), CONFIG).select(columns or names)
    return [row[0] for row in found.rows()] if len(columns) == 1 else found.rows()


def test_no_requests_give_no_entities():
    assert entities([]) == []
    assert streamed(STAGE, empty(TABLES["requests"]), CONFIG).schema == empty(TABLES["account_entities"]).schema


def test_values_are_counted_apart_by_kind_and_null_is_no_value():
    rows = [
        {"account_key": 1, "ts_us": 0, "ip_key": 5, "asn": 64512, "agent_key": 8, "ja4_key": 9},
        {"account_key": 1, "ts_us": 1, "ip_key": 5, "asn": 64512, "agent_key": 8},
        {"account_key": 1, "ts_us": 2, "ip_key": 4},
        {"account_key": 0, "ts_us": 3, "ip_key": 4},
    ]
    assert entities(rows) == [
        (FIRST, "agent", 1, 8, 2), (FIRST, "asn", 1, 64512, 2), (FIRST, "ip", 0, 4, 1), (FIRST, "ip", 1, 4, 1), (FIRST, "ip", 1, 5, 2), (FIRST, "ja4", 1, 9, 1),
    ]  # fmt: skip


def test_a_request_of_every_kind_gives_every_kind_in_the_order_of_their_names():
    row = {name: at for at, name in enumerate(KEYS.values(), 1)} | {"account_key": 1, "ts_us": 0, "model": "m", "country": "DE", "system_key": 13}
    unseen = {"session_key": 4, "prompt_key": 14, "prefix_key": 15, "skeleton_key": 16}
    found = dict(used([row | unseen | {"max_tokens": 0, "temperature_milli": 0, "stream": False}], "kind", "value_key"))
    own = {kind: at for at, kind in enumerate(KEYS, 1)}
    assert found == own | {"country": 262668088601571277, "model": 502421250254638498, "settings": 6291460, "system": 13}
    assert list(found) == sorted(found)


def test_what_generates_nothing_has_no_system_prompt_and_no_settings_but_keeps_its_address():
    rows = [
        {"account_key": 1, "ts_us": 0, "operation": "embeddings", "ip_key": 5, "system_key": 13, "max_tokens": 10},
        {"account_key": 1, "ts_us": 1, "operation": "count_tokens", "ip_key": 5, "stream": True},
        {"account_key": 1, "ts_us": 2, "operation": "chat", "ip_key": 5, "system_key": 13},
    ]
    assert used(rows) == [("ip", 1, 5, 3), ("system", 1, 13, 1)]


def test_settings_differ_where_any_of_the_three_differs_and_unknown_is_a_setting_unless_all_are():
    rows = [
        {"max_tokens": 1, "temperature_milli": 0, "stream": True},
        {"max_tokens": 1, "temperature_milli": 0, "stream": True},
        {"max_tokens": 1, "temperature_milli": 0, "stream": False},
        {"max_tokens": 1, "temperature_milli": 0},
        {"max_tokens": 1},
        {"temperature_milli": 0},
        {},
    ]
    found = used([{"account_key": 1, "ts_us": at} | row for at, row in enumerate(rows)])
    assert found == [("settings", 1, key, count) for key, count in ((3, 1), (12582912, 1), (12582915, 1), (12582916, 1), (12582917, 2))]


def test_settings_beyond_any_sense_are_cut_together_instead_of_overflowing():
    rows = [
        {"max_tokens": 9_000_000_000_000_000_000, "temperature_milli": 2147483647, "stream": True},
        {"max_tokens": 274877906943, "temperature_milli": 1048575, "stream": True},
        {"max_tokens": -5, "temperature_milli": -1, "stream": False},
        {"max_tokens": 0, "temperature_milli": 0, "stream": False},
    ]
    found = used([{"account_key": 1, "ts_us": at} | row for at, row in enumerate(rows)])
    assert found == [("settings", 1, 6291460, 2), ("settings", 1, 1729382256913416194, 2)]


def test_two_days_are_kept_apart_and_come_in_order():
    rows = [{"account_key": 1, "ts_us": at, "ip_key": 5} for at in (DAY_US, DAY_US - 1, 0)]
    assert entities(rows) == [(FIRST, "ip", 1, 5, 2), (FIRST + timedelta(days=1), "ip", 1, 5, 1)]


def test_an_account_of_many_rows_is_counted_over_all_batches():
    rows = [{"account_key": at // 400, "ts_us": at, "ip_key": at % 7, "asn": at} for at in range(1000)]
    expected = Counter(("ip", at // 400, at % 7) for at in range(1000)) + Counter(("asn", at // 400, at) for at in range(1000))
    for at_once in (3, 399, 400, 10_000):
        assert entities(rows, at_once) == [(FIRST, *key, count) for key, count in sorted(expected.items())]


KEY = st.none() | st.integers(0, 3) | st.sampled_from([2**60, 2**63 - 1])
ROW = st.fixed_dictionaries(
    {
        "account_key": st.integers(0, 3) | st.just(2**63 - 1),
        "ts_us": st.integers(0, 4 * DAY_US),
        "operation": st.sampled_from([None, "chat", "embeddings", "count_tokens", "completion"]),
        "model": st.none() | st.sampled_from(["m", "n-1", "ä"]),
        "country": st.none() | st.sampled_from(["DE", "US"]),
        "max_tokens": st.none() | st.sampled_from([-1, 0, 1, 4096, 2**38 - 1, 2**38, 2**63 - 1]),
        "temperature_milli": st.none() | st.sampled_from([-7, 0, 700, 2**20 - 1, 2**31 - 1]),
        "stream": st.none() | st.booleans(),
        "system_key": KEY,
        **dict.fromkeys(KEYS.values(), KEY),
    }
)


def values_of(row):
    """(kind, value) of a request, out of the definition."""
    yield from ((kind, row[name]) for kind, name in KEYS.items())
    yield from ((kind, None if row[kind] is None else int(hashlib.md5(row[kind].encode()).hexdigest()[:15], 16)) for kind in ("model", "country"))
    if row["operation"] not in ("embeddings", "count_tokens"):
        yield "system", row["system_key"]
        cap, heat, stream = (
            None if value is None else max(0, min(value, most)) for value, most in ((row["max_tokens"], 2**38 - 1), (row["temperature_milli"], 2**20 - 1), (row["stream"], 1))
        )
        digits = [0 if value is None else int(value) + 1 for value in (cap, heat, stream)]
        yield "settings", ((digits[0] * 2**21 + digits[1]) * 3 + digits[2]) or None


@settings(max_examples=80, deadline=None)
@given(st.lists(ROW, max_size=50), st.integers(1, 7))
def test_entities_are_those_of_a_dictionary_whatever_the_batches(rows, at_once):
    held = ((row["ts_us"] // DAY_US, kind, row["account_key"], value) for row in rows for kind, value in values_of(row) if value is not None)
    assert entities(rows, at_once) == [(FIRST + timedelta(days=day), *key, count) for (day, *key), count in sorted(Counter(held).items())]
