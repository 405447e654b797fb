"""The stages of a run: one tuple, one line a stage, in the order in which they run. This is the map for a newcomer.

A `day` stage runs once for each UTC day and its tables are kept in days/date=D; a `window` stage runs once a run. Tables of
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


def _stage(number: int, source: str, reads: str, writes: str, *, per_day: bool = False) -> Stage:
    return Stage(number, source, _words(reads), _words(writes), per_day)


STAGES: tuple[Stage, ...] = (
    _stage(10, "pipeline.ingest:ingest_days", "", "requests prompt_samples labels account_ids", per_day=True),
    _stage(20, "20_account_days.sql", "requests", "account_days", per_day=True),
    _stage(21, "21_account_entities.sql", "requests", "account_entities", per_day=True),
    _stage(11, "pipeline.ingest:account_records", "account_ids", "account_records"),
    _stage(58, "pipeline.ingest:blind_spots", "", "blind_spots"),
    _stage(80, "pipeline.stages.lineage:lineage", "night networks members earlier_networks earlier_lineage", "network_ids lineage known_networks"),
)

GIVEN = ("night", "earlier_networks", "earlier_lineage", "kinds")
"""Tables that no stage makes: the run's own night, what earlier nights left, and the kinds of evidence in kinds.py."""

SCRATCH = frozenset({"account_records", "entities", "window_samples", "features", "network_ids"})
"""Tables of the window that are not published."""

PUBLISHED = tuple(name for stage in STAGES if not stage.per_day for name in stage.writes if name in TABLES and name not in SCRATCH)
"""Tables of runs/<run_id>/tables."""
