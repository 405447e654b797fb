"""What changed since the last good night: networks new, grown, shrunk, merged, split, dormant, returned, or judged otherwise, with differences.

The last good night is the newest one before this whose run did everything it should have. A degraded night is no measure: what fell dormant because half of its
input was missing did not change. Where the folder remembers no such night, the newest night of the lineage stands in, and the page says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline import redact
from pipeline.pages import numbers
from pipeline.pages.pieces import Numbering, page_name, table
from pipeline.pages.records import Cell, Table
from pipeline.pages.source import Row, Source

EVENTS = ("new", "grown", "shrunk", "merged", "split", "dormant", "returned", "rejudged")
_ROWS = 15


@dataclass(frozen=True)
class Change:
    """What befell one network since the night that tonight is compared with."""

    network_id: str
    event: str
    other_id: str
    account_count: int | None


def change_of(source: Source, network_id: str) -> str:
    """What happened to a network this night: `new`, `grown +12`, `` (nothing recorded)."""
    return ", ".join(_event_text(source, row) for row in source.lineage_of(network_id) if _is_tonight(source, row))


def change_sentence(source: Source) -> str:
    """The night's changes in one sentence, and what it is compared with."""
    compared = compared_night(source)
    if compared is None:
        return "This output folder holds no earlier night to compare with: every network counts as new."
    counts = {event: sum(change.event == event for change in changes(source)) for event in EVENTS}
    parts = [f"{numbers.count(number)} {_word(source, event).lower()}" for event, number in counts.items() if number]
    told = f"{numbers.listed(parts)}." if parts else "nothing changed."
    return f"Since {_which(source, compared)}: {told} {_between(source, compared)}".strip()


def compared_night(source: Source) -> dt.date | None:
    """The night that tonight is compared with; None on a first night."""
    if source.past.good is not None:
        return source.past.good.night
    return max((row["night"] for row in source.lineage if row["night"] is not None and not _is_tonight(source, row)), default=None)


def _which(source: Source, compared: dt.date) -> str:
    if source.past.good is not None:
        return f"the last good night, {compared}"
    return f"the night of {compared}, which was degraded (no earlier night was good)" if source.past.nights else f"the last night, {compared}"


def _between(source: Source, compared: dt.date) -> str:
    """Nights since then that are no measure."""
    degraded = [night.night.isoformat() for night in source.past.nights if night.night > compared]
    return f"Not compared with {numbers.listed(degraded)}: degraded." if degraded else ""


def changes(source: Source) -> tuple[Change, ...]:
    """The changes since the compared night in the order of the queue, then those of networks that are no longer there."""
    compared = compared_night(source)
    if compared is None:
        return ()
    places = {row["network_id"]: place for place, row in enumerate(source.networks)}
    rows = [row for row in source.lineage if row["night"] is not None and compared < row["night"] and row["night"].isoformat() <= source.facts.night]
    found = [*(_tonights(rows, source) if source.past.good is None else _reduced(rows, source)), *_rejudged(source)]
    return tuple(sorted(found, key=lambda change: (places.get(change.network_id, len(places)), change.network_id, EVENTS.index(change.event), change.other_id)))


def _tonights(rows: Iterable[Row], source: Source) -> list[Change]:
    return [_change(row) for row in rows if _is_tonight(source, row) and row["event"] in EVENTS]


def _reduced(rows: Iterable[Row], source: Source) -> list[Change]:
    """What the rows of all nights since then come to for each network: one that fell dormant on a degraded night and came back did not change."""
    then, tonight = source.past.networks_then, {row["network_id"]: row for row in source.networks}
    events: dict[str, list[Row]] = {}
    for row in rows:
        events.setdefault(row["network_id"], []).append(row)
    found: list[Change] = []
    for network_id, own in sorted(events.items()):
        known = [row for row in own if row["event"] in EVENTS]
        if network_id in tonight and network_id in then:
            found += _stayed(network_id, known, then[network_id].account_count, tonight[network_id]["account_count"])
        elif network_id in tonight:
            found += [_change(row) for row in known if row["event"] in ("new", "split", "returned")][:1]
        elif network_id in then:
            found += [_change(row) for row in known if row["event"] in ("merged", "dormant")][-1:]
    return found


def _stayed(network_id: str, rows: list[Row], before: int, now: int | None) -> list[Change]:
    """A network that both nights have: its difference in size, and networks known by their values that came back as it."""
    linked = [_change(row) for row in rows if row["event"] == "returned" and row["other_id"]]
    if now is None or now == before:
        return linked
    return [*linked, Change(network_id, "grown" if now > before else "shrunk", "", now)]


def _rejudged(source: Source) -> list[Change]:
    """Networks whose tier is another than it was, whatever became of their members."""
    then = source.past.networks_then
    return [
        Change(row["network_id"], "rejudged", "", row["account_count"])
        for row in source.networks
        if row["network_id"] in then and row["tier"] != then[row["network_id"]].tier and row["tier"] is not None
    ]


def changes_table(source: Source, numbering: Numbering) -> Table:
    """The changes with their differences; none on a first night or where nothing changed."""
    found = changes(source)
    if not found:
        return Table("", "", "", (), ())
    tonight = {row["network_id"]: row for row in source.networks}
    otherwise = {change.network_id for change in found if change.event != "rejudged"}
    told = [change for change in found if change.event != "rejudged" or change.network_id not in otherwise]  # else its other row says what its tier was
    rows = [_row(source, change, tonight.get(change.network_id)) for change in told[:_ROWS]]
    rest = len(told) - len(rows)
    left_out = f"{numbers.counted(rest, 'further changes')} not shown; the queue below marks its own, lineage.parquet holds all." if rest else ""
    columns = "Network | Change | Accounts # | Difference # | Requests # | Difference # | Tier | Other network"
    return table(numbering, f"What changed since {compared_night(source)}", columns, rows, left_out=left_out)


def _row(source: Source, change: Change, network: Row | None) -> tuple[Cell | str, ...]:
    then = source.past.networks_then.get(change.network_id)
    accounts = network["account_count"] if network else change.account_count
    earlier = then.account_count if then else _earlier_accounts(source, change.network_id)
    requests = network["request_count"] if network else None
    return (
        network_cell(source, change.network_id),
        _word(source, change.event),
        numbers.count(accounts),
        difference(accounts, earlier),
        numbers.count(requests) if network else "none",
        difference(requests, then.request_count if then else None) if network else "",
        _tier(source, network, then.tier if then else None),
        network_cell(source, change.other_id) if change.other_id else "",
    )


def _tier(source: Source, network: Row | None, before: str | None) -> Cell:
    if network is None:
        return Cell("gone", note=f"was {source.wording.word('tier', before)}" if before else "", tone="quiet")
    word = source.wording.word("tier", network["tier"])
    return Cell(word, note=f"was {source.wording.word('tier', before)}" if before and before != network["tier"] else "")


def network_cell(source: Source, network_id: str) -> Cell:
    """A network's id, linked to its page if it has one tonight."""
    return Cell(redact.identifier(network_id), href=page_name(network_id) if network_id in source.paged else "", tone="code")


def difference(now: int | None, before: int | None) -> str:
    """`+12`, with a true minus sign, `0`; `none earlier` if there was nothing to compare with."""
    if now is None or before is None:
        return "none earlier"
    change = now - before
    return f"+{numbers.count(change)}" if change > 0 else numbers.count(change)


def _change(row: Row) -> Change:
    return Change(row["network_id"], row["event"], row["other_id"] or "", row["account_count"])


def _word(source: Source, event: str) -> str:
    return source.wording.word("event", event)


def _is_tonight(source: Source, row: Row) -> bool:
    return row["night"] is not None and row["night"].isoformat() == source.facts.night


def _event_text(source: Source, row: Row) -> str:
    word = _word(source, row["event"])
    earlier = _earlier_accounts(source, row["network_id"], row["night"])
    return word if earlier is None or row["account_count"] is None or row["event"] == "new" else f"{word} {difference(row['account_count'], earlier)}"


def _earlier_accounts(source: Source, network_id: str, night: dt.date | None = None) -> int | None:
    """Members on the last earlier night that knew the network."""
    last = night or dt.date.fromisoformat(source.facts.night)
    earlier = [old["account_count"] for old in source.lineage_of(network_id) if old["night"] < last and old["account_count"] is not None]
    return earlier[-1] if earlier else None
