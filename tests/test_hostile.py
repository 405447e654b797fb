"""The hostile log itself: it must be a readable log, or the tests that use it prove nothing."""

import pyarrow.parquet as pq

from tests import hostile


def test_the_hostile_log_survives_parquet(tmp_path):
    table = hostile.requests_table(1)
    pq.write_table(table, tmp_path / "log.parquet")
    assert pq.read_table(tmp_path / "log.parquet").equals(table)
    assert table.num_rows == len(hostile.STRINGS)


def test_accounts_and_requests_name_the_same_accounts():
    assert set(hostile.requests_table(1)["account_id"].to_pylist()) == set(hostile.accounts_table()["account_id"].to_pylist())


def test_every_mark_is_carried_by_some_string():
    for mark in hostile.MARKS:
        assert any(mark in text for text in hostile.STRINGS.values())


def test_the_long_string_is_a_megabyte():
    assert len(hostile.LONG.encode()) > 2**20
