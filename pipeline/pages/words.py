"""Machine names into sentences: reports/wording.toml behind typed look-ups.

A name the file does not know is shown as its own words (`two_part_name` becomes `two part name`), through the redaction gate,
so that a new measure or reason appears on the page with its numbers instead of vanishing or stopping it.
"""

from __future__ import annotations

import functools
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import redact
from pipeline.pages import numbers


@dataclass(frozen=True)
class Band:
    """One band of the scale of support: from this ratio on (the edge itself belongs to the band below), this word."""

    above: float
    word: str


class Wording:
    """The sentences of wording.toml."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._tables = tables
        self.bands = tuple(Band(band["from"], band["word"]) for band in tables["support"])

    def knows(self, table: str, name: str) -> bool:
        """Whether the file holds an entry of its own for `name`."""
        return name in self._tables[table]

    def names(self, table: str) -> tuple[str, ...]:
        """Machine names that a table of the file knows, in its order."""
        return tuple(self._tables[table])

    def word(self, table: str, name: str | None) -> str:
        """The word for a machine name; its own words if the file has none; `not recorded` for a missing one."""
        if not name:
            return "not recorded"
        entry = self._tables.get(table, {}).get(name)
        return entry["word"] if entry else spaced(name)

    def text(self, table: str, name: str, key: str) -> str:
        """A longer text of an entry (`meaning`, `sentence`, `decide`, `lost`), '' if the file has none."""
        text: str = self._tables[table].get(name, {}).get(key, "")
        return text

    def line(self, table: str, name: str, /, **values: str) -> str:
        """A template of a flat table (`likelihood.capped`), filled."""
        return _filled(self._tables[table][name], values)

    def finding(self, measure: str, values: Mapping[str, str], *, has_baseline: bool) -> str:
        """The sentence of a finding; `values` holds value, threshold, baseline and n as text with units."""
        template = self.text("measure", measure, "sentence") or self.text("measure", measure.split(":", maxsplit=1)[0], "sentence")
        if not has_baseline and "{baseline}" in template:
            template = self.text("measure", measure, "alone")
        if not template:
            template = self._tables["fallback"]["measure" if has_baseline else "measure_alone"]
        if has_baseline and "{baseline}" not in template:
            template = f"{template} {self._tables['fallback']['compare']}"
        return _filled(template, {**values, "name": _capital(spaced(measure))})

    def reason(self, reason: str | None) -> str:
        """Why a network has its tier, as a sentence."""
        if not reason:
            return "The run gives no reason for this tier."
        return self.text("reason", reason, "sentence") or _filled(self._tables["fallback"]["reason"], {"name": spaced(reason)})

    def decisive(self, reason: str | None) -> str:
        """What would decide the question either way."""
        return self.text("reason", reason or "", "decide") or str(self._tables["fallback"]["decide"])

    def support(self, ratio: float) -> str:
        """The word for a likelihood ratio of 1 or more."""
        return max((band for band in self.bands if ratio > band.above), key=lambda band: band.above, default=self.bands[0]).word

    def roles(self) -> str:
        """What core, bridge and fringe mean, in one sentence each."""
        return self._meanings("role")

    def classes(self) -> str:
        """What each class of evidence means, in one sentence each."""
        return self._meanings("class")

    def _meanings(self, table: str) -> str:
        return " ".join(f"{entry['word'].capitalize()}: {entry['meaning']}." for entry in self._tables[table].values())

    def terms(self) -> tuple[tuple[str, str], ...]:
        """The glossary at the foot of each page: word, meaning."""
        return tuple((spaced(name), text) for name, text in self._tables["terms"].items())


def spaced(name: str) -> str:
    """A machine name as words, through the redaction gate."""
    return redact.for_html(name.replace("_", " "), 80)


def joined(sentences: list[str]) -> str:
    """Sentences in one paragraph, empty ones left out."""
    return " ".join(sentence for sentence in sentences if sentence)


def families(wording: Wording, names: list[str]) -> str:
    """`identity and prompt templates`."""
    return numbers.listed([wording.word("family", name) for name in names])


@functools.cache
def load_wording(path: Path) -> Wording:
    """Read wording.toml. Raises FileNotFoundError when the installation is incomplete."""
    return Wording(tomllib.loads(path.read_text(encoding="utf-8")))


def _filled(template: str, values: Mapping[str, str]) -> str:
    wanted = {field for _, field, _, _ in string.Formatter().parse(template) if field}
    return template.format_map({field: values.get(field, numbers.UNKNOWN) for field in wanted})


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
