"""The most frequent skeletons of a network in words: one prompt of each, fetched again from the log, masked, and shown only if it is the network's own.

A skeleton is in words only where SHOWN_FROM members or more sent it and no matched account did. A finished run holds no text and no path, so this asks for
the folder that was LOGS; every file's SHA-256 is checked first, and only the rows needed are read. What leaves has passed the redaction gate twice: the prompt as
it was sent through the case's Release, whose patterns of names need the text whole, and what that leaves as an excerpt (rare words, digits, quotes and code masked).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipeline.evidence.dossier.days import day_frames
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.prompts import LOGGED_TEXT, masked_texts
from pipeline.evidence.sources import Place
from pipeline.pages.incident.parts import SHOWN_FROM, Template
from pipeline.redaction import Release


@dataclass(frozen=True)
class Logs:
    """Where the logs of the run lie now, and the accounts table that tells organisations apart (None: the log itself, or nobody, does)."""

    roots: tuple[Path, ...]
    accounts: Path | None = None


def in_words(run: FinishedRun, templates: Sequence[Template], members: pl.Series, controls: pl.Series, logs: Logs, release: Release) -> tuple[Template, ...]:
    """The templates, each with a text or the state that says why it has none. `members` and `controls` are account keys. Raises InputError for a folder that is not there."""
    by_key = {int(template.key, 16): template for template in templates}
    enough = [key for key, template in by_key.items() if template.accounts >= SHOWN_FROM]
    shared = _sent(run, enough, controls)
    places = _examples(run, [key for key in enough if key not in shared], members)
    texts, fetched, _ = masked_texts(run, list(places.values()), logs.roots, members.to_list(), logs.accounts, release.excerpt)
    found = []
    for key, template in by_key.items():
        place = places.get(key)
        text = texts.get(place) if place else None
        if text is not None:
            found.append(replace(template, state="shown", text=text))
        else:
            found.append(replace(template, state=_state(key, enough, shared, place, fetched.states)))
    return tuple(found)


def _state(key: int, enough: Collection[int], shared: Collection[int], place: Place | None, states: Mapping[str, str]) -> str:
    """few, control, gone, changed or unreadable."""
    if key not in enough:
        return "few"
    if key in shared:
        return "control"
    state = states.get(place[0], "unreadable") if place else "unreadable"
    return "unreadable" if state == "read" else state


def _sent(run: FinishedRun, keys: Sequence[int], accounts: pl.Series) -> frozenset[int]:
    """Which of these skeletons any of these accounts sent."""
    wanted = pl.Series("skeleton_key", keys, dtype=pl.Int64)
    days = day_frames(run, "requests", ("account_key", "skeleton_key"), accounts, pl.col("skeleton_key").is_in(wanted.implode())) if keys else ()
    return frozenset(key for day in days for key in day["skeleton_key"].unique().to_list())


def _examples(run: FinishedRun, keys: Sequence[int], members: pl.Series) -> dict[int, Place]:
    """One logged prompt of each skeleton: the first by file and row of the first day that has one."""
    found: dict[int, Place] = {}
    if not keys:
        return found
    wanted = pl.Series("skeleton_key", keys, dtype=pl.Int64)
    columns = ("account_key", "skeleton_key", "prompt_source", "source_file", "source_row")
    for day in day_frames(run, "requests", columns, members, pl.col("skeleton_key").is_in(wanted.implode()) & (pl.col("prompt_source") == LOGGED_TEXT)):
        first = day.sort("source_file", "source_row").unique("skeleton_key", keep="first", maintain_order=True)
        for key, file, row in first.select("skeleton_key", "source_file", "source_row").iter_rows():
            found.setdefault(key, (file, row))
        if len(found) == len(keys):
            break
    return found
