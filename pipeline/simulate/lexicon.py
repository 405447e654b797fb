"""The token tables of the grammar: some 13,000 words in five languages, code identifiers, numbers, and sentence patterns.

A token is a string with the space that precedes it, so a text is the plain concatenation of its tokens. `LEXICON` holds all of
them in one Arrow array; a word class is a run of it, commonest words first. A sentence pattern is a row of integers: a token's number where the word is fixed, else
`-1 - class` for a slot. The tables do not depend on any seed: seeds choose among them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa

from pipeline.simulate import words
from pipeline.simulate.seeds import Ints

SLOTS = {"N": "noun", "V": "verb", "A": "adjective", "P": "name", "I": "identifier", "#": "number"}
LANGUAGES = ("en", "es", "de", "fr", "zh")
FOREIGN_BODIES = tuple(number for number, body in enumerate(words.BODIES) if body in words.FOREIGN)
TASKS = tuple(words.OPENINGS)
BODIES = tuple(words.BODIES)
THEMES = tuple(words.THEMES)
NO_TOKEN = np.iinfo(np.int64).min
_UNSPACED = re.compile("^[.,;:?!\u3002\uff0c)\\]]")


@dataclass(frozen=True)
class Lexicon:
    """Every token and pattern. Classes and pattern sets are (first, size) rows."""

    tokens: pa.StringArray
    class_first: Ints
    class_size: Ints
    first_theme_class: int
    noun_class: int
    patterns: Ints
    set_first: Ints
    set_size: Ints


@dataclass
class _Builder:
    tokens: list[str] = field(default_factory=list)
    literals: dict[str, int] = field(default_factory=dict)
    classes: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # number, first, size
    patterns: list[list[int]] = field(default_factory=list)
    sets: list[tuple[int, int]] = field(default_factory=list)

    def add_class(self, name: str, entries: list[str], lead: str = " ") -> None:
        distinct = list(dict.fromkeys(entries))
        self.classes[name] = (len(self.classes), len(self.tokens), len(distinct))
        self.tokens.extend(lead + entry for entry in distinct)

    def literal(self, word: str, lead: str) -> int:
        token = word if word == "\n" or _UNSPACED.match(word) else lead + word
        if token not in self.literals:
            self.literals[token] = len(self.tokens)
            self.tokens.append(token)
        return self.literals[token]

    def add_set(self, patterns: tuple[str, ...], language: str) -> None:
        self.sets.append((len(self.patterns), len(patterns)))
        self.patterns.extend(self._pattern(text, language) for text in patterns)

    def _pattern(self, text: str, language: str) -> list[int]:
        found = list(re.finditer(r"\{[NVAPI#]\}|\n|[^\s{}]+", text))
        glued = [language == "zh" or (place > 0 and found[place - 1].end() == part.start()) for place, part in enumerate(found)]
        return [self._code(part[0], "" if close else " ", language) for part, close in zip(found, glued, strict=True)]

    def _code(self, part: str, lead: str, language: str) -> int:
        return -1 - self._slot_class(part[1], language) if part[0] == "{" else self.literal(part, lead)

    def _slot_class(self, slot: str, language: str) -> int:
        own = f"{language}:{SLOTS[slot]}"
        return self.classes[own if own in self.classes else f"en:{SLOTS[slot]}"][0]


@cache
def lexicon() -> Lexicon:
    """The tables, built once a process (some 30 ms)."""
    build = _Builder()
    _english(build)
    for language, lists in words.FOREIGN.items():
        _foreign(build, language, lists)
    for task in TASKS:
        build.add_set(words.OPENINGS[task], "en")
    for body in BODIES:
        build.add_set(words.BODIES[body], body)
    return _freeze(build)


def _english(build: _Builder) -> None:
    themed = [word for theme in THEMES for word in words.THEMES[theme].split()]
    build.add_class("en:noun", words.GENERAL_NOUNS + themed + [f"{p}{n}" for p in words.NOUN_PREFIXES for n in words.GENERAL_NOUNS + themed])
    for theme in THEMES:
        nouns = words.THEMES[theme].split()
        build.add_class(f"theme:{theme}", nouns + [f"{p}{n}" for p in words.NOUN_PREFIXES[:12] for n in nouns])
    build.add_class("en:verb", words.VERBS + [f"{p}{v}" for p in words.VERB_PREFIXES for v in words.VERBS])
    build.add_class("en:adjective", words.ADJECTIVES + [f"{p}{a}" for p in words.ADJECTIVE_PREFIXES for a in words.ADJECTIVES])
    build.add_class("en:name", words.NAMES + [f"{a} {b}" for a in words.NAMES[:28] for b in words.NAMES[28:]])
    build.add_class("en:identifier", [f"{h}_{t}" for h in words.IDENTIFIER_HEADS for t in words.IDENTIFIER_TAILS])
    build.add_class("en:number", [str(n) for n in range(2, 2400)])


def _foreign(build: _Builder, language: str, lists: dict[str, list[str]]) -> None:
    lead = "" if language == "zh" else " "
    nouns = lists["N"]
    pairs = [a + b.lower() for a in nouns for b in nouns if a != b] if language in ("de", "zh") else []
    build.add_class(f"{language}:noun", nouns + [noun + end for end in lists["suffixes"] for noun in nouns] + pairs, lead)
    build.add_class(f"{language}:verb", lists["V"], lead)
    build.add_class(f"{language}:adjective", lists["A"], lead)


def _freeze(build: _Builder) -> Lexicon:
    width = max(len(row) for row in build.patterns)
    patterns = np.full((len(build.patterns), width), NO_TOKEN, dtype=np.int64)
    for number, row in enumerate(build.patterns):
        patterns[number, : len(row)] = row
    classes = np.array([entry[1:] for entry in build.classes.values()], dtype=np.int64)
    sets = np.array(build.sets, dtype=np.int64)
    return Lexicon(
        tokens=pa.array(build.tokens, pa.string()),
        class_first=classes[:, 0],
        class_size=classes[:, 1],
        noun_class=build.classes["en:noun"][0],
        first_theme_class=build.classes[f"theme:{THEMES[0]}"][0],
        patterns=patterns,
        set_first=sets[:, 0],
        set_size=sets[:, 1],
    )
