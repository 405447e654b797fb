"""Of sections 7 and 8: what prompts ask for by a weak classifier, and which traffic is the operator's and which is carried for others."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.pages import harvest, numbers
from pipeline.pages.incident.blocks import Block, missing, table, text
from pipeline.pages.incident.records import Incident, NetworkSheet, Row
from pipeline.pages.incident.wording import say, shared
from pipeline.pages.records import Cell

CAPABILITIES, TRAFFIC = "T7b", "T8b"


def capabilities(sheet: NetworkSheet, part: str) -> list[Block]:
    """T7b, of all sampled prompts and of those with the group's wording. Without a sampled prompt: why there is none."""
    rows, wording = sheet.capabilities, shared()
    if not rows:
        return [missing(say("harvest", "no_capabilities"))]
    own, first = harvest.of_part(rows, "operator"), rows[0]
    cells = [_capability(row, own.get(row["capability"]), told=bool(own)) for row in harvest.ordered(rows)]
    counted = f"n = {numbers.counted(first['sample_count'], 'sampled prompts')} of {numbers.counted(first['sample_account_count'], 'members')}."
    columns = "Asks for | Share # | 95 % interval | Of prompts with the group's wording # | 95 % interval | Requests, about # | Input tokens, about # | Output tokens, about #"
    caption = f"What prompts of {sheet.network_id} ask for, by a weak classifier"
    left_out = f"{counted} {wording.line('harvest', 'interval')} {say('harvest', 'weak')}"
    return [table(CAPABILITIES, caption, columns, cells, part=part, left_out=left_out)]


def _capability(row: Row, mine: Row | None, *, told: bool) -> list[Cell | str]:
    own = [harvest.share(mine["share"]), harvest.interval(mine)] if mine else ["none", "no interval"] if told else ["not told apart", "no interval"]
    counts = [numbers.count(row[name]) for name in ("request_count", "input_tokens", "output_tokens")]
    return [shared().word("capability", row["capability"]), harvest.share(row["share"]), harvest.interval(row), *own, *counts]


def traffic(incident: Incident) -> list[Block]:
    """T8b: requests and tokens that are the operator's, at least, and that are carried for others, at most."""
    held = [sheet for sheet in incident.networks if sheet.traffic_parts]
    if not held:
        return [missing(say("harvest", "no_traffic"))]
    cells = [_owner(sheet, row) for sheet in held for part in harvest.OWNERS for row in sheet.traffic_parts if row["part"] == part]
    columns = "Network | Whose | Share of requests # | 95 % interval | Requests, about # | Input tokens, about # | Output tokens, about #"
    blocks = [text(say("harvest", "traffic")), table(TRAFFIC, "The operator's traffic and what is carried for others", columns, cells, left_out=shared().line("harvest", "least"))]
    silent = [sheet.network_id for sheet in held if not harvest.known(sheet.traffic_parts)]
    return [*blocks, missing(say("harvest", "not_told", networks=numbers.listed(silent)))] if silent else blocks


def _owner(sheet: NetworkSheet, row: Row) -> list[Cell | str]:
    is_referred = sheet.row["tier"] == "refer"
    name, amounts = harvest.owner_word(shared(), row["part"], is_referred=is_referred), _tokens(sheet, row["part"])
    known = row["share"] is not None
    shown = [harvest.share(row["share"]), harvest.interval(row), numbers.count(row["request_count"])] if known else ["not known", "no interval", "not known"]
    return [Cell(sheet.network_id, tone="code"), name, *shown, *(numbers.count(amounts[unit]) if known else "not known" for unit in ("input_tokens", "output_tokens"))]


def _tokens(sheet: NetworkSheet, part: str) -> Mapping[str, int | None]:
    """Estimated tokens of a part; None where the log does not say."""
    rows = list(harvest.of_part(sheet.capabilities, part).values())
    found: dict[str, int | None] = {}
    for unit in ("input_tokens", "output_tokens"):
        known = [row[unit] for row in rows if row[unit] is not None]
        found[unit] = sum(known) if known else None
    return found
