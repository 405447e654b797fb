"""What the members share: a matrix of members (or blocks of them) against shared values, with how rare each value is."""

from __future__ import annotations

import math

import polars as pl

from pipeline import redact
from pipeline.kinds import kinds
from pipeline.pages import numbers
from pipeline.pages.assessment import unweighed_sentence
from pipeline.pages.holdings import Drawn, Holdings, drawn
from pipeline.pages.incident.drawings import shared as drawings
from pipeline.pages.incident.parts import Attribute, Block
from pipeline.pages.incident.wording import attribute, of, sentence, share
from pipeline.pages.pieces import Numbering, table, unnumbered_table
from pipeline.pages.records import Cell, Command, Figure, Picture, Table
from pipeline.pages.source import Row, Source
from pipeline.pages.working.bench import Bench
from pipeline.pages.working.joins import joins_figure
from pipeline.pages.working.pivots import OPTION_OF_KIND
from pipeline.pages.working.records import Sharing
from pipeline.pages.working.wording import say

ROWS, COLUMNS = 60, 44
"""Rows and single columns of the matrix; members beyond that stand in blocks, as they do in the drawing of how they join."""
_PIVOTS = 4


def sharing(bench: Bench, network: Row, numbering: Numbering) -> Sharing:
    """The blocks of one network."""
    source, network_id = bench.source, network["network_id"]
    members, held = bench.members(network_id), bench.holdings(network)
    ids = dict(members.select("account_key", "account_id").iter_rows())
    sheet = drawn(held, lambda key: redact.identifier(ids[key]), "block", rows=ROWS, columns=COLUMNS)
    covered = _covered(held)
    return Sharing(
        sentence=_sentence(source, held, covered),
        matrix=_matrix(bench, network, held, sheet, covered, numbering),
        holders=_holders(sheet, numbering),
        joins=joins_figure(bench, network, sheet, [ids[int(key)] for key in held.keys], numbering),
        pivots=_pivots(sheet, held.gate),
    )


def _covered(held: Holdings) -> int:
    """Members who hold a value of a kind of the gate that another member holds too."""
    shared = held.values.filter(pl.col("kind").is_in(sorted(held.gate))).select("kind", "value_key")
    return held.held.join(shared, on=["kind", "value_key"], how="semi")["place"].n_unique()


def _sentence(source: Source, held: Holdings, covered: int) -> str:
    if not held.values.height:
        return ""
    words = _gate_words(source, held)
    if not words:
        return say("sharing", "lead_without_gate")
    return say("sharing", "lead", covered=sentence(of(covered, len(held.keys), "members")), kinds=numbers.listed(words))


def _gate_words(source: Source, held: Holdings) -> list[str]:
    """Kinds of the gate that members share, in words."""
    shared = set(held.values["kind"].to_list()) & held.gate
    return [source.wording.word("kind", kind.kind) for kind in kinds(source.config.links) if kind.kind in shared]


def _matrix(bench: Bench, network: Row, held: Holdings, sheet: Drawn, covered: int, numbering: Numbering) -> Figure:
    anchor, label = numbering.figure()
    attributes, size = sheet.matrix.attributes, len(held.keys)
    caption = _answer(bench, held, sheet, covered)
    feet = [_rarity(bench, one) if one.number else "" for one in attributes]
    return Figure(
        anchor=anchor,
        label=label,
        caption=caption,
        question=say("sharing", "question"),
        counted=f"n = {numbers.counted(size, 'members')} and {numbers.counted(held.values.height, 'shared values')}; a value counts if two members or more hold it.",
        left_out=_left_out(sheet),
        pictures=(Picture("", drawings.matrix(sheet.matrix, f"{anchor}-a", caption, feet=feet)),) if attributes else (),
        data=_values(bench, sheet, size, anchor, label),
        absent="" if attributes else _absent(bench.source, network),
    )


def _absent(source: Source, network: Row) -> str:
    unweighed = unweighed_sentence(source, network)
    return f"No figure. {unweighed}" if unweighed else say("sharing", "absent")


def _left_out(sheet: Drawn) -> str:
    if not sheet.matrix.attributes:
        return ""
    single = sum(one.values for one in sheet.matrix.attributes if one.number)
    rest = sheet.matrix.value_count - single
    rows = say("sharing", "blocks" if sheet.matrix.grouped else "accounts", rows=numbers.count(ROWS))
    columns = say("sharing", "rest", rest=numbers.counted(rest, "values"), single=numbers.count(single)) if rest else say("sharing", "no_rest", single=numbers.count(single))
    return f"{rows} {columns} {say('sharing', 'rare')}"


def _rarity(bench: Bench, one: Attribute) -> str:
    """Bits of log2(entities / holders that count) of the value, as the run counts them; '' if it cannot be known."""
    return numbers.decimal(math.log2(bench.entity_total / one.counted)) if bench.entity_total and one.counted else ""


def _answer(bench: Bench, held: Holdings, sheet: Drawn, covered: int) -> str:
    size = len(held.keys)
    single = [one for one in sheet.matrix.attributes if one.number]
    if not single:
        return "No value is shared by two members." if not sheet.matrix.attributes else say("sharing", "narrow", size=numbers.counted(size, "members"))
    gate = [one for one in single if one.kind in held.gate]
    own = [one for one in gate if one.inside * 2 >= one.holders]
    widest = max(own or gate or single, key=lambda one: (one.inside, -one.holders))
    values = {
        "covered": of(covered, size, "members"),
        "name": attribute(widest),
        "inside": of(widest.inside, size, "members"),
        "outside": numbers.counted(max(0, widest.holders - widest.inside), "entities"),
        "bits": numbers.bits(math.log2(bench.entity_total / widest.counted)) if bench.entity_total and widest.counted else numbers.UNKNOWN,
    }
    return sentence(say("sharing", "answer" if own else "answer_of_strangers" if gate else "answer_without_gate", **values))


def _values(bench: Bench, sheet: Drawn, size: int, anchor: str, label: str) -> Table:
    rows = [_value(bench, one, key, size) for one, key in zip(sheet.matrix.attributes, sheet.value_keys, strict=True)]
    columns = "Shared value | Family | Members that hold it # | Share of members # | Others in the log # | Rarity, bits # | To look it up"
    return unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}: shared values", columns, rows, empty="No value is shared.")


def _value(bench: Bench, one: Attribute, key: int | None, size: int) -> tuple[Cell | str, ...]:
    single = one.number > 0
    return (
        attribute(one),
        bench.source.wording.word("family", one.family),
        numbers.count(one.inside),
        share(one.inside / size),
        numbers.count(max(0, one.holders - one.inside)) if single else "various",
        (_rarity(bench, one) or numbers.UNKNOWN) if single else "various",
        Cell(f"{OPTION_OF_KIND[one.kind]} key:{key}", tone="code") if key is not None and one.kind in OPTION_OF_KIND else "no command",
    )


def _holders(sheet: Drawn, numbering: Numbering) -> Table:
    """What each row of the matrix holds, in words."""
    names = [attribute(one) for one in sheet.matrix.attributes]
    caption, empty = "The same in words, row by row", "no value is shared."
    if sheet.matrix.grouped:
        blocks = [(block.name, numbers.count(block.accounts), _holds(block, names)) for block in sheet.matrix.blocks]
        return table(numbering, caption, "Block | Accounts # | What they hold", blocks, empty=empty)
    accounts = [(Cell(block.name, tone="code"), _holds(block, names)) for block in sheet.matrix.blocks]
    return table(numbering, caption, "Account | What it holds", accounts, empty=empty)


def _holds(block: Block, names: list[str]) -> str:
    whole = [name for name, part in zip(names, block.shares, strict=True) if part >= 1]
    some = [f"{name} ({numbers.percent(part, 0)})" for name, part in zip(names, block.shares, strict=True) if 0 < part < 1]
    said = [", ".join(whole)] if whole else []
    said += [f"some of them {', '.join(some)}"] if some else []
    return "; ".join(said) or "none of these"


def _pivots(sheet: Drawn, gate: frozenset[str]) -> tuple[Command, ...]:
    """Commands that list everybody who holds the widest values of the gate."""
    known = [(one, key) for one, key in zip(sheet.matrix.attributes, sheet.value_keys, strict=True) if key is not None and one.kind in gate and one.kind in OPTION_OF_KIND]
    widest = sorted(known, key=lambda pair: (-pair[0].inside, pair[0].holders, pair[0].kind, pair[0].number))[:_PIVOTS]
    return tuple(Command(f"stillhunt pivot {OPTION_OF_KIND[one.kind]} key:{key}", f"everybody who holds {attribute(one)}, in this network and outside") for one, key in widest)
