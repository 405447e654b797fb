"""Communities and cuts: the only home of igraph and of scikit-learn's clustering.

Every function is deterministic: seeds are arguments, ties break by position, and results are labelled by their smallest
member, so that the order of the input pairs does not matter.
"""

from __future__ import annotations

import random
import sys

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_FEW = 400
"""Accounts up to which a tree is made without scikit-learn, if nothing else has loaded it."""
_FEW_EDGES = 1_000_000
"""Pairs up to which parts are found without scipy's graphs, if nothing else has loaded them: that takes a third of a cpu second."""


def components(count: int, a: Ints, b: Ints) -> Ints:
    """Connected components. In: number of nodes, two arrays of node positions. Out: (count,), each node's smallest fellow. Empty: each node alone."""
    if len(a) <= _FEW_EDGES and "scipy.sparse.csgraph" not in sys.modules:
        return walked_components(count, a, b)
    from scipy.sparse import csgraph  # here and below: what many callers do without takes a tenth of a cpu second or more to load

    graph = sparse.coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(count, count))
    _, labels = csgraph.connected_components(graph, directed=False)
    return smallest_member(labels.astype(np.int64))


def walked_components(count: int, a: Ints, b: Ints) -> Ints:
    """See `components`; in numpy. Each part hangs on the smallest one that it touches until none touches a smaller one, which halves their number each time."""
    label = np.arange(count, dtype=np.int64)
    while len(a):
        left, right = label[a], label[b]
        apart = left != right
        a, b, left, right = a[apart], b[apart], left[apart], right[apart]
        np.minimum.at(label, np.maximum(left, right), np.minimum(left, right))
        while not np.array_equal(label, label[label]):
            label = label[label]
    return label


def communities(count: int, a: Ints, b: Ints, weight: Floats, seed: int) -> Ints:
    """Leiden communities by modularity (Traag, Waltman, van Eck 2019). In: nodes, edges, weights > 0. Out: (count,), each node's smallest fellow."""
    import igraph

    order = np.lexsort((b, a))
    graph = igraph.Graph(n=count, edges=np.stack([a[order], b[order]], axis=1).tolist())
    igraph.set_random_number_generator(random.Random(seed))
    found = graph.community_leiden(objective_function="modularity", weights=weight[order].tolist(), n_iterations=10)
    return smallest_member(np.array(found.membership, dtype=np.int64))


def bridges(count: int, a: Ints, b: Ints) -> NDArray[np.bool_]:
    """Nodes that join parts which would fall apart without them, each of two nodes or more. In: number of nodes, two arrays of node positions. Out: (count,). Empty: none.

    The parts of an articulation point hang on it as subtrees of the block-cut tree (Harary and Prins 1966), so all their sizes come from one walk. Where each node is tied to half
    of all or more there is none: a circle goes through all nodes (Dirac 1952).
    """
    ties_of = np.bincount(np.concatenate(np.divmod(np.unique((np.minimum(a, b) * count + np.maximum(a, b))[a != b]), max(1, count))), minlength=count)
    if 2 * ties_of.min(initial=count) >= count:
        return np.zeros(count, dtype=np.bool_)
    import igraph

    blocks, points = igraph.Graph(n=count, edges=np.stack([a, b], axis=1).tolist()).biconnected_components(return_articulation_points=True)
    if not points:
        return np.zeros(count, dtype=np.bool_)
    from scipy.sparse import csgraph

    number = {point: place for place, point in enumerate(sorted(points))}
    first = len(number)
    ties = [(number[node], first + place) for place, block in enumerate(blocks) for node in block if node in number]
    weight = np.array([1] * first + [sum(node not in number for node in block) for block in blocks], dtype=np.int64)
    tree = sparse.coo_matrix((np.ones(len(ties)), tuple(zip(*ties, strict=True)) if ties else ((), ())), shape=(len(weight), len(weight))).tocsr()
    label = csgraph.connected_components(tree, directed=False)[1]
    roots = np.unique(label, return_index=True)[1]
    below, parts = weight, np.zeros(len(weight), dtype=np.int64)  # nodes at and beyond each node of the tree; its branches of two nodes or more
    for root in roots:
        order, parent = csgraph.breadth_first_order(tree, root, directed=False)
        for node in order[:0:-1]:
            below[parent[node]] += below[node]
            parts[parent[node]] += below[node] >= 2
    found = np.zeros(count, dtype=np.bool_)
    for point, place in number.items():
        found[point] = parts[place] + (below[roots[label[place]]] - below[place] >= 2) >= 2
    return found


def smallest_member(labels: Ints) -> Ints:
    """Name each group by the smallest position in it. In: (n,) labels of any values. Out: (n,). Empty: empty."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def divide(bits: Floats, minimum: int, cross_share: float) -> list[Ints]:
    """Cut a community where what holds across is clearly weaker than what holds within.

    In: symmetric (n, n) bits between its accounts; the least size of a part; the share of the weaker side's median within
    that the median across must reach for two parts to stay together. Out: parts as sorted positions, largest first; accounts
    in no part are left out. Average linkage (scikit-learn) proposes each cut, from the top down. Empty: no parts.
    """
    count = len(bits)
    if count < minimum:
        return []
    ceiling = float(bits.max()) if count else 0.0
    distance = ceiling - bits
    np.fill_diagonal(distance, 0.0)
    children = _average_linkage(distance)
    members = _members(count, children)
    parts: list[Ints] = []
    waiting = [2 * count - 2] if count > 1 else []
    while waiting:
        node = waiting.pop()
        left, right = children[node - count] if node >= count else (node, node)
        small, large = sorted((int(left), int(right)), key=lambda child: (len(members[child]), child))
        if node >= count and len(members[large]) >= minimum and _stay_apart(bits, members[small], members[large], cross_share):
            waiting.extend(child for child in (small, large) if len(members[child]) >= minimum)
        else:
            parts.append(np.sort(members[node]))
    return sorted(parts, key=lambda part: (-len(part), int(part[0])))


def _average_linkage(distance: Floats) -> Ints:
    """The two nodes that each step joins. In: symmetric (n, n), n >= 2. Out: (n - 1, 2); node n + k is what step k made.

    scikit-learn takes more than a cpu second to load and asks scipy for this tree, so that for a few accounts scipy is asked.
    """
    if len(distance) <= _FEW and "sklearn" not in sys.modules:
        return linked_by_scipy(distance)
    from sklearn.cluster import AgglomerativeClustering

    tree = AgglomerativeClustering(n_clusters=None, distance_threshold=0.0, metric="precomputed", linkage="average").fit(distance)
    return np.asarray(tree.children_, dtype=np.int64)


def linked_by_scipy(distance: Floats) -> Ints:
    """See `_average_linkage`; in scipy."""
    from scipy.cluster import hierarchy

    children: Ints = hierarchy.linkage(distance[np.triu_indices(len(distance), k=1)], method="average")[:, :2].astype(np.int64)
    return children


def _members(count: int, children: NDArray[np.int64]) -> list[Ints]:
    members: list[Ints] = [np.array([position], dtype=np.int64) for position in range(count)]
    for left, right in children:
        members.append(np.concatenate([members[left], members[right]]))
    return members


def _stay_apart(bits: Floats, a: Ints, b: Ints, cross_share: float) -> bool:
    """Whether the median across is below the share of the smaller median within; a single account has no within of its own."""
    within = [median_within(bits, part) for part in (a, b) if len(part) > 1]
    across = float(np.median(bits[np.ix_(a, b)]))
    return across < cross_share * min(within)


def median_within(bits: Floats, members: Ints) -> float:
    """Median bits over the pairs of a group. In: symmetric bits, positions. Out: bits; 0 for fewer than two members."""
    if len(members) < 2:
        return 0.0
    block = bits[np.ix_(members, members)]
    upper = block[np.triu_indices(len(members), k=1)]
    return float(np.median(upper))
