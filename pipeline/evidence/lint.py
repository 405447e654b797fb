"""`report lint`: what a report says that it may not, with the place and what to write instead. Words and reasons are in reports/lint.toml.

Five rules: `banned_word`; `likelihood_and_confidence` in one sentence; `bare_number`, a number in running text without unit, n or label;
`unresolved_exhibit`, a link, exhibit, figure or table that the report does not hold; `named_organisation` outside attribution.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline import assets, redact
from pipeline.evidence.prose import Piece, Prose, read_prose

SHOWN = 160
_LABEL = re.compile(r"^(Figure|Table|Exhibit)\s+([A-Z]{0,3}-?\d+)\b")
_MENTION = re.compile(r"\b(?:(Figure|Table|Exhibit)s?\s+([A-Z]{0,3}-?\d+)|(EX-\d+))\b")
_PLAIN_NUMBER = re.compile(r"[<>=~\u2248\u2264\u2265\u00b1+\u2212-]*\d[\d,.\u202f]*(?:[-\u2013/]\d[\d,.]*)?")
_VERSION = re.compile(r"\d+(?:\.\d+){2,}")
_EXHIBIT = re.compile(r"EX-\d+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_EDGES = "()[]{}\u201c\u201d\"'\u2018\u2019,;:.!?"
_CAPITAL = r"[A-Z][\w'-]*"


@dataclass(frozen=True)
class LintFinding:
    """One thing to change."""

    rule: str
    place: str
    """section and anchor"""
    found: str
    """the words at fault"""
    sentence: str
    """the sentence, at most 160 characters"""
    reason: str
    instead: str


def lint(html: str, organisations: Collection[str] = (), files: Collection[str] = ()) -> tuple[LintFinding, ...]:
    """Findings of a report in the order of the page. `files` are the names beside it that it may link to; an empty report has none."""
    rules, prose = _rules(), read_prose(html)
    found = [finding for piece in prose.pieces for finding in _of_piece(piece, rules, tuple(organisations))]
    return (*found, *_unresolved(prose, rules, files))


def names_in(text: str) -> tuple[str, ...]:
    """Organisations that a text names by their legal form or kind (`Example Trading Ltd`, `University of Somewhere`), sorted."""
    forms = "|".join(map(re.escape, _rules()["organisation"]["forms"]))
    pattern = rf"\b(?:University|Institute|Academy) of (?:{_CAPITAL} ?){{1,3}}|\b(?!The ){_CAPITAL} (?:(?:& )?{_CAPITAL} ){{0,3}}(?:{forms})\b"
    return tuple(sorted({found.group().strip() for found in re.finditer(pattern, text)}))


def _of_piece(piece: Piece, rules: Mapping[str, Any], organisations: tuple[str, ...]) -> Iterator[LintFinding]:
    for sentence in piece.sentences():
        for ban in rules["banned"]:
            if piece.kind == "cell" and ban.get("prose_only"):
                continue
            yield from (_finding("banned_word", piece, word, sentence, ban) for word in _hits(sentence, tuple(ban["words"]), tuple(ban.get("unless", ()))))
        likely, level = _first(_words(tuple(rules["likelihood"]["words"])), sentence), _first(_levels(), sentence)
        if likely and level:
            yield _finding("likelihood_and_confidence", piece, f"{likely} ... {level}", sentence, rules["likelihood"])
        if piece.kind == "prose":
            yield from (_finding("bare_number", piece, number, sentence, rules["number"]) for number in _bare_numbers(sentence, rules["number"]))
        if rules["attribution"] not in piece.section.lower() and organisations:
            yield from (_finding("named_organisation", piece, name, sentence, rules["organisation"]) for name in _hits(sentence, organisations, ()))


def _unresolved(prose: Prose, rules: Mapping[str, Any], files: Collection[str]) -> Iterator[LintFinding]:
    labels = {found.groups() for piece in prose.pieces if (found := _LABEL.match(piece.text))}
    listed = {piece.text.lower() for piece in prose.pieces if rules["exhibits"] in piece.section.lower() and _EXHIBIT.fullmatch(piece.text)}
    known = listed | {anchor.lower() for anchor in prose.anchors}
    for piece in prose.pieces:
        for found in _MENTION.finditer(piece.text):
            kind, number, exhibit = found.groups()
            if (kind, number) not in labels and (exhibit or number).lower() not in known:
                yield _finding("unresolved_exhibit", piece, found.group(), piece.text, rules["exhibit"])
    for href, place in prose.links:
        target = href.removeprefix("#") in prose.anchors if href.startswith("#") else href in files or "://" in href
        if not target:
            yield LintFinding("unresolved_exhibit", place, redact.for_html(href), "a link", rules["exhibit"]["reason"], rules["exhibit"]["instead"])


def _bare_numbers(sentence: str, rule: Mapping[str, Any]) -> Iterator[str]:
    """Plain numbers that nothing says the unit of: no word behind them or behind the numbers they are listed with, and no label in front."""
    tokens = sentence.split()
    bare = [token.strip(_EDGES) for token in tokens]
    labelled = counted = False
    for place, token in enumerate(bare):
        if not _PLAIN_NUMBER.fullmatch(token) or _VERSION.fullmatch(token):
            labelled = labelled and token.lower() in rule["connectors"]
            continue
        labelled = labelled or _is_labelled(tokens, bare, place, rule)
        has_unit = _has_unit(bare[place + 1 :], tokens[place:], rule)
        is_left_out = counted and bare[place + 1 : place + 2] in (["with"], ["without"])  # `29 detectors, 8 with a hit`
        counted = counted or has_unit
        is_quoted = any(mark in tokens[place] for mark in "'\"\u2018\u2019\u201c\u201d")  # the name of something: 'of 3-5'
        if not (labelled or has_unit or is_left_out or is_quoted or _YEAR.fullmatch(token)):
            yield token


def _is_labelled(tokens: list[str], bare: list[str], place: int, rule: Mapping[str, Any]) -> bool:
    """`Table 3`, `ICD 203`, `n = 12`, `a ratio above 100`, `3 of 12` (which has its n), `below 1`, or the rank in front of a sentence: `6 The median ...`."""
    if _is_share(bare[place : place + 3]) or _is_whole(bare[max(0, place - 6) : place]):
        return True
    if place == 0:
        return len(bare) > 1 and bare[1][:1].isupper()
    if tokens[place - 1].endswith(("=", "\u2248", "<", ">", "\u2264", "\u2265", "\u00a7", "#")):
        return True
    last = bare[place - 1]
    if (last.isupper() and len(last) > 1) or (bare[place] in ("0", "1") and last.lower() in ("above", "below")):
        return True
    before = (word.lower() for word in reversed(bare[max(0, place - 4) : place]))
    return next((word for word in before if word not in rule["bridges"]), "") in rule["labels"]


def _is_share(three: list[str]) -> bool:
    return len(three) == 3 and three[1] in ("of", "in") and bool(_PLAIN_NUMBER.fullmatch(three[0]) and _PLAIN_NUMBER.fullmatch(three[2]))


def _is_whole(before: list[str]) -> bool:
    """Whether a number behind these words is what an earlier one is a part of: `3 accounts of the network's 12`."""
    ends = [place for place, word in enumerate(before) if word in ("of", "in")][-1:]
    return bool(ends) and len(before) - ends[0] <= 3 and any(_PLAIN_NUMBER.fullmatch(word) for word in before[: ends[0]])


def _has_unit(after: list[str], tokens: list[str], rule: Mapping[str, Any]) -> bool:
    """Whether the next word that is neither a number nor joins two of them is one that can be a unit."""
    for word, whole in zip(after, tokens, strict=False):
        if whole.endswith((";", ":", ".", "!", "?")) and _PLAIN_NUMBER.fullmatch(whole.strip(_EDGES)):
            return False
        if word and word.lower() not in rule["connectors"] and not _PLAIN_NUMBER.fullmatch(word):
            return word.lower() not in rule["verbs"]
    return False


def _hits(sentence: str, words: tuple[str, ...], unless: tuple[str, ...]) -> Iterator[str]:
    """Words of the list in a sentence, once each, in its order; not inside a phrase in which they may stand."""
    allowed = [found.span() for found in _words(unless).finditer(sentence)] if unless else []
    seen = set()
    for found in _words(words).finditer(sentence):
        inside = any(start <= found.start() and found.end() <= end for start, end in allowed)
        if not inside and found.group().lower() not in seen:
            seen.add(found.group().lower())
            yield found.group()


def _first(pattern: re.Pattern[str], sentence: str) -> str:
    found = pattern.search(sentence)
    return found.group() if found else ""


@functools.lru_cache(maxsize=64)
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these as whole words, the longest first; a space stands for any white space or a hyphen."""
    spelled = (re.escape(word).replace(r"\ ", r"[\s-]+") for word in sorted(words, key=lambda word: (-len(word), word)) if word)
    return re.compile(rf"(?<![\w,.])(?:{'|'.join(spelled)})(?!\w)", re.IGNORECASE)


@functools.cache
def _levels() -> re.Pattern[str]:
    """A confidence level: `moderate confidence`, `our confidence is low`."""
    level = "|".join(sorted(_rules()["confidence"]["levels"], key=lambda word: (-len(word), word)))
    return re.compile(rf"\b(?:{level})[\s-]+confidence\b|\bconfidence\b[^.;]{{0,40}}?(?:\bis\b|\bwas\b|:)\s*(?:{level})\b", re.IGNORECASE)


@functools.cache
def _rules() -> Mapping[str, Any]:
    return tomllib.loads((assets.reports_folder() / "lint.toml").read_text(encoding="utf-8"))


def _finding(rule: str, piece: Piece, found: str, sentence: str, why: Mapping[str, Any]) -> LintFinding:
    place = redact.for_html(piece.place)
    return LintFinding(rule, place, redact.for_html(found, 80), redact.for_html(sentence, SHOWN), why["reason"], why["instead"])


def counts(findings: Collection[LintFinding]) -> dict[str, int]:
    """Findings by rule, sorted."""
    rules = sorted(finding.rule for finding in findings)
    return {rule: len(list(group)) for rule, group in itertools.groupby(rules)}
