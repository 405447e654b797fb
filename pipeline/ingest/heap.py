"""Memory that work in batches gives back and takes again for every batch (the making of days, stages that stream) stays with the process until the work is done.

The system clears memory before it hands it out, which on a virtual machine can cost as much as filling it: a cpu second a gigabyte where this was measured. The C library
returns large blocks to the system when they are freed, and small ones at the end of its heaps; while `kept_heap` lasts it does neither, and freed memory is used again. At
its end what is free is returned, Arrow's too. No result depends on it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""Parameters of mallopt(3)."""
_KEPT = {_TRIM_THRESHOLD: -1, _MMAP_MAX: 0}
"""Nothing goes back from the end of the heap, and nothing is outside of it. (Heaps of further threads go back whatever is set: the program has one heap, see __main__.)"""
_USUAL = {_TRIM_THRESHOLD: 64 << 20, _MMAP_THRESHOLD: 32 << 20, _MMAP_MAX: 65_536}
"""Where the C library's own thresholds settle once large blocks were freed, and its own bound of mapped blocks."""


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


def _set(library: Any, parameters: Mapping[int, int]) -> None:
    for parameter, value in parameters.items():
        library.mallopt(parameter, value)
