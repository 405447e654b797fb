"""The report page: its head, its marks and its sections in order."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.pages import numbers
from pipeline.pages.incident.blocks import Section
from pipeline.pages.incident.exhibits import Exhibits
from pipeline.pages.incident.records import Incident
from pipeline.pages.incident.sections import annexes, attribution, closing, extraction, front, ground, linkage, operation, questions, reliability, terms, value
from pipeline.pages.incident.wording import words


@dataclass(frozen=True)
class Report:
    """Everything that reports/incident.html prints."""

    title: str
    description: str
    case_id: str
    version: str
    status: str
    banner: str
    profile: str
    profile_text: str
    kicker: str
    subject: str
    networks: tuple[str, ...]
    window: str
    run_id: str
    program: str
    config_sha256: str
    footer: str
    marks_lead: str
    marks: tuple[str, ...]
    sections: tuple[Section, ...]
    annexes: tuple[Section, ...]


def report(incident: Incident) -> Report:
    """The report in sections. A report with marks is a draft, whatever its case says."""
    texts, case, exhibits = words()["report"], incident.case, Exhibits(incident)
    status = "DRAFT" if incident.marks else case.status
    named = tuple(sheet.network_id for sheet in incident.networks)
    return Report(
        title=texts["title"].format(case=case.case_id),
        description=f"Incident report on {numbers.listed(named)}, case {case.case_id}, version {case.version}, {status}.",
        case_id=case.case_id,
        version=case.version,
        status=status,
        banner=texts.get(f"banner_{status.lower()}", texts["banner_draft"]),
        profile=case.profile.upper(),
        profile_text=texts[f"profile_{case.profile}"],
        kicker=texts["kicker"] if len(named) == 1 else texts["kicker_many"],
        subject=case.title,
        networks=named,
        window=front.window(incident),
        run_id=incident.run.run_id,
        program=f"stillhunt {incident.run.version}",
        config_sha256=incident.run.config_sha256,
        footer=texts["footer"],
        marks_lead=texts["marks"],
        marks=incident.marks,
        sections=(
            front.cover(incident),
            front.summary(incident),
            questions.questions(incident),
            ground.custody(incident, exhibits),
            ground.method(incident),
            linkage.linkage(incident, exhibits),
            operation.operation(incident),
            extraction.extraction(incident, exhibits),
            value.value(incident),
            terms.terms(incident, exhibits),
            attribution.attribution(incident, exhibits),
            reliability.reliability(incident, exhibits),
            closing.limitations(incident, exhibits),
            closing.actions(incident),
        ),
        annexes=annexes.annexes(incident, exhibits),
    )
