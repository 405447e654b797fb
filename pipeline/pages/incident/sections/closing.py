"""Sections 12 and 13: what speaks against the judgements, who is doubtful, what was done, and what others could look for."""

from __future__ import annotations

from pipeline.kinds import OPERATIONAL
from pipeline.pages import numbers
from pipeline.pages.incident.blocks import Block, Section, bullets, heading, table, text
from pipeline.pages.incident.exhibits import Exhibits, finding_sentence, link
from pipeline.pages.incident.records import Incident, NetworkSheet, Row
from pipeline.pages.incident.sections.entries import MEMBER_COLUMNS, member_row
from pipeline.pages.incident.wording import say, sentence, shared, words
from pipeline.pages.records import Cell

TOO_WEAK = "shows no more than the comparison, chance or its threshold"


def limitations(incident: Incident, exhibits: Exhibits) -> Section:
    """Section 12."""
    blocks: list[Block] = [text(say("s12", "lead")), heading(say("s12", "against"), "s12-against")]
    blocks += [_against(incident, exhibits, sheet, place) for place, sheet in enumerate(incident.networks, start=1)]
    blocks += [_doubtful(incident, sheet, place) for place, sheet in enumerate(incident.networks, start=1)]
    blocks += [_removed(incident), heading(say("s12", "untested"), "s12-untested"), bullets(words()["untested"].values())]
    return Section("12", "s12", words()["section"]["s12"], tuple(blocks))


def _part(incident: Incident, place: int) -> str:
    return "" if len(incident.networks) == 1 else str(place)


def _against(incident: Incident, exhibits: Exhibits, sheet: NetworkSheet, place: int) -> Block:
    rows: list[list[Cell | str]] = [[link(exhibits.of_finding(row["finding_id"])), finding_sentence(row), why] for row in sheet.findings if (why := _why_against(row))]
    rows += [
        ["none", f"{shared().word('test', row['test'])}: {row['reason'] or 'no power'}", "could not decide"]
        for row in sheet.tests
        if not row["test"].startswith("fits_") and row["p_value"] is None
    ]
    rows += [
        ["none", f"{sentence(shared().word('family', row['family']))} joins no two members.", "was looked for and not found"]
        for row in sheet.families
        if not (row["kinds"] or "").strip()
    ]
    caption = f"Against the judgement on {sheet.network_id}: {numbers.counted(len(rows), 'entries')}"
    return table(
        "T16a", caption, "Exhibit | What was found | Why it is listed here", rows, part=_part(incident, place), empty="nothing that was tried speaks for an innocent explanation."
    )


def _why_against(row: Row) -> str:
    """Why a finding is exculpatory; '' if it is not."""
    if row["supports"] == "benign":
        if row["measure"] in OPERATIONAL:
            return "points to an innocent explanation and was not counted"
        reached = row["threshold"] is None or (row["value"] or 0.0) >= row["threshold"]
        return "an innocent explanation that fits" if reached else "an innocent explanation that fits in part"
    if row["p_value"] is not None:
        return "chance gives as much" if row["p_value"] > 0.05 else ""
    if row["baseline"] is not None and row["value"] is not None and row["value"] <= row["baseline"]:
        return "matched accounts show as much"
    return ""


def _doubtful(incident: Incident, sheet: NetworkSheet, place: int) -> Block:
    """T16."""
    rows = [[*member_row(member)[:6], _doubt(member.role, member.membership, member.bits)] for member in sheet.doubtful]
    rest = sheet.doubtful_count - len(rows)
    caption = f"Doubtful members of {sheet.network_id}: {numbers.counted(sheet.doubtful_count, 'accounts')} of {numbers.count(sheet.row['account_count'])}"
    columns = MEMBER_COLUMNS.replace("Strongest link", "Why it is doubtful")
    left = f"{numbers.counted(rest, 'further accounts')} not listed; members.parquet of the run names all." if rest > 0 else ""
    return table("T16", caption, columns, rows, part=_part(incident, place), empty="no member is on the fringe or below a membership of one half.", left_out=left)


def _doubt(role: str, membership: float | None, bits: float | None) -> str:
    reasons = ["weakly tied: on the fringe"] if role == "fringe" else []
    if bits is None:
        reasons.append("no link of its own is counted")
    elif membership is not None and membership < 0.5:
        reasons.append("less than half of the typical member's weight")
    return "; ".join(reasons)


def _removed(incident: Incident) -> Block:
    earlier = incident.case.supersedes
    rows = [(Cell(account, tone="code"), why) for account, why in earlier.removed] if earlier else []
    caption = f"Accounts that version {earlier.version} named and this one does not" if earlier else "Accounts removed on review"
    return table("T16b", caption, "Account | Why it was removed", rows, empty="none is recorded; this version supersedes no other." if earlier is None else "none.")


def actions(incident: Incident) -> Section:
    """Section 13."""
    blocks = [text(say("s13", "actions")), text(say("s13", "preserve", run=incident.run.run_id)), text(say("s13", "indicators"))]
    blocks += [_indicators(incident, sheet, place) for place, sheet in enumerate(incident.networks, start=1)]
    return Section("13", "s13", words()["section"]["s13"], tuple(blocks))


def _indicators(incident: Incident, sheet: NetworkSheet, place: int) -> Block:
    """T17."""
    rows = [
        [
            indicator.type,
            Cell(indicator.value, tone="code"),
            numbers.count(indicator.members),
            numbers.count(indicator.holders),
            Cell(indicator.first.isoformat() if indicator.first else numbers.UNKNOWN, tone="time"),
            Cell(indicator.last.isoformat() if indicator.last else numbers.UNKNOWN, tone="time"),
            "yes: names no person" if indicator.holders and indicator.members * 2 >= indicator.holders else "with care: others show it, too",
        ]
        for indicator in sheet.indicators
    ]
    common = numbers.counted(sheet.common_traces, "further traces") + " of members are shown mostly by strangers and are no indicators."
    empty = common if sheet.common_traces else "the log carries neither TLS fingerprints nor user agents that two members share."
    columns = "Type | Value | Members with it # | Accounts of the log with it # | First day | Last day | Shareable"
    left = common if sheet.common_traces and rows else ""
    return table("T17", f"Indicators of {sheet.network_id}", columns, rows, part=_part(incident, place), empty=empty, left_out=left)
