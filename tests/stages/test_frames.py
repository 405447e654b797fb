"""Tables cut by cluster give each cluster what a filter gives it, in the same order."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.frames import Parts, between, within

NUMBERS = st.integers(0, 9)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30), NUMBERS)
def test_a_part_is_a_filter(rows: list[tuple[int, int]], cluster: int) -> None:
    table, other = pl.DataFrame(rows, schema={"cluster": pl.Int64, "value": pl.Int64}, orient="row"), pl.DataFrame({"value": [1]})
    own = Parts({"table": table, "other": other}, {"table": table}).of(cluster)
    assert own["table"].rows() == [row for row in rows if row[0] == cluster]
    assert own["table"].schema == table.schema
    assert own["other"].equals(other)


@given(st.lists(NUMBERS, max_size=30), st.dictionaries(NUMBERS, st.integers(0, 3)))
def test_rows_of_accounts_go_to_their_clusters(accounts: list[int], home: dict[int, int]) -> None:
    rows = pl.DataFrame({"account_key": pl.Series(accounts, dtype=pl.Int64), "place": range(len(accounts))})
    members = pl.DataFrame(list(home.items()), schema={"account_key": pl.Int64, "cluster": pl.Int64}, orient="row")
    found = within(rows, members).select("account_key", "place", "cluster").rows()
    assert found == [(account, place, home[account]) for place, account in enumerate(accounts) if account in home]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30), st.dictionaries(NUMBERS, st.integers(0, 3)))
def test_links_stay_with_the_cluster_that_holds_both_ends(pairs: list[tuple[int, int]], home: dict[int, int]) -> None:
    links = pl.DataFrame(pairs, schema={"account_a": pl.Int64, "account_b": pl.Int64}, orient="row")
    members = pl.DataFrame(list(home.items()), schema={"account_key": pl.Int64, "cluster": pl.Int64}, orient="row")
    found = between(links, members).select("account_a", "account_b", "cluster").rows()
    assert found == [(a, b, home[a]) for a, b in pairs if a in home and b in home and home[a] == home[b]]
