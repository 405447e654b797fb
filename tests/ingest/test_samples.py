"""What prompt_samples promises of its lists is checked before a row is written: no list over its bound, no more shingles than the prompt has."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.errors import CheckFailed
from pipeline.ingest.samples import check_bounded


def _samples(shingles: list[int], counts: list[int], tokens: list[int]) -> pa.Table:
    lists = {name: pa.array([list(range(length)) for length in lengths], pa.list_(pa.int32())) for name, lengths in (("shingles", shingles), ("tokens", tokens))}
    keys = pa.array(range(len(counts)), pa.int64())
    return pa.table({"account_key": keys, "prompt_key": keys, "shingle_count": pa.array(counts, pa.int32()), **lists})


@pytest.mark.parametrize("rows", [([48], [48], [32]), ([0], [0], [0]), ([2, 48], [2, 900], [5, 32]), ([], [], [])])
def test_lists_within_their_bounds_pass(rows: tuple[list[int], list[int], list[int]]) -> None:
    check_bounded(_samples(*rows))


@pytest.mark.parametrize("wrong", [(49, 60, 3), (3, 2, 3), (1, 1, 33)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_list_over_its_bound_is_named_by_its_keys(wrong: tuple[int, int, int], chunked: bool) -> None:
    good, bad = _samples([5, 6], [7, 6], [4, 4]), _samples([4, wrong[0]], [9, wrong[1]], [4, wrong[2]])
    table = pa.concat_tables([good, bad])
    with pytest.raises(CheckFailed) as caught:
        check_bounded(table if chunked else table.combine_chunks())
    assert caught.value.count == 1
    assert caught.value.keys == ("1/1",)
