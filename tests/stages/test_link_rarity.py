"""Links by rarity: the same table as one statement of SQL over the same rows gives, row cases, and nothing for nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.measures import backends, pairs
from tests.stages.builders import CONFIG, Frames, frame, kind_table, python_stage, stage_named

STAGE = stage_named("pipeline.stages.link_rarity:link_rarity")
ORACLE = (Path(__file__).parent / "link_rarity.sql").read_text(encoding="utf-8")
CONNECTION = duckdb.connect(config={"threads": 1})
KINDS = kind_table(CONFIG.links)
USED = ("ip", "payment", "system", "template", "settings")
SHARES = (1.0, 0.81, 0.5, 0.25, 0.04)
HOLDINGS = st.dictionaries(st.tuples(st.sampled_from(USED), st.integers(0, 6), st.integers(0, 6)), st.sampled_from(SHARES), max_size=80)
"""The share of each (kind, value, account)."""


def _links(values: pl.DataFrame, proposed: list[tuple[int, int]], kinds: pl.DataFrame = KINDS) -> pl.DataFrame:
    tables = {"candidate_pairs": frame("candidate_pairs", [{"account_a": a, "account_b": b} for a, b in proposed]), "shared_values": values, "kinds": kinds}
    return python_stage(STAGE, tables, CONFIG)["link_rarity"]


def _in_sql(tables: Frames) -> pl.DataFrame:
    for name, table in tables.items():
        CONNECTION.register(name, table.to_arrow())
    found = pl.from_arrow(CONNECTION.sql(ORACLE).to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


def _values(held: dict[tuple[str, int, int], float], worth: list[int], df: list[int]) -> pl.DataFrame:
    """In: holdings; worth and holders of the value of each number."""
    rows = [
        {"kind": kind, "value_key": 10 - value, "account_key": account, "share": share, "df": df[value], "rarity_micro_bits": worth[value]}
        for (kind, value, account), share in held.items()
    ]
    return frame("shared_values", rows)


@settings(max_examples=40, deadline=None)
@given(HOLDINGS, st.lists(st.sampled_from([0, 1, 3_000_001, 4_000_000, 9_999_999]), min_size=7, max_size=7), st.lists(st.integers(2, 4), min_size=7, max_size=7))
@pytest.mark.parametrize("is_compiled", [False, True])
def test_links_are_those_that_sql_gives(is_compiled: bool, held: dict[tuple[str, int, int], float], worth: list[int], df: list[int]) -> None:
    proposed = [(a, b) for a in range(7) for b in range(a + 1, 7) if (a + b) % 5]
    values = _values(held, worth, df)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "_FEW", 0 if is_compiled else 1_000_000)
        patch.setattr(pairs, "_compiled", pairs._compiled if is_compiled else dict)
        found = _links(values, proposed)
    tables = {"candidate_pairs": frame("candidate_pairs", [{"account_a": a, "account_b": b} for a, b in proposed]), "shared_values": values, "kinds": KINDS}
    assert_frame_equal(found, _in_sql(tables), check_exact=True)


def test_compiled_functions_are_what_the_test_above_compares() -> None:
    assert backends.is_compiled()
    assert set(pairs._compiled()) == {"shared_micro_bits", "shared_by_kind"}


def test_no_pairs_and_no_values_have_no_links() -> None:
    nothing = frame("shared_values", [])
    assert _links(nothing, []).height == 0
    assert _links(_values({("ip", 0, 1): 1.0, ("ip", 0, 2): 1.0}, [1] * 7, [2] * 7), []).height == 0


def test_pairs_that_share_nothing_have_no_links() -> None:
    held = {("ip", 0, 1): 1.0, ("ip", 1, 2): 1.0, ("payment", 0, 2): 1.0, ("payment", 0, 3): 1.0}
    assert _links(_values(held, [5_000_000] * 7, [2] * 7), [(1, 2), (1, 3)]).height == 0


def _kinds(**changed: tuple[int, int]) -> pl.DataFrame:
    """The kinds named alone, each with the cap (micro bits) and the least support given."""
    rows = [{**row, "cap_micro_bits": changed[row["kind"]][0], "min_support": changed[row["kind"]][1]} for row in KINDS.iter_rows(named=True) if row["kind"] in changed]
    return pl.DataFrame(rows, schema=KINDS.schema)


def test_the_rarest_value_counts_in_full_the_others_by_a_quarter_and_the_rarest_is_named() -> None:
    held = {("ip", value, account): 1.0 for value, account in ((0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 3))}
    values = _values(held, [3_000_000, 4_000_000, 4_000_000, 0, 0, 0, 0], [4, 2, 2, 2, 2, 2, 2])
    assert _links(values, [(1, 2)], _kinds(ip=(99_000_000, 1))).rows() == [(1, 2, "ip", 4.75, 2, 2, 9)]


def test_bits_weigh_by_the_geometric_mean_of_shares_stop_at_the_cap_and_need_their_support() -> None:
    held = {("system", 0, 1): 0.5, ("system", 0, 2): 0.125} | {("template", 0, account): 1.0 for account in (1, 2)}
    held |= {("template", value, account): 1.0 for value in (1, 2) for account in (3, 4)}
    found = _links(_values(held, [8_000_000] * 7, [2] * 7), [(1, 2), (3, 4)], _kinds(system=(5_000_000, 1), template=(5_000_000, 2)))
    assert found.rows() == [(1, 2, "system", 2.0, 1, 2, 10), (3, 4, "template", 5.0, 2, 2, 8)]


def test_of_values_worth_the_same_that_of_fewest_holders_is_named_then_that_of_the_smallest_key() -> None:
    held = {("ip", value, account): 1.0 for value in range(4) for account in (1, 2)}
    assert _links(_values(held, [4_000_000] * 7, [3, 2, 2, 3, 2, 2, 2]), [(1, 2)])["value_key"].to_list() == [8]
    assert _links(_values(held, [4_000_000, 4_000_000, 4_000_000, 4_000_001, 0, 0, 0], [3, 2, 2, 3, 2, 2, 2]), [(1, 2)])["value_key"].to_list() == [7]


def test_a_kind_that_is_not_known_makes_no_link() -> None:
    held = {(kind, 0, account): 1.0 for kind in ("ip", "payment") for account in (1, 2)}
    assert _links(_values(held, [4_000_000] * 7, [2] * 7), [(1, 2)], _kinds(ip=(99_000_000, 1)))["kind"].to_list() == ["ip"]


def test_more_pairs_than_are_scored_at_once_give_each_its_links() -> None:
    values = _values({("ip", 0, account): 1.0 for account in range(450)}, [4_000_000] * 7, [450] * 7)
    proposed = [(a, b) for a in range(450) for b in range(a + 1, 450)]
    found = _links(values, proposed)
    assert len(proposed) > pairs._CHUNK
    assert found.select("account_a", "account_b").rows() == proposed
    assert (found["bits"] == 4.0).all()
