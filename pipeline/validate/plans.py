"""The suites as tables: which worlds are made, from which seeds, and under which changes each is judged again.

A world is always judged as it is; `tries` name the further judgements of the same log (see `TRIES`). Day tables are made once a world and serve every try that
leaves the requests alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pipeline.config import Config
from pipeline.contract import REQUEST_COLUMNS
from pipeline.ingest.coverage import FAMILIES
from pipeline.simulate import PRESETS, RUNGS

AS_IT_IS = "as it is"
NIGHTS = "night by night"


@dataclass(frozen=True)
class Try:
    """One judgement of a world.

    `drops` are columns taken out of the log (`accounts.NAME` for the accounts table); `settings` are (section, key, value) put over the configuration.
    """

    name: str
    group: str
    """as it is, night by night, without columns, without a family, threshold, seed."""
    drops: tuple[str, ...] = ()
    settings: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True)
class Plan:
    """A simulated world and the groups of tries it is judged under besides `as it is`."""

    scenario: str
    accounts: int
    days: int
    seed: int
    share: float
    tries: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Unique among the worlds of a suite."""
        return f"{self.scenario} {self.accounts}x{self.days} share {self.share:g} seed {self.seed}"


def _without_columns() -> tuple[Try, ...]:
    """One try a family of the input contract that reads columns a log may lack; and one without the accounts table."""
    tries = []
    for family in FAMILIES:
        columns = {column for parts in family.inputs for part in parts for column in part.split("|") if not column.startswith("context.")}
        droppable = tuple(sorted(column for column in columns if column not in REQUEST_COLUMNS or not REQUEST_COLUMNS[column].required))
        if droppable:
            tries.append(Try(f"no columns of: {family.name}", "without columns", droppable))
    return (*tries, Try("no accounts table", "without columns", ("accounts.*",)))


def _off(family: str, *keys: str, drops: tuple[str, ...] = ()) -> Try:
    return Try(f"no evidence of: {family}", "without a family", drops, tuple(("links", key, 0.0) for key in keys))


IDENTITY_COLUMNS = tuple(
    f"accounts.{name}"
    for name in "payment_fingerprint device_fingerprint email_hash phone_hash organization_id signup_ip signup_ip_hash signup_ip_prefix email_domain created_at".split()
)
"""Dropped too, because a value that only two accounts hold passes every limit on its share."""
WITHOUT_FAMILY = (
    _off(
        "identity",
        "identity_cap_bits",
        "device_cap_bits",
        "signup_ip_cap_bits",
        "mail_domain_cap_bits",
        "cohort_cap_bits",
        "identity_max_df_share",
        "signup_ip_max_df_share",
        "mail_domain_max_df_share",
        drops=IDENTITY_COLUMNS,
    ),
    _off("infrastructure", "infrastructure_cap_bits", "prefix_cap_bits", "ip_max_df_share"),
    _off("settings", "settings_family_cap_bits", "settings_cap_bits", "stack_cap_bits"),
    Try("no evidence of: client", "without a family", settings=(("links", "rewritten_min_products", 0),)),
    Try("no evidence of: handoff", "without a family", settings=(("links", "handoff_max_accounts", 0),)),
    _off("duplicates", "duplicates_cap_bits"),
    _off("templates", "templates_cap_bits", "system_cap_bits"),
)

_THRESHOLDS: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    ("links", "rewritten_min_products", (2, 5)),
    ("links", "handoff_max_accounts", (6, 24)),
    ("links", "handoff_min_share", (0.25, 0.75)),
    ("networks", "edge_margin_bits", (3.0, 9.0)),
    ("networks", "member_share", (0.25, 0.75)),
    ("verdict", "gate_in_share", (0.3, 0.7)),
    ("verdict", "gate_coverage_share", (0.3, 0.7)),
    ("verdict", "gate_max_outside_share", (0.01, 0.06)),
    ("verdict", "gate_min_values", (2, 5)),
    ("verdict", "max_q_value", (0.001, 0.05)),
    ("verdict", "min_extraction_bits", (3.0, 9.0)),
    ("verdict", "min_harvest_share", (0.05, 0.2)),
    ("verdict", "pool_habit_min_share", (0.005, 0.02)),
    ("verdict", "min_output_tokens", (128, 400)),
    ("verdict", "min_mix_share", (0.5, 0.9)),
    ("verdict", "alternative_share", (0.6, 0.95)),
    ("verdict", "repeated_share", (0.25, 0.75)),
)
"""About half and about twice the default, inside what the setting allows."""
THRESHOLDS = tuple(Try(f"{key} = {value:g}", "threshold", settings=((section, key, value),)) for section, key, values in _THRESHOLDS for value in values)
_FEW_TEXTS_OR_NAMES = (("verdict", "few_texts_share", 0.3), ("verdict", "end_user_count", 5), ("verdict", "batch_request_share", 0.25))
THRESHOLDS += (Try(", ".join(f"{key} = {value:g}" for _, key, value in _FEW_TEXTS_OR_NAMES), "threshold", settings=_FEW_TEXTS_OR_NAMES),)
"""The limits of explanations that rest on what a caller may send at will, all more forgiving at once: apart they would take three worlds' time to say the same."""
SEEDS = tuple(Try(f"seed = {value}", "seed", settings=(("networks", "seed", value),)) for value in (1, 2, 3))
WITHOUT_COLUMNS = _without_columns()
TRIES = {
    NIGHTS: (Try(NIGHTS, NIGHTS),),
    "columns": WITHOUT_COLUMNS,
    "families": WITHOUT_FAMILY,
    "thresholds": THRESHOLDS,
    "seeds": SEEDS,
    "seed": SEEDS[:1],
    "the columns that matter most": tuple(entry for entry in WITHOUT_COLUMNS if entry.name in ("no accounts table", "no columns of: template and near-duplicate prompts")),
    "tight and loose": tuple(entry for entry in THRESHOLDS if entry.settings[0][1] in ("gate_coverage_share", "min_mix_share")),
}
"""Groups of tries that a plan may name."""


def _worlds(scenario: str, accounts: int, days: int, share: float, seeds: range, tries: tuple[str, ...] = ()) -> tuple[Plan, ...]:
    return tuple(Plan(scenario, accounts, days, seed, share, tries) for seed in seeds)


QUICK = (
    *_worlds("ladder", 800, 7, 0.14, range(101, 102), ("families", "the columns that matter most", "tight and loose", "seed")),
    *_worlds("ladder", 700, 6, 0.14, range(102, 103), (NIGHTS,)),
    *_worlds("ladder", 800, 7, 0.14, range(103, 107)),
    *_worlds("lookalike", 700, 6, 0.0, range(111, 115)),
)
LADDER = (
    *_worlds("ladder", 1000, 10, 0.12, range(221, 227), (NIGHTS,)),
    *_worlds("ladder", 2500, 14, 0.06, range(201, 221)),
    *(plan for rung in RUNGS for plan in _worlds(f"ladder-{rung}", 800, 7, 0.04, range(231, 237))),
    *(plan for case in PRESETS for plan in _worlds(f"preset:{case}", 600, 8, 0.06, range(251, 255))),
)
LOOKALIKE = (
    *_worlds("lookalike", 2000, 10, 0.0, range(301, 325)),
    *_worlds("quiet", 1000, 7, 0.0, range(331, 341)),
    *_worlds("lookalike", 900, 7, 0.0, range(341, 367)),
)
RARE = _worlds("ladder", 60_000, 7, 0.003, range(261, 262))
"""Three accounts in a thousand belong to a campaign. A suite of its own: strangers of one kind in one world are one case, so in a pool with smaller worlds this one would
outweigh all others and tell less of them."""
SENSITIVITY = _worlds("ladder", 800, 8, 0.14, range(401, 407), ("columns", "families", "thresholds", "seeds"))
SUITES: dict[str, tuple[Plan, ...]] = {"quick": QUICK, "ladder": LADDER, "lookalike": LOOKALIKE, "rare": RARE, "all": (*SENSITIVITY, *LADDER, *LOOKALIKE)}
"""Long worlds stand first, so that the last ones to finish are short."""
OWN_TRIES: dict[str, tuple[str, ...]] = {"quick": (), "ladder": (NIGHTS,), "lookalike": (), "rare": (), "all": (NIGHTS, "columns", "families", "thresholds", "seeds")}
"""What a suite tries on worlds that were given instead of made."""


def tries_of(names: tuple[str, ...]) -> tuple[Try, ...]:
    """As it is, then the tries of the named groups."""
    return (Try(AS_IT_IS, AS_IT_IS), *(entry for name in names for entry in TRIES[name]))


def settings_of(config: Config, entry: Try) -> Config:
    """The configuration of a try."""
    changed = config
    for section, key, value in entry.settings:
        changed = dataclasses.replace(changed, **{section: dataclasses.replace(getattr(changed, section), **{key: value})})
    return changed
