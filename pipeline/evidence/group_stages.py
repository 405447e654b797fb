"""The stages of a run that judge, called for one group over the rows that they look at: its members', and those of the accounts that they are compared with.

The functions are the run's own. Random groups are drawn from accounts near the group in manner or volume, a few hundred of all; who these are is told from columns of one number an
account, which are read whole, so that of what accounts sent and when only some rows are. What counts over everybody (users of a word, how busy a day was, who else sent a prompt)
the run has counted. Wording that members have in common is looked for in the prompts that the run kept for that; where it kept none of some member, they are kept anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.engines.frames import select
from pipeline.evidence.workings import Frames, Workings
from pipeline.stages import STAGES, Stage
from pipeline.stages.ablations import ablations
from pipeline.stages.alternatives import alternatives
from pipeline.stages.cluster_tests import bench_of, cluster_tests, compared_in_wording, compared_with
from pipeline.stages.coverage import coverage
from pipeline.stages.frames import conform
from pipeline.stages.network_tables import network_tables
from pipeline.stages.operational import operational_tests
from pipeline.stages.operations import Outcome
from pipeline.stages.operations.work import MIN_HITTERS
from pipeline.stages.population import Population
from pipeline.stages.verdict import verdict

Ints = NDArray[np.int64]

_NUMBERS = ("boilerplate", "sample_totals", "handoffs", "fanouts")
_FEATURES = tuple("account_key first_us last_us request_count active_days output_tokens_mean prompt_distinct_share batch_share".split())
"""Features that these stages look at, of anybody."""
_COUNTED = ("word_users", "day_levels")
_SENT = ("habits", "account_words", "daily_requests")
_POOL = ("pool_documents", "pool_wording")
DISJOINT = "disjoint_work"
FEW = f"fewer than {MIN_HITTERS:.0%} of the members work on anything that an account outside works on"
"""Why disjoint_work cannot tell, whatever everybody else works on."""
NEEDS_ALL = "asked with --all only: it takes in what every account of the log works on"
"""Why it was not asked though it might."""


def judged(workings: Workings, people: Population, group: pl.DataFrame, rest: pl.DataFrame) -> Frames:
    """Tables of the group as stages 57 to 66 make them. In: rows of `clusters` of the group (sorted by account), and of whoever else is in a network of the run.

    Of what decides nothing the operational tests are asked but one; that and the rest: see `described`. Of everybody's features those are read that these stages look at.
    """
    tables = _numbers(workings)
    background = {"clusters": pl.concat([group, rest])}
    grounds = bench_of({**tables, **background, **{name: _none(name) for name in (*_SENT, *_COUNTED, *_POOL, "shared_values")}}, workings.config)
    members = people.positions(group["account_key"])
    alike, sized = compared_with(grounds, members) if group["origin"][0] != "small" else (members, members)
    near = people.keys[np.union1d(members, alike)].tolist()
    tables |= {"clusters": group, "shared_values": workings.rows_of("shared_values", near)}
    tables |= coverage(tables, workings.config)
    tables |= _sent(workings, near, people.keys[np.union1d(members, np.union1d(alike, sized))].tolist())
    asked = dict(tables)
    pool = _OnDemand({**tables, **background}, lambda: _pool_tables(workings, asked, rest, lambda there: compared_in_wording(grounds, members, there), people))
    tables |= cluster_tests(pool, workings.config, only=int(group["cluster"][0]))
    own = people.keys[members].tolist()
    return _weighed(workings, tables | {"operational_tests": coupled(workings, tables, own, near)}, own)


def _numbers(workings: Workings) -> Frames:
    """What is read of everybody: records, a few features, templated prompts, and who was coupled with whom."""
    features = workings.columns("accounts", *_FEATURES).sort("account_key")
    return workings.frames(("account_records", "kinds", *_NUMBERS)) | {"features": features}


def _sent(workings: Workings, near: list[int], writers: list[int]) -> Frames:
    """What some accounts sent and when, what the run counted of everybody, and of habits and words one row of anybody: that there are any in the log is asked, too.

    In: account_keys of whose words and days are asked for, and of whose habits.
    """
    counted = workings.frames(_COUNTED)
    shared = counted["word_users"].filter(pl.col("half") == 1)["token"].to_list()
    habits = [workings.rows_of("habits", writers), workings.first_of("habits", half=1)]
    words = [workings.rows_of("account_words", near), workings.first_of("account_words", half=1, token=shared)]
    return counted | {"daily_requests": workings.rows_of("daily_requests", near), "habits": pl.concat(habits).unique(), "account_words": pl.concat(words).unique()}


def _none(name: str) -> pl.DataFrame:
    return conform(pl.DataFrame(), schema.__dict__[name.upper()])


class _OnDemand(dict[str, pl.DataFrame]):
    """Tables, and those that may be asked for common wording if they are asked for: few groups need them, and they are made anew for some."""

    def __init__(self, tables: Frames, make_others: Callable[[], Frames]) -> None:
        super().__init__(tables)
        self._make_others = make_others

    def __missing__(self, name: str) -> pl.DataFrame:
        """Make them all when the first is asked for."""
        self.update(self._make_others())
        return self[name]


def _pool_tables(workings: Workings, tables: Frames, rest: pl.DataFrame, compared: Callable[[Ints], Ints], people: Population) -> Frames:
    """Prompts that may be asked for common wording, and the wording of the group and of whom it is compared with; none for a group that no gate family admits, which is not asked.

    Of others' prompts those that one of these sent, too, so that copies are known. In: who is compared with the group, of those whose prompts are kept (positions).
    """
    if not tables["cluster_families"]["admitted"].any():
        return {name: _none(name) for name in _POOL}
    own = tables["clusters"]["account_key"]
    there = workings.column("pool_documents", "account_key").unique().sort()
    near = [*own, *people.keys[compared(people.positions(there))].tolist()]
    if own.is_in(there.implode()).all():
        documents = workings.rows_of("pool_documents", near)
        copies = workings.rows_of("pool_documents", documents["prompt_key"].unique().to_list(), "prompt_key")
        return {"pool_documents": pl.concat([documents, copies]).unique(["account_key", "prompt_key"]), "pool_wording": workings.rows_of("pool_wording", near)}
    workings.put({"clusters": pl.concat([tables["clusters"], rest]), "cluster_families": tables["cluster_families"]})
    return workings.make([stage_of("pool_documents"), stage_of("pool_wording")])


def _weighed(workings: Workings, tables: Frames, members: Sequence[int]) -> Frames:
    """The same with the innocent explanations of the group and the verdict."""
    links = workings.among("pair_links", "account_a", members).filter(pl.col("account_b").is_in(list(members)))
    tables |= _wording_of(workings, members) | _repeated(workings, tables, members)
    tables |= {"client_wording": workings.frame("client_wording"), "entity_counts": workings.rows_of("entity_counts", members), "pair_links": links}
    tables |= alternatives(tables, workings.config)
    tables |= verdict(tables, workings.config)
    return tables | named(tables, workings.config)


def named(tables: Frames, config: Config) -> Frames:
    """controls, network_families and network_tests from what was made of a group; likeness and operational tests if they were."""
    nothing = {name: _none(name) for name in ("operational_tests", "cluster_likeness")}
    return network_tables(nothing | tables, config)


def described(workings: Workings, tables: Frames, rest: pl.DataFrame) -> Frames:
    """What decides nothing, as stages 56, 63 and 67 make it: likeness of pairs, operational tests, the verdict without each family. All are asked over the whole log.

    In: what `judged` gave, and whoever else is in a network of the run.
    """
    group = tables["clusters"]
    workings.put({"clusters": pl.concat([group, rest])})
    likeness = workings.make([stage_of("cluster_likeness")])["cluster_likeness"].filter(pl.col("cluster") == group["cluster"][0])
    workings.put({"clusters": group})
    tested = workings.make([stage_of("operational_tests")])["operational_tests"]
    tables = {**tables, "cluster_likeness": likeness, "operational_tests": tested, "joining_clients": workings.frame("joining_clients")}
    return named(tables, workings.config) | ablations(tables, workings.config)


def coupled(workings: Workings, tables: Frames, members: Sequence[int], near: Sequence[int]) -> pl.DataFrame:
    """The table operational_tests of the group, as stage 63 makes it; but for disjoint_work, which is left to `described` and says so where it could tell anything.

    In: account_keys of the members, and of them and whoever works in the same manner. Of daily_requests the members' rows are looked at, and which days the log has: a row of its
    first day and one of its last tell that. Of work_items those of `near`, and who else works on these.
    """
    days: list[date] = workings.columns("daily_requests", "day")["day"].unique().sort().to_list()
    ends = [workings.first_of("daily_requests", day=[day]) for day in (*days[:1], *days[-1:])]
    daily = pl.concat([workings.rows_of("daily_requests", members), *ends]).unique(maintain_order=True)
    own = workings.rows_of("work_items", near)
    work = pl.concat([own, workings.rows_of("work_items", own["item_key"].unique().to_list(), "item_key")]).unique(maintain_order=True)
    first = workings.rows_of("first_requests", members)
    read = {**tables, **workings.frames(("release_moves", "context_events")), "daily_requests": daily, "work_items": work, "first_requests": first}
    made = operational_tests(read, workings.config)["operational_tests"]
    rows = [_not_asked(row, work, members) if row["test"] == DISJOINT else row for row in made.iter_rows(named=True)]
    return conform(pl.DataFrame(rows, infer_schema_length=None), schema.OPERATIONAL_TESTS)


def _not_asked(row: Mapping[str, Any], work: pl.DataFrame, members: Sequence[int]) -> dict[str, Any]:
    """The row of disjoint_work without an outcome.

    That few members work on what anybody else works on is known from these rows, and then it cannot tell; else everybody's work is needed.
    """
    is_own = pl.col("account_key").is_in(list(members))
    drawn = work.filter(is_own).join(work.filter(~is_own), on="item_key", how="semi")["account_key"].n_unique()
    blank = Outcome(row["supports"], reason=NEEDS_ALL if drawn >= MIN_HITTERS * len(members) else FEW)
    return {**row, **dict(zip(list(row)[list(row).index("supports") :], blank.row(), strict=True))}


def _wording_of(workings: Workings, members: Sequence[int]) -> Frames:
    """Recurring wording that formed a member, and whoever else writes with it."""
    formed = workings.among("recurring_shingles", "account_key", members).filter(pl.col("half") == 0)
    return {"recurring_shingles": workings.among("recurring_shingles", "shingle", formed["shingle"].unique().to_list())}


def _repeated(workings: Workings, tables: Frames, members: Sequence[int]) -> Frames:
    """The table repeated_prompts, from the members' long prompts and whoever else sent them."""
    own = workings.rows_of("sent_prompts", members)
    sent = workings.rows_of("sent_prompts", own["prompt_key"].unique().to_list(), "prompt_key")
    return {"repeated_prompts": select("61_repeated_prompts.sql", {**tables, "sent_prompts": pl.concat([own, sent]).unique()}, schema.REPEATED_PROMPTS)}


def stage_of(writes: str) -> Stage:
    """The stage that makes a table."""
    return next(stage for stage in STAGES if writes in stage.writes)
