"""Memory kept while days are made: parameters are set before it and put back after it, also when it fails; nothing of the C library's where there is no glibc."""

from __future__ import annotations

import contextlib
import subprocess
import sys

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
    assert during == [("mallopt", -1, -1), ("mallopt", -4, 0)]  # never trimmed, nothing mapped on its own
    after = library.calls[len(during) :]
    assert [(name, parameter) for name, parameter, _ in after] == [("mallopt", -1), ("mallopt", -3), ("mallopt", -4), ("trim", 0)]
    assert all(value > 0 for name, _, value in after if name == "mallopt")


def test_without_glibc_the_block_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap.sys, "platform", "darwin")
    assert heap._library() is None
    with heap.kept_heap():
        assert int(np.ones(1_000_000).sum()) == 1_000_000


@pytest.mark.skipif(heap._library() is None, reason="no glibc here")
@pytest.mark.parametrize("parameters", [heap._KEPT, heap._USUAL])
def test_the_c_library_takes_the_parameters(parameters: dict[int, int]) -> None:
    library = heap._library()
    try:
        assert [library.mallopt(parameter, value) for parameter, value in parameters.items()] == [1] * len(parameters)
    finally:
        heap._set(library, heap._USUAL)


_TOUCHED = """
import resource, sys, threading
from contextlib import nullcontext
from pipeline import __main__ as program
from pipeline.ingest.heap import kept_heap

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def work():
    for _ in range(8):
        b"x" * (48 << 20)

program._one_heap()
with kept_heap() if sys.argv[1] == "kept" else nullcontext():
    work()
    before = faults()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    print(faults() - before)
"""


@pytest.mark.skipif(heap._library() is None, reason="no glibc here")
def test_what_threads_free_is_used_again_without_asking_the_system() -> None:
    kept, usual = (int(subprocess.run([sys.executable, "-c", _TOUCHED, how], capture_output=True, text=True, check=True).stdout) for how in ("kept", "usual"))
    assert usual > 8 * 48 * 256, "16 blocks of 48 MiB in pages of 4 KiB, half of them at the least"
    assert kept < usual / 4
