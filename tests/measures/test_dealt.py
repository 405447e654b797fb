"""Dealt-out load: the figure by hand, tables with the right totals, one hand told, chance and people not told."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.measures.dealt import chance_of_less, dealt_tables, unevenness

TABLES = st.lists(st.lists(st.integers(1, 20), min_size=4, max_size=4), min_size=2, max_size=6).map(lambda rows: np.array(rows, dtype=np.int64))


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_the_figure_is_the_chi_square_of_the_table(table):
    wanted = stats.chi2_contingency(table, correction=False)
    assert abs(unevenness(table[None])[0] - wanted.statistic / wanted.dof) < 1e-5
    assert abs(chance_of_less(table) - (1 - wanted.pvalue)) < 1e-4


@settings(max_examples=30, deadline=None)
@given(TABLES, st.integers(0, 2**32 - 1))
def test_random_tables_keep_the_totals(table, seed):
    drawn = dealt_tables(table, 7, np.random.default_rng(seed))
    assert drawn.shape == (7, *table.shape)
    assert (drawn.sum(axis=1) == table.sum(axis=0)).all()
    assert (drawn.sum(axis=2) == table.sum(axis=1)).all()


def test_turns_are_even_people_are_not_and_chance_is_between():
    rng = np.random.default_rng(1)
    turns = np.full((12, 10), 5) + rng.integers(0, 2, (12, 10))
    chance = rng.poisson(5, (12, 10)) + 1
    people = rng.poisson(rng.gamma(1.0, 5.0, (12, 10))) + 1
    low, middle, high = (float(unevenness(table[None])[0]) for table in (turns, chance, people))
    assert low < 0.3 < middle < 1.6 < high


def test_one_row_tells_nothing():
    assert unevenness(np.array([[[3, 4, 5]]])).tolist() == [1.0]
