"""What a network's prompts ask for, whose traffic it carries, how fast its conversations go on: words and shares that page, terminal and incident report have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.pages import numbers
from pipeline.pages.pieces import Numbering, table
from pipeline.pages.records import Cell, Table
from pipeline.pages.source import Row, Source
from pipeline.pages.words import Wording

OWNERS = ("operator", "carried")
"""Parts of a network's traffic by whose it is; they make up all of it."""
ASKING = ("all", "operator", "carried", "controls")
"""Parts of network_elicitation, as they are listed."""
PARTS = ("boilerplate", "session_stream", "client_stack", "unexplained")
"""Parts by what shows them; they make up all of it."""

SIDES = ("members", "controls")
"""Whose conversations they are, in the order in which they are shown."""


def share(value: float | None) -> str:
    """A share of 0..1 as `none`, `12.3 %` or `all`."""
    if value is None:
        return numbers.UNKNOWN
    return "all" if value >= 1 else "none" if value <= 0 else numbers.percent(value)


def interval(row: Mapping[str, Any]) -> str:
    """`12.1 % to 14.8 %`, the 95 % interval of a row's share; 'no interval' where too few accounts tell."""
    low, high = row["low_share"], row["high_share"]
    if low is None or high is None or (low <= 0 and high >= 1):
        return "no interval"
    return f"{share(low)} to {share(high)}"


def ordered(rows: Sequence[Row]) -> list[Row]:
    """Classes of `all`, the largest share first, `general` last."""
    return sorted((row for row in rows if row["part"] == "all"), key=lambda row: (row["capability"] == "general", -row["share"], row["capability"]))


def of_part(rows: Sequence[Row], part: str) -> dict[str, Row]:
    """Rows of a part by class."""
    return {row["capability"]: row for row in rows if row["part"] == part}


def owner_word(wording: Wording, part: str, *, is_referred: bool) -> str:
    """Whose traffic a part is; of a group that is not referred there is no operator to speak of, and only its wording is named."""
    return wording.word("traffic_part", part) if is_referred or part not in OWNERS else wording.text("traffic_part", part, "also")


def known(rows: Sequence[Row]) -> bool:
    """Whether anything tells the operator's traffic from the rest."""
    return any(row["part"] == "operator" and row["share"] is not None for row in rows)


def capability_table(source: Source, network: Row, numbering: Numbering) -> Table | None:
    """What the sampled prompts ask for, of all of them and of those with the network's wording. None: the run has no such table, or nothing was sampled."""
    rows = source.of_network("network_capabilities", network["network_id"]).rows(named=True)
    if not rows:
        return None
    wording, own = source.wording, of_part(rows, "operator")
    cells = [_capability(wording, row, own) for row in ordered(rows)]
    kept = rows[0]
    caption = f"What prompts ask for: {_first(wording, rows)}"
    columns = "Asks for | Share of requests # | Of prompts with the group's wording # | Requests, about # | Output tokens, about # | Sampled prompts #"
    sampled = f"{numbers.counted(kept['sample_count'], 'prompts')} of {numbers.counted(kept['sample_account_count'], 'accounts')} were sampled."
    left_out = " ".join(part for part in (sampled, wording.line("harvest", "interval"), asked_sentence(source, network)) if part)
    return table(numbering, caption, columns, cells, left_out=left_out)


def asked_sentence(source: Source, network: Row) -> str:
    """How much asks that reasoning be written out, beside the matched controls; '' if the run has no such table, or nothing was sampled."""
    rows = {row["part"]: row for row in source.of_network("network_elicitation", network["network_id"]).rows(named=True)}
    if "all" not in rows:
        return ""
    wording = source.wording
    said = wording.line("harvest", "asks", share=share(rows["all"]["share"]), interval=interval(rows["all"]))
    own = wording.line("harvest", "asks_own", share=share(rows["operator"]["share"])) if "operator" in rows else ""
    ground = rows.get("controls")
    beside = wording.line("harvest", "asks_beside", share=share(ground["share"]), interval=interval(ground)) if ground else wording.line("harvest", "asks_alone")
    return " ".join(part for part in (said, own, beside) if part)


def _capability(wording: Wording, row: Row, own: Mapping[str, Row]) -> tuple[Cell | str, ...]:
    mine = own.get(row["capability"])
    mine_cell = Cell(share(mine["share"]), note=interval(mine)) if mine else Cell("none" if own else "not told apart")
    return (
        wording.word("capability", row["capability"]),
        Cell(share(row["share"]), note=interval(row)),
        mine_cell,
        numbers.count(row["request_count"]),
        numbers.count(row["output_tokens"]),
        numbers.count(row["prompt_count"]),
    )


def _first(wording: Wording, rows: Sequence[Row]) -> str:
    """`most of all reasoning`; of the prompts with the group's wording where it has one."""
    own = [row for row in rows if row["part"] == "operator"]
    told = [row for row in own or rows if row["capability"] != "general" and row["part"] != "carried"]
    if not told:
        return "nothing that the words tell"
    most = max(told, key=lambda row: (row["share"], row["capability"]))
    said = f"most of all {wording.word('capability', most['capability'])}"
    return f"{said}, where they have the group's wording" if own else said


def traffic_table(source: Source, network: Row, numbering: Numbering) -> Table | None:
    """Whose traffic it is and what shows it. None: the run has no such table."""
    rows = {row["part"]: row for row in source.of_network("network_traffic", network["network_id"]).rows(named=True)}
    if not rows:
        return None
    wording, is_referred = source.wording, network["tier"] == "refer"
    cells = [_part(wording, rows[part], is_referred=is_referred) for part in (*OWNERS, *PARTS) if part in rows]
    told = known(tuple(rows.values()))
    least = wording.line("harvest", "least") if told and is_referred else "" if told else wording.line("harvest", "unknown")
    columns = "Part | Share of requests # | Requests, about # | How known"
    caption = "Whose traffic the accounts carry, and what shows it" if is_referred else "What the accounts' traffic is made of"
    return table(numbering, caption, columns, cells, left_out=f"{wording.line('harvest', 'parts')} {least}".strip())


def _part(wording: Wording, row: Row, *, is_referred: bool) -> tuple[Cell | str, ...]:
    shown = Cell("not known") if row["share"] is None else Cell(share(row["share"]), note="" if row["is_exact"] else interval(row))
    how = "counted" if row["is_exact"] else f"estimated from {numbers.counted(row['sampled_count'], 'requests')} of {numbers.counted(row['account_count'], 'accounts')}"
    name = owner_word(wording, row["part"], is_referred=is_referred)
    return (Cell(name, tone="strong" if row["part"] in OWNERS else ""), shown, numbers.count(row["request_count"]), "nothing tells it" if row["share"] is None else how)


def paced(rows: Sequence[Row]) -> list[Row]:
    """Rows of `network_pace` of one network, the members' first. Without a later turn of a member there is nothing to compare: none."""
    of_side = {row["side"]: row for row in rows}
    return [of_side[side] for side in SIDES if side in of_side] if SIDES[0] in of_side else []


def pace_table(source: Source, network: Row, numbering: Numbering) -> Table | None:
    """How many later turns came at once, beside matched controls. None: the run has no such table, or no member's conversation goes on."""
    rows = paced(source.of_network("network_pace", network["network_id"]).rows(named=True))
    if not rows:
        return None
    cells = [_pace(source.wording, row) for row in rows]
    columns = "Whose | Share at once # | Sent at once # | Later turns # | Accounts #"
    return table(numbering, "Turns that were sent before anyone could have read the answer", columns, cells, left_out=source.wording.line("harvest", "pace"))


def _pace(wording: Wording, row: Row) -> tuple[Cell | str, ...]:
    counts = (numbers.count(row[name]) for name in ("at_once_count", "later_turn_count", "account_count"))
    return (wording.word("pace_side", row["side"]), Cell(share(row["share"]), note=interval(row)), *counts)
