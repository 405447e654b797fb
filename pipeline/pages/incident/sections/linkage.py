"""Section 5: each network as it was built, what joins it, why each account, and what is left without one signal."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.kinds import FAMILIES, GATE_FAMILIES
from pipeline.pages import numbers
from pipeline.pages.assessment import cut_again_sentence
from pipeline.pages.incident import judging
from pipeline.pages.incident.blocks import Block, Plot, Section, figure, heading, left_out, table, text
from pipeline.pages.incident.drawings import shared as shared_drawings
from pipeline.pages.incident.drawings import weights
from pipeline.pages.incident.exhibits import Exhibits
from pipeline.pages.incident.parts import Matrix
from pipeline.pages.incident.records import Incident, NetworkSheet, Row
from pipeline.pages.incident.sections.entries import MEMBER_COLUMNS, findings, member_row
from pipeline.pages.incident.wording import attribute, of, say, sentence, share, shared, words
from pipeline.pages.records import Cell
from pipeline.pages.words import families as family_words

LINKAGE = ("coordination",)


def linkage(incident: Incident, exhibits: Exhibits) -> Section:
    """Section 5, one part a network."""
    blocks: list[Block] = []
    for place, sheet in enumerate(incident.networks, start=1):
        part = str(place) if len(incident.networks) > 1 else ""
        blocks += [heading(f"{sheet.network_id}: what joins it", f"s5-{sheet.network_id}"), text(_built(sheet)), text(_gate(sheet))]
        blocks += [_families(sheet, part), findings(sheet, exhibits, LINKAGE, "T5c", part, "What links the accounts")]
        blocks += [_matrix(sheet, part), _joins(sheet, part), _waterfall(sheet, part), _without(sheet, part), _bridges(sheet, part)]
    return Section("5", "s5", words()["section"]["s5"], tuple(blocks))


def _built(sheet: NetworkSheet) -> str:
    roles = numbers.listed([f"{numbers.count(count)} {shared().word('role', role)}" for role, count in sheet.roles if count])
    said = say(
        "s5",
        "as_built",
        network=sheet.network_id,
        accounts=numbers.counted(sheet.row["account_count"], "accounts"),
        roles=roles,
        tier=shared().word("tier", sheet.row["tier"]).lower(),
        reason=shared().reason(sheet.row["reason"]),
    )
    if not sheet.waterfalls:
        return said
    bits = {fall.which: numbers.bits(fall.total_bits) for fall in sheet.waterfalls}
    tail = say(
        "s5",
        "strongest",
        strong=bits["strongest"],
        weak=bits["weakest"],
        median=bits["median"],
        compared=numbers.counted(max(fall.compared for fall in sheet.waterfalls), "members"),
    )
    return f"{said} {tail}"


def _gate(sheet: NetworkSheet) -> str:
    opened = judging.admitted(sheet)
    return say("s5", "gate", families=family_words(shared(), opened)) if opened else say("s5", "gate_none")


def _families(sheet: NetworkSheet, part: str) -> Block:
    """Bits by family: the weight of each link kind, strongest first."""
    ordered = sorted(sheet.families, key=lambda row: (not judging.opens_the_gate(row), -(row["coverage_share"] or 0.0), -(row["median_bits"] or 0.0), row["family"]))
    rows = [_family(row) for row in ordered]
    weakest = [shared().word("family", row["family"]) for row in ordered if not row["kinds"]]
    caption = f"Families of evidence in {sheet.network_id}: {_families_answer(sheet)}"
    left = f"Nothing shared was found in: {numbers.listed(weakest)}." if weakest else ""
    columns = "Family | Opens the gate | Accounts covered # | Pairs linked # | Bits of the median pair # | Percentile among controls # | What is shared"
    return table("T5b", caption, columns, rows, part=part, empty="the links inside this network were not weighed.", left_out=left)


def _families_answer(sheet: NetworkSheet) -> str:
    strong = [shared().word("family", row["family"]) for row in judging.covering(sheet)]
    return f"{numbers.listed(strong)} cover most of it or tie its median pair" if strong else "no family covers most of it"


def _family(row: Row) -> list[Cell | str]:
    kinds = [shared().word("kind", kind.strip()) for kind in (row["kinds"] or "").split(",") if kind.strip()]
    compared = f"of {numbers.counted(row['control_count'], 'groups')}" if row["control_count"] else ""
    percentile = Cell(numbers.decimal(row["control_percentile"]) if row["control_percentile"] is not None else "not compared", note=compared)
    return [
        sentence(shared().word("family", row["family"])),
        Cell("yes", tone="strong") if judging.opens_the_gate(row) else "no" if row["family"] in GATE_FAMILIES else "cannot",
        share(row["coverage_share"]),
        share(row["linked_pair_share"]),
        numbers.decimal(row["median_bits"]),
        percentile,
        numbers.listed(kinds),
    ]


def _matrix(sheet: NetworkSheet, part: str) -> Block:
    """F4."""
    plot, drawn = Plot("F4", part), sheet.matrix
    answer = _matrix_answer(sheet)
    grouped = "A row is a block of members that hold the same values; a pale cell: some of the block hold it. " if drawn.grouped else "A row is an account. "
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(sheet.row['account_count'], 'accounts')} and {numbers.counted(drawn.value_count, 'shared values')}.",
        left_out=f"{grouped}{_columns_words(drawn)} Values that one member holds alone are left out.",
        columns="Shared value | Family | Members that hold it # | Entities of the log that hold it # | Share of members #",
        rows=_attribute_rows(drawn, sheet),
        pictures=(("", shared_drawings.matrix(drawn, f"{plot.anchor}-a", answer)),) if drawn.blocks else (),
        absent="" if drawn.blocks else "No figure: no value is shared by two members of this network (tables cluster_values and shared_values).",
    )


def _columns_words(drawn: Matrix) -> str:
    if any(one.band for one in drawn.attributes):
        return "A column is a value that at least one in fifty members holds; the others of a kind stand together by how many members hold each of them."
    return "Values that the same members hold stand as one column, and so do all further values of a kind."


def _attribute_rows(drawn: Matrix, sheet: NetworkSheet) -> list[list[Cell | str]]:
    size = sheet.row["account_count"]
    return [
        [
            attribute(one),
            shared().word("family", one.family),
            numbers.count(one.inside),
            numbers.count(one.holders) if one.number else "several values",
            share(one.inside / size) if size else numbers.UNKNOWN,
        ]
        for one in drawn.attributes
    ]


def _matrix_answer(sheet: NetworkSheet) -> str:
    size = sheet.row["account_count"]
    parts = []
    for family in FAMILIES:
        own = [one for one in sheet.matrix.attributes if one.family == family and one.number]
        if own:
            widest = max(own, key=lambda one: one.inside)
            parts.append((widest.inside, f"{of(widest.inside, size, 'members')} hold {shared().word('kind', widest.kind)}"))
    best = sorted(parts, key=lambda pair: -pair[0])[:2]
    if not best:
        return "No value is shared by two members."
    tail = f" that {'joins' if len(best) == 1 else 'join'} most of them"
    return sentence(f"{numbers.listed([words_ for _, words_ in best])} in common: the widest {'value' if len(best) == 1 else 'values'}{tail}.")


def _joins(sheet: NetworkSheet, part: str) -> Block:
    """F5."""
    plot, drawn = Plot("F5", part), sheet.graph
    pieces = _pieces(drawn)
    answer = _joins_answer(pieces, drawn)
    nodes = len(drawn.blocks) + len(drawn.attributes)
    node = "Members with equal holdings are drawn as one node" if drawn.grouped else "Every member is a node"
    rows = [
        [
            block.name if not drawn.grouped else f"{block.name}: {numbers.counted(block.accounts, 'accounts')}",
            numbers.listed([attribute(one) for one, part_ in zip(drawn.attributes, block.shares, strict=True) if part_ > 0][:8]),
        ]
        for block in drawn.blocks
    ]
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(nodes, 'nodes')} for {numbers.counted(sheet.row['account_count'], 'accounts')}.",
        left_out=f"{node}; {left_out(plot)}",
        columns="Node | Holds (the first eight)",
        rows=rows,
        pictures=(("", shared_drawings.joins(drawn, f"{plot.anchor}-a", answer)),) if drawn.blocks else (),
        absent="" if drawn.blocks else "No figure: no value but settings is shared by two members of this network.",
    )


def _pieces(drawn: Matrix) -> list[int]:
    """Accounts of each connected piece of the drawing, the largest first; nodes that hold nothing are pieces of their own."""
    piece = list(range(len(drawn.blocks)))
    for at in range(len(drawn.attributes)):
        holders = [place for place, block in enumerate(drawn.blocks) if block.shares[at] > 0]
        joined = {piece[place] for place in holders}
        piece = [min(joined) if own in joined else own for own in piece]
    sizes: dict[int, int] = {}
    for own, block in zip(piece, drawn.blocks, strict=True):
        sizes[own] = sizes.get(own, 0) + block.accounts
    return sorted(sizes.values(), reverse=True)


def _joins_answer(pieces: Sequence[int], drawn: Matrix) -> str:
    if not pieces:
        return "Nothing joins the members but settings."
    if len(pieces) == 1:
        return f"All {numbers.counted(pieces[0], 'accounts')} hang together by the values drawn."
    alone = sum(1 for size in pieces if size == 1)
    rest = f", {numbers.counted(alone, 'accounts')} by none of them" if alone and not drawn.grouped else ""
    return f"The largest piece that the values drawn hold together has {of(pieces[0], sum(pieces), 'accounts')}{rest}."


def _waterfall(sheet: NetworkSheet, part: str) -> Block:
    """F6."""
    plot, falls = Plot("F6", part), sheet.waterfalls
    named = {family: shared().word("family", family) for family in FAMILIES}
    answer, compared = _waterfall_answer(sheet), max((fall.compared for fall in falls), default=0)
    rows = [[f"{fall.which} member, {fall.name}", *(numbers.decimal(bits) for _, bits in fall.families), numbers.decimal(fall.total_bits)] for fall in falls]
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(compared, 'members')} that each was compared with; bits are means over these pairs, for means of families add up.",
        left_out="Bits are weights by rarity, not calibrated: they are no ratio of probabilities. The run itself goes by medians over pairs, which do not add up.",
        columns=" | ".join(["Member", *(f"{sentence(named[family])}, bits #" for family, _ in falls[0].families), "Total, bits #"]) if falls else "Member",
        rows=rows,
        pictures=(("", weights.waterfalls(falls, named, sheet.edge_bits, f"{plot.anchor}-a", answer)),) if falls else (),
        absent="" if falls else "No figure: fewer than three members of this network carry a weight.",
    )


def _waterfall_answer(sheet: NetworkSheet) -> str:
    if not sheet.waterfalls:
        return "The links of single members were not weighed."
    by = {fall.which: fall for fall in sheet.waterfalls}
    middle = by["median"]
    family, bits = max(middle.families, key=lambda pair: pair[1])
    against = ""
    if sheet.edge_bits is not None:
        reach = "reaches" if by["weakest"].total_bits >= sheet.edge_bits else "does not reach"
        against = f" The weakest member has {numbers.bits(by['weakest'].total_bits)} and {reach} on average the {numbers.bits(sheet.edge_bits)} from which a pair counts as linked."
    return f"Most of the median member's {numbers.bits(middle.total_bits)} come from {shared().word('family', family)} ({numbers.bits(bits)}).{against}"


def _without(sheet: NetworkSheet, part: str) -> Block:
    """F7."""
    plot, size = Plot("F7", part), sheet.row["account_count"]
    order = sorted(sheet.ablations, key=lambda row: (row["tier"] == "refer", row["held_count"], row["family"]))
    lost = [shared().word("family", row["family"]) for row in order if row["tier"] != "refer"]
    answer = f"Without {_or(lost)} the referral falls." if lost else "No single family of evidence carries the referral alone: it stands without any one of them."
    drawn = [("all evidence", float(size), f"{numbers.counted(size, 'accounts')}: {shared().word('tier', sheet.row['tier']).lower()}")]
    drawn += [(f"without {shared().word('family', row['family'])}", float(row["held_count"]), _left_words(row)) for row in order]
    absent = "" if order else "No figure: only a referred network is judged again without each family (table network_ablations), and this one accuses nobody."
    return figure(
        plot,
        answer if order else "This was not judged.",
        counted=f"n = {numbers.counted(size, 'accounts')} of the network.",
        left_out=f"{left_out(plot)} {cut_again_sentence(shared(), sheet.row, sheet.ablations)}".rstrip(),
        columns="Without | Accounts still together # | Pieces # | Bits of the median member # | q # | Verdict | Because",
        rows=[_left_row(row) for row in order],
        pictures=(
            ("", weights.bars(drawn, float(size), f"{plot.anchor}-a", "What is left without one family", answer, marked=[False, *(row["tier"] != "refer" for row in order)])),
        )
        if order
        else (),
        absent=absent,
    )


def _or(names: Sequence[str]) -> str:
    return numbers.listed(list(names)).replace(" and ", " or ")


def _left_words(row: Row) -> str:
    return f"{numbers.counted(row['held_count'], 'accounts')}: {shared().word('tier', row['tier']).lower()}"


def _left_row(row: Row) -> list[Cell | str]:
    return [
        sentence(shared().word("family", row["family"])),
        numbers.count(row["held_count"]),
        numbers.count(row["piece_count"]),
        numbers.decimal(row["coordination_bits"]) if row["piece_count"] else "none",
        numbers.probability(row["q_value"]) if row["q_value"] is not None else "no power",
        Cell(shared().word("tier", row["tier"]), tone="" if row["tier"] == "refer" else "strong"),
        "The referral stands." if row["tier"] == "refer" else shared().reason(row["reason"]),
    ]


def _bridges(sheet: NetworkSheet, part: str) -> Block:
    """T6."""
    count = dict(sheet.roles).get("bridge", 0)
    rows = [member_row(member) for member in sheet.bridges]
    caption = f"Bridge accounts of {sheet.network_id}: {numbers.counted(count, 'accounts')} whose removal would part the network"
    left = f"{numbers.counted(count - len(rows), 'further bridges')} not listed." if count > len(rows) else ""
    return table("T6", caption, MEMBER_COLUMNS, rows, part=part, empty="none; no single account holds two parts together.", left_out=left)
