"""How often accounts used their prompts, prefixes, skeletons and sessions: row by row, for any cut into days and batches, and as Python counts it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.run.execute import empty
from pipeline.stages import TABLES
from tests.stages.builders import CONFIG, DAY_US, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.request_counts:request_counts")
KINDS = ("prefix", "prompt", "session", "skeleton")


def counts(rows, at_once=100):
    return streamed(STAGE, frame("requests", rows), CONFIG, rows=at_once).rows()


def test_no_requests_give_no_counts():
    assert counts([]) == []
    assert streamed(STAGE, empty(TABLES["requests"]), CONFIG).schema == empty(TABLES["request_counts"]).schema


def test_values_used_equally_often_are_counted_together_each_kind_apart_over_all_days():
    rows = [
        {"account_key": 1, "ts_us": 0, "prompt_key": 14, "prefix_key": 15, "skeleton_key": 16, "session_key": 4},
        {"account_key": 1, "ts_us": DAY_US, "prompt_key": 14, "prefix_key": 15, "skeleton_key": 16, "session_key": 5},
        {"account_key": 1, "ts_us": DAY_US + 1, "prompt_key": 17, "prefix_key": 15, "skeleton_key": 16},
        {"account_key": 2, "ts_us": 1, "prompt_key": 14},
    ]
    expected = [("prefix", 1, 3, 1), ("prompt", 1, 1, 1), ("prompt", 1, 2, 1), ("prompt", 2, 1, 1), ("session", 1, 1, 2), ("skeleton", 1, 3, 1)]
    assert counts(rows) == expected


def test_what_generates_nothing_has_no_prompt_but_keeps_its_session():
    rows = [
        {"account_key": 1, "ts_us": 0, "operation": "embeddings", "prompt_key": 14, "prefix_key": 15, "skeleton_key": 16, "session_key": 4},
        {"account_key": 1, "ts_us": 1, "operation": "count_tokens", "prompt_key": 14},
        {"account_key": 1, "ts_us": 2, "operation": "completion", "prompt_key": 14},
    ]
    assert counts(rows) == [("prompt", 1, 1, 1), ("session", 1, 1, 1)]


KEYS = st.none() | st.integers(0, 3) | st.sampled_from([2**60, 2**63 - 1])
ROW = st.fixed_dictionaries(
    {
        "account_key": st.integers(0, 3) | st.just(2**63 - 1),
        "ts_us": st.integers(0, 5 * DAY_US),
        "operation": st.sampled_from([None, "chat", "embeddings", "count_tokens"]),
        **{f"{kind}_key": KEYS for kind in KINDS},
    }
)


@settings(max_examples=80, deadline=None)
@given(st.lists(ROW, max_size=60), st.integers(1, 7))
def test_counts_are_those_of_a_dictionary_whatever_the_batches(rows, at_once):
    expected = Counter()
    for kind in KINDS:
        held = [row for row in rows if kind == "session" or row["operation"] in (None, "chat")]
        used = Counter((row["account_key"], row[f"{kind}_key"]) for row in held if row[f"{kind}_key"] is not None)
        expected.update((kind, account, times) for (account, _), times in used.items())
    assert counts(rows, at_once) == [(*key, count) for key, count in sorted(expected.items())]
