"""A figure of a network's page: hour by weekday beside matched controls on one scale."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import redact
from pipeline.pages import charts, numbers
from pipeline.pages.pieces import Numbering, unnumbered_table
from pipeline.pages.records import Cell, Figure, Picture, Table
from pipeline.pages.source import Source
from pipeline.pages.traffic import DAYS, GroupTraffic

_NO_TRAFFIC = "No figure: account_days holds no request of these accounts."


def hours_figure(source: Source, network_id: str, numbering: Numbering) -> Figure:
    """Share of requests by UTC hour and weekday, network beside controls, same colours for the same share."""
    anchor, label = numbering.figure()
    traffic = source.traffic.get(network_id, GroupTraffic())
    controls, control_count = source.control_traffic.get(network_id, GroupTraffic()), source.control_counts.get(network_id, 0)
    comparable = control_count >= source.config.pages.control_minimum and controls.total > 0
    groups = [(f"{redact.identifier(network_id)}, members", traffic)] + ([(f"{numbers.counted(control_count, 'matched accounts')} in no network", controls)] if comparable else [])
    return Figure(
        anchor=anchor,
        label=label,
        caption=_hours_caption(traffic, controls if comparable else None),
        question="Do these hours look like people, a shift or a machine?",
        counted=f"n = {numbers.counted(traffic.total, 'requests')} of members"
        + (f" and {numbers.counted(controls.total, 'requests')} of controls" if comparable else "")
        + "; each group's cells add up to 100 %.",
        left_out=_hours_left_out(source, control_count, traffic, comparable=comparable),
        pictures=_week_pictures(groups, anchor) if traffic.total else (),
        data=_hours_data(anchor, label, traffic, controls if comparable else None),
        absent="" if traffic.total else _NO_TRAFFIC,
    )


def _week_pictures(groups: Sequence[tuple[str, GroupTraffic]], anchor: str) -> tuple[Picture, ...]:
    top = max(max(map(max, group.week)) / group.total for _, group in groups)
    drawn = [
        Picture(name, charts.week_map(group.week, group.weekdays, top, f"{anchor}-{place}", f"Hour by weekday: {name}", _quiet_sentence(group)))
        for place, (name, group) in enumerate(groups)
    ]
    return (*drawn, Picture("Share of the group's requests in one hour of the week", charts.week_scale(top, f"{anchor}-scale")))


def _hours_caption(traffic: GroupTraffic, controls: GroupTraffic | None) -> str:
    if not traffic.total:
        return "No request of a member falls on a day of the window."
    own = f"The busiest eight hours of the day hold {numbers.percent(_busiest_share(traffic))} of the network's requests"
    if controls is None:
        return f"{own}; a flat day would hold 33.3\u202f%."
    return f"{own}, {numbers.percent(_busiest_share(controls))} of the controls'; a flat day would hold 33.3\u202f%."


def _busiest_share(traffic: GroupTraffic) -> float:
    """Share of requests in the eight busiest hours of day, wherever they lie: a third if the day is flat, near one if it is a working day."""
    by_hour = sorted((sum(day[hour] for day in traffic.week) for hour in range(24)), reverse=True)
    return sum(by_hour[:8]) / traffic.total


def _quiet_sentence(traffic: GroupTraffic) -> str:
    cells = [count for day in traffic.weekdays for count in traffic.week[day]]
    return f"{numbers.counted(traffic.total, 'requests')}; {numbers.count(sum(count == 0 for count in cells))} of {numbers.count(len(cells))} hours of the week without any."


def _hours_left_out(source: Source, control_count: int, traffic: GroupTraffic, *, comparable: bool) -> str:
    minimum = source.config.pages.control_minimum
    parts = ["Times are UTC; no local time is assumed."]
    if not comparable:
        parts.append(f"No comparison is drawn: {numbers.counted(control_count, 'matched accounts')} with traffic, and at least {numbers.count(minimum)} are needed.")
    missing = [DAYS[day] for day in range(7) if day not in traffic.weekdays]
    if missing and traffic.total:
        parts.append(f"Not in the window, so blank: {numbers.listed(missing)}.")
    return " ".join(parts)


def _hours_data(anchor: str, label: str, traffic: GroupTraffic, controls: GroupTraffic | None) -> Table:
    groups = [("Network", traffic)] + ([("Controls", controls)] if controls else [])
    columns = " | ".join(["Hour, UTC", *(f"{name} {day[:3]} #" for name, _ in groups for day in DAYS)])
    shown = [(group, group.weekdays) for _, group in groups]
    rows = [[Cell(f"{hour:02d}:00"), *(_share_cell(group, day, hour, covered) for group, covered in shown for day in range(7))] for hour in range(24)]
    return unnumbered_table(f"{anchor}-data", label, f"Data of {label.lower()}: share of the group's requests, per cent", columns, rows if traffic.total else [], empty="No data.")


def _share_cell(group: GroupTraffic, day: int, hour: int, covered: frozenset[int]) -> Cell:
    return Cell(numbers.decimal(100 * group.week[day][hour] / group.total, 2) if day in covered else "no day")
