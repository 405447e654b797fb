"""Options that several commands share, and how their text becomes values."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline import redact

DEFAULT_OUT = Path("stillhunt-out")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


def parse_bytes(text: str | int) -> int:
    """`4GB`, `1500M`, `2GiB` or plain bytes, as bytes. Raises typer.BadParameter."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]I?)?B?\s*", str(text).upper())
    if not found:
        raise typer.BadParameter(f"'{redact.for_terminal(str(text))}' is not a size. Write it like 4GB or 1500MB.")
    return int(float(found[1]) * _UNITS[found[2] or ""])


def parse_day(text: str | date) -> date:
    """`2026-05-01` as a date. Raises typer.BadParameter."""
    try:
        return text if isinstance(text, date) else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{redact.for_terminal(str(text))}' is not a day. Write it like 2026-05-01.") from None


def usable_threads() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_threads(count: int) -> None:
    """Polars reads its thread count once, when it is imported: call it before."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(count))


def hash_without_compiling() -> None:
    """For commands that hash a handful of values: numpy does that faster than the compiled pass is loaded, with equal keys. Call it before anything is hashed."""
    os.environ.setdefault("STILLHUNT_NO_NUMBA", "1")


Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Output folder of the runs.")]
Form = Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How data is printed.")]
Memory = Annotated[int, typer.Option("--memory", metavar="SIZE", parser=parse_bytes, show_default="4GB", help="Memory for the whole process; at least 1GB.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, max=1024, metavar="N", help="Threads; default: every usable processor. Results do not depend on it.")]
Day = Annotated[date | None, typer.Option(metavar="DAY", parser=parse_day)]
