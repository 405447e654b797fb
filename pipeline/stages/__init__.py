"""The stages of a run: one tuple, one line a stage, in the order in which they run. This is the map for a newcomer.

The tables of a `day` stage are made once for each UTC day (small days together) and kept in days/date=D; a `window` stage runs once a run. Tables of
`SCRATCH` stay in DIR/scratch; the others are published in runs/<run_id>/tables. A stage sees the tables it names
under `reads` and no others. `source` is a file of sql/, or `package.module:function`, looked up when it is run.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline import schema

TABLES = {table.name: table for table in vars(schema).values() if isinstance(table, schema.Table)}
"""Every table by name."""


@dataclass(frozen=True)
class Stage:
    """One stage: its number, where its rule stands, the tables it reads and those it writes."""

    number: int
    source: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    per_day: bool = False
    streams: bool = False
    """Whether its function takes the first table it reads in batches, sorted by grain (the columns its module names in COLUMNS; of a day table a reader a day), the others whole
    by name, and gives batches."""

    @property
    def is_sql(self) -> bool:
        """Whether a SQL file makes the table (else a function)."""
        return self.source.endswith(".sql")

    @property
    def is_edge(self) -> bool:
        """Whether the run itself makes the table with a function that reads files (else the stage is a rule over tables)."""
        return self.source.startswith("pipeline.ingest:")

    @property
    def label(self) -> str:
        """Number and first table, for progress and errors."""
        return f"{self.number} {self.writes[0]}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _stage(number: int, source: str, reads: str, writes: str, *, per_day: bool = False, streams: bool = False) -> Stage:
    return Stage(number, source, _words(reads), _words(writes), per_day, streams)


_PEOPLE = "account_records shared_values kinds"
_VIEWS = "features boilerplate sample_totals"

STAGES: tuple[Stage, ...] = (
    _stage(10, "pipeline.ingest:ingest_days", "", "requests prompt_samples labels account_ids", per_day=True),
    _stage(20, "pipeline.stages.account_days:account_days", "requests", "account_days", per_day=True, streams=True),
    _stage(21, "pipeline.stages.account_entities:account_entities", "requests", "account_entities", per_day=True, streams=True),
    _stage(22, "22_session_days.sql", "requests", "session_days", per_day=True),
    _stage(11, "pipeline.ingest:account_records", "account_ids", "account_records"),
    _stage(58, "pipeline.ingest:blind_spots", "", "blind_spots"),
    _stage(58, "pipeline.ingest:context_events", "", "context_events"),
    _stage(30, "30_account_windows.sql", "account_days", "account_windows"),
    _stage(30, "30_account_weekdays.sql", "account_days", "account_weekdays"),
    _stage(31, "pipeline.stages.entities:entities", "account_entities", "entities", streams=True),
    _stage(31, "31_entity_counts.sql", "entities account_windows", "entity_counts"),
    _stage(31, "pipeline.stages.request_counts:request_counts", "requests", "request_counts", streams=True),
    _stage(32, "pipeline.stages.window_samples:window_samples", "prompt_samples", "window_samples", streams=True),
    _stage(32, "pipeline.stages.sample_counts:sample_counts", "window_samples", "sample_counts", streams=True),
    _stage(33, "33_products.sql", "entities", "products"),
    _stage(33, "pipeline.stages.recurring_shingles:recurring_shingles", "window_samples", "recurring_shingles", streams=True),
    _stage(33, "33_reaches.sql", "window_samples", "reaches"),
    _stage(33, "33_common_holders.sql", "products account_records recurring_shingles window_samples entities reaches", "common_holders"),
    _stage(33, "33_topic_words.sql", "window_samples products account_records common_holders", "topic_words"),
    _stage(33, "pipeline.stages.public_clients:public_clients", "topic_words products account_records reaches", "public_clients"),
    _stage(33, "33_leads.sql", "window_samples account_records", "leads"),
    _stage(33, "33_lead_ladders.sql", "leads window_samples", "lead_ladders"),
    _stage(33, "pipeline.stages.preambles:preambles", "leads lead_ladders products account_records public_clients sample_counts", "preambles"),
    _stage(33, "33_client_wording.sql", "common_holders public_clients products account_records reaches", "client_wording"),
    _stage(33, "33_habits.sql", "recurring_shingles client_wording", "habits"),
    _stage(34, "34_prompt_preambles.sql", "window_samples preambles", "prompt_preambles"),
    _stage(34, "34_own_texts.sql", "window_samples prompt_preambles", "own_texts"),
    _stage(30, "pipeline.stages.features:features", "account_windows account_weekdays entity_counts request_counts sample_counts own_texts", "features"),
    _stage(34, "34_wide_values.sql", "account_records entities habits client_wording", "wide_values"),
    _stage(38, "38_handoffs.sql", "session_days account_records", "handoffs"),
    _stage(38, "38_fanouts.sql", "window_samples account_records", "fanouts"),
    _stage(38, "38_rewritten_clients.sql", "entities products account_records wide_values", "rewritten_clients"),
    _stage(
        34,
        "34_shared_values.sql",
        "account_records entities habits window_samples client_wording handoffs fanouts rewritten_clients wide_values kinds",
        "shared_values",
    ),
    _stage(35, "35_boilerplate.sql", "window_samples habits", "boilerplate"),
    _stage(36, "36_sample_totals.sql", "window_samples", "sample_totals"),
    _stage(37, "37_daily_requests.sql", "account_days", "daily_requests"),
    _stage(37, "37_hourly_requests.sql", "account_days account_windows", "hourly_requests"),
    _stage(37, "pipeline.stages.account_words:account_words", "window_samples prompt_preambles rewritten_clients account_records", "account_words", streams=True),
    _stage(37, "37_word_users.sql", "account_words", "word_users"),
    _stage(37, "pipeline.stages.day_levels:day_levels", "daily_requests account_records", "day_levels"),
    _stage(39, "39_first_requests.sql", "requests", "first_requests"),
    _stage(40, "40_candidate_pairs.sql", "shared_values", "candidate_pairs"),
    _stage(41, "pipeline.stages.link_rarity:link_rarity", "candidate_pairs shared_values kinds", "link_rarity"),
    _stage(50, "50_pair_links.sql", "link_rarity kinds", "pair_links"),
    _stage(55, "pipeline.stages.clusters:clusters", f"pair_links account_words {_PEOPLE}", "clusters joining_clients"),
    _stage(
        56,
        "pipeline.stages.likeness:likeness",
        "pair_links clusters account_records features account_words sample_totals prompt_preambles boilerplate hourly_requests",
        "pair_likeness cluster_likeness",
    ),
    _stage(56, "56_links.sql", "pair_links pair_likeness account_records", "links"),
    _stage(57, "pipeline.stages.coverage:coverage", f"clusters {_PEOPLE} {_VIEWS}", "cluster_families cluster_values"),
    _stage(59, "59_pool_documents.sql", "window_samples clusters cluster_families account_records", "pool_documents"),
    _stage(59, "59_pool_wording.sql", "window_samples pool_documents client_wording", "pool_wording"),
    _stage(
        60,
        "pipeline.stages.cluster_tests:cluster_tests",
        f"clusters cluster_families habits handoffs fanouts daily_requests day_levels account_words word_users pool_documents pool_wording {_PEOPLE} {_VIEWS}",
        "cluster_tests cluster_controls pooled_members pooled_templates",
    ),
    _stage(61, "61_sent_prompts.sql", "window_samples", "sent_prompts"),
    _stage(61, "61_repeated_prompts.sql", "sent_prompts clusters boilerplate", "repeated_prompts"),
    _stage(
        62,
        "pipeline.stages.alternatives:alternatives",
        f"clusters cluster_tests recurring_shingles client_wording cluster_values repeated_prompts features entity_counts {_PEOPLE}",
        "cluster_alternatives",
    ),
    _stage(61, "61_release_moves.sql", "requests context_events", "release_moves"),
    _stage(61, "pipeline.stages.work_items:work_items", "window_samples recurring_shingles", "work_items", streams=True),
    _stage(
        63,
        "pipeline.stages.operational:operational_tests",
        f"clusters work_items release_moves context_events daily_requests account_records first_requests {_VIEWS}",
        "operational_tests operational_requests",
    ),
    _stage(
        65,
        "pipeline.stages.verdict:verdict",
        f"clusters cluster_tests cluster_families cluster_alternatives cluster_values pair_links habits pooled_members {_PEOPLE} {_VIEWS}",
        "networks members cluster_ids",
    ),
    _stage(
        66,
        "pipeline.stages.network_tables:network_tables",
        "cluster_ids cluster_controls cluster_families cluster_likeness cluster_tests operational_tests cluster_alternatives account_records",
        "controls network_families network_tests",
    ),
    _stage(
        67,
        "pipeline.stages.ablations:ablations",
        "networks clusters pair_links recurring_shingles client_wording cluster_values cluster_families cluster_tests cluster_ids members repeated_prompts features entity_counts "
        f"boilerplate joining_clients {_PEOPLE}",
        "network_ablations",
    ),
    _stage(69, "69_address_requests.sql", "requests clusters cluster_values", "address_requests"),
    _stage(69, "69_handoff_requests.sql", "session_days handoffs clusters cluster_values", "handoff_requests"),
    _stage(
        70,
        "pipeline.stages.findings:findings",
        "networks members cluster_ids cluster_tests cluster_values cluster_alternatives cluster_controls boilerplate pooled_templates first_requests address_requests "
        "handoff_requests operational_tests operational_requests account_records shared_values",
        "findings evidence",
    ),
    _stage(
        71,
        "71_network_prompts.sql",
        "requests window_samples networks members account_records cluster_ids cluster_values handoffs pool_wording pooled_templates",
        "network_prompts",
    ),
    _stage(71, "71_control_prompts.sql", "window_samples cluster_controls cluster_ids", "control_prompts"),
    _stage(72, "pipeline.stages.capabilities:capabilities", "network_prompts", "network_capabilities"),
    _stage(72, "pipeline.stages.elicitation:elicitation", "network_prompts control_prompts", "network_elicitation"),
    _stage(73, "pipeline.stages.traffic_parts:traffic_parts", "network_prompts account_records", "component_members network_traffic"),
    _stage(74, "74_turn_paces.sql", "requests members account_records cluster_ids cluster_controls", "turn_paces"),
    _stage(74, "pipeline.stages.network_pace:network_pace", "turn_paces", "network_pace"),
    _stage(75, "pipeline.stages.accounts:accounts", f"members {_PEOPLE} {_VIEWS}", "accounts"),
    _stage(
        80,
        "pipeline.stages.lineage:lineage",
        "night networks members accounts account_records shared_values kinds earlier_networks earlier_values earlier_lineage earlier_returns "
        "published_networks published_tonight published_lineage",
        "network_ids lineage known_networks known_values returned_values",
    ),
)

GIVEN = ("night", "earlier_networks", "earlier_values", "earlier_lineage", "earlier_returns", "published_networks", "published_tonight", "published_lineage", "kinds")
"""Tables that no stage makes: the run's own night, what earlier nights left, what an earlier judgement of the night published, and the kinds of evidence in kinds.py."""

SCRATCH = frozenset(
    "account_records account_windows account_weekdays entities entity_counts request_counts window_samples sample_counts "
    "reaches common_holders topic_words hourly_requests account_words leads lead_ladders prompt_preambles own_texts features pool_documents pool_wording work_items "
    "network_prompts control_prompts turn_paces network_ids joining_clients word_users day_levels sent_prompts".split()
)
"""Tables of the window that are not published: they merge or sample the day tables, or are published as part of another."""

PUBLISHED = tuple(name for stage in STAGES if not stage.per_day for name in stage.writes if name not in SCRATCH)
"""Tables of runs/<run_id>/tables."""
