"""The record of a network's working page: who, why, how much, what was tested, what else could explain it, what to type next."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import redact
from pipeline.kinds import GATE_FAMILIES
from pipeline.pages import assessment, network_figures, numbers
from pipeline.pages.changes import change_of
from pipeline.pages.error_rates import sentences
from pipeline.pages.findings import finding_cards
from pipeline.pages.harvest import capability_table, pace_table, traffic_table
from pipeline.pages.index_page import blind_spot_table, run_verdict
from pipeline.pages.marks import allowed, journal_table, look_alikes_table, marks
from pipeline.pages.network_tables import alternatives_table, families_table, lineage_table, members_table, tests_table, without_table
from pipeline.pages.pieces import Numbering, glossary, show_command
from pipeline.pages.records import Command, Fact, NetworkPage, Table
from pipeline.pages.run_facts import page_head
from pipeline.pages.source import TIER_ORDER, Row, Source
from pipeline.pages.words import families as family_words
from pipeline.pages.words import joined
from pipeline.pages.working.bench import Bench
from pipeline.pages.working.look_alike import look_alike
from pipeline.pages.working.members import member_pages
from pipeline.pages.working.multiples import multiples_figure
from pipeline.pages.working.sharing import sharing
from pipeline.pages.working.timeline import events_table, timeline_figure
from pipeline.pages.working.what_if import Judged, what_if


def network_page(bench: Bench, network: Row, judged: Sequence[Judged]) -> NetworkPage:
    """Everything networks/<network_id>.html says. `judged` is the network under other thresholds."""
    source, network_id, wording, numbering = bench.source, network["network_id"], bench.source.wording, Numbering()
    shown, families = redact.identifier(network_id), source.of_network("network_families", network_id).rows(named=True)
    observations, inferences, innocent = finding_cards(source, network_id)
    covers = {row["family"] for row in families if (row["coverage_share"] or 0.0) > 0}
    accounts, weighed = numbers.counted(network["account_count"], "accounts"), not assessment.unweighed_sentence(source, network)
    return NetworkPage(
        head=page_head(source.facts, f"Suspected proxy network {shown}", f"Working page of {shown}: evidence, members, traffic, tests and innocent explanations."),
        network_id=shown,
        tier=network["tier"] if network["tier"] in TIER_ORDER else "watch",
        tier_word=wording.word("tier", network["tier"]),
        tier_meaning=wording.text("tier", network["tier"] or "", "meaning"),
        verdict=run_verdict(source),
        summary=joined([wording.reason(network["reason"]), _gate_sentence(source, network, families), _change_sentence(source, network_id)]),
        size=_size(source, network),
        proposition_control=wording.line("proposition", "control", accounts=accounts),
        proposition_independent=wording.line("proposition", "independent", accounts=accounts),
        likelihood=assessment.likelihood(source, network, families),
        confidence=assessment.confidence(source, network, families),
        attribution=wording.text("attribution", network["attribution_level"] or "", "sentence") or "No level of attribution is recorded.",
        alternative=assessment.alternative(source, network),
        decisive=assessment.decisive(source, network),
        axes=_axes(source, network),
        gate=wording.line("gate", "lead"),
        classes=wording.classes(),
        families=families_table(source, network, families, numbering),
        without=without_table(source, network, numbering),
        what_if=what_if(bench, network, judged, numbering),
        observations=observations,
        inferences=inferences,
        findings_empty="" if observations or inferences else "No finding is recorded for this network.",
        roles=wording.roles() if weighed else "",
        named=wording.line("handoff", "members") if "handoff" in covers and network["tier"] == "refer" else "",
        sharing=sharing(bench, network, numbering),
        members=members_table(source, network_id, numbering, weighed=weighed),
        pages=member_pages(source, network_id),
        volume=timeline_figure(source, network_id, numbering),
        events=events_table(source, network_id, numbering),
        hours=network_figures.hours_figure(source, network_id, numbering),
        harvest=wording.line("harvest", "lead") if source.of_network("network_capabilities", network_id).height else "",
        capabilities=capability_table(source, network, numbering),
        traffic_parts=traffic_table(source, network, numbering),
        pace=pace_table(source, network, numbering),
        multiples=multiples_figure(bench, network, numbering),
        tests=tests_table(source, network_id, numbering, ran=True),
        tests_not_run=tests_table(source, network_id, numbering, ran=False),
        alternatives=alternatives_table(source, network, numbering),
        look_alikes=look_alikes_table(source, network, numbering),
        look_alike=look_alike(bench, network, numbering),
        innocent_causes=tuple(wording.line(name, "innocent") for name in ("client", "handoff") if name in covers),
        against=innocent,
        blind_spots=_blind_spots(source, numbering),
        error_rates=sentences(source.facts.error_rates),
        lineage=lineage_table(source, network_id, numbering),
        journal=journal_table(source, network_id, numbering),
        commands=_commands(source, network_id),
        terms=glossary(wording),
        marks=(*marks(source, network), *_allowed_sentence(source, network)),
    )


def _allowed_sentence(source: Source, network: Row) -> tuple[str, ...]:
    entry = allowed(source, network)
    return (f"Not in the queue until {entry.until}: {redact.for_html(entry.by)} vouches for it (entry {entry.number}): {redact.for_html(entry.reason)}",) if entry else ()


def _gate_sentence(source: Source, network: Row, families: Sequence[Row]) -> str:
    """Which families opened the gate, where the network went through it."""
    opened = [name for name in GATE_FAMILIES if any(row["family"] == name and row["admitted"] for row in families)]
    return source.wording.line("gate", "by", families=family_words(source.wording, opened)) if opened and network["tier"] == "refer" else ""


def _change_sentence(source: Source, network_id: str) -> str:
    change = change_of(source, network_id)
    return f"This night: {change.lower()}." if change else ""


def _size(source: Source, network: Row) -> tuple[Fact, ...]:
    traffic = source.traffic.get(network["network_id"])
    tokens = numbers.count(traffic.tokens) if traffic else numbers.UNKNOWN
    split = f"{numbers.count(traffic.input_tokens)} in, {numbers.count(traffic.output_tokens)} out" if traffic else "account_days holds no row of its members"
    core = ("not weighed", "links between these accounts are not weighed")
    if not assessment.unweighed_sentence(source, network):
        core = (numbers.count(network["core_count"]), "tied to the others most strongly")
    organisations = numbers.counted(network["entity_count"], "entities")
    return (
        Fact("Accounts", numbers.count(network["account_count"]), f"{organisations}: each vouched organisation counted once"),
        Fact("Core members", *core),
        Fact("Requests", numbers.count(network["request_count"]), "one request is one API call"),
        Fact("Tokens", tokens, split),
        Fact("First seen", numbers.moment(network["first_seen_at"]), "UTC, in this window"),
        Fact("Last seen", numbers.moment(network["last_seen_at"]), "UTC, in this window"),
    )


def _axes(source: Source, network: Row) -> tuple[Fact, ...]:
    coordination = Fact(
        "One operator?", numbers.bits(network["coordination_bits"]), "coordination: median over members of their median bits to the others, in a pool to the closest"
    )
    unweighed = Fact("One operator?", "not weighed", "coordination: see Strength above")
    return (
        unweighed if assessment.unweighed_sentence(source, network) else coordination,
        Fact("Collected for training?", numbers.bits(network["extraction_bits"]), "extraction: against controls of the same volume"),
        Fact("Share of false networks", f"q = {numbers.probability(network['q_value'])}", f"p = {numbers.probability(network['p_value'])}; over all candidate networks of the run"),
        Fact("Best innocent explanation", source.wording.word("alternative", network["best_alternative"]), assessment.alternative_note(source, network)),
    )


def _blind_spots(source: Source, numbering: Numbering) -> Table:
    rows = [row for row in source.blind_spots if row["status"] != "ran"]
    empty = "Every family of evidence ran in full." if source.blind_spots else "The run does not record which families ran."
    return blind_spot_table(source, numbering, rows, "What could not be seen here", empty)


def _commands(source: Source, network_id: str) -> tuple[Command, ...]:
    members = source.of_network("members", network_id)
    core = members.filter(members["role"] == "core") if members.height else members
    first = (core if core.height else members).sort("account_id").head(1)
    accounts = [
        command
        for row in first.rows(named=True)
        for command in (
            show_command(row["account_id"], "one member: its features, links and network"),
            show_command(row["account_id"], "why it is linked to the others: bits by family, the strongest facts, the rows behind them", verb="explain"),
        )
    ]
    return (
        show_command(network_id, "this network on the terminal"),
        show_command(network_id, "the whole network for a spreadsheet, every member included", " --format csv"),
        *accounts,
        Command("stillhunt networks", "all networks of the run"),
    )
