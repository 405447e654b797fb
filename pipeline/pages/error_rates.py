"""The error rates that a night's pages quote: the newest validation that fits this version and these settings, or, if none does, what has gone stale.

A validation is a validation.json (schema stillhunt.validation/1): the one in the output folder, written by `stillhunt validate`, and the one that came with the program. A file
that is not of that schema counts as absent: a night must not fail for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import __version__, redact
from pipeline.config import Config
from pipeline.pages import numbers
from pipeline.pages.ratios import Scale, read_scale
from pipeline.pages.validation_words import bounds_text, value_text
from pipeline.provenance import judging_sha256

SCHEMA = "stillhunt.validation/1"
PUBLISHED = Path(__file__).parents[1] / "validation.json"
"""The validation that the wheel carries. Outside the hash of the code, which it states."""
IN_OUTPUT = Path("validation") / "validation.json"
_KEYS = frozenset({"suite", "date", "is_simulated", "version", "config_sha256", "code_sha256", "config", "worlds", "figures"})
QUOTED = (
    "innocent_accounts_flagged",
    "false_accusations",
    "worlds_with_a_false_accusation",
    "networks_referred",
    "networks_false",
    "campaigns_found",
    "account_recall",
    "account_precision",
)
"""Measures over all strata that are quoted."""
NO_EFFECT = frozenset({"pages"})
"""Sections of the configuration that change no figure."""
Q_VALUES_ONLY = frozenset({"null_groups", "control_accounts"})
"""Settings of [verdict] that change q-values; the others of that section leave them as they are."""


@dataclass(frozen=True)
class Validation:
    """A validation.json and where it is."""

    path: Path
    document: Mapping[str, Any]


def find_validations(out: Path, published: Path = PUBLISHED) -> tuple[Validation, ...]:
    """Every readable validation of the output folder and of the program."""
    found = ((path, _read(path)) for path in (out / IN_OUTPUT, published))
    return tuple(Validation(path, document) for path, document in found if document is not None)


def choose(validations: Iterable[Validation], config: Config) -> Validation | None:
    """The newest that fits version and settings; else the newest; ties go to the first. None if there is none."""
    return max(validations, key=lambda entry: (_fits(entry.document, config), str(entry.document["date"])), default=None)


def summary(document: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """What run.json keeps of a validation: where it comes from, the quoted figures, the ratios that its judged networks carry (null if it has none), whether the code is
    the same, and the settings that have changed since with the measures they make stale.
    """
    kept = ("suite", "date", "is_simulated", "version", "config_sha256", "code_sha256")
    rows = [row for row in document["figures"] if row["stratum"] == "all" and row["measure"] in QUOTED]
    measures = list(dict.fromkeys(row["measure"] for row in document["figures"]))
    stale = {name: {"then": then, "now": now, "measures": stale_measures(name, measures)} for name, then, now in changed_settings(document, config)}
    same_code = document["code_sha256"] == judging_sha256()
    return {**{key: document[key] for key in kept}, "same_code": same_code, "worlds": len(document["worlds"]), "figures": rows, "stale": stale, "ratios": document.get("ratios")}


def scale_that_fits(quoted: Mapping[str, Any] | None, version: str) -> Scale | None:
    """The scale of a validation's `summary`, if it was measured with this version, code and settings; else None: what has changed since may weigh otherwise."""
    fits = quoted is not None and quoted["same_code"] and not quoted["stale"] and quoted["version"] == version
    return read_scale(quoted.get("ratios")) if quoted is not None and fits else None


def changed_settings(document: Mapping[str, Any], config: Config) -> list[tuple[str, Any, Any]]:
    """(section.key, then, now) of every setting that changes a figure and differs; a setting that one side lacks is None there."""
    then, now = document["config"], config.as_dict()
    names = sorted({(section, key) for settings in (then, now) for section in settings if section not in NO_EFFECT for key in settings[section]})
    pairs = ((f"{section}.{key}", then.get(section, {}).get(key), now.get(section, {}).get(key)) for section, key in names)
    return [(name, before, after) for name, before, after in pairs if before != after]


def stale_measures(setting: str, measures: Iterable[str]) -> list[str]:
    """Which of the measures a change of `section.key` makes stale."""
    section, _, key = setting.partition(".")
    keeps_q_values = section == "verdict" and key not in Q_VALUES_ONLY
    return [name for name in measures if not (keeps_q_values and name == "chance_networks_at_q")]


def sentences(quoted: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What a page says about error rates, from `summary`. Without a validation it says how to make one."""
    if quoted is None:
        return ("No error rate has been measured for this version. Measure it with: stillhunt validate --suite quick",)
    worlds = numbers.counted(quoted["worlds"], "simulated worlds" if quoted["is_simulated"] else "labelled logs")
    begin = f"Measured on {worlds} (suite {redact.for_html(quoted['suite'], 40)}, {redact.for_html(quoted['date'], 20)}, version {redact.for_html(quoted['version'], 40)})"
    said = [f"{begin}: {_accused(quoted)}; {_found(quoted)}.", _origin(quoted)]
    return tuple(part for part in (*said, *_stale(quoted)) if part)


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA and set(found) >= _KEYS else None


def _fits(document: Mapping[str, Any], config: Config) -> bool:
    return bool(document["version"] == __version__ and not changed_settings(document, config))


def _row(quoted: Mapping[str, Any], measure: str) -> Mapping[str, Any] | None:
    return next((row for row in quoted["figures"] if row["measure"] == measure), None)


def _accused(quoted: Mapping[str, Any]) -> str:
    count, rate = _row(quoted, "innocent_accounts_flagged"), _row(quoted, "false_accusations")
    if count is None or rate is None or rate["value"] is None:
        return "no innocent account was judged"
    per = f"{value_text(rate, rate['value'])} in 100,000; {bounds_text(rate)}, n = {numbers.count(rate['n'])} {rate['cases']}"
    return f"{numbers.count(count['value'])} of {numbers.count(count['n'])} innocent accounts were referred ({per})"


def _found(quoted: Mapping[str, Any]) -> str:
    found = _row(quoted, "campaigns_found")
    if found is None or found["value"] is None:
        return "no campaign was looked for"
    return f"{value_text(found, found['value'])} of the campaigns were found ({bounds_text(found)}, n = {numbers.count(found['n'])} {found['cases']})"


def _origin(quoted: Mapping[str, Any]) -> str:
    return "Rates on simulated worlds are not rates of this log." if quoted["is_simulated"] else "The rates are as good as the labels of those logs."


def _stale(quoted: Mapping[str, Any]) -> list[str]:
    """A sentence if version or code differ, and one for all changed settings that make the same measures stale."""
    said = []
    if quoted["version"] != __version__:
        said.append(f"They were measured with version {redact.for_html(quoted['version'], 40)}, not {__version__}.")
    elif not quoted["same_code"]:
        said.append("The program has been changed since within this version, so they may no longer hold; stillhunt validate measures again.")
    return said + [_changed(together) for together in _by_measures(quoted["stale"])]


def _by_measures(stale: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Mapping[str, Any]]]:
    """Changed settings that make the same measures stale together, in the order in which they come."""
    groups: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {}
    for name, change in stale.items():
        groups.setdefault(tuple(change["measures"]), {})[name] = change
    return list(groups.values())


def _changed(settings: Mapping[str, Mapping[str, Any]]) -> str:
    values = [f"{redact.for_html(name, 80)} ({_setting(change['then'])} then, {_setting(change['now'])} now)" for name, change in settings.items()]
    measures = [measure.replace("_", " ") for measure in next(iter(settings.values()))["measures"]]
    return f"{'Settings that have' if len(values) > 1 else 'A setting has'} changed since: {numbers.listed(values)}. Stale by that: {numbers.listed(measures)}."


def _setting(value: Any) -> str:
    return "absent" if value is None else redact.for_html(f"{value}", 40)
