"""Excerpts of prompts: nothing leaves but common words and what a skeleton shows."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import redact
from tests.hostile import MARKS, STRINGS

COMMON = frozenset("solve exercise step by show all your then grade the answer of please write to i ask and".split())
TEXT = 'Solve exercise 4711 step by step, then ask Berta Kowalczyk of Zorblax about `x = 7` and "the plan" in /srv/secret/notes.txt; write to a.b@example.org'


def test_a_prompt_shows_its_form_and_none_of_its_content() -> None:
    shown = redact.for_excerpt(TEXT, COMMON)
    assert shown == "Solve exercise # step by step, then ask [word] .. of [word] .. [code] and [quote] [word] [path]; write to [mail]"


@pytest.mark.parametrize("secret", ["4711", "Berta", "Kowalczyk", "Zorblax", "x = 7", "plan", "/srv", "secret", "a.b@example.org"])
def test_no_piece_of_content_is_left(secret: str) -> None:
    assert secret.lower() not in redact.for_excerpt(TEXT, COMMON).lower()


def test_a_common_word_in_capitals_inside_a_sentence_counts_as_a_name() -> None:
    assert redact.for_excerpt("please Grade the answer. Grade all", COMMON) == "please [name] the answer. Grade all"


def test_line_breaks_show_as_marks_and_begin_sentences() -> None:
    assert redact.for_excerpt("solve\n\nGrade the answer", COMMON) == "solve | Grade the answer"


def test_with_no_common_word_no_letter_of_the_prompt_is_left() -> None:
    assert re.sub(r"\[\w+( key)?\]|\.\.|[#|\W]", "", redact.for_excerpt(TEXT, frozenset())) == ""


@given(st.text(max_size=400), st.integers(1, 300))
def test_an_excerpt_is_short_harmless_and_stays_as_it_is(text: str, limit: int) -> None:
    shown = redact.for_excerpt(text, COMMON, limit)
    assert len(shown) <= limit
    assert not [one for one in shown if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    if limit == 300:
        assert redact.for_excerpt(shown, COMMON, limit) == shown


@given(st.lists(st.sampled_from(["Solve", "exercise", "zorblax", "Berta", "12", "a/b", '"', "`", "\n", ".", "[word]", "caf\u00e9", "\u4f60\u597d"]), max_size=30))
@example(["12"] * 5)  # reads as a telephone number
def test_only_words_that_were_asked_about_and_found_common_are_left(parts: list[str]) -> None:
    text = " ".join(parts)
    asked = redact.excerpt_words(text)
    assert asked <= {part.lower() for part in parts}, "marks of the gate are no words of the prompt"
    shown = redact.for_excerpt(text, COMMON)
    for hidden in ("zorblax", "berta", "12", "caf\u00e9", "\u4f60\u597d"):
        assert hidden not in shown.lower()
    assert redact.for_excerpt(shown, COMMON) == shown


@pytest.mark.parametrize("name", STRINGS)
def test_hostile_text_is_dead(name: str) -> None:
    shown = redact.for_excerpt(STRINGS[name], COMMON)
    assert not [mark for mark in MARKS if mark in shown]
    assert len(shown) <= redact.EXCERPT_LIMIT
