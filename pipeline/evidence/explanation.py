"""Why an account is linked to others: bits by family, the strongest shared facts, and the request rows behind them.

The figures are those of the run: every pair of accounts is scored from the run's own shared values, whether or not a block proposed it. Against a
network an account is compared with every other member (a sample of a large one), and the mean over these pairs is taken, because means
of families add up to the mean of the total; the run itself decides by the median, which stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.config import Config, recorded_config
from pipeline.errors import InputError
from pipeline.evidence.finished import FinishedRun
from pipeline.evidence.sampled import sampled
from pipeline.history.recall import entity_total
from pipeline.kinds import CLASS_OF_FAMILY, FAMILIES, GATE_FAMILIES, LIKENESS_FAMILIES, kind_table, kinds
from pipeline.stages.population import scorer_of

FELLOWS = 400
"""Members of a network that an account is compared with at most, those whose keys are smallest: keys are hashes, so the choice favours nobody."""
FACTS, ROWS_A_FACT = 3, 4
COLUMN_OF_KIND = {kind: f"{kind}_key" for kind in ("ip", "ip_prefix", "stack", "headers", "prompt", "skeleton", "system")} | {"fanout": "prompt_key", "rewritten_client": "ja4_key"}
"""Kinds whose value stands in a column of the narrow requests."""


@dataclass(frozen=True)
class Bar:
    """What one family adds."""

    family: str
    evidence_class: str
    mean_bits: float
    """mean over the pairs compared"""
    linked_share: float
    """0..1, pairs with bits in this family"""
    kinds: str
    """kinds that give them, strongest first, comma separated"""


@dataclass(frozen=True)
class Fact:
    """One value that the account shares with those it is compared with."""

    rank: int
    kind: str
    family: str
    value_key: int
    rarity_bits: float
    """log2(entities / holders) with the compared accounts not counted among the holders, so that a large network's facts stay rare"""
    shared_with: int
    """compared accounts that hold it"""
    holder_count: int
    """entities that hold it in all"""


@dataclass(frozen=True)
class Row:
    """A request behind a fact."""

    rank: int
    account_id: str
    stands_for: str
    """`holds_value`: the request itself shows it; `of_account`: the accounts table shows it, this is the account's first request"""
    request_id: str
    source_file: str
    source_row: int


@dataclass(frozen=True)
class Explanation:
    """Everything that ties one account to another or to a network."""

    account_id: str
    compared_with: int
    """accounts"""
    colleague_count: int
    """those of the account's own vouched organisation: what they share is no evidence"""
    bars: tuple[Bar, ...]
    likeness: tuple[Bar, ...]
    """how alike they are without sharing a value: beside the bars and in no sum, for it links nobody; pairs that the run did not compare count 0"""
    mean_bits: float
    median_bits: float
    """median of the total over the pairs, what the run goes by"""
    edge_bits: float
    """bits from which two accounts count as linked, with two families"""
    facts: tuple[Fact, ...]
    rows: tuple[Row, ...]


def explain(run: FinishedRun, account: Mapping[str, Any], fellows: pl.DataFrame) -> Explanation:
    """In: a row of `accounts`, and account_id and account_key of those it is compared with (itself left out by the caller). Raises InputError for none."""
    if not fellows.height:
        raise InputError(f"there is nobody to compare {account['account_id']} with. Name another account: --vs ACCT.")
    config = recorded_config(run.manifest()["config"], str(run.folder / "run.json"))
    own, near = int(account["account_key"]), fellows.sort("account_key").head(FELLOWS)
    ids = {own: str(account["account_id"])} | {int(key): str(name) for name, key in near.select("account_id", "account_key").iter_rows()}
    values = run.among("shared_values", {"account_key": ids})
    bars, totals = _bars(values, own, np.sort(np.array(list(ids), dtype=np.int64)), config)
    entities = entity_total(values if values.height else run.table("shared_values"))  # accounts that share nothing with anybody have no row to read it from
    facts = _facts(values, own, entities, [kind.kind for kind in kinds(config.links) if kind.is_gate])
    return Explanation(
        account_id=ids[own],
        compared_with=near.height,
        colleague_count=_colleagues(values, own),
        bars=bars,
        likeness=_likeness(run, own, [key for key in ids if key != own]),
        mean_bits=round(float(totals.mean()), 6),
        median_bits=round(float(np.median(totals)), 6),
        edge_bits=round(math.log2(max(2, entities)) + config.networks.edge_margin_bits, 6),
        facts=facts,
        rows=tuple(row for fact in facts for row in _rows(run, fact, own, ids, values)),
    )


def _bars(values: pl.DataFrame, own: int, keys: np.ndarray[Any, np.dtype[np.int64]], config: Config) -> tuple[tuple[Bar, ...], np.ndarray[Any, np.dtype[np.float64]]]:
    scorer = scorer_of(values, kind_table(config.links), keys)
    here = int(np.searchsorted(keys, own))
    others = np.delete(np.arange(len(keys)), here)
    pairs = np.full(len(others), here), others
    families, by_kind = scorer.by_family(*pairs), scorer.by_kind(*pairs).mean(axis=0)
    family_of = dict(kind_table(config.links).select("kind", "family").iter_rows())
    strongest = sorted((name for name, bits in zip(scorer.kind_names, by_kind, strict=True) if bits > 0), key=lambda name: (-by_kind[scorer.kind_names.index(name)], name))
    bars = tuple(
        Bar(family, CLASS_OF_FAMILY[family], round(float(bits.mean()), 6), round(float((bits > 0).mean()), 6), ",".join(name for name in strongest if family_of[name] == family))
        for family, bits in zip(scorer.families, families.T, strict=True)
    )
    return tuple(sorted(bars, key=lambda bar: (-bar.mean_bits, FAMILIES.index(bar.family)))), scorer.total(*pairs)


def _likeness(run: FinishedRun, own: int, others: Sequence[int]) -> tuple[Bar, ...]:
    """The families of likeness, from what the run compared: pairs that share a value or a network."""
    if not run.holds("pair_likeness"):
        return ()
    near = pl.concat([run.where("pair_likeness", **{side: own}) for side in ("account_a", "account_b")])
    other = pl.when(pl.col("account_a") == own).then("account_b").otherwise("account_a")
    rows = near.filter(other.is_in(list(others)))
    bars = []
    for family in LIKENESS_FAMILIES:
        bits = rows.filter(pl.col("family") == family)["bits"].sort().to_list()
        bars.append(Bar(family, CLASS_OF_FAMILY[family], round(math.fsum(bits) / len(others), 6), round(len(bits) / len(others), 6), family if bits else ""))
    return tuple(bars)


def _colleagues(values: pl.DataFrame, own: int) -> int:
    entity = values.filter(pl.col("account_key") == own)["entity_key"].unique()
    return values.filter(pl.col("entity_key").is_in(entity.implode()) & (pl.col("account_key") != own))["account_key"].n_unique()


def _facts(values: pl.DataFrame, own: int, entities: int, gate_kinds: Sequence[str]) -> tuple[Fact, ...]:
    """Of each family the value that ties the account to most, by bits times accounts, families and kinds of the gate first, then specific ones; then kinds not yet shown."""
    mine = values.filter(pl.col("account_key") == own).select("kind", "value_key")
    held = values.filter(pl.col("account_key") != own).join(mine, on=["kind", "value_key"], how="semi")
    shared = held.group_by("kind", "family", "value_key").agg(pl.len().alias("shared_with"), pl.col("entity_key").n_unique().alias("inside"), pl.col("df").first())
    outside = (pl.col("df") - pl.col("inside") - 1).clip(lower_bound=0)
    scored = shared.with_columns((pl.lit(float(max(entities, 2))).log(2) - (outside + 1).cast(pl.Float64).log(2)).round(6).alias("bits"))
    reach = (pl.col("bits") * pl.col("shared_with")).alias("reach")
    specific = pl.col("family").replace_strict({name: kind == "specific" for name, kind in CLASS_OF_FAMILY.items()}, return_dtype=pl.Boolean)
    gate = pl.col("kind").is_in(gate_kinds)
    opens = pl.col("family").is_in(GATE_FAMILIES)
    ordered = scored.with_columns(reach).sort(opens, specific, gate, "reach", "bits", "kind", "value_key", descending=[True, True, True, True, True, False, False])
    first = ordered.unique("family", keep="first", maintain_order=True)
    top = pl.concat([first, ordered.join(first, on="kind", how="anti").unique("kind", keep="first", maintain_order=True)]).head(FACTS)
    rows = enumerate(top.iter_rows(named=True), start=1)
    return tuple(Fact(rank, row["kind"], row["family"], int(row["value_key"]), row["bits"], int(row["shared_with"]), int(row["df"])) for rank, row in rows)


def _rows(run: FinishedRun, fact: Fact, own: int, ids: Mapping[int, str], values: pl.DataFrame) -> Sequence[Row]:
    """Requests of the account and of the first fellows that share the value."""
    holders = values.filter((pl.col("kind") == fact.kind) & (pl.col("value_key") == fact.value_key))["account_key"].sort().to_list()
    shown = [own, *(key for key in holders if key != own)][:ROWS_A_FACT]
    role, found = _references(run, fact, shown)
    order = {key: place for place, key in enumerate(shown)}
    rows = sorted(found.iter_rows(named=True), key=lambda row: order[row["account_key"]])
    return [Row(fact.rank, ids[row["account_key"]], role, row["request_id"], row["source_file"], int(row["source_row"])) for row in rows]


def _references(run: FinishedRun, fact: Fact, accounts: Sequence[int]) -> tuple[str, pl.DataFrame]:
    """One request an account: its first that shows the value, else its first of all."""
    keys: dict[str, Sequence[int]] = {"account_key": accounts}
    rows = pl.DataFrame()
    if fact.kind in COLUMN_OF_KIND:
        rows = _first_of_each(run, "requests", "ts_us", keys | {COLUMN_OF_KIND[fact.kind]: [fact.value_key]})
    elif fact.kind == "handoff":
        rows = _first_of_each(run, "session_days", "first_us", keys | {"session_key": [fact.value_key]})
    elif fact.kind == "template":
        rows = _first_of_each(run, "prompt_samples", "first_us", keys, shingle=fact.value_key)
    return ("holds_value", rows) if rows.height else ("of_account", run.among("first_requests", keys).select(_REFERENCE))


_REFERENCE = ("account_key", "request_id", "source_file", "source_row")
DAYS_AT_ONCE = 7


def _first_of_each(run: FinishedRun, table: str, moment: str, wanted: Mapping[str, Sequence[int]], shingle: int | None = None) -> pl.DataFrame:
    """The earliest row of each account that shows the value, a week at a time until each has one; days are in order, so a later week cannot hold an earlier row."""
    days, columns = sorted(run.manifest()["days"]), (moment, *_REFERENCE, *(("shingles",) if shingle is not None else ()))
    parts: list[pl.DataFrame] = []
    for at in range(0, len(days), DAYS_AT_ONCE):
        some = days[at : at + DAYS_AT_ONCE]
        if shingle is None:
            rows = [run.days_among(table, columns, wanted, some)]
        else:
            rows = [found.filter(pl.col("shingles").list.contains(shingle)) for found in sampled(run, columns, wanted, some)]
        parts += [found.select(moment, *_REFERENCE) for found in rows if found.height]
        if parts and pl.concat(parts)["account_key"].n_unique() == len(set(wanted["account_key"])):
            break
    if not parts:
        return pl.DataFrame()
    return pl.concat(parts).sort(moment, *_REFERENCE).unique("account_key", keep="first", maintain_order=True).select(_REFERENCE)
