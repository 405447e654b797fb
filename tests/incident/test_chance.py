"""Figure 11: what is drawn of the random groups is what p and their number tell, and nothing more."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pipeline.measures.nulls import permutation_p
from pipeline.pages.incident.drawings.weights import Chance, against_chance
from pipeline.pages.incident.sections.operation import reached


@pytest.mark.parametrize("groups", [19, 299, 999, 2_999])
def test_the_counts_are_those_of_the_groups_themselves(groups):
    """Against the very draws that a p came from, rounded as the run keeps it."""
    rng = np.random.default_rng(groups)
    null = rng.normal(size=groups)
    for observed in (-9.0, -0.5, 0.0, 1.7, 9.0):
        above = int(np.count_nonzero(null >= observed))
        row = {"null_count": groups, "p_value": round(permutation_p(observed, null), 6)}
        assert reached(row) == (groups - above, above)


@pytest.mark.parametrize(
    "row", [{"null_count": 0, "p_value": 0.01}, {"null_count": 999, "p_value": None}, {"null_count": 999, "p_value": 0.0123456}, {"null_count": None, "p_value": 0.5}]
)
def test_a_p_that_is_no_share_of_groups_gives_no_counts(row):
    assert reached(row) is None


def test_the_boxes_meet_at_the_observation_and_the_tick_stands_at_the_mean():
    drawn = str(against_chance([Chance("a test", 0.2, 0.1, "p = 0.5", (10, 9))], "fig-11-a", "d"))
    bar, below, above = ((float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn))
    assert below == bar
    assert above[0] == pytest.approx(bar[0] + bar[1], abs=0.11)
    tick = float(re.search(r'<path d="M([\d.]+),[\d.]+L[^"]+" fill="none" stroke="[^"]+" stroke-width="2.5"', drawn).group(1))
    assert tick - bar[0] == pytest.approx(bar[1] / 2, abs=0.11)
    assert "10 below, 9 from there on" in drawn


def test_without_counts_there_is_no_box():
    drawn = str(against_chance([Chance("a test", 0.2, 0.1, "p = 0.5", None)], "fig-11-a", "d"))
    assert drawn.count("<rect") == 1
    assert "below" not in drawn
    assert "random groups" not in drawn


def test_the_page_shows_counts_and_the_least_p_that_so_many_groups_give(page):
    text = re.sub(r"<[^>]+>", " ", page.split('id="fig-11"')[1].split("</figure>")[0])
    assert "2,999 below, 0 from there on" in text
    assert "141 below, 158 from there on" in text
    assert "no curve is drawn" in text
    assert "Least p they can give" in text
