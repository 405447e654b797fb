"""Likeness among an account's sampled prompts: row by row, for any cut into batches, and as Python counts it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.run.execute import empty
from pipeline.stages import TABLES
from tests.stages.builders import CONFIG, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.sample_counts:sample_counts")
NEXT_EIGHTH = 2**28


def counts(samples, at_once=100):
    """Samples are (account_key, prompt_key, shingles, tokens)."""
    rows = frame("window_samples", [{"account_key": a, "prompt_key": p, "shingles": s, "tokens": t} for a, p, s, t in samples])
    return streamed(STAGE, rows, CONFIG, rows=at_once).rows()


def test_no_samples_give_no_counts():
    assert counts([]) == []
    assert streamed(STAGE, empty(TABLES["window_samples"]), CONFIG).schema == empty(TABLES["sample_counts"]).schema


def test_prompts_that_share_their_smallest_4_gram_are_near_duplicates_and_prompts_of_under_four_words_are_none():
    samples = [
        (1, 1, [5, 6], [1, 2, NEXT_EIGHTH]),
        (1, 2, [5, 9], [2, 3]),
        (1, 3, [6], [NEXT_EIGHTH - 1]),
        (1, 4, [], []),
        (1, 5, None, None),
        (2, 1, [5], None),
    ]
    assert counts(samples) == [(1, 5, 3, 2, 5, 4), (2, 1, 1, 0, 0, 0)]


ACCOUNTS = st.integers(0, 4) | st.sampled_from([2**60, 2**63 - 1])
WORDS = st.integers(0, 4) | st.integers(NEXT_EIGHTH - 2, NEXT_EIGHTH + 1) | st.integers(0, 2**31 - 1)
LISTS = st.none() | st.lists(WORDS, max_size=6, unique=True).map(sorted)
SAMPLES = st.dictionaries(st.tuples(ACCOUNTS, st.integers(0, 12) | st.integers(0, 2**63 - 1)), st.tuples(LISTS, LISTS), max_size=40)


@settings(max_examples=80, deadline=None)
@given(SAMPLES, st.integers(1, 7))
def test_counts_are_those_of_a_dictionary_whatever_the_batches(samples, at_once):
    expected = []
    for account in sorted({account for account, _ in samples}):
        lists = [held for (owner, _), held in samples.items() if owner == account]
        leads = Counter(shingles[0] for shingles, _ in lists if shingles)
        words = Counter(token for _, tokens in lists for token in tokens or [] if token < NEXT_EIGHTH)
        near = sum(count for count in leads.values() if count >= 2)
        expected.append((account, len(lists), leads.total(), near, words.total(), len(words)))
    assert counts([(*key, *lists) for key, lists in samples.items()], at_once) == expected
