"""What recurs in an account's prompts: row by row, for any cut into batches, and as Python counts it."""

from __future__ import annotations

import dataclasses
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.recurring import counted
from pipeline.measures.recurring_numba import counted as compiled
from pipeline.run.execute import empty
from pipeline.stages import TABLES
from tests.stages.builders import CONFIG, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.recurring_shingles:recurring_shingles")


def rows(samples, documents=2, share=0.5, at_once=100):
    config = dataclasses.replace(CONFIG, links=dataclasses.replace(CONFIG.links, habit_min_documents=documents, habit_min_share=share))
    given_rows = frame("window_samples", [{"account_key": a, "prompt_key": p, "shingles": s, "shingle_count": len(s)} for a, p, s in samples])
    return streamed(STAGE, given_rows, config, rows=at_once).rows()


def test_no_samples_give_nothing():
    assert rows([]) == []
    assert streamed(STAGE, empty(TABLES["window_samples"]), CONFIG).schema == empty(TABLES["recurring_shingles"]).schema


def test_a_4_gram_recurs_in_one_half_when_enough_and_a_large_enough_share_of_its_prompts_hold_it():
    samples = [(1, 10, [7, 8]), (1, 12, [7]), (1, 14, [6, 9]), (1, 16, [6, 7]), (1, 11, [9]), (1, 13, [9])]
    assert rows(samples) == [(1, 0, 6, 2, 4), (1, 0, 7, 3, 4), (1, 1, 9, 2, 2)]


def test_prompts_too_short_for_a_4_gram_do_not_count_and_accounts_do_not_add_up():
    samples = [(1, 10, [7]), (1, 12, [7]), (1, 14, []), (1, 16, []), (1, 18, []), (2, 10, [7]), (3, 12, [7])]
    assert rows(samples) == [(1, 0, 7, 2, 2)]


def test_a_share_just_below_the_least_does_not_recur():
    assert rows([(1, 2, [5]), (1, 4, [5]), (1, 6, [4])], share=0.7) == []


SAMPLES = st.dictionaries(
    st.tuples(st.integers(0, 3) | st.integers(0, 2**63 - 1), st.integers(0, 40)), st.lists(st.integers(0, 6) | st.integers(0, 2**31 - 1), max_size=6, unique=True), max_size=40
)


@settings(max_examples=80, deadline=None)
@given(SAMPLES, st.integers(1, 7), st.integers(2, 4), st.sampled_from([0.0, 0.02, 0.5, 1.0]))
def test_counts_are_those_of_a_dictionary_whatever_the_batches(samples, at_once, documents, share):
    total, holders = Counter(), Counter()
    for (account, prompt), held in samples.items():
        total[account, prompt % 2] += bool(held)
        holders.update((account, prompt % 2, shingle) for shingle in held)
    expected = sorted((a, h, s, n, total[a, h]) for (a, h, s), n in holders.items() if n >= documents and n >= share * total[a, h])
    assert rows([(a, p, sorted(held)) for (a, p), held in samples.items()], documents, share, at_once) == expected


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.lists(st.integers(0, 9) | st.integers(0, 2**31 - 1), max_size=8)), max_size=30), st.integers(1, 4), st.sampled_from([0.0, 0.3, 1.0])
)
def test_both_implementations_give_equal_values(documents, least, share):
    documents = sorted(documents, key=lambda document: document[0])
    group = pl.Series([g for g, _ in documents], dtype=pl.Int64).to_numpy()
    ends = pl.Series([0, *(len(v) for _, v in documents)], dtype=pl.Int64).cum_sum().to_numpy()
    values = pl.Series([value for _, v in documents for value in v], dtype=pl.Int32).to_numpy()
    one, other = ([list(map(int, part)) for part in made(group, ends, values, least, share)] for made in (counted, compiled))
    assert one == other


@pytest.mark.parametrize("at_once", [1, 2, 3, 1000])
def test_an_account_that_many_batches_hold_is_counted_once(at_once):
    assert rows([(5, 2 * n, [3]) for n in range(9)] + [(6, 2, [3])], at_once=at_once) == [(5, 0, 3, 9, 9)]
