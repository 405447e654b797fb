"""`python -m pipeline` and the `stillhunt` command: one program, started here."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import sys

_KEPT = {"MIMALLOC_PURGE_DELAY": "60000", "_RJEM_MALLOC_CONF": "dirty_decay_ms:10000"}
"""How long Arrow and Polars keep freed memory before the system has it back, milliseconds: longer than between two batches of a log, which ask for the same again."""

_OPTIONAL = "dateutil"
"""A package that Arrow asks for each time it takes a Python value over."""

_ARENA_MAX = -8
"""A parameter of mallopt(3). It counts only before there are threads."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    _one_heap()
    for name, value in _KEPT.items():
        os.environ.setdefault(name, value)  # read once, when the library is loaded
    _remember_missing(_OPTIONAL)
    gc.disable()  # nothing that is loaded to read a command line is garbage; `guarded` turns it on for the command
    from pipeline.cli import start
    from pipeline.cli.guard import leave

    leave(start(sys.argv[1:]))


def _remember_missing(package: str) -> None:
    """Where the package is not there, say so once: Python remembers what it has found, and would search every folder of its path again, a thousand times a run."""
    if importlib.util.find_spec(package) is None:
        sys.modules[package] = None  # type: ignore[assignment]  # how the import system is told


def _one_heap() -> None:
    """One heap of the C library for all threads, where it is glibc: what threads of the scan free would go back to the system at once, and come back cleared."""
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    if library is not None and hasattr(library, "mallopt"):
        library.mallopt(_ARENA_MAX, 1)


if __name__ == "__main__":
    main()
