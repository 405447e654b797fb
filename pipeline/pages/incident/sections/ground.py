"""Sections 3 and 4: what the report rests on, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.kinds import CLASS_OF_FAMILY, FAMILIES, LARGEST_GROUP_SHARE, LINK_FAMILIES
from pipeline.pages import numbers
from pipeline.pages.incident import judging
from pipeline.pages.incident.blocks import Block, Plot, Section, bullets, figure, table, text
from pipeline.pages.incident.drawings import time, weights
from pipeline.pages.incident.exhibits import Exhibits, link
from pipeline.pages.incident.records import Incident, NetworkSheet
from pipeline.pages.incident.wording import of, say, sentence, share, shared, words
from pipeline.pages.records import Cell

FILES, STEPS, SOURCES = 40, 60, 6
"""Rows of a table and panels of a figure that are printed."""


def custody(incident: Incident, exhibits: Exhibits) -> Section:
    """Section 3."""
    blocks = [
        text(say("s3", "source")),
        text(say("s3", "acquisition")),
        _inventory(incident, exhibits),
        _coverage(incident),
        _rejected(incident),
        text(say("s3", "custody")),
        _custody_log(incident),
        text(say("s3", "touched")),
    ]
    return Section("3", "s3", words()["section"]["s3"], tuple(blocks))


def _inventory(incident: Incident, exhibits: Exhibits) -> Block:
    """T3."""
    files = incident.run.inputs
    rows: list[list[Cell | str]] = [
        [link(number), Cell(file.name, tone="code"), numbers.count(file.rows), numbers.count(file.bytes), Cell(file.sha256, tone="code")]
        for number, file in list(zip(exhibits.inputs, files, strict=True))[:FILES]
    ]
    rows += [[Cell("none"), Cell(name, tone="code"), "not read", numbers.UNKNOWN, why] for name, why in incident.run.skipped]
    rest = len(files) - min(len(files), FILES)
    more = f" {numbers.counted(rest, 'further files')} are in run.json and annex C." if rest else ""
    total = sum(file.rows or 0 for file in files)
    caption = f"Sources: {numbers.counted(len(files), 'files')} with {numbers.counted(total, 'rows')}, window {incident.run.first_day} to {incident.run.last_day}"
    left = f"Skipped: {numbers.counted(len(incident.run.skipped), 'files')}.{more} {say('s3', 'inventory')}"
    return table("T3", caption, "Exhibit | File | Rows # | Bytes # | SHA-256", rows, empty="no input file is recorded in run.json.", left_out=left)


def _coverage(incident: Incident) -> Block:
    """F2."""
    plot, sources = Plot("F2", ""), incident.run.hours[:SOURCES]
    hours = [sum(counts[at] for _, counts in incident.run.hours) for at in range(24 * len(incident.calendar))]
    empty = [at for at, rows in enumerate(hours) if not rows]
    answer = say("s3", "gaps", hours=numbers.counted(len(empty), "hours"), total=numbers.counted(len(hours), "hours")) if empty else say("s3", "gaps_none")
    named = any(incident.run.coverage.get("source_system", (0, 0))[:1])
    left = "" if named else "The log does not name its source systems (column source_system), so it is drawn as one. "
    more = f"{numbers.counted(len(incident.run.hours) - SOURCES, 'further sources')} are not drawn. " if len(incident.run.hours) > SOURCES else ""
    rows = [
        [
            day.isoformat(),
            *(numbers.count(sum(counts[24 * at : 24 * at + 24])) for _, counts in incident.run.hours),
            numbers.count(sum(not rows for rows in hours[24 * at : 24 * at + 24])),
        ]
        for at, day in enumerate(incident.calendar)
    ]
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(sum(hours), 'rows')} kept, all accounts of the log.",
        left_out=f"{left}{more}Rejected rows are left out. Bright is the fullest hour, dark is few, hatched is none.",
        columns=" | ".join(["Day", *(f"{source}, rows #" for source, _ in incident.run.hours), "Hours without a row #"]),
        rows=rows,
        pictures=(("", time.coverage(sources, incident.calendar, f"{plot.anchor}-a", answer)),) if sources else (),
        absent="" if sources else "No figure: the run holds no row.",
    )


def _rejected(incident: Incident) -> Block:
    read, kept = incident.run.counts.get("rows_read", 0), incident.run.counts.get("rows_kept", 0)
    reasons = [f"{shared().word('reject', reason)}: {numbers.counted(rows, 'rows')}" for reason, rows in incident.run.rejected]
    said = [f"{sentence(of(kept, read, 'rows read'))} were kept; {numbers.counted(read - kept, 'rows')} were left out{f' ({numbers.listed(reasons)})' if reasons else ''}."]
    said += [sentence(reason) for reason in incident.run.degraded]
    half = [(name, given, rows) for name, (given, rows) in sorted(incident.run.coverage.items()) if rows and 0 < given < rows]
    if half:
        said.append(f"Columns filled in part: {numbers.listed([f'{name} {share(given / rows)}' for name, given, rows in half])} of {numbers.counted(half[0][2], 'rows')}.")
    blank = sum(1 for given, rows in incident.run.coverage.values() if rows and not given)
    said.append(f"{sentence(of(blank, len(incident.run.coverage), 'columns'))} of the contract carry no value.")
    return bullets(said)


def _custody_log(incident: Incident) -> Block:
    """T4: what was done to the data by this program, in order, with hashes."""
    rows: list[list[Cell | str]] = [
        [f"{number}", sentence(name.split(" ", 1)[-1].replace("_", " ")), Cell(source, tone="code"), Cell(sha[:16], tone="code")]
        for number, (name, source, sha) in enumerate(incident.run.stages[:STEPS], 1)
    ]
    made = "; ".join(f"{name} {version}" for name, version in incident.run.versions)
    caption = f"Custody inside the program: {numbers.counted(len(incident.run.stages), 'steps')} of run {incident.run.run_id}"
    return table(
        "T4",
        caption,
        "Step # | What it makes | Code | SHA-256 of the code, first 16 digits",
        rows,
        empty="the run does not record its steps.",
        left_out=f"Software: {made}." if made else "",
    )


def method(incident: Incident) -> Section:
    """Section 4."""
    blocks = [text(say("s4", "plain")), _steps(incident), text(_fixed(incident)), _settings(incident), text(say("s4", "nohit")), _detectors(incident), _no_hits(incident)]
    return Section("4", "s4", words()["section"]["s4"], tuple(blocks))


def _steps(incident: Incident) -> Block:
    """F3."""
    plot, counts = Plot("F3", ""), incident.run.counts
    networks, referred = sum(incident.run.tiers.values()), incident.run.tiers.get("refer", 0)
    boxes = [
        ("rows read", numbers.count(counts.get("rows_read"))),
        ("rows kept", numbers.count(counts.get("rows_kept"))),
        ("accounts", numbers.count(counts.get("accounts"))),
        ("candidate pairs weighed", numbers.count(incident.run.candidate_pairs)),
        ("pairs with a counted link", numbers.count(incident.run.linked_pairs)),
        ("networks and small groups", numbers.count(networks)),
        ("of them referred", numbers.count(referred)),
        ("in this report", numbers.count(len(incident.networks))),
    ]
    kept, accounts = numbers.counted(counts.get("rows_kept"), "rows"), numbers.counted(counts.get("accounts"), "accounts")
    here = f"{numbers.count(len(incident.networks))} of them {'stands' if len(incident.networks) == 1 else 'stand'}"
    judged = f"{numbers.counted(networks, 'groups')} {'was' if networks == 1 else 'were'} judged"
    answer = f"Out of {kept} of {accounts}, {judged} and {of(referred, networks, 'groups')} referred; {here} in this report."
    return figure(
        plot,
        answer,
        counted=f"n = {numbers.counted(counts.get('rows_read'), 'rows')}.",
        left_out="Steps in between are in table 4.",
        columns="Step | Count #",
        rows=boxes,
        pictures=(("", weights.steps(boxes, f"{plot.anchor}-a", answer)),),
    )


def _fixed(incident: Incident) -> str:
    quoted = incident.validation_summary
    said = {"run": incident.run.run_id, "config": incident.run.config_sha256[:16]}
    if quoted is None:
        return say("s4", "thresholds_unmeasured", **said)
    stale = len(quoted["stale"])
    same = say("s4", "same_settings") if not stale else say("s4", "other_settings", count=numbers.counted(stale, "settings"))
    return say("s4", "thresholds", **said, date=str(quoted["date"]), same=same)


def _settings(incident: Incident) -> Block:
    rows = [(Cell(name, tone="code"), value) for name, value in incident.run.thresholds] + [(Cell(f"seed {name}", tone="code"), seed) for name, seed in incident.run.seeds]
    return table(
        "T5a",
        "Settings that the verdict rests on",
        "Setting | Value #",
        rows,
        empty="the run does not record its settings.",
        left_out="Meaning, unit and direction of each: pipeline/default.toml.",
    )


def _detectors(incident: Incident) -> Block:
    """T5: families of evidence, tests and explanations, those without a hit too."""
    blind = {row["family"]: row for row in incident.run.blind_spots}
    rows = [*_family_rows(incident), *_test_rows(incident), *_blind_rows(blind)]
    hits = sum(1 for row in rows if _text(row[5]) not in ("none", "not run"))
    caption = f"Detectors of stillhunt {incident.run.version}: {numbers.counted(len(rows), 'detectors')}, {numbers.count(hits)} with a hit in this report"
    columns = "Detector | Kind | Networks it ran on # | Hits in the run # | Counts from | Hit in this report"
    return table(
        "T5",
        caption,
        columns,
        rows,
        left_out="A hit of a family: it opened the gate. A hit of a test: beyond what chance gives at the level of the settings. A hit of an explanation: enough members fit it.",
    )


def _text(cell: Cell | str) -> str:
    return cell.text if isinstance(cell, Cell) else cell


def _family_rows(incident: Incident) -> list[list[Cell | str]]:
    counted = {family: (ran, hits) for family, ran, hits in incident.run.family_hits}
    rows: list[list[Cell | str]] = []
    for family in LINK_FAMILIES:
        ran, hits = counted.get(family, (0, 0))
        here = [sheet.network_id for sheet in incident.networks if any(row["family"] == family and row["admitted"] for row in sheet.families)]
        level = "half of the members covered" if family in FAMILIES else "explains only, opens nothing"
        kind = f"family of evidence, {shared().word('class', CLASS_OF_FAMILY[family])}"
        rows.append([f"{sentence(shared().word('family', family))}", kind, numbers.count(ran), numbers.count(hits), level, _here(here)])
    return rows


def _test_rows(incident: Incident) -> list[list[Cell | str]]:
    rows: list[list[Cell | str]] = []
    for entry in incident.run.tests_run:
        is_fit = _is_fit(entry)
        name = shared().word("alternative", entry["test"].removeprefix("fits_")) if is_fit else shared().word("test", entry["test"])
        level = "0.8 of the members fit" if is_fit else "p at the level of the settings"
        ran = entry["ran"] + entry["undecided"]
        hits = ran if is_fit else entry["beyond"]
        kind = "innocent explanation" if is_fit else f"test for {shared().word('supports', entry['supports'])}"
        rows.append([name, kind, numbers.count(ran + (entry["not_run"] if is_fit else 0)), numbers.count(hits), level, _here(_tested(incident, entry))])
    return rows


def _is_fit(entry: Mapping[str, object]) -> bool:
    """Whether it is how well an innocent explanation fits; a test may speak for one as well."""
    return str(entry["test"]).startswith("fits_")


def _tested(incident: Incident, entry: Mapping[str, object]) -> list[str]:
    name = str(entry["test"])
    if _is_fit(entry):
        fit = name.removeprefix("fits_")
        return [sheet.network_id for sheet in incident.networks if any(row["alternative"] == fit and row["applies"] for row in sheet.alternatives)]
    return [sheet.network_id for sheet in incident.networks if _beyond(sheet, name)]


def _beyond(sheet: NetworkSheet, test: str) -> bool:
    return any(row["test"] == test and row["beyond"] for row in sheet.tests)


def _blind_rows(blind: Mapping[str, Mapping[str, object]]) -> list[list[Cell | str]]:
    """Families of the contract that this version has no detector for, or that could not run."""
    return [
        [shared().word("blind", family), "family of the contract", "none", "none", str(row["reason"] or ""), Cell("not run", tone="strong")]
        for family, row in sorted(blind.items())
        if row["status"] == "not_run"
    ]


def _here(names: list[str]) -> Cell:
    return Cell(judging.named(names) if names else "none", tone="" if names else "quiet")


def _no_hits(incident: Incident) -> Block:
    partial = [row for row in incident.run.blind_spots if row["status"] == "partial"]
    said = [f"{shared().word('blind', row['family'])} ran in part: {row['reason']}. {shared().text('blind', row['family'], 'lost')}" for row in partial]
    said += [
        f"{shared().word('blind', row['family'])} did not run: {row['reason']}. {shared().text('blind', row['family'], 'lost')}"
        for row in incident.run.blind_spots
        if row["status"] == "not_run"
    ]
    return bullets([*(said or ["Every family of evidence ran in full."]), *_common(incident)])


def _common(incident: Incident) -> list[str]:
    """From which share of the log on a value joins nobody: what no family sees, however well it ran. Nothing where the run does not record it."""
    recorded = dict(incident.run.thresholds)
    shares = {said: recorded.get(f"links.{name}") for said, name in (("fact", "identity_max_df_share"), ("wording", "content_max_df_share"))}
    known = {said: numbers.percent(float(share)) for said, share in shares.items() if share is not None}
    return [shared().line("reach", "common", rule=numbers.percent(LARGEST_GROUP_SHARE), **known)] if len(known) == len(shares) else []
