"""Every threshold, read from default.toml and at most one file of the user's, checked before anything runs.

Each section of the file is one frozen record here; each key has a type, a range and, in default.toml, a comment that
says what it means, its unit, which way is more forgiving and where the value comes from. An unknown key or section is an
error that names the nearest one. Nothing else in the program reads configuration, and no default lives in code.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from pipeline.errors import ConfigError

DEFAULT_FILE = Path(__file__).with_name("default.toml")


def limits(low: float, high: float) -> Any:  # the dataclass protocol types a field specifier as Any
    """A number's smallest and largest allowed value."""
    return dataclasses.field(metadata={"low": low, "high": high})


@dataclass(frozen=True)
class IngestConfig:
    """Reading logs (stages 10 to 13)."""

    samples_per_account_day: int = limits(4, 256)
    max_rejected_share: float = limits(0.0, 1.0)
    earliest_year: int = limits(1970, 2100)
    latest_year: int = limits(1970, 2200)


@dataclass(frozen=True)
class WindowConfig:
    """Merging days into the window that is judged."""

    window_days: int = limits(1, 366)
    samples_per_account: int = limits(8, 1024)


@dataclass(frozen=True)
class LinkConfig:
    """Candidate pairs and links in bits (stages 33 to 56)."""

    identity_cap_bits: float = limits(0.0, 64.0)
    device_cap_bits: float = limits(0.0, 64.0)
    signup_ip_cap_bits: float = limits(0.0, 64.0)
    mail_domain_cap_bits: float = limits(0.0, 64.0)
    cohort_cap_bits: float = limits(0.0, 64.0)
    cohort_days: int = limits(1, 90)
    infrastructure_cap_bits: float = limits(0.0, 64.0)
    prefix_cap_bits: float = limits(0.0, 64.0)
    stack_cap_bits: float = limits(0.0, 64.0)
    settings_cap_bits: float = limits(0.0, 64.0)
    settings_family_cap_bits: float = limits(0.0, 64.0)
    rewritten_client_cap_bits: float = limits(0.0, 64.0)
    rewritten_min_products: int = limits(0, 100)
    handoff_cap_bits: float = limits(0.0, 64.0)
    handoff_max_accounts: int = limits(0, 1000)
    handoff_min_share: float = limits(0.0, 1.0)
    duplicates_cap_bits: float = limits(0.0, 64.0)
    templates_cap_bits: float = limits(0.0, 64.0)
    system_cap_bits: float = limits(0.0, 64.0)
    topic_cap_bits: float = limits(0.0, 64.0)
    behaviour_cap_bits: float = limits(0.0, 64.0)
    synchrony_cap_bits: float = limits(0.0, 64.0)
    likeness_min_bits: float = limits(0.0, 64.0)
    likeness_null_pairs: int = limits(1_000, 10_000_000)
    synchrony_min_requests: int = limits(2, 1_000_000)
    identity_max_df_share: float = limits(0.0, 1.0)
    signup_ip_max_df_share: float = limits(0.0, 1.0)
    mail_domain_max_df_share: float = limits(0.0, 1.0)
    ip_max_df_share: float = limits(0.0, 1.0)
    stack_max_df_share: float = limits(0.0, 1.0)
    duplicates_max_df_share: float = limits(0.0, 1.0)
    content_max_df_share: float = limits(0.0, 1.0)
    group_max_entities: int = limits(2, 1_000_000)
    group_max_share: float = limits(0.0, 1.0)
    group_overlap_share: float = limits(0.5, 1.0)
    min_address_share: float = limits(0.0, 1.0)
    habit_min_documents: int = limits(2, 1000)
    habit_min_share: float = limits(0.0, 1.0)
    template_min_shingles: int = limits(1, 48)
    duplicate_min_chars: int = limits(1, 100_000)
    clique_size: int = limits(2, 200)
    partners: int = limits(1, 100)


@dataclass(frozen=True)
class NetworkConfig:
    """Communities, cuts and membership (stage 55)."""

    edge_margin_bits: float = limits(0.0, 64.0)
    family_min_bits: float = limits(0.0, 64.0)
    min_accounts: int = limits(5, 1000)
    cross_share: float = limits(0.0, 1.0)
    member_min_bits: float = limits(0.0, 64.0)
    member_share: float = limits(0.0, 1.0)
    core_share: float = limits(0.0, 1.0)
    dense_accounts: int = limits(50, 5000)
    seed: int = limits(0, 2**31 - 1)


@dataclass(frozen=True)
class VerdictConfig:
    """Tests, alternatives and tiers (stages 56 to 70)."""

    gate_in_share: float = limits(0.0, 1.0)
    gate_coverage_share: float = limits(0.0, 1.0)
    gate_max_outside_share: float = limits(0.0, 1.0)
    gate_min_values: int = limits(1, 100)
    null_groups: int = limits(99, 9999)
    control_accounts: int = limits(20, 1000)
    max_q_value: float = limits(0.0, 1.0)
    min_extraction_bits: float = limits(0.0, 64.0)
    min_harvest_share: float = limits(0.0, 1.0)
    pool_controls: int = limits(300, 100_000)
    pool_habit_min_share: float = limits(0.0, 1.0)
    min_output_tokens: int = limits(0, 1_000_000)
    min_boilerplate_documents: int = limits(1, 100_000)
    min_mix_share: float = limits(0.0, 1.0)
    alternative_share: float = limits(0.0, 1.0)
    repeated_share: float = limits(0.0, 1.0)
    few_texts_share: float = limits(0.0, 1.0)
    batch_request_share: float = limits(0.0, 1.0)
    end_user_count: int = limits(1, 100_000)
    migration_max_accounts: int = limits(0, 100)
    migration_pause_days: int = limits(0, 366)
    public_client_entities: int = limits(5, 100_000)
    topic_accounts: int = limits(20, 1000)
    topic_min_prompts: int = limits(2, 100)
    topic_null_quantile: float = limits(0.0, 1.0)


@dataclass(frozen=True)
class PageConfig:
    """What the pages show."""

    queue_rows: int = limits(10, 1000)
    member_rows: int = limits(10, 5000)
    evidence_rows: int = limits(0, 100)
    control_minimum: int = limits(5, 10_000)
    moderate_families: int = limits(1, 10)
    high_families: int = limits(1, 10)


@dataclass(frozen=True)
class Config:
    """The whole configuration of a run."""

    ingest: IngestConfig
    window: WindowConfig
    links: LinkConfig
    networks: NetworkConfig
    verdict: VerdictConfig
    pages: PageConfig

    def as_dict(self) -> dict[str, Any]:
        """Plain nested values, for run.json and for hashing."""
        return dataclasses.asdict(self)


def load_config(path: Path | None = None) -> Config:
    """The defaults, overlaid by the user's file if one is named. Raises ConfigError."""
    values = _read(DEFAULT_FILE)
    if path is not None:
        _overlay(values, _read(path), str(path))
    return _build(values, str(path or DEFAULT_FILE))


def recorded_config(values: dict[str, dict[str, Any]], origin: str) -> Config:
    """The configuration that a run.json at `origin` recorded. Raises ConfigError where it is of another version."""
    try:
        return _build({section: dict(keys) for section, keys in values.items()}, origin)
    except KeyError as missing:
        raise ConfigError(f"{origin}: has no setting {missing}; another version made it. Run again.") from None


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file. Check --config.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: not readable as TOML ({error}). Correct the file.") from None


def _overlay(base: dict[str, dict[str, Any]], over: dict[str, Any], origin: str) -> None:
    for section, keys in over.items():
        if section not in base or not isinstance(keys, dict):
            raise ConfigError(f"{origin}: [{section}] is not a section. {_nearest(section, base)}")
        for key, value in keys.items():
            if key not in base[section]:
                raise ConfigError(f"{origin}: [{section}] {key} is not a setting. {_nearest(key, base[section])}")
            base[section][key] = value


def _nearest(word: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    return f"Did you mean '{close[0]}'?" if close else "See pipeline/default.toml."


def _build(values: dict[str, dict[str, Any]], origin: str) -> Config:
    sections = {name: _section(cls, name, values[name], origin) for name, cls in get_type_hints(Config).items()}
    return Config(**sections)


def _section(cls: Any, name: str, values: dict[str, Any], origin: str) -> Any:
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        values[field.name] = _checked(values[field.name], hints[field.name], field, f"{origin}: [{name}] {field.name}")
    return cls(**values)


def _checked(value: Any, kind: type, field: dataclasses.Field[Any], where: str) -> Any:
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ConfigError(f"{where} must be {kind.__name__}, not {value!r}.")
    low, high = field.metadata["low"], field.metadata["high"]
    if not low <= value <= high:  # also refuses nan
        raise ConfigError(f"{where} = {value} is outside {low} .. {high}.")
    return value
