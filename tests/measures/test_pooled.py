"""Common wording of a group: against a walk over sets, and the rules that keep idioms and single persons out."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.pooled import Common, PooledWording, Texts

LEAST, SHARE = 2, 0.1
Document = tuple[int, bool, bool, frozenset[int]]  # account, learning, harvest-shaped, wording


def _texts(documents: list[Document], accounts: int) -> Texts:
    ordered = sorted(documents, key=lambda document: document[0])
    entries = [(place, word) for place, document in enumerate(ordered) for word in sorted(document[3])]
    columns = [np.array([entry[column] for entry in entries], dtype=np.int64) for column in (0, 1)]
    account = np.array([document[0] for document in ordered], dtype=np.int64)
    flags = [np.array([document[column] for document in ordered], dtype=np.bool_) for column in (1, 2)]
    return Texts(accounts, account, flags[0], flags[1], columns[0], columns[1])


def _common(documents: list[Document], accounts: int, group: list[int]) -> Common:
    return PooledWording(_texts(documents, accounts), LEAST, SHARE).common(np.array(group, dtype=np.int64))


def _walked(documents: list[Document], group: list[int]) -> list[float]:
    """The members' shares by the rule as the module states it, with sets."""
    taught = [document for document in documents if document[0] in group and document[1]]
    searched = [document for document in documents if document[0] in group and not document[1]]
    common = {
        word
        for word in {word for document in taught for word in document[3]}
        if len({document[0] for document in taught if word in document[3]}) >= max(3, 0.25 * len(group))
        and sum(word in document[3] for document in taught) >= max(3, SHARE * len(taught))
    }
    shares = []
    for account in group:
        own = [document for document in searched if document[0] == account]
        hits = [document for document in own if len(document[3] & common) >= LEAST and document[2]]
        shares.append(len(hits) / max(1, len(own)))
    return shares


documents_of = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans(), st.frozensets(st.integers(0, 6), max_size=5)), max_size=40)


@given(documents_of, st.lists(st.integers(0, 5), unique=True, min_size=1).map(sorted))
def test_shares_are_those_of_a_walk_over_sets(documents: list[Document], group: list[int]) -> None:
    np.testing.assert_allclose(_common(documents, 6, group).shares, _walked(documents, group))


def test_nothing_in_nothing_out() -> None:
    found = _common([], 3, [0, 1, 2])
    assert len(found.documents) == 0
    assert found.shares.tolist() == [0.0, 0.0, 0.0]


def _group(count: int, writers: int, harvest: bool = True) -> list[Document]:
    """Each account teaches and is searched once; the first `writers` send the two words 1 and 2, the others words of their own."""
    made = []
    for account in range(count):
        words = frozenset({1, 2}) if account < writers else frozenset({10 * account + 11, 10 * account + 12})
        made += [(account, True, harvest, words), (account, False, harvest, words)]
    return made


def test_two_accounts_have_nothing_in_common_and_three_have() -> None:
    assert _common(_group(4, 2), 4, [0, 1, 2, 3]).shares.tolist() == [0.0] * 4
    assert _common(_group(4, 3), 4, [0, 1, 2, 3]).shares.tolist() == [1.0, 1.0, 1.0, 0.0]


def test_in_a_large_group_a_few_are_not_the_group() -> None:
    group = list(range(16))
    assert sum(_common(_group(16, 3), 16, group).shares) == 0
    assert sum(_common(_group(16, 4), 16, group).shares) == 4


def test_what_carries_common_wording_but_is_no_harvest_is_listed_and_does_not_count() -> None:
    found = _common(_group(4, 4, harvest=False), 4, [0, 1, 2, 3])
    assert len(found.documents) == 4
    assert found.shares.tolist() == [0.0] * 4


def test_who_is_outside_the_group_teaches_it_nothing() -> None:
    assert _common(_group(6, 6), 6, [0, 1]).shares.tolist() == [0.0, 0.0]


def test_median_shares_are_those_of_each_group() -> None:
    index = PooledWording(_texts(_group(8, 4), 8), LEAST, SHARE)
    groups = np.array([[0, 1, 2, 3], [0, 1, 2, 7], [4, 5, 6, 7]])
    assert index.median_shares(groups).tolist() == [1.0, 1.0, 0.0]


def test_a_member_with_another_mix_is_less_like_the_rest() -> None:
    documents = [*_group(4, 4), *((3, False, True, frozenset({1, 2, 90 + n, 190 + n, 290 + n})) for n in range(5))]
    index = PooledWording(_texts(documents, 4), LEAST, SHARE)
    group = np.arange(4)
    likeness = index.likeness(group, index.common(group))
    assert likeness[:3].min() > likeness[3] > 0


@settings(deadline=None)  # the first call may load what was compiled
@given(documents_of, st.lists(st.lists(st.integers(0, 5), unique=True, min_size=4, max_size=4), min_size=1, max_size=5))
def test_many_groups_at_once_give_what_each_gives(documents: list[Document], groups: list[list[int]]) -> None:
    index, asked = PooledWording(_texts(documents, 6), LEAST, SHARE), np.array(groups, dtype=np.int64)
    np.testing.assert_array_equal(index.median_shares(asked), [float(np.median(_walked(documents, group))) for group in groups])
    np.testing.assert_array_equal(index.median_shares(asked), index.median_shares_one_by_one(asked))


def test_a_group_leaves_nothing_marked_for_the_next() -> None:
    documents = [document for half in (0, 1) for document in _group(4, 4) if half or document[0] < 4] + [(n, False, True, frozenset({1, 2})) for n in range(4, 8)]
    index = PooledWording(_texts(documents, 8), LEAST, SHARE)
    assert index.median_shares(np.array([[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]])).tolist() == [1.0, 0.0, 1.0]


def test_no_groups_have_no_medians() -> None:
    assert PooledWording(_texts([], 3), LEAST, SHARE).median_shares(np.zeros((0, 3), dtype=np.int64)).tolist() == []
