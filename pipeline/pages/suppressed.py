"""What the index does not put first: networks that somebody vouches for, groups below the threshold, and those that came nearest to it."""

from __future__ import annotations

from pipeline import redact
from pipeline.history.standing import Allowed
from pipeline.pages import numbers
from pipeline.pages.changes import network_cell
from pipeline.pages.marks import allowed
from pipeline.pages.pieces import Numbering, table
from pipeline.pages.records import Cell, Table
from pipeline.pages.source import Row, Source

_ROWS = 50


def suppressed_networks(source: Source) -> dict[str, Allowed]:
    """Networks that an allow entry takes out of the queue, with that entry."""
    if not source.past.standing.allowed:
        return {}
    return {row["network_id"]: entry for row in source.networks if (entry := allowed(source, row)) is not None}


def suppressed_sentence(source: Source, held: dict[str, Allowed]) -> str:
    """How much is not at the top of the queue, and why."""
    night, entries = source.past.night, source.past.standing.allowed
    queued = [row for row in source.networks if row["network_id"] not in held]
    explained, watched = (sum(row["tier"] == tier for row in queued) for tier in ("explained", "watch"))
    small = sum(row["network_id"] not in source.paged for row in queued)
    expired = sum(not entry.holds_on(night) for entry in entries)
    vouched = (
        f"{numbers.counted(len(held), 'networks')} not in the queue because somebody vouches for {'it' if len(held) == 1 else 'them'}"
        if held
        else "No network is taken out of the queue"
    )
    below = (
        f"{numbers.count(watched)} below the threshold of a referral (watch), {numbers.count(explained)} explained; {numbers.counted(small, 'groups')} of two to four among them."
    )
    old = f" {numbers.count(expired)} allow {'entry has' if expired == 1 else 'entries have'} expired." if expired else ""
    return f"{vouched}. In it: {below}{old}"


def allowed_table(source: Source, numbering: Numbering, held: dict[str, Allowed]) -> Table:
    """Every allow entry in force tonight with its expiry and what it covers."""
    night = source.past.night
    entries = sorted((entry for entry in source.past.standing.allowed if entry.holds_on(night)), key=lambda entry: (entry.until, entry.number))
    rows = [_allowed_row(source, entry, held) for entry in entries[:_ROWS]]
    rest = len(entries) - len(rows)
    columns = "Allowed | Until | Nights left # | Because | By | Tonight"
    left_out = f"{numbers.counted(rest, 'further entries')} not shown; `stillhunt allow list` lists all." if rest else ""
    return table(numbering, "Networks and accounts that somebody vouches for", columns, rows, empty="no allow entry is in force.", left_out=left_out)


def _allowed_row(source: Source, entry: Allowed, held: dict[str, Allowed]) -> tuple[Cell | str, ...]:
    subject = network_cell(source, entry.subject) if entry.is_network else Cell(redact.identifier(entry.subject), tone="code")
    return (
        subject,
        entry.until.isoformat(),
        numbers.count((entry.until - source.past.night).days),
        redact.for_html(entry.reason),
        Cell(redact.for_html(entry.by), note=f"on {entry.on}, entry {entry.number}"),
        _covers(source, entry, held),
    )


def _covers(source: Source, entry: Allowed, held: dict[str, Allowed]) -> Cell:
    """What the entry hides tonight: the network's tier and size, or how many networks all of whose accounts are allowed."""
    if not entry.is_network:
        number = sum(one is entry for one in held.values())
        return Cell(f"{numbers.counted(number, 'networks')} of allowed accounts only" if number else "hides no network")
    row = next((row for row in source.networks if row["network_id"] == entry.subject), None)
    if row is None:
        return Cell("not seen tonight", tone="quiet")
    size = f"{numbers.counted(row['account_count'], 'accounts')}"
    grown = f"{numbers.count(entry.account_count)} when it was allowed" if entry.account_count not in (None, row["account_count"]) else ""
    return Cell(f"{source.wording.word('tier', row['tier'])}, {size}", note=grown, tone="strong" if row["tier"] == "refer" else "")


def near_misses_table(source: Source, numbering: Numbering, held: dict[str, Allowed]) -> Table:
    """The networks on watch with the heaviest evidence: what each lacks, and what would decide it."""
    near = [row for row in source.networks if row["tier"] == "watch" and row["network_id"] in source.paged and row["network_id"] not in held]
    rows = [_near_row(source, row) for row in near[: source.past.operations.near_misses]]
    columns = "Network | Accounts # | One operator, bits # | For training, bits # | What it lacks | What would decide it"
    return table(numbering, "Nearest to a referral", columns, rows, empty="no network of five accounts or more is on watch.")


def _near_row(source: Source, row: Row) -> tuple[Cell | str, ...]:
    return (
        network_cell(source, row["network_id"]),
        numbers.count(row["account_count"]),
        numbers.decimal(row["coordination_bits"]),
        numbers.decimal(row["extraction_bits"]),
        source.wording.reason(row["reason"]),
        source.wording.decisive(row["reason"]),
    )
