"""How weak the classifier is: documents of known work, written by the simulator's grammar, through the fingerprint pass."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from pipeline.simulate.documents import Documents, render
from pipeline.simulate.lexicon import BODIES, TASKS, THEMES
from pipeline.simulate.seeds import mix
from pipeline.stages import capabilities as rule
from tests.stages.builders import frame
from tests.stages.test_capabilities import tokens

WORK = {"reason": {"reasoning"}, "code": {"coding"}, "plan": {"planning", "agentic"}, "grade": {"grading"}, "rewrite": {"rewriting"}}
"""The simulator's tasks by class; all others are `general`. Its plans are dealt out to agents and tools as often as to people."""
EACH = 300


def guessed(body: str, sentences: int) -> dict[str, Counter[str]]:
    """Guesses by task, of EACH documents."""
    number = np.arange(EACH * len(TASKS))
    count = np.full(len(number), sentences)
    documents = Documents(mix(number.astype(np.uint64)), number % len(TASKS), np.full(len(number), BODIES.index(body)), number // 7 % len(THEMES), count)
    kept = tokens(*render(documents).to_pylist())
    rows = [{"tokens": words, "request_count": 1, "tool_count": 0, "tool_call_count": 0, "thinking_count": 0} for words in kept]
    found = rule.classified(frame("network_prompts", rows)).to_list()
    return {task: Counter(found[place :: len(TASKS)]) for place, task in enumerate(TASKS)}


def right(table: dict[str, Counter[str]], task: str) -> float:
    return sum(table[task][name] for name in WORK.get(task, {rule.GENERAL})) / EACH


@pytest.mark.parametrize(("sentences", "least"), [(1, 0.82), (3, 0.72)])
def test_of_plain_english_documents_most_of_each_kind_are_told(sentences: int, least: float) -> None:
    table = guessed("en", sentences)
    told = [right(table, task) for task in TASKS]
    assert np.mean(told) >= least
    for task, classes in WORK.items():
        assert right(table, task) >= 0.65, (task, table[task])
        assert table[task].most_common(1)[0][0] in classes, (task, table[task])


def test_in_another_language_hardly_anything_is_told_and_nothing_is_made_up() -> None:
    table = guessed("de", 3)
    assert np.mean([counts[rule.GENERAL] / EACH for counts in table.values()]) >= 0.95


def test_what_strangers_chat_about_is_general_for_the_most_part() -> None:
    table = guessed("en", 2)
    assert np.mean([right(table, task) for task in ("explain", "advise", "talk")]) >= 0.75
