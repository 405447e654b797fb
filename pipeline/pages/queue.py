"""The queue of the index: one row a network, in the order in which a person should look, with what changed, how long it has been known and who has it.

A column that nothing could fill is left out, and a sentence above the table says why. All of it comes of the run's tables, earlier nights, the journal and DIR/prices.toml.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from pipeline import redact
from pipeline.kinds import OPERATIONAL
from pipeline.pages import charts, numbers
from pipeline.pages.assessment import alternative, unweighed_sentence
from pipeline.pages.changes import change_of, difference
from pipeline.pages.marks import marks
from pipeline.pages.pieces import Numbering, carries_weight, finding_sentence, page_name
from pipeline.pages.records import Queue, QueueRow, Verdict
from pipeline.pages.source import TIER_ORDER, Row, Source
from pipeline.pages.traffic import GroupTraffic
from pipeline.pages.words import joined

REASONS = 3


def queue(source: Source, judged: Verdict, held: Collection[str], numbering: Numbering) -> Queue:
    """The queue without the networks that are `held` back. Nothing found gives no rows and a sentence that says what that rests on."""
    queued = [row for row in source.networks if row["network_id"] not in held]
    shown = queued[: source.config.pages.queue_rows]
    anchor, label = numbering.table()
    context = _Context(source)
    return Queue(
        sentence=_queue_sentence(source, judged, len(held)),
        how_to_read=_how_to_read(context) if shown else "",
        anchor=anchor,
        label=label,
        is_priced=source.past.prices is not None,
        rows=tuple(_queue_row(context, row, place) for place, row in enumerate(shown)),
        left_out=_queue_left_out(len(queued), len(shown)),
    )


@dataclass(frozen=True)
class _Context:
    """What several rows of the queue ask."""

    source: Source

    @functools.cached_property
    def compared(self) -> dt.date | None:
        """The last good night, whose networks are remembered; None without one."""
        return self.source.past.good.night if self.source.past.good else None

    @functools.cached_property
    def tokens_since(self) -> Mapping[str, int]:
        """By network: tokens of its members on the days after the compared night, which there must be."""
        days, members = self.source.account_days, self.source.table("members").select("account_id", "network_id")
        later = days.filter(pl.col("day") > self.compared).join(members, on="account_id")
        sums = later.group_by("network_id").agg((pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0)).sum())
        return dict(sums.iter_rows())


def _queue_sentence(source: Source, judged: Verdict, held: int) -> str:
    if source.networks:
        counts = {tier: sum(row["tier"] == tier for row in source.networks) for tier in TIER_ORDER}
        first = f"{numbers.counted(counts['refer'], 'networks')} for referral, {numbers.count(counts['watch'])} on watch, {numbers.count(counts['explained'])} explained."
        small = sum(row["network_id"] not in source.paged for row in source.networks)
        listed = (
            f" {numbers.counted(small, 'groups').capitalize()} of two to four accounts among them, last in their tier. {source.wording.line('unweighed', 'small')}" if small else ""
        )
        listed += f" {numbers.counted(held, 'networks').capitalize()} of them not in this queue: see What is suppressed." if held else ""
        return f"{first}{listed}" if judged.tone != "failed" else f"{first} A check failed: treat none of this as established."
    if judged.tone == "failed":
        return "No network is listed, and that says nothing: a check of this run failed."
    return f"No network was found. {_families_sentence(source)}"


def _families_sentence(source: Source) -> str:
    """Which families ran, in part or not at all: what an empty queue rests on."""
    parts = []
    for status, text in (("ran", "Families that ran"), ("partial", "In part"), ("not_run", "Not run")):
        names = [source.wording.word("blind", row["family"]).lower() for row in source.blind_spots if row["status"] == status]
        parts.append(f"{text}: {numbers.listed(names)}.")
    return " ".join(parts) if source.blind_spots else "The run does not record which families ran, so an empty list is no evidence of absence."


def _queue_row(context: _Context, row: Row, place: int) -> QueueRow:
    source, network_id = context.source, row["network_id"]
    traffic, then = source.traffic.get(network_id), source.past.networks_then.get(network_id)
    title = f"Requests a day of {redact.identifier(network_id)}"
    return QueueRow(
        network_id=redact.identifier(network_id),
        priority=f"priority {numbers.count(place + 1)}",
        href=page_name(network_id) if network_id in source.paged else "",
        tier=row["tier"] if row["tier"] in TIER_ORDER else "watch",
        tier_word=source.wording.word("tier", row["tier"]),
        change=change_of(source, network_id),
        accounts=numbers.count(row["account_count"]),
        accounts_change=difference(row["account_count"], then.account_count) if then else "",
        requests=numbers.count(row["request_count"]),
        requests_change=difference(row["request_count"], then.request_count) if then else "",
        tokens=numbers.compact(traffic.tokens) if traffic else numbers.UNKNOWN,
        tokens_change=_tokens_since(context, network_id),
        value=_list_value(source, traffic),
        first_seen=numbers.moment(row["first_seen_at"]),
        last_seen=numbers.moment(row["last_seen_at"]),
        coordination="not weighed" if unweighed_sentence(source, row) else numbers.decimal(row["coordination_bits"]),
        extraction=numbers.decimal(row["extraction_bits"]) if network_id in source.paged else "no test",
        q_value=numbers.probability(row["q_value"]) if row["q_value"] is not None else "no test",
        standing=_standing(source, network_id),
        owner=_owner(source, network_id),
        age=_age(context, network_id),
        alternative=alternative(source, row) if network_id in source.paged else "",
        reasons=_reasons(source, row),
        summary="" if row["tier"] == "refer" else source.wording.reason(row["reason"]),
        sparkline=charts.sparkline(traffic.days, f"spark-{place}", title) if traffic else None,
        marks=marks(source, row),
    )


def _how_to_read(context: _Context) -> str:
    """What the small figures are, and which columns are missing because nothing could fill them."""
    source, line = context.source, context.source.wording.line
    said = [line("queue", "since", night=context.compared.isoformat()) if context.compared else line("queue", "no_night")]
    said.append(line("queue", "bits"))
    prices = source.past.prices
    if prices is None:
        return joined([*said, line("queue", "no_prices")])
    models = numbers.counted(len(prices.rows), "models")
    return joined([*said, line("queue", "priced" if len(prices.rows) > 1 else "one_price", as_of=prices.as_of.isoformat(), sha=prices.sha256[:16], models=models)])


def _tokens_since(context: _Context, network_id: str) -> str:
    """Tokens that its members sent after the night that is compared with: sums of the whole window would take off what fell out at its other end."""
    known = context.compared and network_id in context.source.traffic
    return f"{numbers.compact(context.tokens_since.get(network_id, 0))} since" if known else ""


def _list_value(source: Source, traffic: GroupTraffic | None) -> tuple[str, ...]:
    """What its tokens list for: one amount, or the least and the most that any mix of the sheet's models comes to; nothing without a sheet."""
    if source.past.prices is None:
        return ()
    if traffic is None:
        return (numbers.UNKNOWN,)
    least, most = map(dollars, source.past.prices.least_and_most(traffic.input_tokens, traffic.output_tokens))
    return (least,) if least == most else (least, f"to {most}")


def dollars(micro_usd: int) -> str:
    """Micro-USD as USD, cut: cents below 1,000 USD, whole dollars from there on, `1.23 M` from a million."""
    whole, cents = micro_usd // 1_000_000, micro_usd % 1_000_000 // 10_000
    return f"USD\u00a0{whole:,}.{cents:02d}" if whole < 1_000 else f"USD\u00a0{whole:,}" if whole < 1_000_000 else f"USD\u00a0{numbers.compact(whole)}"


def _standing(source: Source, network_id: str) -> str:
    """The newest disposition in a word, or that there is none."""
    word = source.past.standing.dispositions.get(network_id)
    return source.wording.word("disposition", word.verdict) if word else source.wording.line("queue", "open")


def _owner(source: Source, network_id: str) -> str:
    """Who has it: whoever wrote last about it in the journal."""
    standing = source.past.standing
    word = standing.dispositions.get(network_id)
    said = [(note.number, note.by) for note in standing.notes_on(network_id)] + ([(word.number, word.by)] if word else [])
    return redact.for_html(max(said)[1]) if said else source.wording.line("queue", "nobody")


def _age(context: _Context, network_id: str) -> str:
    """Since which night it has been for referral, or, if it never was, since when it has been known."""
    first, flagged = context.source.nights_of.get(network_id, (None, None))
    seen = first or min((row["night"] for row in context.source.lineage_of(network_id) if row["night"]), default=None)
    since, name = (flagged, "flagged") if flagged else (seen, "known")
    if since is None:
        return ""
    days = (context.source.past.night - since).days
    return context.source.wording.line("queue", f"{name}_tonight" if days <= 0 else name, days=numbers.counted(days, "days"), night=since.isoformat())


def _reasons(source: Source, network: Row) -> tuple[str, ...]:
    """The strongest findings for suspicion; of an explained network, those that carry the explanation. What was not counted is no reason."""
    findings = source.of_network("findings", network["network_id"]).sort("rank", "finding_id").rows(named=True)
    explained = network["tier"] == "explained"
    kept = [row for row in findings if (row["supports"] == "benign") is explained and row["measure"] not in OPERATIONAL]
    wanted = [row for row in kept if (_reaches_threshold(row) if explained else carries_weight(row, source.config))]
    return tuple(finding_sentence(row, source.wording) for row in wanted[:REASONS])


def _reaches_threshold(row: Row) -> bool:
    return row["value"] is not None and (row["threshold"] is None or row["value"] >= row["threshold"])


def _queue_left_out(total: int, shown: int) -> str:
    return f"{numbers.counted(total - shown, 'further networks')} not shown here; `stillhunt networks` lists all {numbers.count(total)}." if total > shown else ""
