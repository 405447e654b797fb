"""What a page says of a network that an innocent explanation, which the log cannot rule out, keeps from being referred; and of a log without any trace of prompts."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline import assets
from pipeline.config import load_config
from pipeline.history.past import no_past
from pipeline.pages.assessment import WORDING_FAMILY, alternative, alternative_note, confidence
from pipeline.pages.run_facts import read_manifest
from pipeline.pages.source import Source
from pipeline.pages.words import load_wording
from pipeline.stages.unchecked import ASKED
from tests.pages import fixtures

FAMILIES = [{"admitted": True, "control_percentile": 99.0, "control_count": 99}] * 3
WORDING = load_wording(assets.reports_folder() / "wording.toml")


def _source(lacking: tuple[str, ...] = ()) -> Source:
    frames = fixtures.frames()
    rows = {"family": list(lacking), "status": ["not_run"] * len(lacking), "reason": ["absent"] * len(lacking)}
    spots = pl.DataFrame(rows, schema=dict.fromkeys(rows, pl.String))
    return Source(frames | {"blind_spots": spots}, read_manifest(fixtures.manifest()), load_config(), WORDING, no_past(fixtures.NIGHT), None)  # type: ignore[arg-type]  # health is not asked here


def _network(source: Source, **changed: object) -> dict[str, object]:
    return {**next(row for row in source.networks if row["network_id"] == fixtures.REFER), **changed}


@pytest.mark.parametrize("name", ASKED)
def test_confidence_is_low_and_says_why_where_an_explanation_could_not_be_tried(name: str) -> None:
    source = _source()
    before, after = (_network(source, best_alternative="none", reason=reason) for reason in ("specific_fact_and_extraction", f"unchecked_{name}"))
    assert "is low" not in confidence(source, before, FAMILIES)
    assert "is low" in confidence(source, after, FAMILIES)
    assert "the log does not tell whether an innocent explanation fits" in confidence(source, after, FAMILIES)
    assert "one could not be tried" in alternative(source, after)
    assert "one could not be tried" in alternative_note(source, after)
    assert "could not be tried" not in alternative(source, before)


def test_an_explanation_that_was_tried_is_still_the_one_that_is_named() -> None:
    source = _source()
    assert "could not be tried" not in alternative(source, _network(source, best_alternative="shared_address", reason="unchecked_event"))


def test_without_any_trace_of_prompts_confidence_is_low_and_without_another_family_it_is_not() -> None:
    for family, low in ((WORDING_FAMILY, True), ("evasion", False)):
        source = _source((family,))
        assert ("is low" in confidence(source, _network(source), FAMILIES)) is low
