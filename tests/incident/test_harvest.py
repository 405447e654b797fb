"""Sections 7 and 8 on what prompts ask for and which traffic is the operator's."""

from __future__ import annotations

from dataclasses import replace

from pipeline.pages.incident import render_incident
from pipeline.pages.incident.records import Incident
from tests.pages.reading import Page
from tests.pages.test_harvest import rows, traffic


def said(record: Incident, asked: list[dict[str, object]], shares: list[dict[str, object]]) -> str:
    (sheet,) = record.networks
    page = render_incident(replace(record, networks=(replace(sheet, capabilities=tuple(asked), traffic_parts=tuple(shares)),)))
    return Page(page.encode()).text.replace("\u202f", " ")


def test_the_report_states_both_with_intervals(record: Incident) -> None:
    network = record.networks[0].network_id
    whole = said(record, *rows(network))
    assert f"What prompts of {network} ask for, by a weak classifier" in whole
    assert "88 % to 95 %" in whole
    assert "The operator's traffic and what is carried for others" in whole
    assert "21 % to 30 %" in whole
    assert "1,120,000" in whole  # output tokens of the operator's two classes
    assert "what prompts ask for stands in table 7b" in whole
    assert "not judged by this version" not in whole


def test_the_report_says_what_it_lacks(record: Incident) -> None:
    bare = said(record, [], [])
    assert "What prompts ask for cannot be shown" in bare
    assert "is carried for others cannot be shown" in bare
    untold = said(record, [], [traffic(record.networks[0].network_id, part, None) for part in ("operator", "carried")])
    assert f"Not told apart: {record.networks[0].network_id}." in untold
