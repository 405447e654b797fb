"""The drawing of nodes and lines: discs for core members, diamonds for bridges, rings for the fringe, each with its number; lines by family of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.kinds import FAMILIES, GATE_FAMILIES
from pipeline.pages import numbers
from pipeline.pages.incident.drawings.canvas import BLUE, FAMILY_COLOURS, GREY, ORANGE, WIDTH, Canvas
from pipeline.pages.svg_gate import INK
from pipeline.pages.working.layout import places

if TYPE_CHECKING:
    from markupsafe import Markup

_DARK, _WHITE = "#1a1e23", "#ffffff"
_EDGE, _KEY = 26, 44
_SMALL, _LARGE = 9.5, 22.0


@dataclass(frozen=True)
class Node:
    """A member, or a block of them."""

    name: str
    accounts: int
    role: str
    """its role; of a block the most frequent one"""
    members: tuple[int, ...]
    """places in the list of members"""
    roles: tuple[int, ...] = ()
    """of a block: how many are core, bridge and fringe"""


@dataclass(frozen=True)
class Line:
    """What links two nodes, or the members of one block."""

    a: int
    b: int
    pairs: int
    bits: float
    """of its strongest pair"""
    family: str
    """the family that most of these pairs have most bits of"""


def picture_of(nodes: Sequence[Node], lines: Sequence[Line], name: str, description: str) -> Markup:
    """Nodes at their places with the lines between them, weak ones below, and a key."""
    radii = [_radius(node, nodes) for node in nodes]
    height = 150 + 260 * min(1.0, len(nodes) / 40)
    most = max((line.bits for line in lines), default=1.0) or 1.0
    edges = [(line.a, line.b, max(0.0, line.bits / most)) for line in lines]
    at = [(x + _EDGE, y + _EDGE) for x, y in places(radii, edges, WIDTH - 2 * _EDGE, height)]
    canvas = Canvas(WIDTH, height + 2 * _EDGE + _KEY)
    pairs = max((line.pairs for line in lines), default=1)
    for line in lines:
        (x1, y1), (x2, y2) = at[line.a], at[line.b]
        width = 0.8 + 3.2 * (line.pairs / pairs) ** 0.5 if pairs > 1 else 1.1
        canvas.line(x1, y1, x2, y2, stroke=FAMILY_COLOURS.get(line.family, GREY), width=width, opacity=0.35 if len(lines) > 80 else 0.55, dash=_dash(line.family))
    for number, (node, (x, y), radius) in enumerate(zip(nodes, at, radii, strict=True), start=1):
        _node(canvas, node, x, y, radius, number)
    _key(canvas, nodes, lines, height + 2 * _EDGE + 12)
    return canvas.drawn(name, "How the members join", description)


def _radius(node: Node, nodes: Sequence[Node]) -> float:
    """An area in proportion to the accounts of a block."""
    most = max(one.accounts for one in nodes)
    return _SMALL if most == 1 else max(_SMALL, _LARGE * (node.accounts / most) ** 0.5)


def _dash(family: str) -> str:
    """Lines of a family that opens no gate are broken, so that colour is not alone in telling."""
    return "" if family in GATE_FAMILIES else "5 3"


def _node(canvas: Canvas, node: Node, x: float, y: float, radius: float, number: int) -> None:
    ink = _DARK
    if node.role == "core":
        canvas.circle(x, y, radius, BLUE, stroke=INK)
        ink = _WHITE
    elif node.role == "bridge":
        wide = radius * 1.25
        canvas.path(f"M{x:.1f},{y - wide:.1f}l{wide:.1f},{wide:.1f}l{-wide:.1f},{wide:.1f}l{-wide:.1f},{-wide:.1f}z", fill=ORANGE)
    else:
        canvas.circle(x, y, radius, _WHITE, stroke=INK)
    canvas.text(x, y + 3.2, numbers.count(number), size=9, anchor="middle", fill=ink)


def _key(canvas: Canvas, nodes: Sequence[Node], lines: Sequence[Line], y: float) -> None:
    """Shapes and lines that occur, in words."""
    x = 4.0
    for role in ("core", "bridge", "fringe"):
        if any(node.role == role for node in nodes):
            _shape(canvas, role, x + 8, y)
            canvas.text(x + 20, y + 4, role)
            x += 34 + 6.2 * len(role)
    present = [family for family in FAMILIES if any(line.family == family for line in lines)]
    for family in [*present, *sorted({line.family for line in lines} - set(FAMILIES))]:
        canvas.line(x, y, x + 24, y, stroke=FAMILY_COLOURS.get(family, GREY), width=2.5, dash=_dash(family))
        canvas.text(x + 30, y + 4, f"most bits: {family}")
        x += 50 + 5.8 * (11 + len(family))
        if x > WIDTH - 120:
            x, y = 4.0, y + 20


def _shape(canvas: Canvas, role: str, x: float, y: float) -> None:
    if role == "bridge":
        canvas.path(f"M{x:.1f},{y - 8:.1f}l8,8l-8,8l-8,-8z", fill=ORANGE)
    else:
        canvas.circle(x, y, 6.5, BLUE if role == "core" else _WHITE, stroke=INK)
