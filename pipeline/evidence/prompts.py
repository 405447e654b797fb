"""What a network sends: its masked prompts with counts, and one example of each, fetched again from the log and passed through the gate.

Tables hold no text. Prompts are the same here if they are the same once digits, names, quotes, code and paths are masked (skeleton_key), or, where the text that a template
is filled with makes nearly all of those different, if they open with the same eight words (prefix_key). Counts come of all requests of the members; an example is the text of
one of these requests, with rare words masked besides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import redact
from pipeline.evidence.common_words import common_words, organisations
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.given import account_table
from pipeline.evidence.sources import Fetched, Place, fetch_prompts
from pipeline.redaction import Release

MOST = 50
"""Rows a network that may be fetched again, by the output contract."""
NO_TEXT = ("prompt",)
_BASIS = {
    "log": "Organisations are those of the log.",
    "accounts": "Organisations are those of the accounts table.",
    "each": "Neither the log nor the accounts table names organisations, so each account counts as one.",
    "unknown": "The run knew organisations from its accounts table, which this command was not given, so no word can be shown to be common: --accounts FILE unmasks more.",
}


@dataclass(frozen=True)
class Skeleton:
    """A masked prompt of a network."""

    rank: int
    request_count: int
    account_count: int
    """members that sent it"""
    prompt_count: int
    """different prompts of this form"""
    elsewhere_count: int
    """accounts outside the network that sent it"""
    key: int
    """skeleton_key or prefix_key, as `by` says"""
    request_id: str
    source_file: str
    source_row: int
    state: str
    """of the example: shown, not asked (no logs given), gone, changed, unreadable"""
    text: str | None
    """the example as the gate lets it through"""


@dataclass(frozen=True)
class Prompts:
    """The masked prompts of a network, most requests first."""

    network_id: str
    by: str
    """skeleton: the whole masked prompt; opening: its first eight words"""
    skeletons: tuple[Skeleton, ...]
    skeleton_total: int
    request_total: int
    """requests of the members that carry a masked prompt"""
    notes: tuple[str, ...]


COLUMN = {"skeleton": "skeleton_key", "opening": "prefix_key"}
FEW = 0.1
"""Share of the requests below which the most frequent masked prompts say too little, so that openings are counted unless the caller asks for one."""


def prompts(run: FinishedRun, network_id: str, limit: int, roots: Sequence[Path], accounts_file: Path | None, by: str | None = None) -> Prompts:
    """At most `limit` (and MOST) masked prompts of a network, with examples if `roots` says where the logs are. `by` is skeleton, opening, or None for what tells more.

    Raises InputError, IntegrityError.
    """
    keys = run.where("accounts", network_id=network_id)["account_key"].to_list()
    rows = run.scan_days("requests", _NEEDED, pl.col("account_key").is_in(keys) & pl.col("skeleton_key").is_not_null())
    if not rows.height:
        return Prompts(network_id, by or "skeleton", (), 0, 0, (_nothing(run),))
    by = by or _telling(rows, limit)
    rows = rows.drop([column for name, column in COLUMN.items() if name != by]).rename({COLUMN[by]: "key"})
    counted = rows.group_by("key").agg(
        pl.len().cast(pl.Int64).alias("request_count"),
        pl.col("account_key").n_unique().cast(pl.Int64).alias("account_count"),
        pl.col("prompt_key").n_unique().cast(pl.Int64).alias("prompt_count"),
    )
    chosen = counted.sort(["request_count", "key"], descending=[True, False]).head(min(limit, MOST))
    chosen = chosen.join(_elsewhere(run, COLUMN[by], chosen["key"], keys), on="key", how="left", maintain_order="left").with_columns(pl.col("elsewhere_count").fill_null(0))
    examples = _examples(rows.join(chosen.select("key"), on="key", how="semi"))
    shown = chosen.join(examples, on="key", how="left", maintain_order="left").rows(named=True)
    texts, fetched, notes = _texts(run, shown, roots, keys, accounts_file)
    skeletons = tuple(_skeleton(rank, row, texts, fetched) for rank, row in enumerate(shown, start=1))
    return Prompts(network_id, by, skeletons, counted.height, rows.height, notes)


_NEEDED = ("account_key", "ts_us", "skeleton_key", "prefix_key", "prompt_key", "prompt_source", "request_id", "source_file", "source_row")


def _nothing(run: FinishedRun) -> str:
    if not run.manifest()["coverage"].get("prompt", {}).get("non_null"):
        return "The log of this run carried no prompt text, so there is nothing to show."
    return "No request of the network carries a prompt of words."


def _telling(rows: pl.DataFrame, limit: int) -> str:
    """skeleton, unless the most frequent ones are hardly any of the requests and openings are more."""
    held = {name: int(rows.group_by(column).len()["len"].top_k(min(limit, MOST)).sum()) for name, column in COLUMN.items()}
    return "opening" if held["skeleton"] < FEW * rows.height and held["opening"] > held["skeleton"] else "skeleton"


def _elsewhere(run: FinishedRun, column: str, keys: pl.Series, members: Sequence[int]) -> pl.DataFrame:
    """Accounts outside the network that sent each."""
    found = run.scan_days("requests", ("account_key", pl.col(column).alias("key")), pl.col(column).is_in(keys.implode()))
    outside = found.filter(~pl.col("account_key").is_in(list(members)))
    return outside.group_by("key").agg(pl.col("account_key").n_unique().cast(pl.Int64).alias("elsewhere_count"))


def _examples(rows: pl.DataFrame) -> pl.DataFrame:
    """One request of each masked prompt, from as few files as goes: the file that shows most of them first, in it the earliest request."""
    width = rows.group_by("source_file").agg(pl.col("key").n_unique().alias("width"))
    ordered = rows.join(width, on="source_file").sort(["width", "source_file", "ts_us", "source_row"], descending=[True, False, False, False])
    return ordered.unique("key", keep="first", maintain_order=True).select("key", "prompt_source", "request_id", "source_file", "source_row")


def _texts(
    run: FinishedRun, shown: Sequence[dict[str, Any]], roots: Sequence[Path], members: Sequence[int], accounts_file: Path | None
) -> tuple[dict[tuple[str, int], str], Fetched | None, tuple[str, ...]]:
    """Examples by place, as the gate lets them through; what became of the files; what to say about it."""
    if not roots:
        return {}, None, ("The run keeps no text and no path: --logs DIR, the folder that was LOGS when it was made, reads an example of each again.",)
    places = [(row["source_file"], row["source_row"]) for row in shown if row["prompt_source"] == LOGGED_TEXT]
    return masked_texts(run, places, roots, members, accounts_file, Release("internal", b"").excerpt)  # its patterns of names need the text whole


def masked_texts(
    run: FinishedRun, places: Sequence[Place], roots: Sequence[Path], members: Sequence[int], accounts_file: Path | None, before: Callable[[str], str]
) -> tuple[dict[Place, str], Fetched, tuple[str, ...]]:
    """Prompts at places of the logs below `roots`, as the gate lets them through: words that few organisations but the members' own use are masked.

    `members` are account keys. `before` is what a release does to a text as it was sent, before anything is masked that its patterns look for.
    """
    fetched = fetch_prompts(run, roots, places)
    whose = organisations(run, account_table(run, accounts_file) if accounts_file else None)
    words = {word for text in fetched.texts.values() for word in redact.excerpt_words(text)}
    common = common_words(run, words, members, whose)
    bad = [f"{redact.file_path(name)}: {_STATES[state]}" for name, state in sorted(fetched.states.items()) if state != "read"]
    told = f"Words that fewer than 20 other organisations are known to use are masked. {_BASIS[whose.basis]}"
    return {place: redact.for_excerpt(before(text), common) for place, text in fetched.texts.items()}, fetched, (told, *bad)


LOGGED_TEXT = 1
"""prompt_source of a prompt that was logged as text."""
_STATES = {
    "gone": "is not below the folders given with --logs; its prompts are not shown",
    "changed": "is not the file that the run read, its SHA-256 is another; its prompts are not shown",
    "unreadable": "cannot be read or has no prompts; none of it is shown",
}


def _skeleton(rank: int, row: dict[str, Any], texts: dict[tuple[str, int], str], fetched: Fetched | None) -> Skeleton:
    text = texts.get((row["source_file"], row["source_row"]))
    state = "not asked" if fetched is None else "shown" if text is not None else fetched.states.get(row["source_file"], "unreadable")
    counts = (row["request_count"], row["account_count"], row["prompt_count"], row["elsewhere_count"], row["key"])
    return Skeleton(rank, *counts, row["request_id"], row["source_file"], row["source_row"], "unreadable" if state == "read" else state, text)
