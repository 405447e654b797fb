"""Sections 0 and 1: which version this is, and what it says in a page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from pipeline.pages import numbers
from pipeline.pages.incident import judging
from pipeline.pages.incident.blocks import Block, Judgement, Plot, Section, bullets, figure, heading, table, text
from pipeline.pages.incident.drawings import time
from pipeline.pages.incident.drawings.time import Mark
from pipeline.pages.incident.parts import Units
from pipeline.pages.incident.records import Incident, NetworkSheet
from pipeline.pages.incident.sections.value import list_value
from pipeline.pages.incident.wording import of, say, shared, words
from pipeline.pages.records import Cell
from pipeline.stages.alternatives import EXPLAINS


def cover(incident: Incident) -> Section:
    """Section 0."""
    case = incident.case
    rows = [
        ("Case", case.case_id),
        ("Version", case.version),
        ("Status", case.status),
        ("Subject", case.title or "no title given"),
        ("Author", case.author or "not named yet"),
        ("Reviewer (a second person)", case.reviewer or "none yet"),
        ("Created", case.created_on),
        ("Window of the data", window(incident)),
        ("Networks", judging.named([sheet.network_id for sheet in incident.networks])),
        ("Release", f"{case.profile.upper()}. {words()['report'][f'profile_{case.profile}']}"),
        ("Supersedes", f"version {case.supersedes.version}" if case.supersedes else "nothing"),
        ("Run", incident.run.run_id),
        ("Program", f"stillhunt {incident.run.version}"),
        ("Configuration, SHA-256", incident.run.config_sha256),
    ]
    blocks = [*_correction(incident), text(say("s0", "handling")), text(say("s0", "hold" if case.hold else "no_hold"))]
    return Section("0", "s0", words()["section"]["s0"], (table("T0", "Document control", "What | Value", rows), *blocks))


def window(incident: Incident) -> str:
    """`2026-04-22 to 2026-05-13, 22 days, UTC, both days inside`."""
    return f"{incident.run.first_day} to {incident.run.last_day}, {numbers.counted(len(incident.calendar), 'days')}, UTC, both days inside"


def _correction(incident: Incident) -> list[Block]:
    earlier = incident.case.supersedes
    if earlier is None:
        return []
    if not earlier.removed:
        return [text(say("s0", "supersedes_nobody", version=earlier.version))]
    lead = say("s0", "supersedes", version=earlier.version, removed=numbers.counted(len(earlier.removed), "accounts"))
    return [text(lead), bullets(f"{account}: {why}" for account, why in earlier.removed)]


def summary(incident: Incident) -> Section:
    """Section 1: key judgements, the figures at a glance, the timeline, actions, and what is not known."""
    blocks = [
        text(say("s1", "lead")),
        *(Block("judgement", judgement) for judgement in judgements(incident)),
        text(_observed(incident)),
        _glance(incident),
        _timeline(incident),
        heading(say("s1", "actions"), "s1-actions"),
        text(_actions(incident)),
        heading(say("s1", "unknown"), "s1-unknown"),
        bullets(_unknown(incident)),
    ]
    return Section("1", "s1", words()["section"]["s1"], tuple(blocks))


def judgements(incident: Incident) -> list[Judgement]:
    """At most seven: common control, bulk collection and relaying, networks of equal grounds together; then what explains them innocently."""
    found = [*_controls(incident), *_collections(incident), *_innocents(incident)]
    return found[:7]


def _controls(incident: Incident) -> Iterable[Judgement]:
    for word, level, sheets in _grouped(incident):
        likelihood = judging.likelihood(word)
        yield Judgement(
            say("s1", "control_each" if len(sheets) > 1 else "control", word=likelihood.word, range=likelihood.range, networks=_sized(sheets)),
            say("s1", "because_control", level=level, because=numbers.listed(judging.because(incident, sheets))),
            "Grounds: sections 5, 6 and 11.",
        )


def _collections(incident: Incident) -> Iterable[Judgement]:
    referred = [sheet for sheet in incident.networks if sheet.row["tier"] == judging.REFER]
    if referred:
        likelihood = judging.likelihood("likely")
        yield Judgement(
            say("s1", "extraction", word=likelihood.word, range=likelihood.range, networks=_names(referred)),
            say("s1", "because_control", level="moderate" if incident.validation else "low", because=_because_traffic(incident)),
            "Grounds: sections 7 and 11.",
        )
    relays = [sheet for sheet in referred if {"handoff", "client"} & set(judging.admitted(sheet))]
    if relays:
        likelihood = judging.likelihood("likely")
        yield Judgement(
            say("s1", "relay", word=likelihood.word, range=likelihood.range, networks=_names(relays)),
            say("s1", "because_control", level="low", because="a mechanism that passes conversations on was seen, while resale itself leaves no row in the log"),
            "Grounds: section 6.",
        )


def _because_traffic(incident: Incident) -> str:
    parts = ["the traffic of the median member was held against random groups of the same volume", say("because", "simulated" if _simulated(incident) else "fields")]
    return numbers.listed([*parts[: 2 if incident.validation else 1], "use of the output was not seen"])


def _simulated(incident: Incident) -> bool:
    return bool(incident.validation and incident.validation["is_simulated"])


def _innocents(incident: Incident) -> Iterable[Judgement]:
    for word, _, sheets in _grouped(incident):
        likelihood = judging.likelihood(judging.COMPLEMENT[word])
        tried = [f"{shared().word('alternative', name).lower()} ({sheet.network_id})" for sheet in sheets if (name := sheet.row["best_alternative"]) not in (None, "none")]
        explanations = f"the best of those tried is {numbers.listed(tried)}" if tried else "none of those tried applies"
        yield Judgement(
            say("s1", "innocent", word=likelihood.word, range=likelihood.range, networks=_names(sheets), explanations=explanations),
            say("s1", "because_control", level="moderate", because=f"{numbers.counted(len(EXPLAINS), 'explanations')} were tried and one that nobody thought of cannot be tried"),
            "Grounds: table 2 and section 12.",
        )


def _grouped(incident: Incident) -> list[tuple[str, str, list[NetworkSheet]]]:
    """Networks of equal likelihood and confidence, in the order of the report."""
    groups: dict[tuple[str, str], list[NetworkSheet]] = {}
    for sheet in incident.networks:
        groups.setdefault((judging.control_word(incident, sheet), judging.confidence_level(incident, sheet)), []).append(sheet)
    return [(word, level, sheets) for (word, level), sheets in groups.items()]


def _names(sheets: Sequence[NetworkSheet]) -> str:
    names = judging.named([sheet.network_id for sheet in sheets])
    return f"{names} (each by itself)" if len(sheets) > 1 else names


def _sized(sheets: Sequence[NetworkSheet]) -> str:
    """`the 63 accounts of N-1`, or `N-1 (63 accounts) and N-2 (14 accounts)`."""
    if len(sheets) == 1:
        return f"the {numbers.counted(sheets[0].row['account_count'], 'accounts')} of {sheets[0].network_id}"
    return numbers.listed([f"{sheet.network_id} ({numbers.counted(sheet.row['account_count'], 'accounts')})" for sheet in sheets])


def total(sheets: Sequence[NetworkSheet]) -> Units:
    """These networks together. A conversation or prompt that two networks share counts in each."""
    parts = [sheet.units for sheet in sheets]
    return Units(*(sum(getattr(part, name) for part in parts) for name in Units.__dataclass_fields__))


def units_words(units: Units) -> dict[str, str]:
    """Every counting unit in words."""
    return {
        "requests": numbers.counted(units.requests, "requests"),
        "turns": numbers.counted(units.turns, "turns"),
        "conversations": numbers.counted(units.conversations, "conversations"),
        "prompts": numbers.counted(units.prompts, "distinct prompts"),
        "input": numbers.counted(units.input_tokens, "input tokens"),
        "output": numbers.counted(units.output_tokens, "output tokens"),
    }


def _observed(incident: Incident) -> str:
    said = units_words(total(incident.networks))
    return say("s1", "volume", **{**said, "input": f"{said['input']}", "output": f"{said['output']}"})


def _glance(incident: Incident) -> Block:
    """T1, one column a network."""
    columns = [_glance_column(incident, (sheet,)) for sheet in incident.networks]
    heads = [sheet.network_id for sheet in incident.networks]
    if len(heads) > 1:
        columns.append(_glance_column(incident, incident.networks))
        heads.append("Together")
    rows = [[label, *(column[place] for column in columns)] for place, label in enumerate(GLANCE)]
    note = "What prompts ask for: section 7. What is the operator's and what is carried for others: section 8. Conversations and prompts that two networks share count in each."
    return table("T1", "At a glance", " | ".join(["What", *(f"{head} #" for head in heads)]), rows, left_out=note)


GLANCE = ("Accounts", "First seen, UTC", "Last seen, UTC", "Requests", "Turns", "Conversations", "Distinct prompts", "Input tokens", "Output tokens", "List value", "Models")


def _glance_column(incident: Incident, sheets: Sequence[NetworkSheet]) -> list[Cell | str]:
    asked: dict[str, int] = {}
    for sheet in sheets:
        for series in sheet.models:
            asked[series.name] = asked.get(series.name, 0) + sum(series.counts)
    models = sorted(asked, key=lambda name: (-asked[name], name))
    shown = numbers.listed(models[:3]) + (f" and {numbers.count(len(models) - 3)} more" if len(models) > 3 else "")
    first = min((sheet.row["first_seen_at"] for sheet in sheets if sheet.row["first_seen_at"]), default=None)
    last = max((sheet.row["last_seen_at"] for sheet in sheets if sheet.row["last_seen_at"]), default=None)
    accounts = sum(sheet.row["account_count"] for sheet in sheets)
    return [numbers.count(accounts), numbers.moment(first), numbers.moment(last), *_unit_cells(total(sheets)), list_value(incident, sheets), Cell(shown, tone="wrap")]


def _unit_cells(units: Units) -> list[str]:
    return [numbers.count(value) for value in (units.requests, units.turns, units.conversations, units.prompts, units.input_tokens, units.output_tokens)]


def marks(incident: Incident) -> list[Mark]:
    """Releases, bans, clauses coming into or out of force, and first listings by this program."""
    found = [Mark("releases", day, model) for model, day in incident.context.releases or ()]
    bans: dict[dt.date, int] = {}
    for _, day in incident.context.bans or ():
        bans[day] = bans.get(day, 0) + 1
    found += [Mark("bans", day, numbers.count(many)) for day, many in sorted(bans.items())]
    for clause in incident.terms:
        found.append(Mark("terms", dt.date.fromisoformat(clause.in_force_from), f"{clause.clause_id} in force"))
        if clause.in_force_to:
            found.append(Mark("terms", dt.date.fromisoformat(clause.in_force_to), f"{clause.clause_id} out of force"))
    listed = {(sheet.network_id, row["night"]) for sheet in incident.networks for row in sheet.lineage if row["event"] == "new" and row["night"]}
    return found + [Mark("listed", night, network) for network, night in sorted(listed, key=lambda pair: (pair[1], pair[0]))]


def _timeline(incident: Incident) -> Block:
    """F1."""
    plot, events = Plot("F1", ""), marks(incident)
    inside = [mark for mark in events if incident.calendar and incident.calendar[0] <= mark.day <= incident.calendar[-1]]
    rows = [(sheet.network_id, [volume.request_count for volume in sheet.traffic.days]) for sheet in incident.networks if sheet.traffic.days]
    answer = _timeline_answer(incident)
    outside = len(events) - len(inside)
    given = [name for name, part in (("releases.csv", incident.context.releases), ("bans.csv", incident.context.bans)) if part is None]
    left = [f"Not drawn, outside the window: {numbers.counted(outside, 'events')}."] if outside else []
    left += [f"Not given with --context, so not drawn: {numbers.listed(given)}."] if given else []
    left += [] if incident.terms else ["No clause was imported, so none is drawn."]
    data = [(day.isoformat(), *(numbers.count(counts[place]) for _, counts in rows), _events_of(events, day)) for place, day in enumerate(incident.calendar)]
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(sum(map(sum, (counts for _, counts in rows))), 'requests')} of members, by UTC day.",
        left_out=" ".join([*left, "Each row has a scale of its own."]),
        columns=" | ".join(["Day", *(f"{label}, requests #" for label, _ in rows), "Events"]),
        rows=data,
        pictures=(("", time.campaign(rows, incident.calendar, inside, f"{plot.anchor}-a", answer)),) if rows else (),
        absent="" if rows else "No figure: account_days holds no request of these accounts.",
    )


def _events_of(events: Sequence[Mark], day: dt.date) -> str:
    return "; ".join(f"{mark.lane}: {mark.text}" for mark in events if mark.day == day) or "none"


def _timeline_answer(incident: Incident) -> str:
    days = [volume for sheet in incident.networks for volume in sheet.traffic.days if volume.request_count]
    if not days:
        return "No request of a member falls on a day of the window."
    active = sorted({volume.day for volume in days})
    by_day: dict[dt.date, int] = {}
    for volume in days:
        by_day[volume.day] = by_day.get(volume.day, 0) + volume.request_count
    busiest = max(by_day, key=lambda day: (by_day[day], day))
    return (
        f"The members were active from {active[0].isoformat()} to {active[-1].isoformat()}, on {of(len(active), len(incident.calendar), 'days')} of the window; "
        f"the busiest day was {busiest.isoformat()} with {numbers.counted(by_day[busiest], 'requests')}."
    )


def _actions(incident: Incident) -> str:
    bans = incident.context.bans
    if not bans:
        return say("s1", "no_actions")
    days = sorted(day for _, day in bans)
    accounts = sum(sheet.row["account_count"] for sheet in incident.networks)
    return say("s1", "bans", banned=of(len(bans), accounts, "members"), first=days[0].isoformat(), last=days[-1].isoformat(), n=numbers.counted(accounts, "members"))


def _unknown(incident: Incident) -> list[str]:
    said = [say("unknown", name) for name in ("operator", "training", "responses", "purpose", "money", "people")]
    blind = [shared().word("blind", row["family"]).lower() for row in incident.run.blind_spots if row["status"] != "ran"]
    if blind:
        said.append(say("unknown", "blind", families=numbers.listed(blind)))
    if len(incident.networks) > 1:
        pairs = sum(count for _, _, count in incident.between)
        counted = numbers.counted(pairs, "pairs of members") if pairs else "no pair of members"
        said.append(say("s1", "apart", networks=judging.named([sheet.network_id for sheet in incident.networks]), pairs=counted))
    return said
