"""How the members join: a drawing of up to sixty nodes (members, or blocks of them), a line where the run's own threshold of a link is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline import redact
from pipeline.measures.graph import components
from pipeline.pages import numbers
from pipeline.pages.assessment import unweighed_sentence
from pipeline.pages.holdings import Drawn
from pipeline.pages.incident.wording import of
from pipeline.pages.pieces import Numbering, unnumbered_table
from pipeline.pages.records import Cell, Figure, Picture, Table
from pipeline.pages.source import Row
from pipeline.pages.working import node_link
from pipeline.pages.working.bench import ROLES, Bench
from pipeline.pages.working.node_link import Line, Node
from pipeline.pages.working.wording import say

NODES, LINES = 60, 240
"""Most nodes and lines of the drawing."""


@dataclass(frozen=True)
class Linked:
    """Pairs of members that reach a link's threshold: places of both in the list of members, bits, the family with most of them."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    bits: tuple[float, ...]
    family: tuple[str, ...]


def linked(pairs: pl.DataFrame, ids: Sequence[str], edge_bits: float, family_bits: float) -> Linked:
    """Pairs with `edge_bits` in all, from two families of `family_bits` each, as the run counts an edge. In: a row a pair and family with its micro bits."""
    families = pairs.sort("account_a", "account_b", "micro", "family", descending=[False, False, True, False])
    whole = families.group_by("account_a", "account_b", maintain_order=True).agg(
        pl.col("micro").sum().alias("total"), (pl.col("micro") >= round(family_bits * 1e6)).sum().alias("strong"), pl.col("family").first()
    )
    kept = whole.filter((pl.col("total") / 1e6 >= edge_bits) & (pl.col("strong") >= 2))
    place = {name: at for at, name in enumerate(ids)}
    rows = [
        (place[a], place[b], round(total / 1e6, 6), family)
        for a, b, total, family in kept.select("account_a", "account_b", "total", "family").iter_rows()
        if a in place and b in place
    ]
    a, b, bits, names = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Linked(tuple(a), tuple(b), tuple(bits), tuple(names))


def pieces(count: int, links: Linked) -> list[int]:
    """How many members each piece holds that links alone join, the largest first; one for each member without a link."""
    if not count:
        return []
    label = components(count, np.array(links.a, dtype=np.int64), np.array(links.b, dtype=np.int64))
    return sorted(np.unique(label, return_counts=True)[1].tolist(), reverse=True)


def joins_figure(bench: Bench, network: Row, sheet: Drawn, ids: Sequence[str], numbering: Numbering) -> Figure:
    """The drawing of one network. In: its matrix, and its members by account_key."""
    anchor, label = numbering.figure()
    network_id, edge = network["network_id"], bench.edge_bits
    links = linked(bench.pairs(network), ids, edge, bench.source.config.networks.family_min_bits) if edge is not None else Linked((), (), (), ())
    roles = dict(bench.members(network_id).select("account_id", "role").iter_rows())
    nodes = _blocks(sheet, [roles.get(one) or "" for one in ids]) if sheet.matrix.grouped else _members(sheet, ids, roles)
    lines = _lines(nodes, links)
    shown, left = _strongest(lines, len(nodes))
    caption = _answer(len(ids), links, edge)
    return Figure(
        anchor=anchor,
        label=label,
        caption=caption,
        question=say("joins", "question"),
        counted=f"n = {numbers.counted(len(ids), 'members')} and {numbers.counted(len(links.a), 'linked pairs')}.",
        left_out=_left_out(sheet, left) if lines else "",
        pictures=(Picture("", node_link.picture_of(nodes, shown, f"{anchor}-a", caption)),) if lines else (),
        data=_data(nodes, lines, anchor, label, grouped=sheet.matrix.grouped),
        absent="" if lines else f"No figure. {unweighed_sentence(bench.source, network) or say('joins', 'absent')}",
    )


def _members(sheet: Drawn, ids: Sequence[str], roles: dict[str, str | None]) -> list[Node]:
    """A node a member, in the order of the matrix; without one, by account_key."""
    order = [int(group[0]) for group in sheet.members] if sheet.members else list(range(min(NODES, len(ids))))
    return [Node(redact.identifier(ids[place]), 1, roles.get(ids[place]) or "", (place,)) for place in order]


def _blocks(sheet: Drawn, roles: Sequence[str]) -> list[Node]:
    """A node a block of the matrix, with the role that most of it have."""
    found = []
    for block, group in zip(sheet.matrix.blocks, sheet.members, strict=True):
        own = [roles[int(place)] for place in group]
        most = max(ROLES, key=lambda role: (own.count(role), -ROLES.index(role)))
        found.append(Node(block.name, block.accounts, most, tuple(int(place) for place in group), tuple(own.count(role) for role in ROLES)))
    return found


def _lines(nodes: Sequence[Node], links: Linked) -> list[Line]:
    """Linked pairs between nodes, put together: how many, the most bits of one, the family that most of them have most of."""
    home = {place: number for number, node in enumerate(nodes) for place in node.members}
    found: dict[tuple[int, int], list[tuple[float, str]]] = {}
    for a, b, bits, family in zip(links.a, links.b, links.bits, links.family, strict=True):
        if a in home and b in home:
            found.setdefault((min(home[a], home[b]), max(home[a], home[b])), []).append((bits, family))
    return [_line(pair, held) for pair, held in sorted(found.items())]


def _line(pair: tuple[int, int], held: list[tuple[float, str]]) -> Line:
    families = [family for _, family in held]
    return Line(pair[0], pair[1], len(held), max(bits for bits, _ in held), max(sorted(set(families)), key=families.count))


def _strongest(lines: Sequence[Line], count: int) -> tuple[list[Line], int]:
    """As many lines as may be drawn, those first without which the drawing would fall into more pieces, then the strongest; and how many are left out."""
    between = sorted((line for line in lines if line.a != line.b), key=lambda line: (-line.bits, -line.pairs, line.a, line.b))
    parent = list(range(count))
    tree: list[Line] = []
    rest: list[Line] = []
    for line in between:
        a, b = _root(parent, line.a), _root(parent, line.b)
        (rest if a == b else tree).append(line)
        parent[a] = b
    kept = tree + rest[: max(0, LINES - len(tree))]
    return sorted(kept, key=lambda line: (line.bits, line.a, line.b)), len(between) - len(kept)


def _root(parent: list[int], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


def _answer(count: int, links: Linked, edge: float | None) -> str:
    if edge is None or not links.a:
        return say("joins", "none")
    sizes = pieces(count, links)
    values = {"pairs": numbers.counted(len(links.a), "pairs"), "edge": numbers.bits(edge), "largest": of(sizes[0], count, "members")}
    if sizes[0] == count:
        return say("joins", "whole", **values)
    single = sum(size == 1 for size in sizes)
    others = sum(size > 1 for size in sizes) - 1
    parts = [f"{numbers.counted(others, 'smaller pieces')} beside it"] if others else []
    parts += [f"{numbers.counted(single, 'members')} without a link of this weight"] if single else []
    return say("joins", "parts", rest=numbers.listed(parts), **values)


def _left_out(sheet: Drawn, left: int) -> str:
    kind = say("joins", "blocks" if sheet.matrix.grouped else "accounts")
    lines = say("joins", "lines", left=numbers.counted(left, "weaker lines")) if left else ""
    return " ".join(part for part in (kind, lines, say("joins", "scored")) if part)


def _data(nodes: Sequence[Node], lines: Sequence[Line], anchor: str, label: str, *, grouped: bool) -> Table:
    to: dict[int, list[Line]] = {}
    for line in lines:
        for end in {line.a, line.b}:
            to.setdefault(end, []).append(line)
    rows = [_row(number, node, to.get(number, []), grouped=grouped) for number, node in enumerate(nodes)]
    columns = "No. # | Block | Accounts # | Core # | Bridge # | Fringe # | Links inside # | Links to others # | Most bits # | Linked blocks"
    if not grouped:
        columns = "No. # | Account | Role | Links # | Most bits # | Most bits to"
    return unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}: numbers in the drawing", columns, rows if lines else [], empty="No pair is linked.")


def _row(number: int, node: Node, lines: Sequence[Line], *, grouped: bool) -> tuple[Cell | str, ...]:
    outside = [line for line in lines if line.a != line.b]
    best = max(outside, key=lambda line: (line.bits, -line.a, -line.b), default=None)
    bits = numbers.decimal(max((line.bits for line in lines), default=None)) if lines else "none"
    if not grouped:
        other = "nobody" if best is None else f"no. {numbers.count((best.b if best.a == number else best.a) + 1)}"
        return numbers.count(number + 1), Cell(node.name, tone="code"), node.role or "not recorded", numbers.count(len(outside)), bits, other
    inside = sum(line.pairs for line in lines if line.a == line.b)
    linked_to = sorted({(line.b if line.a == number else line.a) + 1 for line in outside})
    names = ", ".join(numbers.count(one) for one in linked_to) or "none"
    return (
        numbers.count(number + 1),
        node.name,
        numbers.count(node.accounts),
        *(numbers.count(count) for count in node.roles),
        numbers.count(inside),
        numbers.count(sum(line.pairs for line in outside)),
        bits,
        names,
    )
