"""The words of an account's prompts: row by row, for any cut into batches, and as Python counts them."""

from __future__ import annotations

import dataclasses
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.run.execute import empty
from pipeline.stages import TABLES
from tests.stages.builders import CONFIG, frame, stage_named, streamed

STAGE = stage_named("pipeline.stages.account_words:account_words")
NEXT_EIGHTH = 2**28


def words(samples, accounts=(), opened=(), rewritten=(), controls=9, at_once=100):
    """Samples are (account_key, prompt_key, tokens); opened (account_key, prompt_key); rewritten (ja4_key, account_key)."""
    config = dataclasses.replace(CONFIG, verdict=dataclasses.replace(CONFIG.verdict, pool_controls=controls))
    others = {
        "account_records": frame("account_records", [{"account_key": key} for key in accounts]),
        "prompt_preambles": frame("prompt_preambles", [{"account_key": a, "prompt_key": p, "preamble_words": 8} for a, p in opened]),
        "rewritten_clients": frame("rewritten_clients", [{"ja4_key": j, "account_key": a} for j, a in rewritten]),
    }
    rows = frame("window_samples", [{"account_key": a, "prompt_key": p, "tokens": t} for a, p, t in samples])
    return streamed(STAGE, rows, config, rows=at_once, **others).rows()


def test_no_prompts_give_no_words():
    assert words([]) == []
    others = {name: empty(TABLES[name]) for name in STAGE.reads[1:]}
    assert streamed(STAGE, empty(TABLES["window_samples"]), CONFIG, **others).schema == empty(TABLES["account_words"]).schema


def test_words_by_half_each_prompt_once_and_the_first_word_of_the_next_eighth_is_left_out():
    samples = [(1, 3, [5, NEXT_EIGHTH - 1, NEXT_EIGHTH]), (1, 5, [5]), (1, 4, [6]), (2, 7, []), (3, 9, None)]
    assert words(samples, accounts=[1, 2]) == [(1, 0, 6, 1), (1, 1, 5, 2), (1, 1, NEXT_EIGHTH - 1, 1)]


def test_a_prompt_that_begins_with_a_clients_leading_text_is_left_out_of_that_account_alone():
    assert words([(1, 3, [5]), (2, 3, [5]), (2, 5, [5])], opened=[(1, 3), (2, 4), (3, 5)]) == [(2, 1, 5, 2)]


def test_prompts_that_form_networks_are_asked_of_rewritten_clients_and_of_the_smallest_keys_only_those_kept_out_of_everybody():
    samples = [(1, 2, [5]), (2, 2, [5]), (3, 2, [5]), (2, 3, [5])]
    assert words(samples, accounts=[3, 2, 1], rewritten=[(7, 3), (8, 3)], controls=1) == [(1, 0, 5, 1), (2, 1, 5, 1), (3, 0, 5, 1)]


ACCOUNTS = st.integers(0, 4) | st.sampled_from([2**60, 2**63 - 1])
WORDS = st.integers(0, 4) | st.integers(NEXT_EIGHTH - 2, NEXT_EIGHTH + 1) | st.integers(0, 2**31 - 1)
SAMPLES = st.dictionaries(st.tuples(ACCOUNTS, st.integers(0, 12) | st.integers(0, 2**63 - 1)), st.none() | st.lists(WORDS, max_size=6, unique=True), max_size=40)


@settings(max_examples=80, deadline=None)
@given(SAMPLES, st.integers(1, 7), st.sets(st.tuples(ACCOUNTS, st.integers(0, 12)), max_size=20), st.sets(ACCOUNTS, max_size=3), st.sets(ACCOUNTS), st.integers(0, 3))
def test_counts_are_those_of_a_dictionary_whatever_the_batches(samples, at_once, opened, rewritten, accounts, controls):
    asked = rewritten | set(sorted(accounts)[:controls])
    expected = Counter()
    for (account, prompt), held in samples.items():
        if (account, prompt) not in opened and (prompt % 2 or account in asked):
            expected.update((account, prompt % 2, token) for token in held or [] if token < NEXT_EIGHTH)
    rows = [(account, prompt, held and sorted(held)) for (account, prompt), held in samples.items()]
    found = words(rows, accounts, opened, [(1, account) for account in rewritten], controls, at_once)
    assert found == sorted((*key, count) for key, count in expected.items())
