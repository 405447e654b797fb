"""Memory kept while a scan lasts: thresholds are set before it and put back after it, also when it fails; nothing of the C library's where there is no glibc."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from pipeline.ingest import heap


class _Library:
    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.calls.append(("mallopt", parameter, value))
        return 1

    def malloc_trim(self, pad: int) -> int:
        self.calls.append(("trim", pad, 0))
        return 1


def _fail() -> None:
    raise KeyError


@pytest.mark.parametrize("inside", [lambda: None, _fail])
def test_what_was_set_is_put_back_and_free_memory_is_returned(monkeypatch: pytest.MonkeyPatch, inside: object) -> None:
    library = _Library()
    monkeypatch.setattr(heap, "_library", lambda: library)
    assert callable(inside)
    during: list[tuple[str, int, int]] = []
    with contextlib.suppress(KeyError), heap.kept_heap():
        during = list(library.calls)
        inside()
    assert [(name, parameter) for name, parameter, _ in during] == [("mallopt", -1), ("mallopt", -3)]
    after = library.calls[len(during) :]
    assert [(name, parameter) for name, parameter, _ in after] == [("mallopt", -1), ("mallopt", -3), ("trim", 0)]
    assert after[0][2] < during[0][2]
    assert after[1][2] == during[1][2]


def test_without_glibc_the_block_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap.sys, "platform", "darwin")
    assert heap._library() is None
    with heap.kept_heap():
        assert int(np.ones(1_000_000).sum()) == 1_000_000


@pytest.mark.skipif(heap._library() is None, reason="no glibc here")
@pytest.mark.parametrize("thresholds", [heap._KEPT, heap._USUAL])
def test_the_c_library_takes_the_thresholds(thresholds: tuple[int, int]) -> None:
    library = heap._library()
    try:
        assert [library.mallopt(parameter, value) for parameter, value in zip((heap._TRIM_THRESHOLD, heap._MMAP_THRESHOLD), thresholds, strict=True)] == [1, 1]
    finally:
        heap._set(library, heap._USUAL)
