"""Exhibits: one number for each finding, input, table and file that the report rests on, so that every statement can say where its ground is."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.kinds import OPERATIONAL
from pipeline.pages import numbers
from pipeline.pages.incident.records import Incident, NetworkSheet, Row
from pipeline.pages.incident.wording import measured, sentence, shared
from pipeline.pages.pieces import uncounted_sentence
from pipeline.pages.records import Cell


@dataclass(frozen=True)
class Exhibit:
    """An exhibit: its number, what it is, and the hash that identifies it."""

    number: str
    what: str
    sha256: str


class Exhibits:
    """Numbers for everything in a fixed order: findings of each network, tables of the run, input files, context, validation, prices, clauses."""

    def __init__(self, incident: Incident) -> None:
        self.listed: list[Exhibit] = []
        self._findings: dict[str, str] = {}
        for sheet in incident.networks:
            for row in sheet.findings:
                words = f"Finding {numbers.count(row['rank'])} of {sheet.network_id}, {numbers.counted(row['evidence_total'], 'evidence rows')}"
                self._findings[row["finding_id"]] = self._add(words, row["evidence_sha256"] or "")
        self.tables = [self._add(f"Table {name}.parquet of run {incident.run.run_id}, {numbers.counted(rows, 'rows')}", sha) for name, rows, sha in incident.run.tables]
        self.inputs = [self._add(f"Input file {file.name}", file.sha256) for file in incident.run.inputs]
        self.context = [self._add(f"Context file {name}", sha) for name, sha in incident.context.files]
        self.prices = self._add(f"Price sheet of {incident.prices.as_of}", incident.prices.sha256) if incident.prices else ""
        self.clauses = [self._add(f"Clause {clause.clause_id}, version {clause.version}", clause.sha256) for clause in incident.terms]
        self.validation = self._add(f"Validation of {incident.validation['date']}", str(incident.validation["code_sha256"])) if incident.validation else ""

    def _add(self, what: str, sha256: str) -> str:
        number = f"EX-{len(self.listed) + 1:03d}"
        self.listed.append(Exhibit(number, what, sha256))
        return number

    def of_finding(self, finding_id: str) -> str:
        """The exhibit of a finding."""
        return self._findings[finding_id]

    def of_network(self, sheet: NetworkSheet) -> str:
        """The exhibits of a network's findings, as a range."""
        numbers_ = [self._findings[row["finding_id"]] for row in sheet.findings]
        return "none" if not numbers_ else numbers_[0] if len(numbers_) == 1 else f"{numbers_[0]} to {numbers_[-1]}"

    def table(self, incident: Incident, name: str) -> str:
        """The exhibit of a table of the run; `none` if the run lacks it."""
        return next((number for number, (table, _, _) in zip(self.tables, incident.run.tables, strict=True) if table == name), "none")


def link(number: str) -> Cell:
    """A cell that leads to an exhibit in annex C."""
    return Cell(number, href=f"#{number.lower()}" if number.startswith("EX-") else "")


def finding_sentence(row: Row) -> str:
    """A finding in the words that all pages share, shares at their ends as words; one that no verdict counts says so."""
    unit = row["unit"] or ""
    values = {
        "value": measured(row["value"], unit),
        "threshold": measured(row["threshold"], unit),
        "baseline": numbers.measured(row["baseline"], unit).replace("100\u202f%", "all of them"),
        "n": numbers.count(row["baseline_n"]),
        "p": numbers.probability(row["p_value"]),
        "evidence": numbers.counted(row["evidence_total"], "requests"),
    }
    said = sentence(shared().finding(row["measure"] or "unnamed_measure", values, has_baseline=row["baseline"] is not None))
    return f"{said} {uncounted_sentence(row, shared())}" if row["measure"] in OPERATIONAL else said
