"""Stage 63: operational tests: whether a mechanism couples the accounts of a cluster, beyond what they share and how alike they are.

disjoint_work   members draw on one list that outsiders draw on too, and never draw the same entry (measures/worklist.py)
repeated_work   members repeat each other's work, as a class or a benchmark does: the opposite, which speaks for an innocent explanation
release_pivot   members move to a model within 24 hours of its release, accounts that work alike do not
ban_succession  members are born when other members are banned (measures/succession.py)
even_load       requests are dealt out over members more evenly than chance deals them (measures/dealt.py)

They are shown and decide nothing: no combined p, no q, no family established, no gate, no tier knows them. They have tables of their own, which the stages that judge
do not read (OPERATIONAL says their names to whoever lays tests of both sorts side by side), until validation has measured them on more than the power table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline import schema
from pipeline.config import Config
from pipeline.kinds import OPERATIONAL
from pipeline.measures.groups import Neighbours
from pipeline.stages.evidence_views import account_views
from pipeline.stages.frames import conform
from pipeline.stages.operations import BLANK, Outcome
from pipeline.stages.operations.bans import Births, births_of, succession
from pipeline.stages.operations.load import Days, day_counts, even_load
from pipeline.stages.operations.releases import Moves, moves_of, release_pivot
from pipeline.stages.operations.work import Work, disjoint_work, repeated_work, work_of
from pipeline.stages.population import Population, population

Ints = NDArray[np.int64]

GROUPS = 999
"""Random groups behind a permutation p-value at most: p down to SHOWN_P, and a third of the cost of the tests that verdicts look at."""
_COLUMNS = tuple(column.name for column in schema.OPERATIONAL_TESTS.columns)


class _Bench:
    """What the tests of one run share."""

    def __init__(self, inputs: Mapping[str, pl.DataFrame], config: Config) -> None:
        self.config = config
        self.people = _people(inputs)
        self.manner = Neighbours(account_views(inputs, self.people, config).manner)
        self.work: Work = work_of(inputs["work_items"], self.people)
        self.moves: Moves = moves_of(inputs["release_moves"], self.people)
        self.births: Births = births_of(inputs, self.people)
        self.days: Days = day_counts(inputs["daily_requests"], self.people)


def operational_tests(inputs: Mapping[str, pl.DataFrame], config: Config) -> dict[str, pl.DataFrame]:
    """Operational tests of each cluster of five or more, and the requests behind those that ran.

    Reads clusters, work_items, release_moves, context_events, daily_requests, account_records, features, boilerplate, sample_totals, first_requests.
    Empty: empty tables.
    """
    groups = inputs["clusters"].filter(pl.col("origin") != "small").sort("cluster", "account_key")
    tests: list[dict[str, object]] = []
    requests = [conform(pl.DataFrame(), schema.OPERATIONAL_REQUESTS)]
    bench = _Bench(inputs, config) if groups.height else None
    for (cluster,), rows in groups.group_by("cluster", maintain_order=True):
        assert bench is not None
        number, members = int(str(cluster)), bench.people.positions(rows["account_key"])
        for test, found in _tests(bench, members):
            tests.append(dict(zip(_COLUMNS, (number, test, OPERATIONAL[test], *found.row()), strict=True)))
            if found.behind is not None and found.is_shown:
                requests.append(_named(number, test, _references(found.behind(), bench.people, inputs), rows))
    return {
        "operational_tests": conform(pl.DataFrame(tests, infer_schema_length=None), schema.OPERATIONAL_TESTS),
        "operational_requests": pl.concat(requests).sort(schema.OPERATIONAL_REQUESTS.grain),
    }


def _tests(bench: _Bench, members: Ints) -> Iterator[tuple[str, Outcome]]:
    """Name and outcome of each test; a test draws from a generator of its own, so that none depends on another."""
    seed = [bench.config.networks.seed, *bench.people.keys[members[:2]].tolist(), len(members)]
    groups = min(GROUPS, bench.config.verdict.null_groups)
    yield "disjoint_work", disjoint_work(bench.work, members)
    yield "repeated_work", repeated_work(bench.work, bench.manner, members, groups, np.random.default_rng([*seed, 1]))
    yield "release_pivot", release_pivot(bench.moves, bench.manner, members, groups, np.random.default_rng([*seed, 2]))
    yield "ban_succession", succession(bench.births, members, np.random.default_rng([*seed, 3]))
    yield "even_load", even_load(bench.days, members, np.random.default_rng([*seed, 4]))


def _people(inputs: Mapping[str, pl.DataFrame]) -> Population:
    """The population without what pairs share, which no test here looks at."""
    return population({"account_records": inputs["account_records"], "shared_values": conform(pl.DataFrame(), schema.SHARED_VALUES), "kinds": BLANK})


def _references(behind: pl.DataFrame, people: Population, inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Requests for what an outcome points to: a prompt among those of `boilerplate`, a release among `release_moves`, an account by its first request."""
    if "account" in behind.columns:
        accounts = behind.select(pl.Series("account_key", people.keys[behind["account"].to_numpy()], dtype=pl.Int64), "strength")
        return accounts.join(inputs["first_requests"], on="account_key")
    name, on = ("boilerplate", "prompt_key") if "prompt_key" in behind.columns else ("release_moves", "model")
    return behind.join(inputs[name], on=["account_key", on]).filter(pl.col("request_id").is_not_null())


def _named(cluster: int, test: str, rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    own = rows.join(members.select("account_key"), on="account_key", how="semi")
    named = own.select(pl.lit(cluster).alias("cluster"), pl.lit(test).alias("test"), "account_key", "request_id", "source_file", "source_row", "strength")
    return conform(named.unique(schema.OPERATIONAL_REQUESTS.grain, keep="first", maintain_order=True), schema.OPERATIONAL_REQUESTS)
