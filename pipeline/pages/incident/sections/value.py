"""Section 8: how much, in every counting unit, and what it lists for. Money is integer micro-USD throughout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.pages import numbers
from pipeline.pages.incident.blocks import Block, Section, missing, table, text
from pipeline.pages.incident.parts import Units, Volume
from pipeline.pages.incident.records import Incident, NetworkSheet, Prices
from pipeline.pages.incident.sections.harvest import traffic
from pipeline.pages.incident.wording import money, of, say, shared, words
from pipeline.pages.records import Cell

VOLUME_ROWS = 120
_MILLION = 1_000_000
RANGES = (("low", ("core",)), ("central", ("core", "bridge")), ("high", ("core", "bridge", "fringe")))
"""Which members a line of table 9 counts: the low line those whose place is firmest, the high line everybody."""


def value(incident: Incident) -> Section:
    """Section 8."""
    blocks: list[Block] = [
        text(say("s8", "units")),
        _volumes(incident),
        *traffic(incident),
        _intensity(incident),
        *_list_value(incident),
        _billed(incident),
        missing(say("s8", "absent_money")),
    ]
    return Section("8", "s8", words()["section"]["s8"], tuple(blocks))


def priced(prices: Prices, volumes: Iterable[Volume]) -> tuple[int, list[Volume]]:
    """(list value in micro-USD, rounded down a row; rows whose model the sheet lacks)."""
    known = {model: (given, made) for model, given, made in prices.rows}
    total, unknown = 0, []
    for volume in volumes:
        if volume.model in known:
            given, made = known[volume.model]
            total += (volume.units.input_tokens * given + volume.units.output_tokens * made) // _MILLION
        else:
            unknown.append(volume)
    return total, unknown


def list_value(incident: Incident, sheets: Sequence[NetworkSheet]) -> str:
    """List value of all members of these networks, or why there is none."""
    if incident.prices is None:
        return "no price sheet"
    total, unknown = priced(incident.prices, (volume for sheet in sheets for volume in sheet.volumes))
    return f"{total:,} micro-USD" + (" (not all models priced)" if unknown else "")


def _volumes(incident: Incident) -> Block:
    """T8."""
    found = [(sheet, volume) for sheet in incident.networks for volume in sheet.volumes]
    rows = [_volume(sheet, volume) for sheet, volume in found[:VOLUME_ROWS]]
    rows += [[Cell(sheet.network_id, tone="code"), Cell("all classes", tone="strong"), "all models", "whole window", *_cells(sheet.units)] for sheet in incident.networks]
    rest = max(0, len(found) - VOLUME_ROWS)
    left = "Distinct conversations and prompts are counted once in each row, so rows do not add up to their total." + (
        f" {numbers.counted(rest, 'further rows')} not printed." if rest else ""
    )
    columns = "Network | Class | Model | Month | Requests # | Turns # | Conversations # | Distinct prompts # | Input tokens # | Output tokens # | Requests that drew output #"
    return table("T8", f"Volume by account class, model and month: {_volume_answer(incident)}", columns, rows, left_out=left)


def _volume_answer(incident: Incident) -> str:
    requests = sum(sheet.units.requests for sheet in incident.networks)
    tokens = sum(sheet.units.input_tokens + sheet.units.output_tokens for sheet in incident.networks)
    return f"{numbers.counted(requests, 'requests')} and {numbers.counted(tokens, 'tokens')} in all"


def _volume(sheet: NetworkSheet, volume: Volume) -> list[Cell | str]:
    return [Cell(sheet.network_id, tone="code"), shared().word("role", volume.role), volume.model, volume.month, *_cells(volume.units)]


def _cells(units: Units) -> list[str]:
    return [numbers.count(count) for count in (units.requests, units.turns, units.conversations, units.prompts, units.input_tokens, units.output_tokens, units.harvested)]


def _intensity(incident: Incident) -> Block:
    rows = [_intensity_row(sheet) for sheet in incident.networks]
    columns = "Network | Days of accounts with a request # | Requests on the median such day # | Busiest hour of an account, requests # | Days with requests in 20 hours or more #"
    return table("T8a", "How densely the accounts work", columns, rows, left_out="Volume beyond what a person can do by hand matters: no single figure here decides it.")


def _intensity_row(sheet: NetworkSheet) -> list[Cell | str]:
    dense = sheet.intensity
    return [
        Cell(sheet.network_id, tone="code"),
        numbers.count(dense.account_days),
        numbers.count(dense.median_day),
        numbers.count(dense.busiest_hour),
        of(dense.round_the_clock, dense.account_days, "days"),
    ]


def _list_value(incident: Incident) -> list[Block]:
    prices = incident.prices
    if prices is None:
        return [missing(say("s8", "no_prices"))]
    blocks = [text(say("s8", "list_value", as_of=prices.as_of, sha=prices.sha256[:16])), _price_table(incident, prices)]
    lacking: dict[str, int] = {}
    for volume in priced(prices, (volume for sheet in incident.networks for volume in sheet.volumes))[1]:
        lacking[volume.model] = lacking.get(volume.model, 0) + volume.units.input_tokens + volume.units.output_tokens
    if lacking:
        blocks.append(missing(say("s8", "unpriced", models=numbers.listed(sorted(lacking)), tokens=numbers.counted(sum(lacking.values()), "tokens"))))
    return [*blocks, text(say("s8", "damages"))]


def _price_table(incident: Incident, prices: Prices) -> Block:
    """T9."""
    rows: list[list[Cell | str]] = []
    for sheet in incident.networks:
        amounts = [priced(prices, (volume for volume in sheet.volumes if volume.role in roles))[0] for _, roles in RANGES]
        rows.append([Cell(sheet.network_id, tone="code"), *(money(amount) for amount in amounts), "not in the log", "not in the log", "not in the log"])
    columns = "Network | List value, low: core # | Central: core and bridges # | High: every member # | Invoiced | Collected | Reversed or free"
    whole = sum(priced(prices, sheet.volumes)[0] for sheet in incident.networks)
    caption = f"List value against money received: at most {money(whole)} by list, nothing known of money received"
    left = "The range is over who belongs to the network, not over prices. Each row of table 8 is rounded down to whole micro-USD; USD are cut to cents."
    return table("T9", caption, columns, rows, left_out=left)


def _billed(incident: Incident) -> Block:
    known = sum(sheet.units.cost_known for sheet in incident.networks)
    if not known:
        return missing(say("s8", "no_billed"))
    requests = sum(sheet.units.requests for sheet in incident.networks)
    amounts = numbers.listed([f"{sheet.network_id}: {money(sheet.units.cost_micro_usd)}" for sheet in incident.networks if sheet.units.cost_known])
    return text(f"{say('s8', 'billed', known=numbers.count(known), requests=numbers.counted(requests, 'requests'))} {amounts}.")
