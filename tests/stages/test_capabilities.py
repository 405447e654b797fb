"""What prompts ask for: sentences of known work through the fingerprint pass, votes by hand, shares and amounts by hand, laws."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from pipeline.measures import fingerprints as fp
from pipeline.schema import NETWORK_CAPABILITIES
from pipeline.stages import capabilities as rule
from tests.stages.builders import CONFIG, Frames, empty, frame, shuffled

WORK = {
    "reasoning": "Prove that the remainder is at most seven and derive each premise before you conclude.",
    "coding": "Refactor this Python class and add pytest cases for the API endpoint.",
    "agentic": "You are an agent. Choose a tool, invoke it, wait for the observation.",
    "planning": "Draw up a roadmap with milestones and a deadline for each phase.",
    "grading": "Score both replies against the rubric and give feedback on each.",
    "rewriting": "Paraphrase the passage in a formal tone and shorten it.",
    "vision": "What does the photo show in the foreground of this image?",
    "general": "Good morning, my cat would like some breakfast.",
}


def tokens(*texts: str) -> list[list[int]]:
    """What the ingest keeps of each text."""
    prints = fp.texts(fp.spans_of(pa.array(texts, pa.string())), "prompt")
    sketch = fp.sketches(prints, np.arange(len(texts)))
    return [part.tolist() for part in np.split(sketch.tokens, sketch.token_ends[1:-1])]


def prompts(*rows: dict[str, object]) -> pl.DataFrame:
    plain = {"network_id": "P-1", "request_count": 1, "tool_count": 0, "tool_call_count": 0, "thinking_count": 0, "handed_count": 0, "client_count": 0}
    return frame("network_prompts", [plain | row for row in rows])


def classes(*texts: str, **columns: object) -> list[str]:
    return rule.classified(prompts(*({"tokens": kept, **columns} for kept in tokens(*texts)))).to_list()


def made(*rows: dict[str, object]) -> list[dict[str, object]]:
    return rule.capabilities({"network_prompts": prompts(*rows)}, CONFIG)["network_capabilities"].rows(named=True)


def by_class(rows: Sequence[dict[str, object]], part: str = "all") -> dict[object, dict[str, object]]:
    return {row["capability"]: row for row in rows if row["part"] == part}


@pytest.mark.parametrize("work", WORK)
def test_a_plain_request_gets_its_class(work: str) -> None:
    assert classes(WORK[work]) == [work]


def test_a_word_votes_in_one_class_only_and_is_one_word() -> None:
    listed = [word for kinds in tomllib.loads(rule.LEXICON_FILE.read_text(encoding="utf-8")).values() for text in kinds.values() for word in text.split()]
    assert sorted(set(listed)) == sorted(listed)
    assert {word.lower() for word in listed} == set(listed)
    assert len(rule.lexicon().hashes) == len(listed) == len(set(rule.lexicon().hashes.tolist()))
    with pytest.raises(ValueError, match="two words"):
        rule.word_hashes(["one", "two words"])


def test_votes_two_for_a_strong_word_one_for_a_plain_one_and_a_tie_is_general() -> None:
    assert classes("theorem", "therefore", "therefore hence", "theorem python", "theorem python therefore", "", "theorem rubric image") == [
        "reasoning",
        "general",
        "reasoning",
        "general",
        "reasoning",
        "general",
        "general",
    ]


def test_columns_vote_where_half_of_the_requests_show_them() -> None:
    assert classes("Good morning", request_count=4, tool_count=4) == ["general"]
    assert classes("Good morning", request_count=4, tool_count=4, tool_call_count=2) == ["agentic"]
    assert classes("Good morning", request_count=4, tool_count=4, tool_call_count=1) == ["general"]
    assert classes("therefore", "therefore", request_count=4, thinking_count=2) == ["reasoning", "reasoning"]


def test_a_long_prompt_votes_by_what_could_be_kept_of_it() -> None:
    filler = " ".join(f"{first}{second}zz" for first in "bcdfghjklm" for second in "aeiouy")
    (kept,) = tokens(f"{WORK['grading']} rubric score grade evaluate critique judge rating marks {filler}")
    assert len(kept) == rule.MOST_TOKENS
    assert rule.classified(prompts({"tokens": kept})).to_list() == ["grading"]
    words = rule.lexicon()
    largest = np.array([0, kept[-1], 2**31])
    by_hand = [[np.mean(words.hashes[words.place == place] <= end) for place in range(len(words.classes))] for end in largest]
    assert words.visible(largest) == pytest.approx(np.array(by_hand))
    seen = words.hashes[(words.place == words.classes.index("grading")) & np.isin(words.hashes, kept)]
    votes = words.votes[np.isin(words.hashes, seen)].sum() / max(by_hand[1][words.classes.index("grading")], rule.LEAST_VISIBLE)
    found = rule.word_votes(pl.Series([kept], dtype=pl.List(pl.Int32)), words)
    assert found[0, words.classes.index("grading")] == pytest.approx(votes, abs=1e-6)


def test_shares_and_amounts_by_hand() -> None:
    code, talk = tokens(WORK["coding"], WORK["general"])
    rows = made(
        {"account_key": 1, "prompt_key": 2, "tokens": code, "request_count": 3, "input_tokens": 30, "output_tokens": 300},
        {"account_key": 1, "prompt_key": 4, "tokens": talk, "request_count": 1, "input_tokens": 10, "output_tokens": 20},
        {"account_key": 1, "prompt_key": -1, "request_count": 4, "input_tokens": 60, "output_tokens": 320},
        {"account_key": 2, "prompt_key": 6, "tokens": talk, "request_count": 2, "input_tokens": 8, "output_tokens": 80},
        {"account_key": 3, "prompt_key": -1, "request_count": 50},
        {"account_key": 9, "prompt_key": 2, "tokens": code, "network_id": "P-2"},
    )
    found = by_class([row for row in rows if row["network_id"] == "P-1"])
    assert set(found) == {"coding", "general"}
    assert found["coding"] | {"low_share": 0, "high_share": 1} == {
        "network_id": "P-1",
        "part": "all",
        "capability": "coding",
        "share": 0.6,  # account 1: 3 of 4 sampled requests stand for 6 of 8; account 2: none of 2
        "low_share": 0,
        "high_share": 1,
        "request_count": 6,
        "input_tokens": 75,
        "output_tokens": 600,
        "prompt_count": 1,
        "account_count": 1,
        "sample_count": 3,
        "sample_account_count": 2,
    }
    assert (found["general"]["request_count"], found["general"]["input_tokens"], found["general"]["output_tokens"]) == (4, 33, 120)
    other = by_class([row for row in rows if row["network_id"] == "P-2"])
    assert (other["coding"]["share"], other["coding"]["low_share"], other["coding"]["high_share"], other["coding"]["input_tokens"]) == (1.0, 0.0, 1.0, None)
    assert (other["general"]["share"], other["general"]["prompt_count"]) == (0.0, 0)


def test_the_operators_part_and_the_carried_one_add_up_to_the_prompts_that_tell() -> None:
    code, talk = tokens(WORK["coding"], WORK["general"])
    rows = made(
        {"account_key": 1, "prompt_key": 2, "tokens": talk, "request_count": 9, "output_tokens": 9},
        {"account_key": 1, "prompt_key": 3, "tokens": code, "is_worded": True, "request_count": 2, "output_tokens": 100},
        {"account_key": 1, "prompt_key": 5, "tokens": talk, "is_worded": False, "request_count": 6, "output_tokens": 60},
        {"account_key": 1, "prompt_key": -1, "request_count": 7, "output_tokens": 0},
        {"account_key": 2, "prompt_key": 3, "tokens": talk, "is_worded": False, "network_id": "P-2"},
    )
    operator, carried = by_class(rows, "operator"), by_class(rows, "carried")
    assert (operator["coding"]["share"], operator["coding"]["request_count"], operator["coding"]["sample_count"]) == (1.0, 6, 1)
    assert (carried["general"]["share"], carried["general"]["request_count"]) == (1.0, 18)
    assert operator["coding"]["output_tokens"] + carried["general"]["output_tokens"] == pytest.approx(169, abs=1)
    assert {row["part"] for row in rows if row["network_id"] == "P-2"} == {"all"}


def test_of_the_planted_networks_every_part_adds_up_and_lies_in_its_interval(tables: Frames) -> None:
    found = tables["network_capabilities"]
    assert set(tables["networks"]["network_id"]) == set(found["network_id"])
    sums = found.group_by("network_id", "part").agg(pl.col("share", "prompt_count").sum(), pl.col("sample_count").first())
    assert sums["share"].to_list() == pytest.approx([1.0] * sums.height, abs=1e-5)
    assert (sums["prompt_count"] == sums["sample_count"]).all()
    assert found.filter((pl.col("low_share") > pl.col("share")) | (pl.col("share") > pl.col("high_share"))).height == 0


def test_rows_in_any_order_give_the_same_table(tables: Frames) -> None:
    again = rule.capabilities(shuffled({"network_prompts": tables["network_prompts"]}, 3), CONFIG)["network_capabilities"]
    assert again.equals(tables["network_capabilities"])


def test_a_log_without_text_has_no_capability_and_no_rows_give_none(tables: Frames, nothing: Frames) -> None:
    blind = tables["network_prompts"].with_columns(pl.lit(None).cast(pl.List(pl.Int32)).alias("tokens"))
    for frames in (blind, empty("network_prompts")):
        assert rule.capabilities({"network_prompts": frames}, CONFIG)["network_capabilities"].height == 0
    assert nothing["network_capabilities"].equals(empty("network_capabilities"))


def test_the_table_holds_names_of_classes_and_no_other_words(tables: Frames) -> None:
    words = [column.name for column in NETWORK_CAPABILITIES.columns if column.type == "VARCHAR"]
    assert words == ["network_id", "part", "capability"]
    assert set(tables["network_capabilities"]["capability"]) <= set(WORK)
