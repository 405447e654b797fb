"""Labels of any making: what is read, what is refused and with which words; worlds on disk and their columns taken out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputError, SchemaError
from pipeline.validate.truth import eras, find_truth, read_truth
from pipeline.validate.worlds import find_worlds, without, world_at

LABELS = {
    "account_id": ["b", "a", "c", "d", "e"],
    "truth": ["person", "campaign:x", "class", "campaign:y", "person"],
    "network": [None, "x", "class:1", None, None],
    "malicious": [False, True, False, True, None],
}


def write(path: Path, columns: dict, **more) -> Path:
    pl.DataFrame({**columns, **more}).write_parquet(path)
    return path


def test_labels_are_read_in_the_order_of_accounts(tmp_path):
    found = read_truth(write(tmp_path / "t.parquet", LABELS, active=[True] * 5, rung=["L0"] * 5))
    assert found["account_id"].to_list() == ["a", "b", "c", "d", "e"]
    assert found["place"].to_list() == [0, 1, 2, 3, 4]
    assert found["group"].to_list() == ["x", None, "class:1", "campaign:y", None], "a campaign without a network is named by its truth"
    assert found["unit"].to_list() == ["x", "strangers:person", "class:1", "campaign:y", "strangers:person"]
    assert found["malicious"].to_list() == [True, False, False, True, None]


def test_an_account_that_is_not_active_as_its_kind_counts_as_unknown(tmp_path):
    found = read_truth(write(tmp_path / "t.parquet", LABELS, active=[False, False, True, None, True]))
    assert found["malicious"].to_list() == [None, None, False, True, None]
    assert found["group"].to_list() == ["x", None, "class:1", "campaign:y", None]


def test_csv_and_parquet_say_the_same(tmp_path):
    write(tmp_path / "t.parquet", LABELS)
    (tmp_path / "t.csv").write_text("account_id,truth,network,malicious\nb,person,,no\na,campaign:x,x,TRUE\nc,class,class:1,0\nd,campaign:y,,1\ne,person,,\n")
    assert read_truth(tmp_path / "t.csv").equals(read_truth(tmp_path / "t.parquet"))


def test_whole_numbers_as_ids_are_text(tmp_path):
    assert read_truth(write(tmp_path / "t.parquet", {**LABELS, "account_id": [2, 1, 3, 4, 5]}))["account_id"].to_list() == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"malicious": ["yes", "no", "maybe", "no", "no"]}, SchemaError, "column 'malicious' is other words"),
        ({"malicious": [1.5, 0, 1, 0, 0]}, SchemaError, "column 'malicious' is Float64"),
        ({"truth": [1.5, 2, 3, 4, 5]}, SchemaError, "column 'truth' is Float64"),
        ({"account_id": ["a", "a", "b", "c", "d"]}, InputError, "names 1 accounts twice"),
        ({"account_id": ["a", None, "b", "c", "d"]}, InputError, "column 'account_id' is empty in 1 rows"),
        ({"network": ["x", "x", "x", None, None]}, InputError, "1 values of column 'network' join innocent accounts with others"),
        ({"decided_on": ["2026-01-01", "soon", None, None, None]}, SchemaError, "column 'decided_on'"),
    ],
)
def test_labels_that_cannot_be_used_say_file_column_and_remedy(tmp_path, changed, kind, said):
    path = write(tmp_path / "t.parquet", {**LABELS, **changed})
    with pytest.raises(kind, match="parquet") as caught:
        read_truth(path)
    assert said in str(caught.value)
    assert "maybe" not in str(caught.value), "values stay out of messages"


@pytest.mark.parametrize("column", ["account_id", "truth", "network", "malicious"])
def test_a_missing_column_is_named(tmp_path, column):
    path = write(tmp_path / "t.parquet", {name: values for name, values in LABELS.items() if name != column})
    with pytest.raises(InputError, match=f"has no column {column}. Labels need"):
        read_truth(path)


def test_a_file_that_is_no_table_and_one_that_is_not_there(tmp_path):
    (tmp_path / "t.parquet").write_text("account_id,truth\n")
    with pytest.raises(InputError, match="neither Parquet nor"):
        read_truth(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="no such file"):
        read_truth(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("days", "cut", "later"),
    [
        (("2026-01-01", "2026-02-01", "2026-03-01"), dt.date(2026, 2, 1), {"c2"}),
        (("2026-01-01", "2026-03-01", "2026-03-01"), dt.date(2026, 1, 1), {"c1", "c2"}),
        (("2026-01-01", "2026-02-01", None), dt.date(2026, 1, 1), {"c1"}),
    ],
)
def test_groups_decided_after_the_median_day_are_held_out(tmp_path, days, cut, later):
    labels = {"account_id": ["a", "b", "c"], "truth": ["campaign:x"] * 3, "network": ["c0", "c1", "c2"], "malicious": [True] * 3, "decided_on": days}
    found = eras(read_truth(write(tmp_path / "t.parquet", labels)))
    assert found is not None
    assert found[0] == cut
    assert set(found[1].filter("held_out")["group"]) == later


@pytest.mark.parametrize("days", [(None, None, None), ("2026-01-01", "2026-01-01", None)])
def test_without_two_days_nothing_is_held_out(tmp_path, days):
    labels = {"account_id": ["a", "b", "c"], "truth": ["campaign:x"] * 3, "network": ["c0", "c1", "c2"], "malicious": [True] * 3}
    assert eras(read_truth(write(tmp_path / "t.parquet", labels, decided_on=list(days)))) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for day in ("date=2026-05-01", "date=2026-05-02"):
        (tmp_path / "w" / "requests" / day).mkdir(parents=True)
        pl.DataFrame({"request_id": ["1"], "prompt": ["text"], "ja4": ["t"]}).write_parquet(tmp_path / "w" / "requests" / day / "part-0.parquet")
    pl.DataFrame({"account_id": ["a"], "payment_fingerprint": ["p"], "created_at": [1]}).write_parquet(tmp_path / "w" / "accounts.parquet")
    write(tmp_path / "w" / "truth.parquet", LABELS)
    return tmp_path


def test_a_world_and_a_folder_of_worlds_are_found(folder):
    assert [world.name for world in find_worlds(folder)] == ["w"]
    (world,) = find_worlds(folder / "w")
    assert (world.accounts, world.context, world.truth) == (folder / "w" / "accounts.parquet", None, folder / "w" / "truth.parquet")
    assert find_worlds(folder / "w", folder / "other.csv")[0].truth == folder / "other.csv"


def test_no_world_and_no_truth_are_told_apart(folder):
    with pytest.raises(InputError, match="is no world"):
        find_worlds(folder / "w" / "requests" / "date=2026-05-01")
    (folder / "w" / "truth.parquet").unlink()
    with pytest.raises(InputError, match=r"holds neither truth.parquet nor truth.csv"):
        find_worlds(folder)
    with pytest.raises(InputError, match="holds neither"):
        find_truth(folder)


@pytest.mark.parametrize(("text", "refused"), [("cheap", True), ("full", False), (None, False)])
def test_a_world_of_cheap_text_is_refused(folder, text, refused):
    (folder / "w" / "scenario.json").write_text(json.dumps({"text": text} if text else {}))
    if refused:
        with pytest.raises(InputError, match="--text cheap"):
            world_at(folder / "w")
    else:
        assert world_at(folder / "w").name == "w"


def test_columns_are_taken_out_of_requests_and_accounts(folder, tmp_path):
    (world,) = find_worlds(folder)
    changed = without(world, ("prompt", "n", "accounts.payment_fingerprint"), tmp_path / "changed")
    files = sorted(changed.requests.rglob("*.parquet"))
    assert [path.relative_to(changed.requests).as_posix() for path in files] == ["date=2026-05-01/part-0.parquet", "date=2026-05-02/part-0.parquet"]
    assert all(pl.read_parquet(path, hive_partitioning=False).columns == ["request_id", "ja4"] for path in files)
    assert pl.read_parquet(changed.accounts).columns == ["account_id", "created_at"]
    assert pl.read_parquet(world.accounts).columns == ["account_id", "payment_fingerprint", "created_at"], "the given files stay as they are"


def test_a_log_without_those_columns_is_used_where_it_is(folder, tmp_path):
    (world,) = find_worlds(folder)
    assert without(world, ("temperature", "accounts.plan"), tmp_path / "changed") == world
    assert without(world, ("accounts.*",), tmp_path / "changed").accounts is None
    assert without(world, ("accounts.*",), tmp_path / "changed").requests == world.requests
    assert not (tmp_path / "changed").exists()
