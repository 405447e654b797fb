"""Section 7: what was taken: traits of the traffic beside matched accounts, repetition, models, and the commonest skeletons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from pipeline.pages import numbers
from pipeline.pages.incident.blocks import Block, Plot, Section, figure, heading, missing, table, text
from pipeline.pages.incident.drawings import time, weights
from pipeline.pages.incident.exhibits import Exhibits, finding_sentence
from pipeline.pages.incident.parts import SHOWN_FROM, Series, Template, Trait
from pipeline.pages.incident.records import Incident, NetworkSheet
from pipeline.pages.incident.sections.entries import findings
from pipeline.pages.incident.sections.harvest import capabilities
from pipeline.pages.incident.wording import measured, say, sentence, share, words
from pipeline.pages.records import Cell
from pipeline.pages.words import spaced

MODELS = 6
"""Models that have a colour of their own."""
OTHER = "all other models"


def extraction(incident: Incident, exhibits: Exhibits) -> Section:
    """Section 7, one part a network."""
    blocks: list[Block] = [text(say("s7", "lead"))]
    for place, sheet in enumerate(incident.networks, start=1):
        part = str(place) if len(incident.networks) > 1 else ""
        blocks += [heading(f"{sheet.network_id}: what it took", f"s7-{sheet.network_id}"), text(_result(sheet))]
        blocks += [findings(sheet, exhibits, ("extraction",), "T7a", part, "Findings on collection")]
        blocks += [*capabilities(sheet, part), _traits(sheet, part), _concentration(sheet, part), _models(incident, sheet, part), _templates(sheet, part)]
    blocks += [missing(say("s7", "grid"))]
    if incident.context.releases is None:
        blocks.append(missing(say("s7", "pivot_none")))
    return Section("7", "s7", words()["section"]["s7"], tuple(blocks))


def _result(sheet: NetworkSheet) -> str:
    own = [row for row in sheet.findings if row["supports"] == "extraction"]
    said = finding_sentence(own[0]) if own else "No finding on collection is recorded for this network."
    return say("s7", "result", network=sheet.network_id, sentence=said)


def _traits(sheet: NetworkSheet, part: str) -> Block:
    """F12."""
    plot = Plot("F12", part)
    known = [trait for trait in sheet.traits if trait.members is not None]
    blank = [_trait(trait) for trait in sheet.traits if trait.members is None]
    answer = _traits_answer(known)
    rows = [(_trait(trait), trait.members, trait.controls, _middle(trait.members, trait), _middle(trait.controls, trait)) for trait in known]
    left = f"These are traits of requests and answers; what prompts ask for stands in table 7b{f'.{part}' if part else ''}. "
    left += f"Not logged, so not drawn: {numbers.listed(blank)}. " if blank else ""
    left += "" if any(trait.controls for trait in known) else f"Controls: matched accounts are {sheet.control_count}."
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(max((trait.member_n for trait in known), default=0), 'members')} and {sheet.control_count} matched accounts; each feature on its own scale.",
        left_out=left.strip(),
        columns="Trait | Unit | Members: lower quartile # | Median # | Upper quartile # | n # | Controls: lower quartile # | Median # | Upper quartile # | n #",
        rows=[_trait_row(trait) for trait in known],
        pictures=(("", weights.spans(rows, f"{plot.anchor}-a", answer)),) if known else (),
        absent="" if known else "No figure: no feature of these accounts is known (table accounts).",
    )


def _trait(trait: Trait) -> str:
    name: str = words()["trait"].get(trait.feature, spaced(trait.feature))
    return name


def _middle(span: tuple[float, float, float] | None, trait: Trait) -> str:
    return "not shown" if span is None else measured(span[1], trait.unit)


def _trait_row(trait: Trait) -> list[Cell | str]:
    own = [measured(value, trait.unit) for value in trait.members] if trait.members else ["unknown"] * 3
    others = [measured(value, trait.unit) for value in trait.controls] if trait.controls else ["not shown"] * 3
    unit = {"0..1": "share"}.get(trait.unit, trait.unit) or "number"
    return [_trait(trait), unit, *own, numbers.count(trait.member_n), *others, numbers.count(trait.control_n) if trait.controls else "not shown"]


def _traits_answer(known: list[Trait]) -> str:
    """Traits whose middle halves lie apart."""
    apart = [trait for trait in known if trait.members and trait.controls and (trait.members[0] > trait.controls[2] or trait.members[2] < trait.controls[0])]
    if not any(trait.controls for trait in known):
        return "No comparison is possible: too few matched accounts may be shown."
    if not apart:
        return "In every trait the middle half of the members overlaps that of matched accounts."
    said = [f"{_trait(trait)} ({_middle(trait.members, trait)} against {_middle(trait.controls, trait)})" for trait in apart[:3]]
    more = f" and {numbers.counted(len(apart) - 3, 'further traits')}" if len(apart) > 3 else ""
    return f"The middle halves of members and matched accounts lie apart in {', '.join(said)}{more}."


def _concentration(sheet: NetworkSheet, part: str) -> Block:
    """F13."""
    plot, own, controls = Plot("F13", part), sheet.concentration, sheet.control_concentration
    curves = [(f"{sheet.network_id}, {numbers.counted(own.requests, 'requests')}", own)] if own.requests else []
    curves += [(f"{sheet.control_count} matched accounts, {numbers.counted(controls.requests, 'requests')}", controls)] if controls and controls.requests else []
    answer = "No skeleton of a prompt is known."
    if own.requests:
        ten = _share_at(own.points, 10)
        beside = f", against {share(_share_at(controls.points, 10))} in matched accounts" if controls and controls.requests else ""
        less = bool(controls and controls.requests and ten <= _share_at(controls.points, 10))
        tail = "; whole skeletons repeat no more than there, so what recurs is wording inside them (section 5)" if less else ""
        answer = f"The ten most frequent skeletons make up {share(ten)} of the members' requests with text{beside}{tail}."
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(own.requests, 'requests')} with a skeleton, {numbers.counted(own.skeletons, 'skeletons')} of members.",
        left_out="A skeleton is a prompt with digits, quotes, names, code and addresses masked. Requests without text are left out."
        + ("" if len(curves) > 1 else f" Controls: matched accounts are {sheet.control_count}."),
        columns="Whose | Most frequent skeletons # | Share of requests #",
        rows=[[label, numbers.count(step), share(part_)] for label, curve in curves for step, part_ in curve.points],
        pictures=(("", weights.concentration(curves, f"{plot.anchor}-a", answer)),) if curves else (),
        absent="" if curves else "No figure: the log holds no prompt text of these accounts (column prompt).",
    )


def _share_at(points: tuple[tuple[int, float], ...], number: int) -> float:
    return max((share_ for step, share_ in points if step <= number), default=points[0][1] if points else 0.0)


def main_models(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """The models with most requests; the others as one."""
    ordered = sorted(series, key=lambda one: (-sum(one.counts), one.name))
    if len(ordered) <= MODELS:
        return tuple(ordered)
    rest = ordered[MODELS - 1 :]
    return (*ordered[: MODELS - 1], Series(OTHER, tuple(map(sum, zip(*(one.counts for one in rest), strict=True)))))


def _models(incident: Incident, sheet: NetworkSheet, part: str) -> Block:
    """F14."""
    plot, series = Plot("F14", part), main_models(sheet.models)
    releases = dict(incident.context.releases or ())
    inside = {model: day for model, day in releases.items() if incident.calendar and incident.calendar[0] <= day <= incident.calendar[-1]}
    total = sum(sum(one.counts) for one in series)
    answer = _models_answer(incident, sheet, inside)
    left = (
        "releases.csv was not given with --context, so no release is marked."
        if incident.context.releases is None
        else f"Not marked, outside the window: {numbers.counted(len(releases) - len(inside), 'releases')}."
    )
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(total, 'requests')} of {numbers.counted(len(sheet.models), 'models')}.",
        left_out=left,
        columns=" | ".join(["Day", *(f"{one.name}, requests #" for one in series)]),
        rows=[[day.isoformat(), *(numbers.count(one.counts[at]) for one in series)] for at, day in enumerate(incident.calendar)] if series else [],
        pictures=(("", time.models(series, incident.calendar, inside, f"{plot.anchor}-a", answer)),) if total else (),
        absent="" if total else "No figure: no request of a member is counted.",
    )


def _models_answer(incident: Incident, sheet: NetworkSheet, inside: Mapping[str, dt.date]) -> str:
    if not sheet.models:
        return "No request of a member is counted."
    by_model = {one.name: one.counts for one in sheet.models}
    said = []
    for model, day in sorted(inside.items(), key=lambda pair: (pair[1], pair[0])):
        at = next(place for place, date in enumerate(incident.calendar) if date == day)
        counts = by_model.get(model, (0,) * len(incident.calendar))
        after = sum(sum(one.counts[at:]) for one in sheet.models)
        said.append(f"{model} takes {share(sum(counts[at:]) / after if after else 0.0)} of the requests from its release on {day} to the end of the window")
    most = max(sheet.models, key=lambda one: (sum(one.counts), one.name))
    whole = sum(sum(one.counts) for one in sheet.models)
    lead = f"{most.name} takes {share(sum(most.counts) / whole if whole else 0.0)} of the members' requests"
    return f"{lead}; {numbers.listed(said)}." if said else f"{lead}; no release falls into the window or none was given."


def _templates(sheet: NetworkSheet, part: str) -> Block:
    """T7."""
    total = sheet.units.requests
    rows: list[list[Cell | str]] = [
        [
            Cell(template.key[:12], tone="code"),
            numbers.count(template.accounts),
            numbers.count(template.requests),
            share(template.requests / total) if total else "unknown",
            numbers.count(template.prompts),
            numbers.count(template.words) if template.words is not None else "unknown",
        ]
        for template in sheet.templates
    ]
    most = sheet.templates[0] if sheet.templates else None
    is_read = any(template.state != "not_asked" for template in sheet.templates)
    if is_read:
        rows = [[*row, _template_text(template)] for template, row in zip(sheet.templates, rows, strict=True)]
    head = f"the first was sent {numbers.counted(most.requests, 'times')} by {numbers.counted(most.accounts, 'accounts')}" if most else "none"
    left = say("s7", "in_words", least=numbers.count(SHOWN_FROM)) if is_read else say("s7", "no_words")
    columns = "Skeleton, first 12 digits of its key | Accounts # | Requests # | Share of requests # | Distinct prompts # | Words, median #"
    columns += " | One prompt of it, masked" if is_read else ""
    return table(
        "T7", f"Most frequent skeletons of {sheet.network_id}: {head}", columns, rows, part=part, empty="the log holds no prompt text of these accounts.", left_out=sentence(left)
    )


def _template_text(template: Template) -> Cell:
    """The masked prompt as a quotation, or why it is not shown."""
    return Cell(template.text, tone="quote") if template.state == "shown" else Cell(say("s7", f"text_{template.state}", least=numbers.count(SHOWN_FROM)), tone="quiet")
