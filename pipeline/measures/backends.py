"""Whether measures that exist twice run compiled or in numpy. Both give equal values; numpy is slower."""

from __future__ import annotations

import functools
import os


@functools.cache
def is_compiled() -> bool:
    """Whether numba can be imported here and STILLHUNT_NO_NUMBA=1 does not ask for numpy."""
    if os.environ.get("STILLHUNT_NO_NUMBA") == "1":
        return False
    try:
        import numba  # noqa: F401 (whether it loads is the question)
    except ImportError:
        return False
    return True
