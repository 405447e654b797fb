"""Memory that the scan gives back and takes again for every batch stays with the process until the scan ends.

The C library returns freed memory at the end of its heaps to the system, and the system clears it before it hands it out again: some hundredths of the scan's
time. While `kept_heap` lasts, freed memory is used again; at its end what is free is returned, Arrow's too. No result depends on it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""
_LARGEST_MMAP_THRESHOLD = 32 << 20
"""The C library refuses more."""
_KEPT = (1 << 31) - 1, _LARGEST_MMAP_THRESHOLD
_USUAL = 2 * _LARGEST_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD
"""Where the C library's own thresholds settle once large blocks were freed."""


@contextmanager
def kept_heap() -> Iterator[None]:
    """Keep freed memory while the block runs. Where the C library is not glibc, only what Arrow holds free is returned at the end."""
    library = _library()
    try:
        if library is not None:
            _set(library, _KEPT)
        yield
    finally:
        if library is not None:
            _set(library, _USUAL)
            library.malloc_trim(0)
        pa.default_memory_pool().release_unused()


def _library() -> Any:
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def _set(library: Any, thresholds: tuple[int, int]) -> None:
    for parameter, value in zip((_TRIM_THRESHOLD, _MMAP_THRESHOLD), thresholds, strict=True):
        library.mallopt(parameter, value)
