"""Wordings drawn by seed: prompt templates, families of templates, and system prompts.

Every wording is composed afresh from frames and choices, so that no world repeats another's sentences and nothing in detection
can be tuned to a literal. Innocent scripts and campaigns draw from the same frames: asking for written-out reasoning is
common among both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pipeline.simulate.words import words

CHOICES = {
    "role": words("specialist analyst reviewer tutor editor engineer assistant examiner consultant clerk translator planner researcher librarian"),
    "field": words(
        "logistics|contract law|public health|software|applied mathematics|household finance|primary teaching|field biology|customer care|energy supply|local history|music theory|"
        "insurance|building repair",
        "|",
    ),
    "manner": words("careful patient strict thorough plain friendly precise sober methodical brisk"),
    "unit": words("item task record case question sample passage entry problem ticket"),
    "part": words("assumption step figure claim definition source quantity condition option constraint"),
    "verb": words("examine|treat|settle|work through|read|assess|handle|resolve|study|take apart", "|"),
    "result": words("answer conclusion verdict result reply decision solution"),
    "tag": words("analysis reasoning notes working trace thinking steps draft"),
    "shape": words("JSON object|numbered list|short table|single paragraph|set of bullet points|plain text block|two column table", "|"),
    "limit": words("40 60 80 120 150 200 250 300 400 600"),
    "reader": words("a colleague|a new member of staff|a busy manager|a pupil|an inspector|a customer|a second reviewer", "|"),
    "give": words("give|state|write|report|set down|hand back|commit to|settle on", "|"),
    "say": words("say|note|explain|record|make clear|spell out|show", "|"),
    "each": words("each|every|any", "|"),
    "full": words("in full|in plain words|in order|without gaps|as it occurs to you|one below the other", "|"),
    "tone": words("neutral formal warm direct simple technical"),
}
ROLES = (
    "You are a {manner} {role} who has worked in {field} for many years.",
    "Act as a {role} for {field}.",
    "Take the part of a {manner} {role}.",
    "You help {reader} with questions of {field}.",
    "Below is one {unit} from our work in {field}.",
    "The following {unit} comes from {field}.",
    "As a {manner} {role}, {verb} the {unit} that follows.",
    "Here is the next {unit}.",
)
GOALS = {
    "reason": (
        "{verb} the {unit} one {part} at a time and {say} why {each} {part} holds before you {give} the {result}.",
        "Write down {each} {part} of your {tag} {full} between <{tag}> marks, then {give} the {result}.",
        "Set out {each} {part} {full}, {say} how it bears on the others, and only then {give} the {result}.",
        "Leave out no {part}: {reader} must be able to follow {full} how the {result} was reached.",
    ),
    "code": (
        "{give} working code and {say} {full} what {each} {part} is for.",
        "Write the code first, then name each {part} that a test must cover.",
        "Keep the interface, handle every {part}, and show the finished function.",
        "Give the whole file after the change, with a remark where a {part} was unclear.",
    ),
    "plan": (
        "Lay out the actions in order, with the {part} that each one needs.",
        "Decide the next action, name the tool, and give its arguments as a {shape}.",
        "Work out a plan with a check after each {part} and a way back if it fails.",
    ),
    "grade": (
        "{give} a mark from 1 to 10 for {each} {part} and {say} the grounds {full}.",
        "Say which {result} is better, by how much, and which {part} decided it.",
        "Judge the {result} against every {part} of the rubric before the total.",
    ),
    "rewrite": ("Rewrite it for {reader} in a {tone} tone.", "Keep each {part} but say it in a {tone} way.", "Turn it into a {shape} that {reader} can use."),
    "extract": (
        "{give} a {shape} with one field for {each} {part} {full}.",
        "List each {part} that occurs, in order, as a {shape}.",
        "Choose one label and name the {part} that decided it.",
    ),
    "explain": (
        "Explain it to {reader}, with an example for each {part}.",
        "Give an overview first and one paragraph for each {part}.",
        "Answer in a {tone} tone and mention each {part} once.",
    ),
}
EXTRAS = (
    "Use at most {limit} words.",
    "Use at least {limit} words.",
    "Answer as a {shape}.",
    "If a {part} is missing, say so instead of guessing.",
    "Mark each {part} that you are not sure of.",
    "Do not repeat the {unit}.",
    "Finish with the {result} on a line of its own.",
    "Put the {result} between <{tag}> marks.",
    "Write for {reader}.",
    "Keep a {tone} tone.",
    "Begin with the hardest {part}.",
    "State the {result} twice, in words and in figures.",
    "Name one other {result} that was possible and why it was left out.",
    "No greeting and no closing line.",
)
DUTIES = (
    "When asked about {field}, begin with the {part} that matters most.",
    "Never reveal an internal {unit} to {reader}.",
    "Prefer a {shape} where the {result} has more than one {part}.",
    "Ask before you change a {part}.",
    "Read the whole {unit} before you {verb} it.",
    "If a tool fails, report the {part} and go on with the next {unit}.",
    "Quote the {part} on which a {result} rests.",
    "Keep to {field} and decline other work in a {tone} tone.",
    "Use at most {limit} words unless {reader} asks for more.",
    "Run the checks after every {part} and show what failed.",
    "Do not invent a {part}.",
    "Write file paths and names exactly as the {unit} gives them.",
)
WRAPS = (("\n\n", ""), ("\n---\n", "\n---"), ('\n"""\n', '\n"""'), ("\nInput: ", "\nOutput:"), (' "', '"'), ("\n<text>\n", "\n</text>"), ("\n\n### {unit}\n", "\n\n### {result}"))
T = TypeVar("T")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Wording:
    """What stands before and after the user's own text."""

    head: str
    tail: str


NO_WORDING = Wording("", "")


def template(rng: np.random.Generator, task: str) -> Wording:
    """One prompt template for a task of GOALS: four to seven sentences around the item."""
    return family(rng, task, 1)[0]


def family(rng: np.random.Generator, task: str, variants: int) -> tuple[Wording, ...]:
    """Variations of one template: each keeps most sentences, words a third of them afresh, and may drop one."""
    goals = GOALS[task]
    frames = [_pick(rng, ROLES), _pick(rng, goals), *(EXTRAS[place] for place in rng.permutation(len(EXTRAS))[: rng.integers(2, 5)].tolist())]
    base = [_fill(rng, frame) for frame in frames]
    wrap = _pick(rng, WRAPS)
    after = bool(rng.random() < 0.3)
    ends = tuple(_fill(rng, end) for end in wrap)
    made = [_wrapped(base, ends, after)]
    for _ in range(variants - 1):
        worded = [_fill(rng, frame) if rng.random() < 0.34 else kept for frame, kept in zip(frames, base, strict=True)]
        if rng.random() < 0.3:
            worded.pop(int(rng.integers(2, len(worded))))
        made.append(_wrapped(worded, ends, after))
    return tuple(made)


def system_prompt(rng: np.random.Generator, sentences: int) -> str:
    """A system prompt of the given number of sentences (1 and more), about 65 characters each."""
    lines = [_fill(rng, _pick(rng, ROLES[:4])), *(_fill(rng, _pick(rng, DUTIES + EXTRAS)) for _ in range(sentences - 1))]
    return " ".join(lines)


def versions(rng: np.random.Generator, sentences: int, count: int) -> tuple[str, ...]:
    """One client's system prompt over its versions: each changes a twentieth of the sentences of the one before."""
    lines = [_fill(rng, _pick(rng, ROLES[:4])), *(_fill(rng, _pick(rng, DUTIES + EXTRAS)) for _ in range(sentences - 1))]
    made = [" ".join(lines)]
    for _ in range(count - 1):
        for place in rng.choice(sentences, max(1, sentences // 20), replace=False):
            lines[int(place)] = _fill(rng, _pick(rng, DUTIES))
        made.append(" ".join(lines))
    return tuple(made)


def _wrapped(sentences: list[str], ends: tuple[str, ...], after: bool) -> Wording:
    if after:
        return Wording(sentences[0] + ends[0], ends[1] + "\n\n" + " ".join(sentences[1:]))
    return Wording(" ".join(sentences) + ends[0], ends[1])


def _pick(rng: np.random.Generator, options: tuple[T, ...]) -> T:
    return options[int(rng.integers(len(options)))]


def _fill(rng: np.random.Generator, frame: str) -> str:
    text = _SLOT.sub(lambda slot: CHOICES[slot[1]][int(rng.integers(len(CHOICES[slot[1]])))], frame)
    return text[:1].upper() + text[1:] if text[:1].isalpha() else text
