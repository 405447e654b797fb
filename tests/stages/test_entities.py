"""Values that accounts used in the window: row by row, for any cut into days and batches, and as Python adds them up."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.run.execute import empty
from pipeline.stages import TABLES
from tests.stages.builders import CONFIG, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.entities:entities")
KINDS = ["agent", "agent_product", "api_key", "asn", "country", "end_user", "headers", "ip", "ip_prefix", "ja4", "model", "settings", "stack", "system", "tools"]
DAYS = [date(2026, 5, 3) + timedelta(days=day) for day in range(9)]


def entities(rows, at_once=100):
    """Rows are (day, kind, account_key, value_key, request_count)."""
    names = ("day", "kind", "account_key", "value_key", "request_count")
    return streamed(STAGE, frame("account_entities", [dict(zip(names, row, strict=True)) for row in rows]), CONFIG, rows=at_once).rows()


def test_no_entities_give_none():
    assert entities([]) == []
    assert streamed(STAGE, empty(TABLES["account_entities"]), CONFIG).schema == empty(TABLES["entities"]).schema


def test_days_of_one_value_add_up_and_equal_keys_of_two_kinds_stay_apart():
    rows = [(DAYS[1], "ip", 1, 5, 2), (DAYS[0], "ip", 1, 5, 7), (DAYS[6], "ip", 1, 5, 1), (DAYS[0], "asn", 1, 5, 1), (DAYS[0], "ip", 0, 5, 4)]
    assert entities(rows) == [("asn", 1, 5, 1, 1, DAYS[0], DAYS[0]), ("ip", 0, 5, 1, 4, DAYS[0], DAYS[0]), ("ip", 1, 5, 3, 10, DAYS[0], DAYS[6])]


def test_kinds_come_in_the_order_of_their_names_every_one_of_them():
    assert [row[0] for row in entities([(DAYS[0], kind, 1, 1, 1) for kind in reversed(KINDS)])] == KINDS


KEYS = st.integers(0, 4) | st.sampled_from([2**60, 2**63 - 1])
ROWS = st.dictionaries(st.tuples(st.sampled_from(DAYS), st.sampled_from(KINDS), KEYS, KEYS), st.integers(1, 9) | st.just(2**40), max_size=60)


@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(1, 7))
def test_entities_are_those_of_a_dictionary_whatever_the_batches(rows, at_once):
    used = defaultdict(dict)
    for (day, *value), count in rows.items():
        used[tuple(value)][day] = count
    expected = [(*value, len(days), sum(days.values()), min(days), max(days)) for value, days in sorted(used.items())]
    assert entities([(*key, count) for key, count in rows.items()], at_once) == expected
