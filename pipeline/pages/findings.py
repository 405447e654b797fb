"""Findings as cards: what was seen apart from what is inferred, each with its numbers and the first of its evidence rows."""

from __future__ import annotations

from pipeline import redact
from pipeline.pages import numbers
from pipeline.pages.pieces import finding_sentence, speaks_sentence, unnumbered_table
from pipeline.pages.records import Cell, Fact, FindingCard, Table
from pipeline.pages.source import Row, Source

Cards = tuple[FindingCard, ...]


def finding_cards(source: Source, network_id: str) -> tuple[Cards, Cards, Cards]:
    """(observations, inferences, what speaks for an innocent explanation) of a network, strongest first. A kind that is neither counts as inferred."""
    rows = source.of_network("findings", network_id).sort("rank", "finding_id").rows(named=True)
    suspicious = [_card(source, row) for row in rows if row["supports"] != "benign"]
    benign = tuple(_card(source, row) for row in rows if row["supports"] == "benign")
    return tuple(card for card in suspicious if card.kind == "observation"), tuple(card for card in suspicious if card.kind != "observation"), benign


def _card(source: Source, row: Row) -> FindingCard:
    wording, finding_id = source.wording, redact.identifier(row["finding_id"])
    anchor = redact.for_filename(finding_id)
    return FindingCard(
        anchor=anchor,
        rank=numbers.count(row["rank"]),
        sentence=finding_sentence(row, wording),
        kind="observation" if row["kind"] == "observation" else "inference",
        kind_word=wording.word("finding_kind", row["kind"]),
        speaks=speaks_sentence(row, wording, source.config),
        facts=(
            Fact("Finding", finding_id),
            *_numbers(row),
            Fact("Evidence", numbers.counted(row["evidence_total"], "requests"), f"SHA-256 {redact.for_html((row['evidence_sha256'] or 'not recorded')[:16])}"),
        ),
        evidence=_evidence(source, row, f"{anchor}-evidence"),
    )


def _numbers(row: Row) -> tuple[Fact, ...]:
    unit, tested = redact.for_html(row["unit"] or "", 40), row["p_value"] is not None
    compared = row["baseline"] is not None
    return (
        Fact("Observed", numbers.measured(row["value"], unit)),
        Fact("Counts from", numbers.measured(row["threshold"], unit) if row["threshold"] is not None else "no threshold"),
        Fact("Comparison", numbers.measured(row["baseline"], unit) if compared else "none", f"n = {numbers.count(row['baseline_n'])}" if compared else ""),
        Fact("p", numbers.probability(row["p_value"]) if tested else "no test", "chance of this or more in the comparison" if tested else ""),
    )


def _evidence(source: Source, row: Row, anchor: str) -> Table:
    evidence = source.evidence_of(row["finding_id"])
    turns = source.conversations_of(row["finding_id"]) if row["measure"] == "handed_on_conversation" else evidence.clear()
    kept = (turns if turns.height else evidence).head(source.config.pages.evidence_rows)
    rows = [_turn(entry) if turns.height else (*_reference(entry), redact.for_html((entry["role"] or "").replace("_", " "))) for entry in kept.rows(named=True)]
    total = row["evidence_total"] or evidence.height
    left_out = (
        f"{numbers.counted(total - kept.height, 'further rows')} not shown; evidence.parquet keeps {numbers.count(evidence.height)} of {numbers.count(total)} under this finding."
        if total > kept.height
        else ""
    )
    caption = f"Evidence rows of finding {numbers.count(row['rank'])}"
    return unnumbered_table(
        anchor,
        "",
        caption,
        "Conversation # | Account | Its first request in it | File below the logs folder | Row, from 0 #"
        if turns.height
        else "Request | File below the logs folder | Row, from 0 # | What it shows",
        rows,
        empty="No evidence row is kept.",
        left_out=left_out,
    )


def _turn(entry: Row) -> tuple[Cell | str, ...]:
    return numbers.count(entry["conversation"]), Cell(redact.identifier(entry["account_id"]), tone="code"), *_reference(entry)


def _reference(entry: Row) -> tuple[Cell | str, ...]:
    return (
        Cell(redact.identifier(entry["request_id"]), tone="code"),
        Cell(redact.file_path(entry["source_file"]), tone="code"),
        numbers.count(entry["source_row"]),
    )
