"""The record of an incident report: a finished run and a case in, every fact of the report out, each id and text released first.

Nothing here chooses a word or draws a line; `pipeline/pages/incident` does. The record is a pure function of the run's tables, the case, the context
folder and the validation at hand: no clock, no host, no path.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline import redact
from pipeline.config import Config, recorded_config
from pipeline.errors import InputError
from pipeline.evidence.dossier import counting, ground, people, rhythm, sharing, weights
from pipeline.evidence.dossier.skeletons import Logs, in_words
from pipeline.evidence.finished import FinishedRun
from pipeline.ingest.context import Context, read_context
from pipeline.kinds import FAMILIES
from pipeline.pages.error_rates import choose, find_validations, summary
from pipeline.pages.holdings import matrix
from pipeline.pages.incident.parts import Concentration, Reference, Series, Traffic, Volume
from pipeline.pages.incident.records import CaseSheet, Clause, Incident, NetworkSheet, OutsideFact, Prices, Row, Superseded
from pipeline.pages.pieces import beyond_chance_level
from pipeline.pages.traffic import calendar_of

if TYPE_CHECKING:
    from pipeline.evidence import cases
    from pipeline.evidence.cases import Case
    from pipeline.redaction import Release

REFERENCES = 5
"""Evidence rows of a finding that are printed."""
_REFERENCE = ("request_id", "source_file", "source_row", "role")
_DRAWN_FAMILIES = tuple(family for family in FAMILIES if family != "settings")


def logged(release: Release) -> Callable[[str], str]:
    """How a piece of log text (a model, a file, a country, a client) is released: shorter than what a person wrote for the case."""
    return functools.partial(release.text, limit=redact.TEXT_LIMIT)


@dataclass(frozen=True)
class _Ground:
    """What every network's sheet is made from."""

    run: FinishedRun
    config: Config
    release: Release
    context: Context
    calendar: tuple[dt.date, ...]
    members: pl.DataFrame
    """members of the reported networks, with account_key, first_us and last_us"""
    days: pl.DataFrame
    """account_days of members and controls, with account_id"""
    counted: Mapping[str, counting.Counted]
    traffic: Mapping[str, Traffic]
    controls: pl.DataFrame
    control_traffic: Mapping[str, Traffic]
    control_skeletons: Mapping[str, Concentration]
    logs: Logs | None
    """where prompts may be read again; None: nowhere"""


def build_incident(run: FinishedRun, case: Case, networks: Sequence[str], release: Release, context: Path | None, logs: Logs | None = None) -> Incident:
    """The report on these networks; with the logs, frequent skeletons are in words.

    Raises InputError for none, for an unknown network or a context folder that cannot be read, IntegrityError for a broken table.
    """
    config = recorded_config(run.manifest()["config"], str(run.folder / "run.json"))
    rows = _networks(run, networks)
    given = read_context(context)
    base = _ground(run, config, release, given, [row["network_id"] for row in rows], logs)
    sheets = tuple(_sheet(base, row) for row in rows)
    chosen = choose(find_validations(run.out), config)
    return Incident(
        case=_case(case, release),
        run=ground.run_sheet(run, config, base.calendar, logged(release)),
        networks=sheets,
        between=_between(run, base.members),
        facts=tuple(OutsideFact(release.text(fact.text), release.text(fact.source), fact.grade, fact.rung, release.text(fact.by), str(fact.date)) for fact in case.facts),
        terms=tuple(_clause(clause, release) for clause in case.terms),
        prices=_prices(case, release),
        context=ground.context_sheet(given, run, base.members, logged(release)),
        calendar=base.calendar,
        validation=chosen.document if chosen else None,
        validation_summary=summary(chosen.document, config) if chosen else None,
        redactions=tuple((entry.code, entry.count) for entry in release.redactions),
    )


def _networks(run: FinishedRun, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Their rows, in the order in which they were asked for, each once."""
    names = list(dict.fromkeys(wanted))
    if not names:
        raise InputError("an incident report needs at least one network. See: stillhunt networks")
    found = {row["network_id"]: row for row in run.among("networks", {"network_id": names}).iter_rows(named=True)}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise InputError(f"no network '{unknown[0][:40]}' in the latest run of {run.out}. See: stillhunt networks --out {run.out}")
    return [found[name] for name in names]


def _ground(run: FinishedRun, config: Config, release: Release, given: Context, networks: Sequence[str], logs: Logs | None) -> _Ground:
    accounts = run.table("accounts").select("account_id", "account_key", "first_us", "last_us")
    members = run.among("members", {"network_id": networks}).join(accounts, on="account_id").sort("network_id", "account_id")
    controls = run.among("controls", {"network_id": networks}).join(accounts.select("account_id", "account_key"), on="account_id").sort("network_id", "account_id")
    days = rhythm.account_days(run, pl.concat([members.select("account_key", "account_id"), controls.select("account_key", "account_id")]))
    window = run.manifest()["window"]
    calendar = calendar_of(str(window["first_day"]), str(window["last_day"]), days)
    return _Ground(
        run=run,
        config=config,
        release=release,
        context=given,
        calendar=calendar,
        members=members,
        days=days,
        counted=counting.count_requests(run, members.select("account_key", "network_id", "role")),
        traffic=rhythm.traffic(days, members.select("network_id", "account_id"), calendar),
        controls=controls,
        control_traffic=rhythm.traffic(days, controls.select("network_id", "account_id"), calendar),
        control_skeletons=counting.skeleton_counts(run, controls.select("account_key", "network_id")),
        logs=logs,
    )


def _sheet(base: _Ground, row: Row) -> NetworkSheet:
    network, run, release = row["network_id"], base.run, base.release
    members = base.members.filter(pl.col("network_id") == network)
    own = members.select("account_id")
    days, counted = base.days.join(own, on="account_id", how="semi"), base.counted[network]
    names = dict(members.select("account_key", "account_id").iter_rows())
    clusters = run.where("cluster_ids", network_id=network)["cluster"].to_list()
    held = sharing.holdings(run, base.config, clusters[0] if clusters else -1, list(names))

    def by_key(key: int) -> str:
        return release.account(names[key])

    drawn, edge = weights.waterfalls(run, members, base.config, by_key)
    controls = base.controls.filter(pl.col("network_id") == network)
    shown = release.aggregate(controls.height)
    findings = run.where("findings", network_id=network).sort("rank", "finding_id")
    traces = people.indicators(run, members, logged(release))
    weak, bans = people.doubtful(members), ground.bans_of(base.context)
    return NetworkSheet(
        network_id=redact.identifier(network),
        row=row,
        families=_rows(run, "network_families", network, "family"),
        tests=tuple({**test, "beyond": _beyond(test, base.config)} for test in _rows(run, "network_tests", network, "test")),
        ablations=_rows(run, "network_ablations", network, "family"),
        alternatives=tuple(run.where("cluster_alternatives", cluster=clusters[0]).sort("alternative").rows(named=True)) if clusters else (),
        findings=tuple(findings.rows(named=True)),
        references={finding: _references(base, finding) for finding in findings["finding_id"]},
        lineage=_rows(run, "lineage", network, "night", "event", "other_id"),
        roles=people.role_counts(members),
        bridges=people.member_list(people.bridges(members).head(people.LISTED), release.account),
        doubtful=people.member_list(weak.head(people.LISTED), release.account),
        doubtful_count=weak.height,
        membership=people.membership_curve(members),
        matrix=matrix(held, by_key, "block", rows=sharing.MATRIX_ROWS, columns=sharing.MATRIX_COLUMNS),
        graph=matrix(held, by_key, "node", rows=sharing.GRAPH_ROWS, columns=sharing.GRAPH_COLUMNS, families=_DRAWN_FAMILIES, nodes=sharing.GRAPH_NODES),
        waterfalls=drawn,
        edge_bits=edge,
        traffic=base.traffic.get(network, _no_traffic(members.height)),
        controls=base.control_traffic.get(network) if shown is not None else None,
        control_count=shown or "fewer than may be shown",
        multiples=rhythm.multiples(days, base.calendar, release.account),
        lives=rhythm.lives(members.filter(pl.col("first_us").is_not_null()), bans, release.account),
        life_days=rhythm.life_days(members, bans, base.calendar),
        volumes=tuple(_released(volume, logged(release)) for volume in counted.volumes),
        units=counted.units,
        intensity=rhythm.intensity(days),
        traits=people.traits(_features(run, own), _features(run, controls.select("account_id") if shown is not None else own.clear())),
        concentration=counted.concentration,
        control_concentration=base.control_skeletons.get(network) if shown is not None else None,
        models=tuple(Series(logged(release)(model), tuple(per.get(day, 0) for day in base.calendar)) for model, per in sorted(counted.model_days.items())),
        templates=in_words(run, counted.templates, members["account_key"], controls["account_key"], base.logs, release) if base.logs else counted.templates,
        countries=people.countries(counted.countries, None if base.context.regions is None else sorted(base.context.regions), logged(release)),
        limited=rhythm.limited(days, base.calendar),
        indicators=traces[0],
        common_traces=traces[1],
        capabilities=_rows(run, "network_capabilities", network, "part", "capability"),
        traffic_parts=_rows(run, "network_traffic", network, "part"),
    )


def _no_traffic(accounts: int) -> Traffic:
    return Traffic(accounts, (), ((0,) * 24,) * 7, 0)


def _released(volume: Volume, shown: Callable[[str], str]) -> Volume:
    return Volume(volume.role, shown(volume.model), volume.month, volume.units)


def _features(run: FinishedRun, accounts: pl.DataFrame) -> pl.DataFrame:
    return run.among("accounts", {"account_id": accounts["account_id"].unique().sort().to_list()})


def _rows(run: FinishedRun, table: str, network: str, *order: str) -> tuple[Row, ...]:
    return tuple(run.where(table, network_id=network).sort(*order).rows(named=True)) if run.holds(table) else ()


def _beyond(row: Row, config: Config) -> bool:
    return row["p_value"] is not None and row["p_value"] <= beyond_chance_level(row["test"], row["supports"], config)


def _references(base: _Ground, finding: str) -> tuple[Reference, ...]:
    rows = base.run.where("evidence", finding_id=finding).select(_REFERENCE).head(REFERENCES)
    return tuple(Reference(base.release.value(request), logged(base.release)(file), int(row), role or "") for request, file, row, role in rows.iter_rows())


def _between(run: FinishedRun, members: pl.DataFrame) -> tuple[tuple[str, str, int], ...]:
    """Pairs of linked members of two reported networks."""
    home = members.select("account_id", "network_id")
    links = run.table("links").select("account_a", "account_b").unique()
    both = links.join(home, left_on="account_a", right_on="account_id").join(home, left_on="account_b", right_on="account_id", suffix="_b")
    apart = both.filter(pl.col("network_id") != pl.col("network_id_b"))
    ordered = apart.select(pl.min_horizontal("network_id", "network_id_b").alias("a"), pl.max_horizontal("network_id", "network_id_b").alias("b"))
    return tuple((redact.identifier(a), redact.identifier(b), int(count)) for a, b, count in ordered.group_by("a", "b").len().sort("a", "b").iter_rows())


def _case(case: Case, release: Release) -> CaseSheet:
    return CaseSheet(
        case_id=case.case_id,
        version=str(case.version),
        title=release.text(case.title),
        status=case.status,
        author=release.text(case.author),
        reviewer=release.text(case.reviewer),
        created_on=str(case.created_on),
        hold=case.hold,
        profile=release.profile,
        supersedes=_superseded(case, release),
    )


def _superseded(case: Case, release: Release) -> Superseded | None:
    earlier = case.supersedes
    if earlier is None:
        return None
    return Superseded(str(earlier.version), tuple((release.account(account), release.text(why)) for account, why in earlier.removed))


def _clause(clause: cases.Clause, release: Release) -> Clause:
    until = "" if clause.in_force_to is None else str(clause.in_force_to)
    return Clause(release.text(clause.clause_id), release.text(clause.version), clause.sha256, str(clause.in_force_from), until, release.text(clause.behaviour))


def _prices(case: Case, release: Release) -> Prices | None:
    sheet = case.prices
    return None if sheet is None else Prices(str(sheet.as_of), sheet.sha256, tuple((release.text(model), given, made) for model, given, made in sheet.rows))
