"""Annexes A to E: words and units, verbal scales, exhibits, how to make the report again, redaction log."""

from __future__ import annotations

import shlex
from dataclasses import replace

from pipeline.pages import numbers
from pipeline.pages.incident.blocks import Block, Section, command, facts, heading, table, text
from pipeline.pages.incident.exhibits import Exhibits, link
from pipeline.pages.incident.records import Incident
from pipeline.pages.incident.wording import say, sentence, shared, words
from pipeline.pages.records import Cell, Fact


def annexes(incident: Incident, exhibits: Exhibits) -> tuple[Section, ...]:
    """The five annexes."""
    made = (_glossary(), _scales(), _exhibits(incident, exhibits), _reproduction(incident, exhibits), _redaction(incident))
    return tuple(Section(letter, f"annex-{letter.lower()}", words()["section"][letter.lower()], blocks) for letter, blocks in zip("ABCDE", made, strict=True))


def _glossary() -> tuple[Block, ...]:
    return (table("TA", "Words and counting rules", "Word | Meaning", [(sentence(name), meaning) for name, meaning in words()["gloss"].items()]),)


def _scales() -> tuple[Block, ...]:
    likelihood = [(entry["word"], entry["range"]) for entry in words()["likelihood"].values()]
    bands = shared().bands
    ratios = [(band.word, f"above {band.above:,.0f}" + (f" to {after.above:,.0f}" if after else "")) for band, after in zip(bands, [*bands[1:], None], strict=True)]
    return (
        text(words()["likelihood_rule"]["text"]),
        table("TB1", "Words of likelihood (ICD 203)", "Word | Range #", likelihood),
        text(words()["lr_scale"]["text"]),
        table("TB2", "Words of support for a calibrated ratio", "Word | Ratio #", ratios),
    )


def _exhibits(incident: Incident, exhibits: Exhibits) -> tuple[Block, ...]:
    rows = [(exhibit.number, exhibit.what, Cell(exhibit.sha256 or "none", tone="code")) for exhibit in exhibits.listed]
    listed = replace(
        table(
            "TC",
            f"Exhibits: {numbers.count(len(rows))}",
            "Exhibit | What it is | SHA-256",
            rows,
            part="1",
            left_out="No Bates numbers are given: exhibits go by these numbers. The hash of a validation is that of the code it measured.",
        ),
        kind="exhibits",
    )
    references = [
        (link(exhibits.of_finding(row["finding_id"])), Cell(entry.request, tone="code"), Cell(entry.file, tone="code"), numbers.count(entry.row), entry.role.replace("_", " "))
        for sheet in incident.networks
        for row in sheet.findings
        for entry in sheet.references.get(row["finding_id"], ())
    ]
    columns = "Exhibit | Request | File below the logs folder | Row, from 0 # | What it shows"
    return (
        listed,
        table("TC2", "First evidence rows of each finding", columns, references, empty="no evidence row is kept.", left_out="evidence.parquet keeps up to 1,000 rows a finding."),
    )


def _reproduction(incident: Incident, exhibits: Exhibits) -> tuple[Block, ...]:
    case, run = incident.case, incident.run
    networks = " ".join(shlex.quote(sheet.network_id) for sheet in incident.networks)
    line = f"stillhunt report build {networks} --case {shlex.quote(case.case_id)} --profile {case.profile} --out DIR"
    given = " --context CONTEXT" if incident.context.files else ""
    tables = [(link(number), name, numbers.count(rows), Cell(sha, tone="code")) for number, (name, rows, sha) in zip(exhibits.tables, run.tables, strict=True)]
    same = say("annex_d", "same" if incident.context.same_as_run else "other")
    return (
        text(say("annex_d", "lead")),
        command(f"stillhunt run LOGS{given} --out DIR"),
        command(f"{line}{given}"),
        facts(
            [
                Fact("Run", run.run_id),
                Fact("Night", run.night),
                Fact("Configuration, SHA-256", run.config_sha256),
                Fact("Recipe of the code, SHA-256", run.code_sha256 or "not recorded"),
            ]
        ),
        text(same),
        table("TD", "Tables of the run and their expected hashes", "Exhibit | Table | Rows # | SHA-256", tables, empty="the run records no table."),
    )


def _redaction(incident: Incident) -> tuple[Block, ...]:
    rows = [(code.replace("_", " "), numbers.count(count)) for code, count in incident.redactions]
    profile = incident.case.profile
    return (
        text(words()["report"][f"profile_{profile}"]),
        table("TE", f"Redactions in this release ({profile})", "What was masked | Times #", rows, empty="nothing was masked."),
        heading("Certificates", "annex-e-certificates"),
        text(words()["certificate"]["text"]),
    )
