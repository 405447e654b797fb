"""Which files a run reads, what they are called, and which are refused before anything is written."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from pipeline.errors import InputError, SchemaError
from pipeline.ingest import list_logs


def names(*logs, on_bad_file="fail"):
    return [file.name for file in list_logs([str(log) for log in logs], on_bad_file=on_bad_file).files]


def test_a_folder_gives_the_parquet_files_below_it(tmp_path, log):
    log("date=2026-03-01/hour=07/part-0.parquet")
    log("flat.parquet")
    log("_temporary/part.parquet")
    log(".hidden.parquet")
    (tmp_path / "logs" / "_SUCCESS").touch()
    (tmp_path / "logs" / "notes.txt").write_text("no log")
    assert names(tmp_path / "logs") == ["date=2026-03-01/hour=07/part-0.parquet", "flat.parquet"]


def test_the_accounts_table_may_lie_among_the_logs(tmp_path, log):
    log("a.parquet")
    accounts = log("accounts.parquet", request_id=None)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "logs")
    listing = list_logs([str(tmp_path / "logs")], on_bad_file="fail", apart=[tmp_path / "elsewhere" / accounts.name])
    assert [file.name for file in listing.files] == ["a.parquet"]
    with pytest.raises(SchemaError, match="request_id"):
        list_logs([str(tmp_path / "logs")], on_bad_file="fail")


@pytest.mark.parametrize("on_bad_file", ["fail", "skip"])
def test_a_log_that_is_given_as_the_accounts_table_is_refused(tmp_path, log, on_bad_file):
    """Left out, its day would be missing from the night, which would say nothing of it."""
    log("a.parquet")
    mistaken = log("b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet: is a request log, and is given as the accounts table. Check --accounts"):
        list_logs([str(tmp_path / "logs")], on_bad_file=on_bad_file, apart=[mistaken])


def test_a_file_and_a_glob_give_just_those(tmp_path, log):
    one = log("date=2026-03-01/a.parquet")
    log("date=2026-03-01/b.parquet")
    log("date=2026-03-02/a.parquet")
    assert names(one) == ["a.parquet"]
    assert names(tmp_path / "logs" / "date=*" / "a.parquet") == ["date=2026-03-01/a.parquet", "date=2026-03-02/a.parquet"]
    assert names(tmp_path / "logs" / "**" / "b.parquet") == ["date=2026-03-01/b.parquet"]


def test_a_glob_takes_what_writers_keep_for_themselves_only_if_it_says_so(tmp_path, log):
    log("day/a.parquet")
    log("day/_meta.parquet")
    log("_temporary/b.parquet")
    assert names(tmp_path / "logs" / "**" / "*.parquet") == ["day/a.parquet"]
    assert names(tmp_path / "logs" / "*" / "_*.parquet") == ["day/_meta.parquet"]
    assert names(tmp_path / "logs" / "_tem*" / "*.parquet") == ["_temporary/b.parquet"]


def test_names_that_collide_get_their_roots_name(tmp_path, log):
    for root in ("east", "west"):
        log(f"{root}/logs/part.parquet")
    log("north/other.parquet")
    east, west, north = (tmp_path / "logs" / part for part in ("east/logs", "west/logs", "north"))
    assert names(east, north) == ["other.parquet", "part.parquet"]
    assert names(east, west) == names(west, east) == ["east/logs/part.parquet", "west/logs/part.parquet"]


def test_a_file_named_twice_is_read_once(tmp_path, log):
    one = log("part.parquet")
    assert names(one, tmp_path / "logs", one) == ["part.parquet"]


def test_what_the_footer_says_is_kept(log):
    path = log("part.parquet", rows=3, timestamp=[pa.scalar(n, pa.timestamp("us", tz="UTC")).as_py() for n in (5_000_000, 1_000_000, 9_000_000)], surprise=pa.array([1, 2, 3]))
    file = list_logs([str(path)], on_bad_file="fail").files[0]
    assert (file.row_count, file.first_us, file.last_us, file.size_bytes) == (3, 1_000_000, 9_000_000, path.stat().st_size)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.unknown_columns == ("surprise",)
    assert file.conforms
    assert "prompt" in file.missing_columns
    assert file.footer_non_null["account_id"] == 3


@pytest.mark.parametrize(("unit", "zone"), [("s", None), ("ms", "UTC"), ("ns", "Asia/Shanghai")])
def test_time_ranges_are_in_microseconds_whatever_the_unit(log, unit, zone):
    path = log("part.parquet", timestamp=pa.array([1_700_000_000], pa.timestamp("s")).cast(pa.timestamp(unit)).cast(pa.timestamp(unit, tz=zone)))
    file = list_logs([str(path)], on_bad_file="fail").files[0]
    assert file.first_us == file.last_us == 1_700_000_000_000_000
    assert not file.conforms
    assert file.casts[0][0] == "timestamp"


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("input_tokens", pa.array([{"n": 1}]), "struct"),
        ("tool_names", pa.array(["search"]), "string"),
        ("timestamp", pa.array(["2026-03-01"]), "string"),
        ("timestamp", pa.array([1_700_000_000_000]), "int64"),
        ("prompt", pa.array([["a"]]), "list"),
        ("stream", pa.array(["yes"]), "string"),
        ("max_tokens", pa.array(["12"]), "string"),
        ("seed", pa.array([[1]]), "list"),
        ("request_headers", pa.array([["a"]]), "list"),
    ],
)
def test_a_column_that_cannot_be_cast_is_refused_by_name_and_types(log, column, values, found):
    log("good.parquet")
    path = log("bad.parquet", **{column: values})
    with pytest.raises(SchemaError) as error:
        list_logs([str(path.parent)], on_bad_file="fail")
    assert (error.value.file, error.value.column, error.value.exit_code) == ("bad.parquet", column, 6)
    assert error.value.found.startswith(found)
    assert error.value.expected in str(error.value)
    listing = list_logs([str(path.parent)], on_bad_file="skip")
    assert [file.name for file in listing.files] == ["good.parquet"]
    assert listing.skipped[0].name == "bad.parquet"
    assert column in listing.skipped[0].reason


@pytest.mark.parametrize("column", ["request_id", "timestamp", "account_id", "model"])
def test_a_required_column_that_is_missing_is_refused(log, column):
    with pytest.raises(SchemaError, match=f"required column '{column}' .* is missing"):
        list_logs([str(log("part.parquet", **{column: None}))], on_bad_file="fail")


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "footer"])
def test_a_file_that_is_no_parquet_is_refused_or_skipped(log, damage):
    log("good.parquet")
    path = log("bad.parquet", rows=500)
    content = path.read_bytes()
    path.write_bytes({"truncated": content[: len(content) // 2], "empty": b"", "text": b"request_id,timestamp\n1,2\n", "footer": content[:-8] + b"\xff" * 4 + b"PAR1"}[damage])
    with pytest.raises(InputError, match=r"bad\.parquet"):
        list_logs([str(path.parent)], on_bad_file="fail")
    listing = list_logs([str(path.parent)], on_bad_file="skip")
    assert [file.name for file in listing.files] == ["good.parquet"]
    assert [file.name for file in listing.skipped] == ["bad.parquet"]


def test_no_file_at_all_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no readable Parquet file"):
        list_logs([str(tmp_path)], on_bad_file="skip")
    with pytest.raises(InputError, match="no such file or folder"):
        list_logs([str(tmp_path / "nowhere" / "*.parquet")], on_bad_file="fail")


def test_only_bad_files_is_an_error_even_when_skipping(tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="no readable Parquet file"):
        list_logs([str(tmp_path)], on_bad_file="skip")


def test_a_column_that_stands_twice_is_refused(tmp_path):
    import pyarrow.parquet as pq

    table = pa.table(
        [pa.array(["x"])] * 3 + [pa.array([0], pa.timestamp("us", tz="UTC"))] + [pa.array(["m"])], names=["request_id", "account_id", "account_id", "timestamp", "model"]
    )
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(SchemaError, match="2 times"):
        list_logs([str(tmp_path)], on_bad_file="fail")
