"""Section 9: clauses and measures in force, and countries against the supplied list. Facts only."""

from __future__ import annotations

from pipeline.pages import numbers
from pipeline.pages.incident.blocks import Block, Section, missing, table, text
from pipeline.pages.incident.exhibits import Exhibits, link
from pipeline.pages.incident.records import Incident, NetworkSheet
from pipeline.pages.incident.wording import of, say, sentence, share, words
from pipeline.pages.records import Cell

COUNTRIES = 25


def terms(incident: Incident, exhibits: Exhibits) -> Section:
    """Section 9."""
    blocks = [text(say("s9", "lead")), _clauses(incident, exhibits), text(say("s9", "acceptance")), _measures(incident), missing(say("s9", "kyc")), *_countries(incident)]
    return Section("9", "s9", words()["section"]["s9"], tuple(blocks))


def _clauses(incident: Incident, exhibits: Exhibits) -> Block:
    """T10."""
    rows: list[list[Cell | str]] = [
        [
            clause.clause_id,
            Cell(clause.version, tone="time"),
            Cell(clause.in_force_from, tone="time"),
            Cell(clause.in_force_to or "still in force", tone="time"),
            clause.behaviour or "not said",
            "not in the log",
            link(exhibit),
            Cell(clause.sha256, tone="code"),
        ]
        for clause, exhibit in zip(incident.terms, exhibits.clauses, strict=True)
    ]
    columns = "Clause | Version | In force from | Out of force from | Behaviour said to touch it | Accounts with and without acceptance | Exhibit | SHA-256 of its text"
    caption = f"Clause ledger: {numbers.counted(len(rows), 'clauses')}"
    return table("T10", caption, columns, rows, empty=say("s9", "no_terms"))


def _measures(incident: Incident) -> Block:
    """T11."""
    rows = [row for sheet in incident.networks for row in _measure_rows(incident, sheet)]
    columns = "Network | Measure | First day seen in the log | Last day | What the log shows"
    left = "A measure is listed only where its effect shows in the log or in a context file; when a measure was introduced, and notices sent, are not in the log."
    return table("T11", "Protective measures as far as the log shows them", columns, rows, left_out=left)


def _measure_rows(incident: Incident, sheet: NetworkSheet) -> list[list[Cell | str]]:
    limited = [(day, count) for day, count in zip(incident.calendar, sheet.limited, strict=True) if count]
    rate = (
        f"{of(sum(count for _, count in limited), sheet.units.requests, 'requests')} were throttled"
        if limited
        else "no request of a member was throttled, or the log has no status of that kind"
    )
    rows: list[list[Cell | str]] = [[Cell(sheet.network_id, tone="code"), "Rate limit", *_span([day.isoformat() for day, _ in limited]), sentence(rate)]]
    bans = sorted(day.isoformat() for network, day in incident.context.bans or () if network == sheet.row["network_id"])
    text_ = "bans.csv was not given with --context" if incident.context.bans is None else sentence(of(len(bans), sheet.row["account_count"], "members")) + " banned (bans.csv)"
    rows.append([Cell(sheet.network_id, tone="code"), "Ban", *_span(bans), sentence(text_)])
    rows.append([Cell(sheet.network_id, tone="code"), "Region block", "not seen", "not seen", sentence(_regions(incident, sheet))])
    return rows


def _span(days: list[str]) -> tuple[Cell, Cell]:
    first, last = (days[0], days[-1]) if days else ("not seen", "not seen")
    return Cell(first, tone="time"), Cell(last, tone="time")


def _regions(incident: Incident, sheet: NetworkSheet) -> str:
    if incident.context.regions is None:
        return "regions.csv was not given with --context (column country)"
    outside = sum(country.requests for country in sheet.countries if country.supported is False)
    return f"{of(outside, sheet.units.requests, 'requests')} came from countries that the supplied list does not name (table 11a)"


def _countries(incident: Incident) -> list[Block]:
    """Countries of requests against the supplied list."""
    logged = any(country.supported is not None or country.country != "not logged" for sheet in incident.networks for country in sheet.countries)
    if not logged:
        return [missing("Countries: the log names none (column client_country).")]
    rows: list[list[Cell | str]] = []
    for sheet in incident.networks:
        for country in sheet.countries[:COUNTRIES]:
            listed = {True: "listed", False: Cell("not listed", tone="strong"), None: "no list given" if country.country != "not logged" else "unknown"}[country.supported]
            rows.append(
                [
                    Cell(sheet.network_id, tone="code"),
                    country.country,
                    numbers.count(country.requests),
                    share(country.requests / (sheet.units.requests or 1)),
                    numbers.count(country.accounts),
                    listed,
                ]
            )
    rest = sum(max(0, len(sheet.countries) - COUNTRIES) for sheet in incident.networks)
    given = "against the supplied list" if incident.context.regions is not None else "no list of supported countries was supplied (regions.csv)"
    more = f"{numbers.counted(rest, 'further rows')} not printed." if rest else ""
    left = "The country is that of the address as logged: a relay's exit shows the exit's country. An account counts in each country that it used."
    columns = "Network | Country of the address | Requests # | Share of requests # | Accounts # | On the list of supported countries"
    return [table("T11a", f"Countries, {given}", columns, rows, left_out=f"{left} {more}".strip())]
