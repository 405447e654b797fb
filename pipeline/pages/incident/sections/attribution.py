"""Section 10: the ladder, each rung judged apart, and the outside facts that alone can carry its upper rungs. The only section that may name an organisation."""

from __future__ import annotations

from pipeline.pages import numbers
from pipeline.pages.incident import judging
from pipeline.pages.incident.blocks import Block, Section, missing, table, text
from pipeline.pages.incident.exhibits import Exhibits
from pipeline.pages.incident.records import Incident, NetworkSheet
from pipeline.pages.incident.wording import say, sentence, words
from pipeline.pages.records import Cell

FROM_LOGS = ("L0", "L1", "L2", "L3")
RELAY = frozenset({"handoff", "client"})
_SOURCE = {
    "A": "reliable",
    "B": "usually reliable",
    "C": "fairly reliable",
    "D": "not usually reliable",
    "E": "unreliable",
    "F": "cannot be judged",
}
_ITEM = {
    "1": "confirmed by others",
    "2": "probably true",
    "3": "possibly true",
    "4": "doubtful",
    "5": "improbable",
    "6": "cannot be judged",
}


def attribution(incident: Incident, exhibits: Exhibits) -> Section:
    """Section 10."""
    blocks: list[Block] = [text(say("s10", "lead")), *(_ladder(incident, sheet, exhibits, place) for place, sheet in enumerate(incident.networks, start=1)), _outside(incident)]
    if not incident.facts:
        blocks.append(missing(say("s10", "no_facts")))
    return Section("10", "s10", words()["section"]["s10"], tuple(blocks))


def _ladder(incident: Incident, sheet: NetworkSheet, exhibits: Exhibits, place: int) -> Block:
    """T12."""
    rows = [_rung(incident, sheet, exhibits, rung) for rung in FROM_LOGS] + [_outside_rung(incident, rung) for rung in ("L4", "L5")]
    held = [str(_judgement(incident, sheet, rung)[0]) for rung in FROM_LOGS]
    reached = [rung for rung, judged in zip(FROM_LOGS, held, strict=True) if judged.startswith("held")]
    caption = (
        f"Attribution ladder for {sheet.network_id}: the logs carry {numbers.listed(reached)}" if reached else f"Attribution ladder for {sheet.network_id}: the logs carry no rung"
    )
    part = str(place) if len(incident.networks) > 1 else ""
    columns = "Rung | What it says | Judgement | Likelihood | Confidence | Exhibits"
    return table("T12", caption, columns, rows, part=part, left_out="Likelihood and confidence are two things: the first says how probable, the second how good the grounds are.")


def _rung(incident: Incident, sheet: NetworkSheet, exhibits: Exhibits, rung: str) -> list[Cell | str]:
    judged, word, level = _judgement(incident, sheet, rung)
    likelihood = Cell("not given") if not word else Cell(judging.likelihood(word).word, note=judging.likelihood(word).range)
    return [Cell(rung, tone="strong"), say("rung", rung), sentence(judged), likelihood, level or "not given", exhibits.of_network(sheet)]


def _judgement(incident: Incident, sheet: NetworkSheet, rung: str) -> tuple[str, str, str]:
    """(judgement, name of the likelihood or '', level of confidence or '')."""
    opened, referred = judging.admitted(sheet), sheet.row["tier"] == judging.REFER
    if rung == "L0":
        seen = bool(sheet.matrix.attributes)
        return ("held: observed, no inference" if seen else "not held: nothing shared was observed"), "", ""
    if rung == "L1":
        word = judging.control_word(incident, sheet)
        return ("held" if opened and word in ("likely", "very_likely") else "not held", word, judging.confidence_level(incident, sheet))
    if rung == "L2":
        relays = bool(RELAY & set(opened)) and referred
        said = "held: a mechanism that passes work between the accounts covers most of them" if relays else "not held: no such mechanism covers most of the accounts"
        return said, "likely" if relays else "", "low" if relays else ""
    return (
        "held: bulk and shape of the traffic, not its use" if referred else "not held",
        "likely" if referred else "",
        "moderate" if referred and incident.validation else "low" if referred else "",
    )


def _outside_rung(incident: Incident, rung: str) -> list[Cell | str]:
    facts = [fact for fact in incident.facts if fact.rung == rung]
    grades = numbers.listed([fact.grade for fact in facts])
    said = (
        f"{sentence(numbers.counted(len(facts), 'outside facts'))} entered, graded {grades}; to be judged by people"
        if facts
        else "Not judged: logs cannot carry it, and no outside fact was entered"
    )
    return [Cell(rung, tone="strong"), say("rung", rung), said, "not given", "not given", "table 13" if facts else "none"]


def _outside(incident: Incident) -> Block:
    """T13."""
    rows: list[list[Cell | str]] = [[fact.rung, fact.text, fact.source, _grade(fact.grade), fact.by, Cell(fact.date, tone="time")] for fact in incident.facts]
    columns = "Rung | Fact, as entered | Source, as entered | Admiralty grade: source, item | Entered by | Date"
    return table(
        "T13",
        f"Outside information: {numbers.counted(len(rows), 'facts')}",
        columns,
        rows,
        empty="none was entered.",
        left_out="The program neither checks nor weighs these facts." if rows else "",
    )


def _grade(grade: str) -> Cell:
    source, item = _SOURCE.get(grade[:1], "unknown"), _ITEM.get(grade[1:2], "unknown")
    return Cell(grade, note=f"source {source}; item {item}")
