"""The record of index.html: can the night be trusted, what is new, what comes first, what could not be seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import polars as pl

from pipeline import redact
from pipeline.contract import ACCOUNT_COLUMNS, REQUEST_COLUMNS
from pipeline.ingest.columns import READ_COLUMNS
from pipeline.kinds import LARGEST_GROUP_SHARE
from pipeline.pages import earlier, health, numbers
from pipeline.pages.changes import change_sentence, changes_table
from pipeline.pages.error_rates import sentences
from pipeline.pages.pieces import Numbering, glossary, show_command, table
from pipeline.pages.queue import queue
from pipeline.pages.records import Cell, Command, IndexPage, Table, Verdict
from pipeline.pages.run_facts import Coverage, RunFacts, page_head, verdict
from pipeline.pages.source import Row, Source
from pipeline.pages.suppressed import allowed_table, near_misses_table, suppressed_networks, suppressed_sentence
from pipeline.pages.words import joined, spaced
from pipeline.pages.working.singles import singles_table
from pipeline.pages.working.wording import say

_INPUT_ROWS, _LISTED = 50, 5
_PARTIAL_BELOW = 0.8  # the input contract: a column filled below this makes its families partial


def index_page(source: Source) -> IndexPage:
    """Everything index.html says."""
    numbering = Numbering()
    facts = source.facts
    judged = run_verdict(source)
    held = suppressed_networks(source)
    changes = changes_table(source, numbering)
    return IndexPage(
        head=page_head(facts, f"Night of {facts.night}", "Suspected proxy networks of the night, what changed, and what could not be seen."),
        verdict=dataclasses.replace(judged, sentence=judged.sentence + health.warning(source), facts=(*judged.facts, *health.signals(source))),
        change_sentence=change_sentence(source),
        changes=changes,
        queue=queue(source, judged, held, numbering),
        singles_sentence=say("singles", "lead"),
        singles=singles_table(source, numbering),
        usual_sentence=health.health_sentence(source),
        usual=health.health_table(source, numbering),
        rows_a_day=health.rows_figure(source, numbering, facts.rows_by_day),
        health_sentence=_health_sentence(source),
        rows_by_reason=_rows_by_reason(source, numbering),
        inputs=_inputs(source, numbering),
        coverage=_coverage(source, numbering),
        account_coverage=_account_coverage(source, numbering),
        scores=health.scores_figure(source, numbering),
        drift=health.drift_table(source, numbering),
        canary_sentence=health.canary_sentence(source),
        canaries=health.canary_table(source, numbering),
        suppressed_sentence=suppressed_sentence(source, held),
        allowed=allowed_table(source, numbering, held),
        near_misses=near_misses_table(source, numbering, held),
        common_sentence=common_sentence(source),
        blind_spots=_blind_spots(source, numbering),
        error_rates=sentences(facts.error_rates),
        ledger_sentence=earlier.ledger_sentence(source),
        ledger=earlier.ledger_table(source, numbering),
        commands=_commands(source),
        terms=glossary(source.wording),
    )


def run_verdict(source: Source) -> Verdict:
    """The verdict of the run, with what only the tables can tell."""
    problems = () if source.blind_spots else ("The run does not record which families of evidence ran.",)
    return verdict(source.facts, source.config.ingest.max_rejected_share, problems)


def _health_sentence(source: Source) -> str:
    facts = source.facts
    rejected = numbers.counted(facts.rejected_rows, "rows")
    return f"{numbers.counted(len(facts.inputs), 'input files')}, {numbers.counted(facts.counts.get('rows_read'), 'rows')} read, {rejected} rejected. {_columns_sentence(facts)}"


def _columns_sentence(facts: RunFacts) -> str:
    """How many columns of the whole contract carry data, and how many this version reads."""
    if not facts.coverage:
        return "Coverage of the columns was not recorded."
    filled, accounts = _filled(facts.coverage), _filled(facts.account_coverage)
    known = len(REQUEST_COLUMNS)
    requests = f"{filled} of the {known} columns that the contract knows of a request carry data; this version reads {len(READ_COLUMNS)} of the {known}."
    if not facts.account_coverage:
        return f"{requests} There was no accounts table."
    return f"{requests} Of the {len(ACCOUNT_COLUMNS)} columns of an accounts table {accounts} carry data."


def _filled(columns: Iterable[Coverage]) -> int:
    return sum(1 for column in columns if column.share)


def _rows_by_reason(source: Source, numbering: Numbering) -> Table:
    read = source.facts.counts.get("rows_read")
    rows = [
        (_reject_word(source, reason), Cell(reason, tone="code"), numbers.count(count), numbers.percent(count / read) if read else numbers.UNKNOWN)
        for reason, count in source.facts.rejected
    ]
    return table(numbering, "Rejected rows by reason", "Why | Reason in rejects.parquet | Rows # | Share of rows read #", rows, empty="No row was rejected.")


def _reject_word(source: Source, reason: str) -> str:
    return source.wording.word("reject", reason)


def _inputs(source: Source, numbering: Numbering) -> Table:
    files = source.facts.inputs
    rows: list[tuple[Cell | str, ...]] = [
        (Cell(file.name, tone="code"), numbers.count(file.rows), numbers.count(file.size_bytes), Cell(file.sha256[:16], tone="code")) for file in files[:_INPUT_ROWS]
    ]
    rows += [(Cell(name, tone="code"), "not read", numbers.UNKNOWN, reason) for name, reason in source.facts.skipped[:_INPUT_ROWS]]
    rest = max(0, len(files) - _INPUT_ROWS) + max(0, len(source.facts.skipped) - _INPUT_ROWS)
    left_out = f"{numbers.counted(rest, 'further files')} not shown; run.json lists all with the whole hash." if rest else ""
    return table(
        numbering, "Input files", "File | Rows # | Bytes # | SHA-256, first 16 digits, or why it was not read", rows, empty="No input file is recorded.", left_out=left_out
    )


def _coverage(source: Source, numbering: Numbering) -> Table:
    rows = [(Cell(column.column, tone="code"), numbers.percent(column.share), _coverage_note(column, is_read=column.column in READ_COLUMNS)) for column in source.facts.coverage]
    return table(numbering, "How much of each column of the contract is filled: requests", "Column | Rows with a value # | Meaning", rows, empty="Coverage was not recorded.")


def _account_coverage(source: Source, numbering: Numbering) -> Table:
    rows = [(Cell(column.column, tone="code"), numbers.percent(column.share), _coverage_note(column, is_read=True)) for column in source.facts.account_coverage]
    caption = "How much of each column of the contract is filled: accounts table"
    return table(numbering, caption, "Column | Accounts with a value # | Meaning", rows, empty="no accounts table was given, so no link rests on one.")


def _coverage_note(column: Coverage, *, is_read: bool) -> str:
    share = column.share
    if share is None:
        return "not recorded"
    if not is_read:
        return "not read by this version"
    if share == 0:
        return "no value in this run"
    return "whole" if share == 1 else "enough: 80 % or more" if share >= _PARTIAL_BELOW else "partial: below 80 %"


def common_sentence(source: Source) -> str:
    """How many accounts may hold a value before it counts as common, so that one network would go unseen, and what was left out so. Shares are the run's settings."""
    links, line = source.config.links, source.wording.line
    said = line(
        "reach", "common", fact=numbers.percent(links.identity_max_df_share), wording=numbers.percent(links.content_max_df_share), rule=numbers.percent(LARGEST_GROUP_SHARE)
    )
    if not source.made("wide_values") or not source.account_count:
        return said
    wide = source.table("wide_values")
    common = wide.filter((pl.col("df") == pl.col("counted_df")) & (pl.col("df") > links.identity_max_df_share * source.account_count)).sort(
        "df", "kind", "value_key", descending=True
    )
    held = [f"{source.wording.word('kind', kind)} of {numbers.counted(df, 'accounts')}" for kind, df in common.select("kind", "df").head(_LISTED).iter_rows()]
    more = [f"{numbers.count(common.height - _LISTED)} more"] if common.height > _LISTED else []
    values, them = ("one such value is", "it") if common.height == 1 else (f"{numbers.counted(common.height, 'such values')} are", "them")
    return joined([said, line("reach", "left_out", values=values, them=them, list=numbers.listed([*held, *more])) if held else line("reach", "none_left_out")])


def _blind_spots(source: Source, numbering: Numbering) -> Table:
    return blind_spot_table(source, numbering, source.blind_spots, "Families of evidence, and what the log did not allow", "The run does not record which families ran.")


def blind_spot_table(source: Source, numbering: Numbering, rows: Iterable[Row], caption: str, empty: str) -> Table:
    """Family, status, why, and what is lost by it."""
    cells = [
        (
            source.wording.word("blind", row["family"]),
            Cell(source.wording.word("family_status", row["status"]), tone="" if row["status"] == "ran" else "strong"),
            redact.for_html(row["reason"] or ""),
            "" if row["status"] == "ran" else source.wording.text("blind", row["family"] or "", "lost"),
        )
        for row in sorted(rows, key=_blind_order)
    ]
    return table(numbering, caption, "Family | Status | Why | What is lost", cells, empty=empty)


def _blind_order(row: Mapping[str, str | None]) -> tuple[int, str]:
    order = ("not_run", "partial", "ran")
    return (order.index(row["status"]) if row["status"] in order else -1), row["family"] or ""


def _commands(source: Source) -> tuple[Command, ...]:
    listing = Command("stillhunt networks", "the queue on the terminal; add --format csv or --format json for another program")
    check = Command("stillhunt check LOGS", "what a log carries and lacks, before a run; writes nothing")
    again = Command("stillhunt run LOGS --night DATE", "add a night and judge the window that ends with it")
    if not source.networks:
        return check, again
    first = source.networks[0]["network_id"]
    return show_command(first, f"the first network of the queue, {spaced(first)}, on the terminal"), listing, check, again
