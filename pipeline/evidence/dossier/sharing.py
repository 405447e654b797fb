"""Which members hold which shared values, as a small matrix that can be drawn and read: blocks of members against the values that join most of them.

Values are named `payment 3`, never by what they are. Word 4-grams and other values that the same members hold stand as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.evidence.finished import FinishedRun
from pipeline.kinds import FAMILIES
from pipeline.pages.incident.records import Attribute, Block, Matrix

Grid = NDArray[np.bool_]

MATRIX_ROWS, MATRIX_COLUMNS, MATRIX_OF_KIND = 72, 34, 6
GRAPH_ROWS, GRAPH_COLUMNS, GRAPH_OF_KIND = 36, 24, 5
"""Rows, columns and columns of one kind that a drawing takes; a graph of both has 60 nodes at most."""


@dataclass(frozen=True)
class Holdings:
    """What the members of one network share: (kind, value) by member, and each value's counts."""

    keys: NDArray[np.int64]
    """account_key of each member, ascending"""
    values: pl.DataFrame
    """kind, family, value_key, inside, holders: shared values, by family and reach"""
    held: pl.DataFrame
    """kind, value_key, place: place of the holder in `keys`"""


def holdings(run: FinishedRun, cluster: int, keys: Sequence[int]) -> Holdings:
    """What the members (account keys) of a cluster share, at least two holding it."""
    ordered = np.sort(np.array(keys, dtype=np.int64))
    shared = run.where("cluster_values", cluster=cluster).filter(pl.col("inside_count") >= 2).select("kind", "value_key")
    own = run.among("shared_values", {"account_key": ordered.tolist()}) if len(ordered) else run.table("shared_values").clear()
    rows = own.join(shared, on=["kind", "value_key"], how="semi").select("kind", "family", "value_key", "account_key", "df").unique(["kind", "value_key", "account_key"])
    held = rows.with_columns(pl.Series("place", np.searchsorted(ordered, rows["account_key"].to_numpy()), dtype=pl.Int64))
    order = pl.col("family").replace_strict({name: place for place, name in enumerate(FAMILIES)}, default=len(FAMILIES), return_dtype=pl.Int32)
    values = held.group_by("kind", "family", "value_key").agg(pl.len().cast(pl.Int64).alias("inside"), pl.col("df").max().alias("holders")).filter(pl.col("inside") >= 2)
    ranked = values.sort(order, "kind", "inside", "holders", "value_key", descending=[False, False, True, False, False])
    return Holdings(ordered, ranked, held.select("kind", "value_key", "place"))


def matrix(held: Holdings, named: Callable[[int], str], *, rows: int, columns: int, of_kind: int, families: Sequence[str] = FAMILIES) -> Matrix:
    """The matrix of at most `rows` blocks and `columns` values. `named` gives the released name of an account key."""
    values = held.values.filter(pl.col("family").is_in(list(families)))
    attributes, grid = _columns(held, values, columns, of_kind)
    value_count, size = values.height, len(held.keys)
    if not attributes or not size:
        return Matrix((), (), value_count, 0, grouped=False)
    patterns, member_of = np.unique(grid, axis=0, return_inverse=True)
    member_of = member_of.reshape(-1)
    if size <= rows:
        order = np.lexsort(tuple(np.flipud(~grid.T)))
        blocks = tuple(Block(named(int(held.keys[place])), 1, tuple(float(on) for on in grid[place])) for place in order)
        return Matrix(attributes, blocks, value_count, size, grouped=False)
    return Matrix(attributes, _blocks(grid, patterns, member_of, rows), value_count, size, grouped=True)


def _columns(held: Holdings, values: pl.DataFrame, most: int, of_kind: int) -> tuple[tuple[Attribute, ...], Grid]:
    """Columns of the matrix: of each kind the values that join most members, and one for all its others."""
    attributes: list[Attribute] = []
    columns: list[Grid] = []
    kinds = values.select("family", "kind").unique(maintain_order=True)
    share = max(1, min(of_kind, most // max(1, kinds.height)))
    for family, kind in kinds.iter_rows():
        table = values.filter(pl.col("kind") == kind)
        for label, column, inside, holders in _of_kind(held, table, kind, share):
            attributes.append(Attribute(label, kind, family, inside, holders))
            columns.append(column)
    grid = np.stack(columns, axis=1) if columns else np.zeros((len(held.keys), 0), dtype=np.bool_)
    return tuple(attributes), grid


def _of_kind(held: Holdings, table: pl.DataFrame, kind: str, share: int) -> list[tuple[str, Grid, int, int]]:
    """(label, who holds it, members, holders in the log) of the first values of a kind, equal ones as one, and of the rest together."""
    size, own = len(held.keys), held.held.filter(pl.col("kind") == kind)
    seen: dict[bytes, int] = {}
    found: list[tuple[Grid, int, int]] = []
    candidates = table.head(40 * share)
    places = {key: part["place"].to_numpy() for (key,), part in own.join(candidates, on="value_key", how="semi").partition_by("value_key", as_dict=True).items()}
    shown: set[int] = set()
    for value_key, inside, holders in candidates.select("value_key", "inside", "holders").iter_rows():
        column = np.zeros(size, dtype=np.bool_)
        column[places[value_key]] = True
        mark = column.tobytes()
        if mark not in seen and len(found) < share:
            seen[mark] = len(found)
            found.append((column, inside, holders))
        if mark in seen:
            shown.add(value_key)
    rows = [(f"{kind} {number}", *entry) for number, entry in enumerate(found, start=1)]
    rest = table.height - len(shown)
    if rest:
        others = own.filter(~pl.col("value_key").is_in(list(shown)) & pl.col("value_key").is_in(table["value_key"].implode()))
        column = np.zeros(size, dtype=np.bool_)
        column[others["place"].to_numpy()] = True
        rows.append((f"{kind}, {rest} more", column, int(column.sum()), 0))
    return rows


def _blocks(grid: Grid, patterns: Grid, member_of: NDArray[np.int64], rows: int) -> tuple[Block, ...]:
    """Members with equal patterns as one block; beyond `rows` patterns, those of fewest members go to the block of their first value."""
    sizes = np.bincount(member_of, minlength=len(patterns))
    first = np.where(grid.any(axis=1), grid.argmax(axis=1), grid.shape[1])
    kept = np.argsort(-sizes, kind="stable")[: max(1, rows - grid.shape[1] - 1)] if len(patterns) > rows else np.arange(len(patterns))
    label = np.where(np.isin(member_of, kept), member_of, len(patterns) + first)
    groups = [np.flatnonzero(label == name) for name in np.unique(label)]
    shares = [tuple(round(float(share), 6) for share in grid[group].mean(axis=0)) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: (tuple(-round(share) for share in shares[place]), -len(groups[place]), shares[place]))
    return tuple(Block(f"block {number}", len(groups[place]), shares[place]) for number, place in enumerate(order, start=1))
