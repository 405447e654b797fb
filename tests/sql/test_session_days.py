"""A day's shared conversations against the rule walked turn by turn, in whatever order rows come and however many days are made at once."""

from __future__ import annotations

import io
from itertools import groupby, pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import schema
from pipeline.engines.duckdb import DuckEngine, arrow_schema

FILE = "22_session_days.sql"
DAY_US, HOUR_US = 86_400_000_000, 3_600_000_000
START_US = 20_576 * DAY_US
COLUMNS = pl.from_arrow(arrow_schema(schema.REQUESTS).empty_table()).schema


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    with DuckEngine(threads=1, memory_bytes=10**9, temp_dir=tmp_path_factory.mktemp("spill")) as engine:
        yield engine


REQUEST = st.fixed_dictionaries(
    {
        "account_key": st.integers(1, 3),
        "ts_us": st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 2, HOUR_US, HOUR_US + 1, HOUR_US + 2, 2 * HOUR_US + 2, DAY_US - 1])).map(
            lambda at: START_US + at[0] * DAY_US + at[1]
        ),
        "session_key": st.one_of(st.none(), st.integers(1, 3)),
        "message_count": st.one_of(st.none(), st.integers(1, 3)),
        "is_opaque_session": st.one_of(st.none(), st.booleans()),
    }
)


def _frame(rows):
    return pl.DataFrame(rows, schema={name: kind for name, kind in COLUMNS.items() if not rows or name in rows[0]}).select(
        (pl.col(name) if not rows or name in rows[0] else pl.lit(None, dtype=kind)).alias(name) for name, kind in COLUMNS.items()
    )


def _made(duck, rows, order):
    duck.register("requests", _frame(sorted(rows, key=order)))
    return pl.from_arrow(duck.select(FILE, {}))


def _walked(rows):
    """The table as its description says, one conversation after the other."""
    found = []
    known = sorted((row for row in rows if row["session_key"] is not None), key=lambda row: (row["ts_us"] // DAY_US, row["session_key"], row["ts_us"], row["request_id"]))
    for (day, session), group in groupby(known, key=lambda row: (row["ts_us"] // DAY_US, row["session_key"])):
        turns = list(group)
        if len({turn["account_key"] for turn in turns}) < 2:
            continue
        fewest = min((turn["message_count"] for turn in turns if turn["message_count"] is not None), default=None)
        taken = [(later, later["ts_us"] - earlier["ts_us"] <= HOUR_US) for earlier, later in pairwise(turns) if earlier["account_key"] != later["account_key"]]
        for account in sorted({turn["account_key"] for turn in turns}):
            own = [turn for turn in turns if turn["account_key"] == account]
            counted, begun = own[0]["message_count"], own[0] is turns[0]
            takes = [near for turn, near in taken if turn["account_key"] == account]
            went_on = None if begun or counted is None else counted > fewest
            opaque = all(turn["is_opaque_session"] is True for turn in own)
            found.append((day, session, account, len(own), own[0]["ts_us"], own[-1]["ts_us"], len(takes), sum(takes), went_on, opaque, own[0]["request_id"], own[0]["source_row"]))
    return found


@settings(deadline=None, max_examples=60)
@given(st.lists(REQUEST, max_size=25), st.randoms(use_true_random=False))
def test_conversations_are_those_of_the_rule_walked_turn_by_turn(duck, drawn, draw):
    names = draw.sample(range(100), len(drawn))
    rows = [row | {"request_id": f"r{name:02}", "source_file": "f", "source_row": place} for place, (row, name) in enumerate(zip(drawn, names, strict=True))]
    table = _made(duck, rows, lambda row: row["source_row"])
    assert table.drop("source_file").with_columns(pl.col("day").to_physical().cast(pl.Int64)).rows() == _walked(rows)
    assert table.equals(_made(duck, rows, lambda row: row["request_id"]))
    alone = [_made(duck, [row for row in rows if row["ts_us"] // DAY_US == day], lambda row: -row["source_row"]) for day in sorted({row["ts_us"] // DAY_US for row in rows})]
    assert table.equals(pl.concat([table.clear(), *alone]))


def test_a_day_has_the_same_bytes_whatever_file_its_rows_came_from_but_for_the_name_of_the_file(duck, tmp_path):
    """Two systems may use one request id: then the account decides, not the file."""
    common = {"ts_us": START_US, "session_key": 1, "message_count": 1, "is_opaque_session": True, "request_id": "same"}
    bytes_of = []
    for names in (("a", "b"), ("b", "a")):
        rows = [common | {"account_key": account, "source_file": name, "source_row": 1} for account, name in zip((1, 2), names, strict=True)]
        table = _made(duck, rows, lambda row: row["source_file"])
        assert table["taken_count"].to_list() == [0, 1]
        table.drop("source_file").write_parquet(target := io.BytesIO())
        bytes_of.append(target.getvalue())
    assert bytes_of[0] == bytes_of[1]
