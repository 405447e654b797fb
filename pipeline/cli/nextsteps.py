"""The last line of a command: what to type next about one network or account."""

from __future__ import annotations

from pathlib import Path

from pipeline import console


def say_next_about(command: str, identity: str, out: Path) -> None:
    """`next: stillhunt COMMAND ID --out DIR`; an id that begins with a dash must not be read as an option."""
    console.say_next(command, *(("--out", out, "--", identity) if identity.startswith("-") else (identity, "--out", out)))
