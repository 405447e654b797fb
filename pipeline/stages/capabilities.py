"""Stage 72: what a network's prompts ask for, by a weak classifier: labelling functions vote, and each sampled prompt gets one class or `general`.

The text is gone; what is left of a prompt: at most 32 hashes of its words, and the columns of its requests. Words of capabilities.toml are hashed alike and looked for: a
strong word gives two votes, a plain one one. A prompt of more words keeps the smallest hashes only, so the votes of a class are divided by the share of its words whose hashes
could have been kept (a quarter at least). Columns vote besides: tools offered one and a tool called one (agentic), thinking tokens one (reasoning). A class needs two votes and
more than any other. It describes and decides nothing: no verdict reads it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.measures import fingerprints as fp
from pipeline.measures.cluster_shares import share_intervals
from pipeline.stages.frames import conform

I64 = NDArray[np.int64]
Floats = NDArray[np.float64]

LEXICON_FILE = Path(__file__).parents[1] / "capabilities.toml"
GENERAL = "general"
VOTES = {"strong": 2, "plain": 1}
LEAST_VOTES = 2.0
LEAST_VISIBLE = 0.25
"""Share of a class's words below which what could be kept of it is not extrapolated further."""
MOST_TOKENS = 32
"""Word hashes that a sampled prompt keeps; one with fewer keeps all of its words."""
_UPPER_BITS, _LOWER_BITS = 16, 15
REST = -1
"""prompt_key of a member's requests that were not sampled."""


@dataclass(frozen=True)
class Lexicon:
    """Hashed words, ascending by hash: each with its class (place in `classes`) and votes."""

    classes: tuple[str, ...]
    hashes: I64
    place: I64
    votes: I64

    def visible(self, largest: I64) -> Floats:
        """For each prompt the share of each class's words with a hash up to `largest`. Out: (prompts, classes), 0..1."""
        shares = []
        for place in range(len(self.classes)):
            own = self.hashes[self.place == place]
            shares.append(np.searchsorted(own, largest, side="right") / len(own))
        return np.stack(shares, axis=1)


@cache
def lexicon(file: Path = LEXICON_FILE) -> Lexicon:
    """The words of a file such as capabilities.toml, hashed as the ingest hashes a prompt's words."""
    listed = tomllib.loads(file.read_text(encoding="utf-8"))
    classes = tuple(listed)
    rows = [(word, classes.index(name), votes) for name, kinds in listed.items() for kind, votes in VOTES.items() for word in kinds[kind].split()]
    hashes = word_hashes([word for word, _, _ in rows])
    order = np.argsort(hashes, kind="stable")
    places, votes = (np.array([row[at] for row in rows], np.int64)[order] for at in (1, 2))
    return Lexicon(classes, hashes[order], places, votes)


def word_hashes(words: list[str]) -> I64:
    """The hash under which a prompt's sketch keeps each word. Raises ValueError if one is not exactly one word."""
    texts = fp.texts(fp.spans_of(pa.array(words, pa.string())), "prompt")
    if (texts.word_counts != 1).any():
        raise ValueError(f"not one word: {[word for word, count in zip(words, texts.word_counts, strict=True) if count != 1]}")
    return fp.sketches(texts, np.arange(len(words))).tokens.astype(np.int64)


def classified(prompts: pl.DataFrame) -> pl.Series:
    """The class of each prompt. In: tokens (ascending hashes), request_count, tool_count, tool_call_count, thinking_count. Empty: an empty series."""
    words = lexicon()
    votes = word_votes(prompts["tokens"], words) + _column_votes(prompts, words)
    ordered = np.sort(votes, axis=1)
    wins = (ordered[:, -1] >= LEAST_VOTES) & (ordered[:, -1] > ordered[:, -2])
    names = np.array([*words.classes, GENERAL])
    return pl.Series("capability", names[np.where(wins, votes.argmax(axis=1), len(words.classes))], dtype=pl.String)


def word_votes(tokens: pl.Series, words: Lexicon) -> Floats:
    """Votes of each prompt's words by class, divided by what could be seen of the class. Most words are nobody's: their upper bits say so at once."""
    counts, classes = tokens.list.len().fill_null(0).to_numpy().astype(np.int64), len(words.classes)
    flat = tokens.explode(empty_as_null=False, keep_nulls=False).to_numpy()
    listed = np.zeros(1 << _UPPER_BITS, np.bool_)
    listed[words.hashes >> _LOWER_BITS] = True
    likely = np.flatnonzero(listed[flat >> _LOWER_BITS])
    at = np.minimum(np.searchsorted(words.hashes, flat[likely]), len(words.hashes) - 1)
    found = words.hashes[at] == flat[likely]
    owner, at = np.searchsorted(np.cumsum(counts), likely[found], side="right"), at[found]
    cast = np.bincount(owner * classes + words.place[at], weights=words.votes[at], minlength=len(counts) * classes)
    votes = cast.astype(np.float64).reshape(len(counts), classes)
    cut = np.flatnonzero(counts >= MOST_TOKENS)
    votes[cut] /= np.maximum(words.visible(tokens.gather(cut).list.last().to_numpy().astype(np.int64)), LEAST_VISIBLE)
    return np.asarray(np.round(votes, 6))


def _column_votes(prompts: pl.DataFrame, words: Lexicon) -> Floats:
    """What most of a prompt's requests show: tools on offer, a tool called in reply, thinking."""
    votes = np.zeros((prompts.height, len(words.classes)))
    half = prompts["request_count"].to_numpy()
    for name, column in (("agentic", "tool_count"), ("agentic", "tool_call_count"), ("reasoning", "thinking_count")):
        votes[:, words.classes.index(name)] += 2 * prompts[column].to_numpy() >= np.maximum(half, 1)
    return votes


def capabilities(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Reads network_prompts. Out: network_capabilities, a row for each network, part and class that a sampled prompt has, and for `general`. Empty: an empty table."""
    prompts = inputs["network_prompts"].sort("account_key", "prompt_key")
    whole = prompts.group_by("account_key").agg(pl.col(_UNITS).sum().name.suffix("_whole"))
    sampled = prompts.filter((pl.col("prompt_key") != REST) & (pl.col("tokens").list.len() > 0))
    sampled = sampled.with_columns(classified(sampled))
    parts = [_shares(_weighted(drawn, whole).filter(asked)).with_columns(pl.lit(part).alias("part")) for part, asked, drawn in _parts(sampled)]
    return {"network_capabilities": conform(pl.concat(parts), schema.NETWORK_CAPABILITIES)}


def _parts(sampled: pl.DataFrame) -> Iterator[tuple[str, pl.Expr, pl.DataFrame]]:
    """Each part: its name, which prompts are its own, and among which. A network of which no prompt is worded has one part only: nothing tells the operator's from others'."""
    yield "all", pl.lit(value=True), sampled
    told = sampled.filter(pl.col("is_worded").is_not_null() & pl.col("is_worded").any().over("network_id"))
    yield "operator", pl.col("is_worded"), told
    yield "carried", ~pl.col("is_worded"), told


def _weighted(drawn: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """With what each prompt stands for: its own amount times the account's total over the total of the prompts drawn from it. Null where the log never says how much."""
    sums = drawn.group_by("account_key").agg(pl.col(_UNITS).sum().name.suffix("_drawn"))
    joined = drawn.join(sums, on="account_key").join(whole, on="account_key")
    stands = [pl.when(pl.col(f"{unit}_drawn") > 0).then(pl.col(unit) / pl.col(f"{unit}_drawn") * pl.col(f"{unit}_whole")).otherwise(0.0) for unit in _UNITS]
    known = [pl.when(pl.col(unit).is_not_null().any().over("network_id")).then(stand.fill_null(0.0)).alias(unit) for unit, stand in zip(_UNITS, stands, strict=True)]
    return joined.select("network_id", "account_key", "prompt_key", "is_worded", "capability", *known).sort("network_id", "account_key", "prompt_key")


def _shares(own: pl.DataFrame) -> pl.DataFrame:
    """The rows of one part. Sums of fractions are made in the order of the prompts."""
    accounts = own.select("network_id", "account_key").unique().sort("network_id", "account_key").with_row_index("account")
    named = own.select("network_id", "capability")
    groups = pl.concat([named, named.with_columns(pl.lit(GENERAL).alias("capability"))]).unique().sort("network_id", "capability").with_row_index("group")
    prompts = own.join(accounts, on=["network_id", "account_key"], maintain_order="left").join(groups, on=["network_id", "capability"], maintain_order="left")
    sizes = np.bincount(prompts["account"], weights=prompts["request_count"], minlength=accounts.height)
    pairs = groups.join(accounts, on="network_id").sort("group", "account").select("group", "account")
    group, account = (pairs[name].to_numpy().astype(np.int64) for name in ("group", "account"))
    place = _places(pairs, prompts)
    hits = np.bincount(place, weights=prompts["request_count"], minlength=pairs.height)
    drawn = own.group_by("network_id").agg(pl.len().alias("sample_count"), pl.col("account_key").n_unique().alias("sample_account_count"))
    counted = groups.join(drawn, on="network_id").sort("group")
    low, high = share_intervals(np.minimum(hits, sizes[account]), sizes[account], group, counted["sample_count"].to_numpy().astype(np.int64))
    share = np.bincount(group, weights=hits) / np.maximum(np.bincount(group, weights=sizes[account]), 1e-300) if len(group) else np.zeros(0)
    made = {"share": share, "low_share": low, "high_share": high}
    return counted.with_columns(
        *(pl.Series(name, np.round(values, 6)) for name, values in made.items()),
        pl.Series("prompt_count", np.bincount(prompts["group"], minlength=groups.height)),
        pl.Series("account_count", np.bincount(group, weights=hits > 0, minlength=groups.height).astype(np.int64)),
        *(_totals(prompts, unit, groups.height) for unit in _UNITS),
    )


def _places(pairs: pl.DataFrame, prompts: pl.DataFrame) -> I64:
    """For each prompt the place of its group and account among all pairs of these."""
    return prompts.select("group", "account").join(pairs.with_row_index("place"), on=["group", "account"], how="left", maintain_order="left")["place"].to_numpy().astype(np.int64)


def _totals(prompts: pl.DataFrame, unit: str, groups: int) -> pl.Series:
    """Amount of each group, rounded; null where the log never says how much, 0 of a class without a prompt."""
    group, values = prompts["group"].to_numpy().astype(np.int64), prompts[unit]
    unknown = np.bincount(group, weights=values.is_null().to_numpy(), minlength=groups) > 0
    amounts = np.round(np.bincount(group, weights=values.fill_null(0.0).to_numpy(), minlength=groups)).astype(np.int64)
    return pl.Series(unit, amounts).set(pl.Series(unknown), None)


_UNITS = ("request_count", "input_tokens", "output_tokens")
