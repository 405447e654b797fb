"""Components against a union-find of our own, communities and cuts on planted blocks, and nothing that depends on order."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import AgglomerativeClustering

from pipeline.measures import graph
from pipeline.measures.graph import bridges, communities, components, divide, linked_by_scipy, median_within, smallest_member, walked_components

EDGES = st.integers(1, 40).flatmap(lambda count: st.tuples(st.just(count), st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=60)))


def _ints(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _union_find(count: int, edges: list[tuple[int, int]]) -> list[int]:
    """The smallest node that can be reached from each node, found by merging sets one edge at a time."""
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            node = parent[node]
        return node

    for a, b in edges:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return [root(node) for node in range(count)]


def _blocks(sizes: list[int], within: float, across: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric bits of planted blocks under shuffled positions, and the block of each position."""
    rng = np.random.default_rng(seed)
    block = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    count = len(block)
    bits = np.where(block[:, None] == block[None, :], within, across) + rng.uniform(-0.5, 0.5, (count, count))
    bits = np.clip(np.triu(bits, 1), 0, None)
    return bits + bits.T, block


@settings(max_examples=60, deadline=None)
@given(EDGES)
def test_components_are_those_of_a_union_find(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    found = components(count, _ints([a for a, _ in edges]), _ints([b for _, b in edges]))
    assert found.tolist() == _union_find(count, edges)
    assert walked_components(count, _ints([a for a, _ in edges]), _ints([b for _, b in edges])).tolist() == _union_find(count, edges)


@pytest.mark.parametrize("chain", ["ascending", "shuffled"])
def test_a_long_chain_is_one_component_however_its_nodes_are_numbered(chain: str) -> None:
    nodes = np.arange(20_000) if chain == "ascending" else np.random.default_rng(5).permutation(20_000)
    assert not walked_components(20_000, nodes[:-1], nodes[1:]).any()


@settings(max_examples=20, deadline=None)
@given(EDGES, st.randoms(use_true_random=False))
def test_components_do_not_depend_on_the_order_or_direction_of_edges(graph: tuple[int, list[tuple[int, int]]], random) -> None:
    count, edges = graph
    turned = [(b, a) if random.random() < 0.5 else (a, b) for a, b in edges]
    random.shuffle(turned)
    one, other = (components(count, _ints([a for a, _ in e]), _ints([b for _, b in e])) for e in (edges, turned))
    assert one.tolist() == other.tolist()


@settings(max_examples=25, deadline=None)
@given(EDGES, st.integers(0, 1000), st.randoms(use_true_random=False))
def test_communities_do_not_depend_on_the_order_of_edges(graph: tuple[int, list[tuple[int, int]]], seed: int, random) -> None:
    count, raw = graph
    edges = sorted({(min(a, b), max(a, b)) for a, b in raw if a != b})
    weight = {edge: 1.0 + number % 7 for number, edge in enumerate(edges)}
    shuffled = random.sample(edges, len(edges))
    one, other = (
        communities(count, _ints([a for a, _ in e]), _ints([b for _, b in e]), np.array([weight[pair] for pair in e], dtype=np.float64), seed) if e else _ints(list(range(count)))
        for e in (edges, shuffled)
    )
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_communities_of_a_noisy_graph_do_not_depend_on_the_order_of_edges(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(0, 90, (400, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    order = rng.permutation(len(pairs))
    one, other = (communities(90, side[:, 0], side[:, 1], np.ones(len(side)), seed) for side in (pairs, pairs[order]))
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_communities_of_two_cliques_joined_by_one_weak_edge_are_the_cliques(seed: int) -> None:
    pairs = [(i, j) for start in (0, 6) for i in range(start, start + 6) for j in range(i + 1, start + 6)] + [(2, 9)]
    weight = np.array([10.0] * (len(pairs) - 1) + [0.5])
    found = communities(13, _ints([a for a, _ in pairs]), _ints([b for _, b in pairs]), weight, seed)
    assert found.tolist() == [0] * 6 + [6] * 6 + [12]


@settings(max_examples=25, deadline=None)
@given(EDGES)
def test_a_community_never_reaches_beyond_its_component(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, raw = graph
    edges = sorted({(min(a, b), max(a, b)) for a, b in raw if a != b})
    if edges:
        a, b = _ints([a for a, _ in edges]), _ints([b for _, b in edges])
        parts = _union_find(count, edges)
        for node, name in enumerate(communities(count, a, b, np.ones(len(edges)), 1).tolist()):
            assert parts[node] == parts[name]


def _pairs(edges: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return _ints([a for a, _ in edges]), _ints([b for _, b in edges])


def _parts_without(count: int, edges: list[tuple[int, int]], node: int) -> int:
    """Parts of two nodes or more among the neighbours' components once the node is gone."""
    label = components(count, *_pairs([edge for edge in edges if node not in edge]))
    near = {other for edge in edges for other in edge if node in edge and other != node}
    return sum(int((label == name).sum()) >= 2 for name in {int(label[other]) for other in near})


@settings(max_examples=200, deadline=None)
@given(EDGES)
def test_bridges_are_the_nodes_whose_loss_leaves_two_parts(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    edges = [edge for edge in edges if edge[0] != edge[1]]
    assert bridges(count, *_pairs(edges)).tolist() == [_parts_without(count, edges, node) >= 2 for node in range(count)]


def test_the_hub_of_a_star_is_no_bridge_and_the_link_of_two_triangles_is() -> None:
    assert not bridges(5, *_pairs([(0, 1), (0, 2), (0, 3), (0, 4)])).any()
    assert bridges(7, *_pairs([(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (5, 6), (4, 6)])).tolist() == [False, False, True, True, True, False, False]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-5, 5), max_size=30))
def test_a_group_is_named_by_its_smallest_position(labels: list[int]) -> None:
    assert smallest_member(_ints(labels)).tolist() == [labels.index(label) for label in labels]


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 20), st.integers(5, 20), st.integers(0, 10_000))
def test_divide_separates_two_planted_blocks_and_loses_nobody(first: int, second: int, seed: int) -> None:
    bits, block = _blocks([first, second], 16.0, 4.0, seed)
    found = {frozenset(part.tolist()) for part in divide(bits, 5, 0.6)}
    assert found == {frozenset(np.flatnonzero(block == name).tolist()) for name in (0, 1)}


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 30), st.floats(1.0, 40.0), st.integers(0, 10_000))
def test_divide_keeps_one_block_whole(size: int, level: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    upper = np.triu(level * rng.uniform(0.9, 1.1, (size, size)), 1)
    (part,) = divide(upper + upper.T, 5, 0.6)
    assert part.tolist() == list(range(size))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(2, 9), min_size=1, max_size=4), st.integers(0, 10_000))
def test_divide_does_not_depend_on_the_order_of_accounts(sizes: list[int], seed: int) -> None:
    bits, _ = _blocks(sizes, 15.0, 5.0, seed)
    order = np.random.default_rng(seed + 1).permutation(len(bits))
    there = {frozenset(part.tolist()) for part in divide(bits, 5, 0.6)}
    back = {frozenset(order[part].tolist()) for part in divide(bits[np.ix_(order, order)], 5, 0.6)}
    assert there == back


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.floats(0, 20), st.floats(0, 20), st.integers(5, 7), st.integers(0, 10_000))
def test_parts_are_disjoint_large_enough_and_largest_first(sizes: list[int], within: float, across: float, minimum: int, seed: int) -> None:
    bits, _ = _blocks(sizes, within, across, seed)
    parts = divide(bits, minimum, 0.6)
    members = [place for part in parts for place in part.tolist()]
    assert len(members) == len(set(members))
    assert all(len(part) >= minimum and part.tolist() == sorted(part.tolist()) for part in parts)
    assert [len(part) for part in parts] == sorted((len(part) for part in parts), reverse=True)


@pytest.mark.parametrize(("across", "parts"), [(7.0, 1), (5.0, 2)])
def test_a_loose_part_stays_with_a_tight_one_that_it_is_as_near_to_as_to_itself(across: float, parts: int) -> None:
    bits = np.full((14, 14), across)
    bits[:7, :7], bits[7:, 7:] = 30.0, 10.0
    np.fill_diagonal(bits, 0.0)
    assert len(divide(bits, 5, 0.6)) == parts


def test_divide_drops_a_stranger_and_keeps_the_rest() -> None:
    bits = np.full((8, 8), 12.0)
    bits[3, :] = bits[:, 3] = 1.0
    np.fill_diagonal(bits, 0.0)
    (part,) = divide(bits, 5, 0.6)
    assert part.tolist() == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_accounts_make_no_part(count: int) -> None:
    assert divide(np.full((count, count), 9.0), 5, 0.6) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 12), st.integers(0, 10_000))
def test_median_within_is_the_median_of_all_pairs(count: int, seed: int) -> None:
    bits, _ = _blocks([14], 10.0, 0.0, seed)
    members = np.sort(np.random.default_rng(seed).choice(14, count, replace=False))
    pairs = sorted(float(bits[i, j]) for place, i in enumerate(members) for j in members[place + 1 :])
    middle = len(pairs) // 2
    expected = 0.0 if not pairs else pairs[middle] if len(pairs) % 2 else (pairs[middle - 1] + pairs[middle]) / 2
    assert median_within(bits, members) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_scikit_learn_and_scipy_make_one_tree(count: int, seed: int, levels: int) -> None:
    """Few levels make ties, which either could break in its own way."""
    rng = np.random.default_rng(seed)
    distance = np.triu(rng.integers(0, levels + 1, (count, count)) / 7.0, 1)
    distance += distance.T
    tree = AgglomerativeClustering(n_clusters=None, distance_threshold=0.0, metric="precomputed", linkage="average").fit(distance)
    assert linked_by_scipy(distance).tolist() == tree.children_.tolist()


@pytest.mark.parametrize("is_loaded", [True, False])
def test_a_cut_does_not_depend_on_who_makes_the_tree(monkeypatch, is_loaded) -> None:
    bits, _ = _blocks([16, 12], 30.0, 4.0, 5)
    asked: list[int] = []

    def made(distance: np.ndarray) -> np.ndarray:
        asked.append(len(distance))
        return linked_by_scipy(distance)

    monkeypatch.setattr(graph, "linked_by_scipy", made)
    monkeypatch.setattr(graph, "sys", SimpleNamespace(modules={"sklearn": None} if is_loaded else {}))
    assert sorted(len(part) for part in divide(bits, 5, 0.6)) == [12, 16]
    assert asked == ([] if is_loaded else [28])
