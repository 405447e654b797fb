"""Tables and a manifest of a made-up run, for tests of the pages: every number is fixed by a formula, none is drawn.

`frames()` holds one network of each tier, a group of two on watch, and one network without traffic; `empty_frames()` a night in
which nothing was found. Golden pages are made from `frames()`; refresh them with: python -m tests.pages.refresh (see there).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline import assets, schema
from pipeline.config import load_config
from pipeline.history import no_past
from pipeline.history.canaries import Canary, CanaryNight
from pipeline.history.journal import Entry
from pipeline.history.nights import EarlierNight, NetworkThen
from pipeline.history.past import Past
from pipeline.history.prices import PriceSheet
from pipeline.history.report import report
from pipeline.history.settings import shipped_operations
from pipeline.history.standing import standing
from pipeline.pages.run_facts import read_manifest
from pipeline.pages.source import Source
from pipeline.pages.words import load_wording
from tests.pages import shared

NIGHT = dt.date(2026, 5, 6)
FIRST_DAY = NIGHT - dt.timedelta(days=27)
REFER, WATCH, EXPLAINED, PAIR, SILENT = "N-0a1b2c3d4e", "N-1b2c3d4e5f", "N-2c3d4e5f60", "N-3d4e5f6071", "N-4e5f607182"
_KINDS = {"BIGINT": pl.Int64, "INTEGER": pl.Int32, "DOUBLE": pl.Float64, "VARCHAR": pl.String, "BOOLEAN": pl.Boolean, "DATE": pl.Date, "TIMESTAMP": pl.Datetime("us")}
HOURS = [f"h{hour:02d}" for hour in range(24)]


def table(which: schema.Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame with the table's columns and types; what a row does not name is null."""
    kinds = {column.name: _KINDS[column.type] for column in which.columns}
    return pl.DataFrame([{name: row.get(name) for name in kinds} for row in rows], schema=kinds, orient="row")


def manifest(**changes: Any) -> dict[str, Any]:
    """run.json of the made-up run."""
    base: dict[str, Any] = {
        "schema": "stillhunt.run/1",
        "run_id": "5f0c1d2e3a4b",
        "version": "0.1.0",
        "night": NIGHT.isoformat(),
        "window": {"first_day": FIRST_DAY.isoformat(), "last_day": NIGHT.isoformat(), "days": 28, "days_with_requests": 28},
        "config_sha256": "9d377b6a1f0e4c52" * 4,
        "inputs": [
            {"name": f"date=2026-05-{day:02d}/part-0.parquet", "rows": 10_000 + day, "size_bytes": 1_000_000 + day, "sha256": f"{day:064x}", "conforms": True}
            for day in range(1, 7)
        ],
        "skipped_files": [],
        "counts": {"rows_read": 412_345, "rows_kept": 412_003, "accounts": 2_310, "networks": 5},
        "rejected": {"duplicate": 300, "null_required": 42},
        "coverage": {
            "request_id": {"non_null": 412_003, "rows": 412_003},
            "prompt": {"non_null": 411_000, "rows": 412_003},
            "client_ip": {"non_null": 0, "rows": 412_003},
            "ja4": {"non_null": 150_000, "rows": 412_003},
        },
        "accounts_table": {"accounts": 2_310, "misfits": {}, "unknown_columns": [], "values": {"account_id": 2_310, "payment_fingerprint": 1_155, "credits_usd": 0}},
        "degraded": [],
    }
    return {**base, **changes}


def frames(members: int = 40) -> dict[str, pl.DataFrame]:
    """The tables of the made-up run; the referred network has `members` members."""
    groups = {REFER: _ids("acct-r", members), WATCH: _ids("acct-w", 6), EXPLAINED: _ids("acct-e", 31), PAIR: _ids("acct-p", 2), SILENT: _ids("acct-s", 5)}
    controls = {REFER: _ids("acct-c", 60), WATCH: _ids("acct-c", 12)}
    families, tests = _families(), _tests()
    return {
        "networks": _networks(groups),
        "members": _members(groups),
        "controls": table(schema.CONTROLS, [{"network_id": network, "account_id": account} for network, ids in controls.items() for account in ids]),
        "network_families": families,
        "network_tests": tests,
        "network_ablations": _ablations(),
        "findings": _findings(members),
        "evidence": _evidence(),
        "handoff_requests": table(schema.HANDOFF_REQUESTS, _turns()),
        "blind_spots": _blind_spots(),
        "lineage": _lineage(members),
        "known_networks": _known(groups),
        "context_events": _context_events(),
        "links": pl.concat([_links(), table(schema.LINKS, shared.chain(groups[REFER]))]),
        "accounts": shared.accounts(groups, controls[REFER]),
        **shared.holdings(members),
        **shared.verdict(families, tests, members),
        "account_days": _account_days({**{network: ids for network, ids in groups.items() if network != SILENT}, "controls": controls[REFER]}),
    }


def health(dip: bool = True) -> dict[str, Any]:
    """The part `health` of run.json: 28 days of 14,000 rows, on the night half of them between 6 and 12, and a column that stopped."""
    hours = [580 + hour for hour in range(24)]
    usual = {"rows_read": 14_200, "rows_kept": 14_190, "duplicates": 8, "rejected": 2, "accounts": 2_200, "hours": hours, "filled": {"prompt": 14_190, "ja4": 5_000}}
    tonight = {
        **usual,
        "rows_read": 12_400,
        "rows_kept": 12_390,
        "hours": [count // 2 if 6 <= hour < 12 else count for hour, count in enumerate(hours)],
        "filled": {"prompt": 12_390},
    }
    days = {(FIRST_DAY + dt.timedelta(days=offset)).isoformat(): {**usual, "rows_read": 14_200 + 10 * (offset % 5)} for offset in range(27)}
    return {"days": {**days, NIGHT.isoformat(): tonight if dip else usual}, "score_counts": [1_900, 200, 100, *[10] * 16, 40]}


def past() -> Past:
    """Eight earlier nights, the last of them degraded; a journal; canaries of the night before."""
    nights = tuple(_earlier_night(offset) for offset in (9, 8, 7, 6, 5, 3, 2, 1))
    entries = (
        _entry(1, "disposition", network_id=SILENT, verdict="benign", reason="evaluation team, contract 17", night="2026-05-04", run_id="a" * 12, seen={"account_count": 3}),
        _entry(2, "disposition", network_id="N-5f60718293", verdict="confirmed", reason="card owner found", night="2026-05-04", run_id="a" * 12, seen={"families": ["identity"]}),
        _entry(3, "note", subject=REFER, is_network=True, text="billing was asked about the two cards", night="2026-05-04", run_id="a" * 12, seen={}),
        _entry(4, "allow", subject=WATCH, is_network=True, reason="known team", until="2026-06-30", night="2026-05-04", run_id="a" * 12, seen={"account_count": 5}),
        _entry(5, "allow", subject="acct-r-00003", is_network=False, reason="colleague", until="2026-05-20", night="2026-05-04", run_id="a" * 12, seen={}),
        _entry(6, "allow", subject=REFER, is_network=True, reason="was a test", until="2026-05-01", night="2026-04-20", run_id="a" * 12, seen={"account_count": 9}),
        _entry(
            7,
            "disposition",
            network_id="N-60718293a4",
            verdict="benign",
            reason="one course",
            night="2026-05-01",
            run_id="a" * 12,
            seen={"account_count": 31, "families": ["identity", "topic"]},
        ),
    )
    then = {
        REFER: NetworkThen("watch", 9, 80_000),
        EXPLAINED: NetworkThen("explained", 31, 3_300),
        WATCH: NetworkThen("watch", 6, 9_000),
        "N-5f60718293": NetworkThen("watch", 9, 700),
    }
    planted = (Canary("L0", 12, 12, "refer", is_found=True), Canary("L2", 12, 4, "watch", is_found=False))
    canary = CanaryNight(NIGHT - dt.timedelta(days=1), 7, planted, "0.1.0", "ef" * 32)
    prices = PriceSheet(dt.date(2026, 4, 1), "5d" * 32, (("large-1", 3_000_000, 15_000_000), ("small-1", 250_000, 1_250_000)))
    return Past(NIGHT, shipped_operations(), nights, nights[-2], then, entries, standing(entries), canary, prices)


def _earlier_night(offset: int) -> EarlierNight:
    degraded = ("part-3.parquet was skipped: truncated",) if offset == 1 else ()
    counts = {"rows_read": 400_000, "rows_kept": 399_000 + offset}
    scores = {"days": {}, "score_counts": [1_900, 200, 100, *[10] * 17]}
    night = NIGHT - dt.timedelta(days=offset)
    return EarlierNight(night, f"{offset:012x}", "0.1.0", "9d377b6a1f0e4c52" * 4, f"{offset:064x}", degraded, counts, {"refer": 1, "watch": 2}, scores)


def _entry(number: int, kind: str, **content: Any) -> Entry:
    return Entry(number, f"2026-05-0{number}T08:00:00Z", "A. Analyst", kind, content, "ab" * 32, "cd" * 32)


def empty_frames() -> dict[str, pl.DataFrame]:
    """A night in which the families ran and nothing was found."""
    full = frames(5)
    return {name: frame if name == "blind_spots" else frame.clear() for name, frame in full.items()}


def _ids(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number:05d}" for number in range(count)]


def written(which: schema.Table, text: str, **common: Any) -> pl.DataFrame:
    """A table out of lines of `a | b | c` under a line of column names; an empty place is null."""
    names, *lines = ([part.strip() for part in line.split("|")] for line in text.strip().splitlines())
    return table(which, [{**common, **{name: _value(which, name, part) for name, part in zip(names, line, strict=True)}} for line in lines])


def _value(which: schema.Table, name: str, text: str) -> Any:
    kind = next(column.type for column in which.columns if column.name == name)
    if not text:
        return None
    return {"BIGINT": int, "DOUBLE": float, "BOOLEAN": "true".__eq__, "DATE": dt.date.fromisoformat}.get(kind, str)(text)


def _networks(groups: Mapping[str, list[str]]) -> pl.DataFrame:
    seen = {"first_seen_at": dt.datetime.fromisoformat("2026-04-11T02:14:00"), "last_seen_at": dt.datetime.fromisoformat("2026-05-06T23:51:07")}
    frame = written(
        schema.NETWORKS,
        f"""
        network_id | tier | request_count | coordination_bits | extraction_bits | q_value | p_value | best_alternative | alternative_margin_bits | attribution_level | reason
        {REFER} | refer | 104210 | 31.25 | 9.5 | 0.002 | 0.001 | public_client | 7.4 | L3 | specific_fact_and_extraction
        {WATCH} | watch | 9100 | 18.0 | 3.25 | 0.04 | 0.02 | none | 4.0 | L0 | no_specific_fact
        {EXPLAINED} | explained | 3300 | 21.0 | 0.5 | 0.3 | 0.2 | classroom | -3.5 | L0 | classroom
        {PAIR} | watch | 71 | 14.0 | 0.0 | | | none | 2.0 | L0 | small_group
        {SILENT} | watch | 12 | -2.0 | 0.0 | | | | | L0 | a_reason_of_tomorrow
        """,
        entity_count=5,
        core_count=3,
        **seen,
    )
    counts = {network: len(ids) for network, ids in groups.items()}
    return frame.with_columns((pl.col("tier") == "refer").alias("flagged"), pl.col("network_id").replace_strict(counts, return_dtype=pl.Int64).alias("account_count"))


def _members(groups: Mapping[str, list[str]]) -> pl.DataFrame:
    return table(schema.MEMBERS, [_member(network, ids, place) for network, ids in groups.items() for place in range(len(ids))])


def _member(network: str, ids: list[str], place: int) -> dict[str, Any]:
    return {
        "account_id": ids[place],
        "network_id": network,
        "membership": max(0.2, 1 - place / 50),
        "role": ("core", "core", "bridge", "fringe")[place % 4],
        "bits": 32.0 - place % 17,
        "strongest_account_id": ids[(place + 1) % len(ids)] if len(ids) > 1 else None,
        "strongest_bits": 41.5 - place % 9,
        "strongest_kind": ("payment", "template", "ip")[place % 3],
        "request_count": 2_600 - place % 100,
        "extraction_score": (place % 10) / 10,
    }


def _families() -> pl.DataFrame:
    return written(
        schema.NETWORK_FAMILIES,
        f"""
        network_id | family | evidence_class | median_bits | coverage_share | linked_pair_share | control_percentile | control_count | kinds | admitted
        {REFER} | identity | specific | 14.0 | 0.925 | 0.31 | 100.0 | 99 | payment,device | true
        {REFER} | infrastructure | specific | 6.5 | 0.6 | 0.2 | 99.0 | 99 | ip | true
        {REFER} | handoff | operational | 0.0 | 0.6 | 0.12 | 50.0 | 99 | handoff | true
        {REFER} | settings | likeness | 0.0 | 0.0 | 0.0 | 50.0 | 99 | | false
        {REFER} | templates | likeness | 10.75 | 1.0 | 1.0 | 98.5 | 99 | template,skeleton,system | false
        {WATCH} | templates | likeness | 12.0 | 1.0 | 1.0 | | | template | false
        {EXPLAINED} | infrastructure | specific | 5.0 | 0.9 | 0.8 | 97.0 | 40 | ip,ip_prefix | true
        """,
    )


def _tests() -> pl.DataFrame:
    return written(
        schema.NETWORK_TESTS,
        f"""
        network_id | test | family | supports | statistic | unit | expected | p_value | sample_size | null_model | status | reason
        {REFER} | held_out_wording | templates | coordination | 0.41 | cosine | 0.02 | 0.001 | 40 | random groups of accounts that work in the same manner | ran |
        {REFER} | held_out_handoff | handoff | coordination | 0.25 | share of pairs | 0.0004 | 0.001 | 40 | random groups of accounts that work in the same manner | ran |
        {REFER} | harvest_share | extraction | extraction | 0.81 | share | 0.07 | 0.001 | 2560 | random groups of accounts of the same volume | ran |
        {REFER} | shared_days | timing | coordination | | | | | 0 | | not_run | needs 5 days and enough accounts of the same manner
        {REFER} | test_of_tomorrow | novelty | coordination | 3.0 | items | 9.2 | | 12 | Poisson | undecided | too few items
        {REFER} | fits_public_client | alternative | benign | 7.4 | bits | 0.0 | | 0 | | ran |
        {REFER} | fits_classroom | alternative | benign | 12.5 | bits | 0.0 | | 0 | | not_run | too few members fit it
        {EXPLAINED} | fits_classroom | alternative | benign | -3.5 | bits | 0.0 | | 0 | | ran |
        """,
    )


def _ablations() -> pl.DataFrame:
    return written(
        schema.NETWORK_ABLATIONS,
        f"""
        network_id | family | held_count | piece_count | coordination_bits | q_value | best_alternative | alternative_margin_bits | tier | reason
        {REFER} | identity | 9 | 2 | 17.25 | 0.002 | none | 4.0 | watch | no_specific_fact
        {REFER} | infrastructure | 12 | 1 | 24.75 | 0.002 | public_client | 7.4 | refer | specific_fact_and_extraction
        {REFER} | templates | 0 | 0 | | | none | 4.0 | watch | falls_apart
        {REFER} | family_of_tomorrow | 12 | 1 | 31.25 | 0.002 | none | 7.4 | watch | a_reason_of_tomorrow
        """,
    )


def _findings(members: int) -> pl.DataFrame:
    return written(
        schema.FINDINGS,
        f"""
        finding_id | network_id | rank | measure | family | value | unit | threshold | baseline | baseline_n | p_value | kind | supports | evidence_total
        F-00000000000a | {REFER} | 1 | shared_payment | identity | 0.925 | share | 0.5 | 0.0125 | 60 | | observation | coordination | 1204
        F-00000000000b | {REFER} | 2 | held_out_wording | templates | 0.41 | cosine | | 0.02 | 999 | 0.001 | inference | coordination | 2
        F-00000000000c | {REFER} | 3 | templated_output | extraction | 1900 | tokens | 256 | 210 | 350 | | observation | extraction | 0
        F-00000000000d | {REFER} | 4 | measure_of_tomorrow | novelty | {members} | accounts | | | | | observation | extraction | 1
        F-00000000000e | {REFER} | 5 | fits_public_client | alternative | 0.85 | share | 0.8 | | 0 | | observation | benign | 3
        F-000000000010 | {REFER} | 6 | handed_on_conversation | handoff | 0.6 | share | 0.5 | 0.0 | 60 | | observation | coordination | 9
        F-000000000011 | {REFER} | 7 | held_out_handoff | handoff | 0.25 | share of pairs | | 0.0004 | 999 | 0.001 | inference | coordination | 0
        F-00000000000f | {EXPLAINED} | 1 | fits_classroom | alternative | 1.0 | share | 0.8 | | 0 | | observation | benign | 31
        """,
        evidence_sha256="ab" * 32,
    )


def _evidence() -> pl.DataFrame:
    shared = [("F-00000000000a", f"req-{number:06d}", "date=2026-05-01/part-0.parquet", 17 * number, "shares_value") for number in range(20)]
    shown = [("F-00000000000b", f"req-{number:06d}", "date=2026-05-02/part-0.parquet", number, "shows_template") for number in range(2)]
    turns = [("F-000000000010", row["request_id"], row["source_file"], row["source_row"], "shares_value") for row in _turns()]
    return table(schema.EVIDENCE, [dict(zip(schema.EVIDENCE.column_names, row, strict=True)) for row in shared + shown + turns])


def _turns() -> list[dict[str, Any]]:
    """First requests of accounts 0 and 1 in conversation 70 and of accounts 1, 2 and 3 in conversation 71, in an order that mixes them."""
    taken = [(71, 3), (70, 0), (71, 1), (70, 1), (71, 2)]
    same = {"cluster": 0, "source_file": "date=2026-05-03/part-0.parquet", "request_count": 1}
    return [{**same, "account_key": account, "session_key": session, "request_id": f"turn-{n}", "source_row": 30 + n} for n, (session, account) in enumerate(taken)]


def _blind_spots() -> pl.DataFrame:
    return written(
        schema.BLIND_SPOTS,
        """
        family                              | status  | reason
        template and near-duplicate prompts | ran     |
        identity and payment graph          | ran     |
        infrastructure graph                | partial | coverage below 80 %: client_ip on 36 %
        model-release pivot                 | not_run | this version has no test of this family
        family_of_tomorrow                  | not_run | no column
        """,
    )


def _lineage(members: int) -> pl.DataFrame:
    before = NIGHT - dt.timedelta(days=1)
    return written(
        schema.LINEAGE,
        f"""
        network_id   | night    | event  | other_id | account_count
        {REFER}      | {before} | new    |          | {members - 3}
        {REFER}      | {NIGHT}  | grown  |          | {members}
        {WATCH}      | {NIGHT}  | new    |          | 6
        N-5f60718293 | {before} | new    |          | 9
        N-5f60718293 | {NIGHT}  | merged | {REFER}  | 0
        """,
    )


def _known(groups: Mapping[str, list[str]]) -> pl.DataFrame:
    """The referred network was flagged three nights ago, three nights after it was first seen; of the silent one nothing is remembered."""
    first = {REFER: (6, 3), WATCH: (0, None), EXPLAINED: (40, None), PAIR: (12, None)}
    nights = {name: (NIGHT - dt.timedelta(days=seen), NIGHT - dt.timedelta(days=flagged) if flagged else None) for name, (seen, flagged) in first.items()}
    rows = [
        {"network_id": name, "account_id": account, "first_night": nights[name][0], "last_night": NIGHT, "first_flagged_night": nights[name][1], "is_superseded": False}
        for name in first
        for account in groups[name]
    ]
    return table(schema.KNOWN_NETWORKS, rows)


def _context_events() -> pl.DataFrame:
    """A release in the window and one before it; two members of the referred network banned on one day, and a stranger."""
    happened = [("release", "2026-04-22", "large-2", 0), ("release", "2025-11-03", "large-1", 0)]
    happened += [("ban", "2026-04-29", "", key) for key in (0, 1, 999_999)]
    at = [dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC, hour=9) for _, day, _, _ in happened]
    return table(
        schema.CONTEXT_EVENTS,
        [{"kind": kind, "at_us": int(moment.timestamp()) * 1_000_000, "model": model, "account_key": key} for (kind, _, model, key), moment in zip(happened, at, strict=True)],
    )


def _links() -> pl.DataFrame:
    return written(
        schema.LINKS,
        """
        account_a    | account_b    | kind    | family   | bits | bits_kind  | support | df
        acct-r-00000 | acct-r-00001 | payment | identity | 14.0 | rarity     | 1       | 2
        acct-e-00000 | acct-e-00001 | ip      | identity | 5.0  | calibrated | 1       | 2
        acct-r-00000 | acct-w-00001 | payment | identity | 14.0 | tail       | 1       | 2
        """,
    )


def _account_days(groups: Mapping[str, list[str]]) -> pl.DataFrame:
    """Members work round the clock, everybody else from 8 to 18 on weekdays. Each account appears once a day at most."""
    rows: dict[str, dict[str, Any]] = {}
    for group, ids in groups.items():
        for place, account in enumerate(ids):
            for offset in range(28):
                day = FIRST_DAY + dt.timedelta(days=offset)
                rows[f"{account} {day}"] = _account_day(account, day, _hours(group, place, day))
    kinds = {"day": pl.Date, "account_id": pl.String, **dict.fromkeys(("request_count", "input_tokens", "output_tokens", *HOURS), pl.Int64)}
    return pl.DataFrame(list(rows.values()), schema=kinds, orient="row")


def _hours(group: str, place: int, day: dt.date) -> list[int]:
    if group == REFER:
        return [3 + (hour * 7 + day.toordinal() + place) % 3 if day.day != 20 else 0 for hour in range(24)]
    return [(hour + place) % 4 if 8 <= hour < 18 and day.weekday() < 5 else 0 for hour in range(24)]


def _account_day(account: str, day: dt.date, hours: list[int]) -> dict[str, Any]:
    total = sum(hours)
    return {"day": day, "account_id": account, "request_count": total, "input_tokens": 700 * total, "output_tokens": 1_900 * total, **dict(zip(HOURS, hours, strict=True))}


def source(given: Mapping[str, pl.DataFrame], told: Mapping[str, Any] | None = None) -> Source:
    """The tables as the pages read them."""
    facts = told or manifest()
    past = no_past(dt.date.fromisoformat(facts["night"]))
    wording = load_wording(assets.reports_folder() / "wording.toml")
    return Source(given, read_manifest(facts), load_config(), wording, past, report(facts, past.nights, past.operations))
