"""Section 2: what was asked, the two propositions on each network with the weight of evidence, and what else could explain it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.pages import numbers
from pipeline.pages.incident import judging
from pipeline.pages.incident.blocks import Block, Section, bullets, heading, missing, table, text
from pipeline.pages.incident.records import Incident, NetworkSheet, Row
from pipeline.pages.incident.wording import measured, say, sentence, share, shared, words
from pipeline.pages.records import Cell
from pipeline.pages.words import spaced
from pipeline.stages.alternatives import EXPLAINS, EXPLAINS_ANSWERS

ANSWERS, CHANCE = "answers", "chance"
"""Evidence that is no kind of shared value: harvested answers, and a test that chance alone would pass as often."""
_CONSISTENT, _INCONSISTENT, _NEUTRAL = "C", "I", "N"


def questions(incident: Incident) -> Section:
    """Section 2."""
    case = incident.case
    mandate = say("s2", "mandate", author=case.author, case=case.case_id) if case.author else say("s2", "mandate_nobody")
    blocks = [text(mandate)]
    for sheet in incident.networks:
        accounts = numbers.counted(sheet.row["account_count"], "accounts")
        said = {"network": sheet.network_id, "accounts": accounts}
        blocks += [heading(f"Propositions on {sheet.network_id}", f"s2-{sheet.network_id}"), bullets([say("s2", "hp", **said), say("s2", "hd", **said)])]
        blocks.append(text(judging.weight_sentence(incident, sheet)))
    blocks.append(text(say("s2", "matrix")))
    blocks += [_matrix(incident, sheet, place) for place, sheet in enumerate(incident.networks, start=1)]
    tried = [shared().word("alternative", name).lower() for name in EXPLAINS]
    blocks.append(text(say("s2", "alternatives", tried=numbers.listed(tried))))
    return Section("2", "s2", words()["section"]["s2"], tuple(blocks))


def _matrix(incident: Incident, sheet: NetworkSheet, place: int) -> Block:
    """T2: hypotheses down, evidence across."""
    part = str(place) if len(incident.networks) > 1 else ""
    evidence = covering_evidence(sheet)
    if not sheet.alternatives:
        return missing(f"Table 2 for {sheet.network_id}: no innocent explanation was scored for this network (table cluster_alternatives holds no row of it).")
    scored = {row["alternative"]: row for row in sheet.alternatives}
    names = [*(name for name in EXPLAINS if name in scored), *(name for name in scored if name not in EXPLAINS and name != "none")]
    rows = [_hypothesis("Hp: one operator", [_NEUTRAL if kinds == (CHANCE,) else _CONSISTENT for _, kinds in evidence], "not asked", "not asked")]
    rows += [_hypothesis(shared().word("alternative", name), [_stand(name, entry) for entry in evidence], *_fit(scored[name])) for name in names]
    if "none" in scored:
        rows.append(
            _hypothesis(
                "Chance alone: strangers with nothing in common", [_CONSISTENT if kinds == (CHANCE,) else _INCONSISTENT for _, kinds in evidence], "not asked", "everything"
            )
        )
    columns = " | ".join(["Hypothesis", "Members that fit #", "Left unexplained #", *(head for head, _ in evidence)])
    caption = f"Alternatives for {sheet.network_id}: {_matrix_answer(scored)}"
    return table(
        "T2",
        caption,
        columns,
        rows,
        part=part,
        left_out=say("s2", "key"),
    )


def covering_evidence(sheet: NetworkSheet) -> list[tuple[str, tuple[str, ...]]]:
    """Evidence columns: families that cover the network with their kinds, and harvested answers where they are beyond chance; and tests that chance passes as often."""
    found = [(sentence(shared().word("family", row["family"])), tuple(kind for kind in (row["kinds"] or "").split(",") if kind)) for row in judging.covering(sheet)]
    chance = [
        (f"{words()['short_test'].get(row['test'], spaced(row['test']))}: chance", (CHANCE,))
        for row in sheet.tests
        if row["supports"] == "coordination" and row["p_value"] is not None and not row["beyond"]
    ]
    answers = [row for row in sheet.tests if row["supports"] == "extraction" and row["beyond"]]
    return [*(entry for entry in found if entry[1]), *([("Long answers to templated prompts", (ANSWERS,))] if answers else []), *chance]


def _stand(name: str, entry: tuple[str, tuple[str, ...]]) -> str:
    """C if the hypothesis accounts for all kinds of the evidence, N if for some, I if for none."""
    kinds = entry[1]
    if kinds == (CHANCE,):
        return _CONSISTENT
    if kinds == (ANSWERS,):
        return _CONSISTENT if name in EXPLAINS_ANSWERS else _INCONSISTENT
    explained = [kind in EXPLAINS.get(name, ()) for kind in kinds]
    return _CONSISTENT if all(explained) else _NEUTRAL if any(explained) else _INCONSISTENT


def _hypothesis(name: str, stands: Sequence[str], fit: str, left: str) -> list[Cell | str]:
    return [name, fit, left, *(Cell(stand, tone={"I": "strong", "N": "quiet"}.get(stand, "")) for stand in stands)]


def _fit(row: Row) -> tuple[str, str]:
    applies = ", applies" if row["applies"] else ""
    return f"{share(row['fit_share'])}{applies}", measured(row["margin_bits"], "bits")


def _matrix_answer(scored: dict[str, Row]) -> str:
    applying = [shared().word("alternative", name).lower() for name, row in scored.items() if row["applies"]]
    if not applying:
        return "no innocent explanation fits enough of its members to apply"
    explained = any(row["applies"] and (row["margin_bits"] or 0.0) <= 0 for row in scored.values())
    return f"enough members fit {numbers.listed(applying)}; {'that accounts for the links' if explained else 'rare facts are left unexplained all the same'}"
