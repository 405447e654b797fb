"""Ratios of findings from counts of known truth: what a cell is worth, what is said of a scale, and what leaving an archetype out changes."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pages.ratios import MOST_BITS, TIERS, ratio_table, read_scale, survival
from pipeline.pages.weighing import rounded


def count(archetype, operated, tier, bits, networks):
    return {"archetype": archetype, "is_operated": operated, "tier": tier, "extraction_bits": bits, "networks": networks}


BOTH = [
    count("campaign:a", True, "refer", 11, 40),
    count("campaign:b", True, "refer", 8, 30),
    count("campaign:b", True, "watch", 10, 9),
    count("vendor", False, "watch", 10, 20),
    count("classroom", False, "explained", 0, 180),
]


def scale(rows=BOTH):
    found = read_scale(json.loads(json.dumps(ratio_table(rows))))
    assert found is not None
    return found


def test_a_finding_that_no_innocent_group_got_is_worth_what_their_number_can_carry():
    made = scale()
    for bits in (0.0, 8.0, 11.9, 60.0, None):
        weight = made.weigh("refer", bits)
        assert weight.ratio == pytest.approx((71 / 80) / (1 / 201), abs=1e-5)
        assert weight.is_bound


def test_a_finding_of_both_kinds_is_worth_its_shares_and_is_no_bound():
    weight = scale().weigh("watch", 10.7)
    assert weight.ratio == pytest.approx((10 / 80) / (21 / 201), abs=1e-5)
    assert not weight.is_bound


def test_a_finding_that_only_innocent_groups_got_speaks_against_one_operator():
    weight = scale().weigh("explained", 0.0)
    assert weight.ratio == pytest.approx((1 / 80) / (181 / 201), abs=1e-5)
    assert weight.is_bound


def test_counts_and_kinds_are_those_of_the_validation():
    made = scale()
    assert (made.operated, made.innocent, made.archetypes) == (79, 200, 4)


def test_a_network_is_weighed_without_its_own_kind():
    """Without its twenty groups a vendor's finding looks like an operator's: that is what the cost is for."""
    without = {operated: ratio for operated, ratio, networks in scale().left_out if networks == 20}
    assert without[False] == pytest.approx((10 / 80) / (1 / 181), abs=1e-5)
    alone = [ratio for operated, ratio, networks in scale().left_out if operated and networks == 40]
    assert alone == [pytest.approx((31 / 40) / (1 / 201), abs=1e-5)]
    assert sum(networks for _, _, networks in scale().left_out) == 279


def test_the_cost_falls_where_kinds_are_told_apart_and_is_one_where_nothing_is():
    apart = [count(f"campaign:{n}", True, "refer", 11, 50) for n in range(3)] + [count(f"class {n}", False, "explained", 0, 50) for n in range(3)]
    mixed = [count(f"campaign:{n}", True, "watch", 5, 50) for n in range(3)] + [count(f"class {n}", False, "watch", 5, 50) for n in range(3)]
    assert scale(apart).cost < 0.05
    assert scale(mixed).cost == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("rows", [[], BOTH[:3], BOTH[3:]])
def test_without_networks_of_both_kinds_there_is_no_scale(rows):
    assert ratio_table(rows) is None
    assert read_scale(ratio_table(rows)) is None


ROWS = st.lists(st.builds(count, st.sampled_from(["a", "b", "c"]), st.booleans(), st.sampled_from(TIERS), st.integers(0, 30), st.integers(1, 60)), min_size=1, max_size=12)


@settings(deadline=None)  # the first example loads scikit-learn
@given(ROWS)
def test_more_bits_never_speak_less_for_an_operator_and_no_ratio_outgrows_the_cases(rows):
    table = ratio_table(rows)
    if table is None:
        return
    made = scale(rows)
    for tier in TIERS:
        ratios = [made.weigh(tier, float(bits)).ratio for bits in range(MOST_BITS + 3)]
        assert ratios == sorted(ratios)
        assert 1 / (made.operated + 1) - 1e-6 <= ratios[0] <= ratios[-1] <= made.innocent + 1 + 1e-6


def test_a_survival_curve_falls_from_all_to_the_largest():
    assert survival([(10.0, 1), (1.0, 2), (0.1, 1)]) == [(-1.0, 1.0), (0.0, 0.75), (1.0, 0.25)]
    assert survival([]) == []


@pytest.mark.parametrize(("ratio", "said"), [(1.0, "1.0"), (9.49, "9.4"), (2653.2, "2,600"), (260.0, "260"), (299.9, "290")])
def test_a_least_ratio_is_never_told_larger_than_it_is(ratio, said):
    assert rounded(ratio, cut=True) == said


@pytest.mark.parametrize(("ratio", "said"), [(1.0, "1.0"), (9.4, "9.4"), (63.4, "63"), (178.4, "180"), (4512.0, "4,500")])
def test_a_ratio_is_told_with_two_digits(ratio, said):
    assert rounded(ratio) == said
    assert math.isclose(float(said.replace(",", "")), ratio, rel_tol=0.05)
