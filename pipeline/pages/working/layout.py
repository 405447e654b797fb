"""Where the nodes of a small graph stand: a layout whose distances are those along the links, the same on every run.

Stress majorisation (Gansner, Koren, North 2004; de Leeuw's Guttman transform with equal weights) from a circle in the order of the nodes: no random number, no
linear algebra library, sums in a fixed order. Places are rounded to tenths of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Edge = tuple[int, int, float]

_STEPS, _PUSHES = 150, 200
_NEAR, _FAR = 0.7, 1.3
_CLEAR = 5.0
"""Pixels between two nodes."""
_STRETCH = 1.8
"""A layout is stretched so much at most to fill its box."""
_APART = 0.8
"""Beyond the longest distance in the graph: how far nodes stand that nothing connects."""


def places(radii: Sequence[float], edges: Sequence[Edge], width: float, height: float) -> list[tuple[float, float]]:
    """(x, y) of each node inside a box, clear of the others where there is room. In: radius of each node in pixels, edges as (node, node, strength 0..1)."""
    count = len(radii)
    if count < 2:
        return [(round(width / 2, 1), round(height / 2, 1))] * count
    wanted = _distances(count, edges)
    turn = 2 * np.pi * np.arange(count) / count
    at = np.stack([np.cos(turn), np.sin(turn)], axis=1) * wanted.max() / 2
    for _ in range(_STEPS):
        at = _guttman(at, wanted)
    size = np.array(radii, dtype=np.float64)
    spread = _pushed(_boxed(_level(at), width, height), width, height, size[:, None] + size[None, :] + _CLEAR)
    return [(round(float(x), 1), round(float(y), 1)) for x, y in spread]


def _distances(count: int, edges: Sequence[Edge]) -> Floats:
    """Lengths of shortest ways (Floyd and Warshall); a strong link is short."""
    found = np.full((count, count), np.inf)
    np.fill_diagonal(found, 0.0)
    for a, b, strength in edges:
        found[a, b] = found[b, a] = min(found[a, b], _FAR - (_FAR - _NEAR) * strength)
    for middle in range(count):
        found = np.minimum(found, found[:, middle, None] + found[None, middle, :])
    reached = found[np.isfinite(found)]
    found[~np.isfinite(found)] = float(reached.max()) + _APART
    return found


def _guttman(at: Floats, wanted: Floats) -> Floats:
    """One step that never adds stress."""
    gaps = at[:, None, :] - at[None, :, :]
    here = np.sqrt((gaps**2).sum(axis=2))
    ratio = np.divide(wanted, here, out=np.zeros_like(here), where=here > 1e-9)
    moved: Floats = (ratio[:, :, None] * gaps).sum(axis=1) / len(at)
    return moved


def _level(at: Floats) -> Floats:
    """Turned so that the longer way lies across, the first node to the left and not below the middle."""
    centred = at - at.mean(axis=0)
    x, y = centred[:, 0], centred[:, 1]
    angle = 0.5 * np.arctan2(2 * (x * y).sum(), (x * x).sum() - (y * y).sum())
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack([cos * x + sin * y, cos * y - sin * x], axis=1)
    turned[:, turned[0] > 0] *= -1
    return turned


def _boxed(at: Floats, width: float, height: float) -> Floats:
    """As large as the box takes, in its middle."""
    span = np.maximum(at.max(axis=0) - at.min(axis=0), 1e-9)
    fits = np.array([width, height]) / span
    scale = np.minimum(fits, _STRETCH * fits.min())
    middle = (at.max(axis=0) + at.min(axis=0)) / 2
    boxed: Floats = (at - middle) * scale + np.array([width / 2, height / 2])
    return boxed


def _pushed(at: Floats, width: float, height: float, gap: Floats) -> Floats:
    """Nodes that stand too close, pushed apart step by step; two in one place go to both sides."""
    own = np.eye(len(at), dtype=np.bool_)
    side = np.stack([np.arange(len(at), dtype=np.float64), np.ones(len(at))], axis=1)
    for _ in range(_PUSHES):
        gaps = at[:, None, :] - at[None, :, :]
        here = np.sqrt((gaps**2).sum(axis=2))
        lacks = np.where(own, 0.0, np.maximum(0.0, gap - here))
        if lacks.max() < 0.05:
            break
        gaps = np.where((here < 1e-6)[:, :, None], side[:, None, :] - side[None, :, :], gaps)
        length = np.maximum(np.sqrt((gaps**2).sum(axis=2)), 1e-6)
        at = at + (gaps / length[:, :, None] * lacks[:, :, None]).sum(axis=1) / 2
        at = np.clip(at, 0.0, np.array([width, height]))
    return at
