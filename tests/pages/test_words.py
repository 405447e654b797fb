"""wording.toml knows every machine name that the stages can write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline import assets, kinds
from pipeline.config import load_config
from pipeline.ingest import coverage
from pipeline.kinds import OPERATIONAL
from pipeline.pages.pieces import uncounted_sentence
from pipeline.pages.words import load_wording
from pipeline.stages import alternatives, findings, unchecked, verdict

WORDING = load_wording(assets.reports_folder() / "wording.toml")


def names_in(module, pattern):
    return sorted(set(re.findall(pattern, Path(module.__file__).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", [*names_in(verdict, r'"(?:refer|watch|explained)", "(\w+)"'), *alternatives.EXPLAINS, *(f"unchecked_{name}" for name in unchecked.ASKED)])
def test_every_reason_of_a_tier_has_a_sentence(name):
    assert WORDING.text("reason", name, "sentence")
    assert WORDING.text("reason", name, "decide")


def test_the_reasons_are_found_where_they_are_written():
    assert len(names_in(verdict, r'"(?:refer|watch|explained)", "(\w+)"')) >= 5


@pytest.mark.parametrize("name", [*findings.SHARED_MEASURES.values(), *findings.TEST_UNITS, *OPERATIONAL, "templated_output", *(f"fits_{name}" for name in alternatives.EXPLAINS)])
def test_every_measure_has_a_sentence(name):
    assert WORDING.text("measure", name, "sentence")


@pytest.mark.parametrize("name", [*findings.TEST_UNITS, *OPERATIONAL])
def test_every_test_has_a_name(name):
    assert WORDING.knows("test", name)


@pytest.mark.parametrize(("name", "family"), OPERATIONAL.items())
def test_every_test_that_is_not_counted_says_so_and_names_an_innocent_cause(name, family):
    assert re.fullmatch(r"Shown, not counted\. .{40,}", WORDING.text("test", name, "innocent"))
    said = uncounted_sentence({"measure": name, "supports": "coordination"}, WORDING)
    assert re.fullmatch(r"It points to one operator, but was not counted in the verdict: [a-z].{40,}[a-z]\.", said)
    assert WORDING.knows("family", family)


@pytest.mark.parametrize("name", alternatives.EXPLAINS)
def test_every_innocent_explanation_is_described(name):
    assert WORDING.text("alternative", name, "looks")
    assert WORDING.text("alternative", name, "decide")


@pytest.mark.parametrize("name", kinds.LINK_FAMILIES)
def test_every_family_of_evidence_has_a_word(name):
    assert WORDING.knows("family", name)
    assert WORDING.knows("class", kinds.CLASS_OF_FAMILY[name])


@pytest.mark.parametrize("name", ["specific", "operational", "likeness", "supporting"])
def test_every_class_of_evidence_is_explained(name):
    assert WORDING.knows("class", name)
    assert WORDING.text("class", name, "meaning") in WORDING.classes()


@pytest.mark.parametrize("name", [*(kind.kind for kind in kinds.kinds(load_config().links)), *kinds.LIKENESS_FAMILIES])
def test_every_kind_of_link_has_a_word(name):
    assert WORDING.knows("kind", name)


@pytest.mark.parametrize("name", [family.name for family in coverage.FAMILIES])
def test_every_blind_spot_says_what_is_lost(name):
    assert WORDING.text("blind", name, "lost")


@pytest.mark.parametrize("ratio", [1, 2, 2.1, 10, 10.1, 100, 101, 1_000, 1_001, 10_000, 10_001, 1e6, 1.1e6])
def test_an_edge_of_the_scale_belongs_to_the_lower_band(ratio):
    words = ["no", "weak", "moderate", "moderately strong", "strong", "very strong", "extremely strong"]
    assert WORDING.support(ratio) == words[sum(ratio > edge for edge in (2, 10, 100, 1_000, 10_000, 1e6))]


def test_an_unknown_measure_is_shown_with_its_numbers():
    values = {"value": "3 items", "threshold": "2 items", "baseline": "1 item", "n": "99", "p": "0.01", "evidence": "1 request"}
    assert WORDING.finding("new_measure", values, has_baseline=True) == "New measure is 3 items; comparison accounts (99) show 1 item."
    assert WORDING.finding("new_measure", values, has_baseline=False) == "New measure is 3 items."


@pytest.mark.parametrize("name", [*findings.SHARED_MEASURES.values(), *findings.TEST_UNITS, *OPERATIONAL, "templated_output", *(f"fits_{name}" for name in alternatives.EXPLAINS)])
def test_a_measure_without_anything_to_compare_with_does_not_speak_of_an_unknown_comparison(name):
    said = WORDING.finding(name, {"value": "V", "threshold": "T", "n": "0"}, has_baseline=False)
    assert "V" in said
    assert "unknown" not in said


def test_a_comparison_is_added_where_the_sentence_has_none():
    values = {"value": "90 %", "baseline": "1 %", "n": "60"}
    assert WORDING.finding("shared_payment", values, has_baseline=True).endswith("Among 60 matched accounts in no network it is 1 %.")
    assert "unknown" not in WORDING.finding("shared_payment", {"value": "90 %"}, has_baseline=False)
