"""How functions are compiled by numba, and where compiled code is kept; imported by compiled modules only (`backends` says whether they are wanted)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def _cache_folder() -> str | None:
    """A folder for compiled code, named by the sources that it is made of (numba itself looks at one file only); None where none can be written."""
    here = Path(__file__).parent
    sources = (Path(__file__), here / "text_bytes.py", here / "fingerprint_lanes.py", here / "fingerprint_walk.py", *sorted(here.glob("*_numba.py")))
    name = "numba-" + hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    chosen, own, home = (os.environ.get(variable) for variable in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"))
    bases = [Path(chosen)] if chosen else [Path(__file__).parent / "__pycache__", *([Path(own or f"{home}/.cache", "stillhunt")] if own or home else [])]
    for base in bases:
        try:
            (base / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(base / name, os.W_OK):
            return str(base / name)
    return None


_CACHE_FOLDER = _cache_folder()


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled without the interpreter's lock, from the cache if there is one."""
    config: Any = numba.config
    before = config.CACHE_DIR
    if _CACHE_FOLDER is None:
        return numba.njit(nogil=True)(function)
    try:
        config.CACHE_DIR = _CACHE_FOLDER
        return numba.njit(nogil=True, cache=True)(function)
    finally:
        config.CACHE_DIR = before


def inlined(function: Callable[..., Any]) -> Any:
    """A part of compiled functions, made at each place that calls it: a call of its own would count references to its arrays up and down, which costs more than the part."""
    return numba.njit(nogil=True, forceinline=True)(function)
