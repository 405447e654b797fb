"""Section 6: how the accounts were worked: hours, days, lives, hand-offs, and whether that is more than chance."""

from __future__ import annotations

import datetime as dt

from markupsafe import Markup

from pipeline.pages import charts, numbers
from pipeline.pages.incident.blocks import Block, Plot, Section, figure, heading, text
from pipeline.pages.incident.drawings import time, weights
from pipeline.pages.incident.parts import Traffic
from pipeline.pages.incident.records import Incident, NetworkSheet, Row
from pipeline.pages.incident.wording import measured, of, say, sentence, share, shared, words
from pipeline.pages.records import Cell
from pipeline.pages.traffic import DAYS

HOURS_OF_A_DAY = 20
SUCCESSION_DAYS = 3
_FLAT = "33.3\u202f%"
P_ROUNDING = 1e-6
"""p is kept to six digits; rounding may move it by half of the last."""


def operation(incident: Incident) -> Section:
    """Section 6, one part a network."""
    blocks: list[Block] = [text(say("s6", "lead"))]
    for place, sheet in enumerate(incident.networks, start=1):
        part = str(place) if len(incident.networks) > 1 else ""
        blocks += [heading(f"{sheet.network_id}: how it was worked", f"s6-{sheet.network_id}"), text(_facts(incident, sheet))]
        blocks += [_hours(sheet, part), _multiples(incident, sheet, part), _lives(incident, sheet, part), _chance(sheet, part)]
    return Section("6", "s6", words()["section"]["s6"], tuple(blocks))


def _facts(incident: Incident, sheet: NetworkSheet) -> str:
    dense = sheet.intensity
    days = numbers.counted(dense.account_days, "days of accounts")
    load = say(
        "s6",
        "load",
        network=sheet.network_id,
        busiest=numbers.counted(dense.busiest_hour, "requests"),
        round=of(dense.round_the_clock, dense.account_days, "days of accounts") if dense.account_days else "none",
        days=days,
        hours=numbers.count(HOURS_OF_A_DAY),
    )
    return " ".join([load, _burst(sheet), _handoff(sheet), _succession(incident, sheet)]).strip()


def _burst(sheet: NetworkSheet) -> str:
    starts = [day for day in sheet.life_days if day.first]
    if not starts:
        return ""
    most = max(starts, key=lambda day: (day.first, -day.day.toordinal()))
    accounts = sum(day.first for day in starts)
    if most.first * 2 < accounts:
        return f"First requests are spread: no day of the window holds half of them (the most is {of(most.first, accounts, 'accounts')} on {most.day.isoformat()})."
    return say("s6", "burst", network=sheet.network_id, day=most.day.isoformat(), count=numbers.count(most.first), n=numbers.counted(accounts, "accounts"))


def _handoff(sheet: NetworkSheet) -> str:
    found = [row for row in sheet.findings if row["measure"] == "handed_on_conversation"]
    return say("s6", "handoff", share=sentence(share(found[0]["value"]))) if found else say("s6", "no_handoff", network=sheet.network_id)


def _after(sheet: NetworkSheet, after: int, span: int) -> str:
    """Successors beside the share of the window in which they were counted: what an even spread would give."""
    days = numbers.counted(SUCCESSION_DAYS, "days")
    members, window = of(after, sum(day.first for day in sheet.life_days), "members"), of(span, len(sheet.life_days), "days")
    return f"{members} sent their first request within {days} after such a day, on {window} of the window"


def successors(sheet: NetworkSheet) -> tuple[int, int, int]:
    """(members whose first request falls on one of the three days after a day with a ban of another member, days with a ban, days of the window after one)."""
    banned = [day.day for day in sheet.life_days if day.banned]
    window = {day + dt.timedelta(days=offset) for day in banned for offset in range(1, SUCCESSION_DAYS + 1)}
    inside = [day for day in sheet.life_days if day.day in window]
    return sum(day.first for day in inside), len(banned), len(inside)


def _succession(incident: Incident, sheet: NetworkSheet) -> str:
    if incident.context.bans is None:
        return say("s6", "succession_none", why="bans.csv was not given with --context (columns account_id, banned_at)")
    after, days, span = successors(sheet)
    if not days:
        return say("s6", "succession_none", why="no ban of a member falls on a day of the window")
    return say("s6", "succession", after=sentence(_after(sheet, after, span)), bans=numbers.counted(days, "days"))


def _hours(sheet: NetworkSheet, part: str) -> Block:
    """F8."""
    plot, own, controls = Plot("F8", part), sheet.traffic, sheet.controls
    answer = _hours_answer(own, controls)
    groups = [(f"{sheet.network_id}, {numbers.counted(own.accounts, 'members')}", own)]
    groups += [(f"{sheet.control_count} matched accounts in no network", controls)] if controls and controls.total else []
    blank = [DAYS[day] for day in range(7) if day not in _weekdays(own)]
    left = "Times are UTC; no local time is assumed." + (f" Not in the window, so blank: {numbers.listed(blank)}." if blank and own.total else "")
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(own.total, 'requests')} of members"
        + (f" and {numbers.counted(controls.total, 'requests')} of controls" if len(groups) > 1 and controls else "")
        + ".",
        left_out=left if len(groups) > 1 else f"{left} No comparison: matched accounts are {sheet.control_count}, and at least 20 accounts with traffic are needed.",
        columns=" | ".join(["Hour, UTC", *(f"{name} {day[:3]}, share #" for name in ("members", "controls")[: len(groups)] for day in DAYS)]),
        rows=_hour_rows([group for _, group in groups]) if own.total else [],
        pictures=_maps(groups, plot.anchor) if own.total else (),
        absent="" if own.total else "No figure: account_days holds no request of these accounts.",
    )


def _weekdays(traffic: Traffic) -> frozenset[int]:
    return frozenset(volume.day.weekday() for volume in traffic.days)


def _maps(groups: list[tuple[str, Traffic]], anchor: str) -> list[tuple[str, Markup]]:
    top = max(max(map(max, group.week)) / group.total for _, group in groups)
    drawn = [
        (name, charts.week_map(group.week, _weekdays(group), top, f"{anchor}-{place}", f"Hour by weekday: {name}", f"{numbers.counted(group.total, 'requests')}."))
        for place, (name, group) in enumerate(groups)
    ]
    return [*drawn, ("Share of the group's requests in one hour of the week", charts.week_scale(top, f"{anchor}-scale"))]


def _hour_rows(groups: list[Traffic]) -> list[list[str]]:
    return [
        [f"{hour:02d}:00", *(f"{100 * group.week[day][hour] / group.total:.2f} %" if day in _weekdays(group) else "no day" for group in groups for day in range(7))]
        for hour in range(24)
    ]


def _busiest(traffic: Traffic) -> float:
    """Share of requests in the eight busiest hours of day: a third if the day is flat, near one for a working day."""
    by_hour = sorted((sum(day[hour] for day in traffic.week) for hour in range(24)), reverse=True)
    return sum(by_hour[:8]) / traffic.total


def _hours_answer(own: Traffic, controls: Traffic | None) -> str:
    if not own.total:
        return "No request of a member falls on a day of the window."
    said = f"The eight busiest hours of the day hold {share(_busiest(own))} of the members' requests"
    if controls and controls.total:
        return f"{said}, {share(_busiest(controls))} of the controls'; a flat day would give {_FLAT}."
    return f"{said}; a flat day would give {_FLAT}."


def _multiples(incident: Incident, sheet: NetworkSheet, part: str) -> Block:
    """F9."""
    plot, series = Plot("F9", part), sheet.multiples
    total = sheet.row["account_count"]
    answer = _together(sheet)
    return figure(
        plot,
        answer,
        counted=f"n = {of(len(series), total, 'accounts')}, chosen at equal steps from the busiest to the quietest.",
        left_out=f"Each strip runs from {incident.run.first_day} to {incident.run.last_day}, all on one scale: the tallest bar is the busiest day of any account drawn.",
        columns="Account | Requests # | Busiest day # | Days with a request #",
        rows=[
            [Cell(one.name, tone="code"), numbers.count(sum(one.counts)), numbers.count(max(one.counts, default=0)), numbers.count(sum(bool(count) for count in one.counts))]
            for one in series
        ],
        pictures=(("", time.multiples(series, f"{plot.anchor}-a", answer)),) if series else (),
        absent="" if series else "No figure: account_days holds no request of these accounts.",
    )


def _together(sheet: NetworkSheet) -> str:
    found = next((row for row in sheet.tests if row["test"] == "shared_days"), None)
    if found is None or found["p_value"] is None:
        return "Whether the accounts are busy on the same days could not be tested."
    verdict = "more than chance gives" if found["beyond"] else "no more than chance often gives"
    tested = f"p = {numbers.probability(found['p_value'])}, n = {numbers.counted(found['null_count'], 'random groups')}"
    return f"The members are alike in their busy days by {measured(found['statistic'], found['unit'])}, {verdict} ({tested})."


def _lives(incident: Incident, sheet: NetworkSheet, part: str) -> Block:
    """F10."""
    plot, total = Plot("F10", part), sheet.row["account_count"]
    banned = sum(day.banned for day in sheet.life_days)
    if incident.context.bans is None:
        answer = "Bans were not given, so lives are shown without them."
    elif not banned:
        answer = "No ban of a member falls on a day of the window."
    else:
        after, days, span = successors(sheet)
        answer = f"{sentence(numbers.counted(banned, 'members'))} were banned on {numbers.counted(days, 'days')}; {_after(sheet, after, span)}."
    left = "When accounts were opened is not kept with a finished run, so lives begin with the first request in the window."
    return figure(
        plot,
        answer,
        counted=f"n = {of(len(sheet.lives), total, 'accounts')} as bars, by first request; the counts below are over all {numbers.counted(total, 'members')}.",
        left_out=left if incident.context.bans is not None else f"{left} Bans: bans.csv was not given with --context.",
        columns="Day | Accounts first seen # | Accounts last seen # | Accounts banned #",
        rows=[[day.day.isoformat(), numbers.count(day.first), numbers.count(day.last), numbers.count(day.banned)] for day in sheet.life_days],
        pictures=(("", time.lives(sheet.lives, sheet.life_days, incident.calendar, f"{plot.anchor}-a", answer)),) if sheet.lives else (),
        absent="" if sheet.lives else "No figure: no member has a request in the window.",
    )


def _chance(sheet: NetworkSheet, part: str) -> Block:
    """F11."""
    plot = Plot("F11", part)
    tested = [row for row in sheet.tests if not row["test"].startswith("fits_") and row["p_value"] is not None and row["statistic"] is not None]
    other = [row for row in sheet.tests if not row["test"].startswith("fits_") and row["p_value"] is None]
    beyond = [row for row in tested if row["beyond"]]
    answer = (
        f"{sentence(of(len(beyond), len(tested), 'tests'))} on data that did not form the network {'shows' if len(beyond) == 1 else 'show'} more than chance gives."
        if tested
        else "No test had the power to decide."
    )
    bars = [weights.Chance(shared().word("test", row["test"]), row["statistic"], row["expected"] or 0.0, _test_words(row), reached(row)) for row in tested]
    left = say("s6", "null")
    if other:
        undecided = [f"{shared().word('test', row['test']).lower()} ({row['reason'] or 'no power'})" for row in other]
        left += f" Without a result: {numbers.listed(undecided)}."
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(max((row['null_count'] for row in tested), default=0), 'random groups')} of similar accounts, or random draws, at most.",
        left_out=left,
        columns="Test | Tests for | Observed # | Mean of random groups # | p # | Random groups # | At or above observed # | Least p they can give # | Sample # | What they are",
        rows=[_test_row(row) for row in (*tested, *other)],
        pictures=(("", weights.against_chance(bars, f"{plot.anchor}-a", answer)),) if bars else (),
        absent="" if bars else "No figure: no test of this network has a p-value.",
    )


def reached(row: Row) -> tuple[int, int] | None:
    """(random groups below the observed value, groups that reached it): p is the share that reached it, the observation counted, so p and their number tell.

    None where they do not: no groups, or a p that is no such share.
    """
    groups, p_value = row["null_count"] or 0, row["p_value"]
    if groups < 1 or p_value is None:
        return None
    counted = p_value * (groups + 1)
    above = round(counted) - 1
    is_share = abs(counted - round(counted)) <= P_ROUNDING * (groups + 1) and 0 <= above <= groups
    return (groups - above, above) if is_share else None


def _test_words(row: Row) -> str:
    return f"{measured(row['statistic'], row['unit'])}, p = {numbers.probability(row['p_value'])}"


def _counted_above(row: Row) -> str:
    found = reached(row)
    return "not kept" if found is None else numbers.count(found[1])


def _test_row(row: Row) -> list[Cell | str]:
    return [
        shared().word("test", row["test"]),
        shared().word("supports", row["supports"]),
        measured(row["statistic"], row["unit"]),
        measured(row["expected"], row["unit"]),
        numbers.probability(row["p_value"]) if row["p_value"] is not None else "no power",
        numbers.count(row["null_count"]),
        _counted_above(row),
        numbers.probability(1 / (row["null_count"] + 1)) if row["null_count"] else "no groups",
        numbers.count(row["sample_size"]),
        row["null_model"] or "not recorded",
    ]
