"""Sampled prompts of the window: row by row, for any cut into days, batches and pieces, and as a dictionary in Python picks and adds them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages import TABLES, window_samples
from tests.stages.builders import CONFIG, DAY_US, empty, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.window_samples:window_samples")
PLACE = ("skeleton_key", "request_id", "source_file", "source_row", "prompt_chars", "prompt_words", "shingles", "shingle_count", "tokens", "prefixes")
LISTS = {"shingles": [1, 2], "shingle_count": 9, "tokens": [3], "prefixes": [7]}
NO_LISTS = {"shingles": [], "shingle_count": 0, "tokens": [], "prefixes": []}


def kept(samples, limit=64, rows=100):
    config = dataclasses.replace(CONFIG, window=dataclasses.replace(CONFIG.window, samples_per_account=limit))
    return streamed(STAGE, frame("prompt_samples", samples), config, rows=rows).to_dicts()


def sample(account, prompt, at, **more):
    return {"account_key": account, "prompt_key": prompt, "first_us": at, "request_count": 1, "output_tokens": 0, **NO_LISTS, **more}


def test_no_samples_give_none():
    assert streamed(STAGE, empty("prompt_samples")).schema == empty("window_samples").schema
    assert kept([]) == []


def test_equal_prompts_of_two_days_add_up_and_keep_the_request_that_was_first():
    first = {"skeleton_key": 3, "request_id": "first", "source_file": "c", "source_row": 8, "prompt_chars": 40, "prompt_words": 6, **LISTS}
    later = sample(
        1, 4, DAY_US + 20, request_count=2, output_tokens=10, max_message_count=5, **{**first, "request_id": "later", "source_file": "b", "source_row": 0, "shingles": [8]}
    )
    (row,) = kept([later, sample(1, 4, 10, output_tokens=1, max_message_count=2, **first)])
    assert row == {"account_key": 1, "prompt_key": 4, "first_us": 10, "request_count": 3, "output_tokens": 11, "max_message_count": 5, **first}


def test_the_smallest_keys_of_each_account_are_kept_counted_after_equal_prompts_are_merged():
    made = kept([sample(1, 9, 1), sample(1, 5, 2), sample(1, 5, DAY_US), sample(1, 7, 4), sample(2, 9, 1)], limit=2)
    assert [(row["account_key"], row["prompt_key"], row["request_count"]) for row in made] == [(1, 5, 2), (1, 7, 1), (2, 9, 1)]


def test_what_was_not_logged_stays_unknown():
    made = kept([sample(1, 2, 1), sample(1, 2, DAY_US), sample(1, 3, 1, max_message_count=0), sample(1, 3, DAY_US)])
    assert [(row["max_message_count"], row["skeleton_key"], row["source_file"]) for row in made] == [(None, None, None), (0, None, None)]


KEYS = st.integers(0, 5) | st.sampled_from([2**60, 2**60 + 1, 2**63 - 1])
NUMBERS = st.lists(st.integers(0, 9), max_size=4)
SENT = st.tuples(st.integers(1, 9), st.integers(0, 2**40), st.none() | st.integers(0, 9), NUMBERS, NUMBERS)
LOGS = st.dictionaries(st.tuples(st.integers(0, 4), KEYS, KEYS), SENT, max_size=60)
"""(day, account, prompt): requests, output tokens, deepest turn, two lists."""


def by_hand(logged, limit):
    found = {}
    for (day, account, prompt), (requests, tokens, deepest, shingles, words) in sorted(logged.items()):
        first = (day * DAY_US + 5, f"r{day}", shingles, words)
        before = found.setdefault(account, {}).setdefault(prompt, [0, 0, None, first])
        before[0], before[1] = before[0] + requests, before[1] + tokens
        before[2] = deepest if before[2] is None else before[2] if deepest is None else max(before[2], deepest)
    return [(account, prompt, *found[account][prompt]) for account in sorted(found) for prompt in sorted(found[account])[:limit]]


@settings(max_examples=150, deadline=None)
@given(LOGS, st.integers(1, 4), st.integers(1, 7), st.integers(1, 40))
def test_samples_are_those_of_a_dictionary_whatever_the_batches_and_pieces(logged, limit, rows, piece):
    samples = [
        sample(account, prompt, day * DAY_US + 5, request_count=sent[0], output_tokens=sent[1], max_message_count=sent[2], shingles=sent[3], tokens=sent[4], request_id=f"r{day}")
        for (day, account, prompt), sent in logged.items()
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_samples, "_PIECE_ROWS", piece)
        made = kept(samples, limit, rows)
    names = ("account_key", "prompt_key", "request_count", "output_tokens", "max_message_count")
    assert [(*(row[name] for name in names), (row["first_us"], row["request_id"], row["shingles"], row["tokens"])) for row in made] == by_hand(logged, limit)


def test_every_column_of_a_sample_is_in_the_window():
    assert TABLES["window_samples"].column_names == TABLES["prompt_samples"].column_names
    assert set(PLACE) < set(TABLES["window_samples"].column_names)
