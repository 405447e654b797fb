"""What day tables promise is checked before a row is written: requests and samples are complete, no list is over its bound, none has more shingles than the prompt has."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.errors import CheckFailed
from pipeline.ingest.days import check_complete
from pipeline.ingest.samples import check_samples
from tests.packing import as_bytes


def _samples(shingles: list[int], counts: list[int], tokens: list[int]) -> pa.Table:
    lists = {name: pa.array([as_bytes(name, range(length)) for length in lengths], pa.large_binary()) for name, lengths in (("shingles", shingles), ("tokens", tokens))}
    keys = pa.array(range(len(counts)), pa.int64())
    return pa.table({"account_key": keys, "prompt_key": keys, "shingle_count": pa.array(counts, pa.int32()), "request_count": pa.array([1] * len(counts), pa.int64()), **lists})


@pytest.mark.parametrize("rows", [([48], [48], [32]), ([0], [0], [0]), ([2, 48], [2, 900], [5, 32]), ([], [], [])])
def test_lists_within_their_bounds_pass(rows: tuple[list[int], list[int], list[int]]) -> None:
    check_samples(_samples(*rows))


@pytest.mark.parametrize("wrong", [(49, 60, 3), (3, 2, 3), (1, 1, 33)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_list_over_its_bound_is_named_by_its_keys(wrong: tuple[int, int, int], chunked: bool) -> None:
    good, bad = _samples([5, 6], [7, 6], [4, 4]), _samples([4, wrong[0]], [9, wrong[1]], [4, wrong[2]])
    table = pa.concat_tables([good, bad])
    with pytest.raises(CheckFailed) as caught:
        check_samples(table if chunked else table.combine_chunks())
    assert caught.value.count == 1
    assert caught.value.keys == ("1/1",)


@pytest.mark.parametrize("column", ["account_key", "prompt_key", "shingle_count", "request_count"])
@pytest.mark.parametrize("value", [None, -1])
def test_a_sample_that_lacks_a_key_or_stands_for_nothing_is_named(column: str, value: int | None) -> None:
    good, bad = _samples([0, 6], [0, 6], [4, 4]), _samples([0], [0], [4])
    at = bad.schema.get_field_index(column)
    table = pa.concat_tables([good, bad.set_column(at, column, pa.array([value], bad.schema.field(at).type))])
    if (column, value) in {("account_key", -1), ("prompt_key", -1), ("shingle_count", None)}:  # any integer is a key; a prompt without words has no shingles to count
        check_samples(table)
    else:
        with pytest.raises(CheckFailed, match="12_prompt_samples__complete failed on 1 rows"):
            check_samples(table)


@pytest.mark.parametrize("column", ["account_key", "ts_us", "request_id", "source_file", "source_row"])
def test_a_request_that_lacks_what_it_needs_is_named_by_its_source(column: str) -> None:
    rows = {"account_key": [1, 2, 3], "ts_us": [4, 5, 6], "request_id": ["a", "b", "c"], "source_file": [0, 0, 1], "source_row": [7, 8, 9], "model": [None, "m", None]}
    check_complete(pa.table(rows))
    rows[column][1] = None
    with pytest.raises(CheckFailed, match="10_requests__complete failed on 1 rows") as caught:
        check_complete(pa.table(rows))
    assert caught.value.keys == ("/".join(str(rows[name][1]) for name in ("source_file", "source_row")),)
