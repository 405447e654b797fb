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

from pipeline.simulate import words as lists

CHOICES = {
    "role": lists.words("specialist analyst reviewer tutor editor engineer assistant examiner consultant clerk translator planner researcher librarian"),
    "field": lists.words(
        "logistics|contract law|public health|software|applied mathematics|household finance|primary teaching|field biology|customer care|energy supply|local history|music theory|"
        "insurance|building repair",
        "|",
    ),
    "manner": lists.words("careful patient strict thorough plain friendly precise sober methodical brisk"),
    "unit": lists.words("item task record case question sample passage entry problem ticket"),
    "part": lists.words("assumption step figure claim definition source quantity condition option constraint"),
    "verb": lists.words("examine|treat|settle|work through|read|assess|handle|resolve|study|take apart", "|"),
    "result": lists.words("answer conclusion verdict result reply decision solution"),
    "tag": lists.words("analysis reasoning notes working trace thinking steps draft"),
    "shape": lists.words("JSON object|numbered list|short table|single paragraph|set of bullet points|plain text block|two column table", "|"),
    "limit": lists.words("40 60 80 120 150 200 250 300 400 600"),
    "reader": lists.words("a colleague|a new member of staff|a busy manager|a pupil|an inspector|a customer|a second reviewer", "|"),
    "give": lists.words("give|state|write|report|set down|hand back|commit to|settle on", "|"),
    "say": lists.words("say|note|explain|record|make clear|spell out|show", "|"),
    "each": lists.words("each|every|any", "|"),
    "full": lists.words("in full|in plain words|in order|without gaps|as it occurs to you|one below the other", "|"),
    "noun": lists.GENERAL_NOUNS + [noun for theme in lists.THEMES.values() for noun in theme.split()],
    "tone": lists.words("neutral formal warm direct simple technical"),
}
ROLES = (
    "You are [a|our|the most] {manner} {role} [who has worked in|with a name for|in charge of] {field} [for many years|and the {noun} desk|here].",
    "Act as [a|our|the] {manner} {role} for {field} [and its {noun}|with an eye for the {noun}|at a {noun} office].",
    "Take the part of a {manner} {role} [in|for|from] {field} [who knows every {noun}|who checks the {noun} first|with a {noun} to keep].",
    "You help {reader} with [questions|work|papers|decisions] of {field}[, mostly about the {noun}| and a {noun} now and then|].",
    "Below is [one|the next|another] {unit} from our [work|archive|files|desk] in {field}[, taken from the {noun} set| with its {noun}|].",
    "[The following|This next|The attached] {unit} [comes from|was met in|belongs to] {field}[ and concerns a {noun}|, the {noun} part|].",
    "As a {manner} {role} [of|for] the {noun} [team|desk|group], {verb} the {unit} that follows.",
    "Here is the next {unit}[ of the {noun} series| for the {noun}|].",
)
GOALS = {
    "reason": (
        "{verb} the {unit} one {part} at a time and {say} why {each} {part} [holds|is needed|matters for the {noun}] before you {give} the {result}.",
        "Write down {each} {part} of your {tag} {full} between <{tag}> marks, [then|and after that|and last of all] {give} the {result}.",
        "Set out {each} {part} {full}, {say} how it bears on the [others|{noun}|rest of the {unit}], and only then {give} the {result}.",
        "Leave out no {part}: {reader} must be able to follow {full} how the {result} [was reached|came about from the {noun}|rests on the {noun}].",
        "[Think|Reason] {full} about the {noun}, {say} {each} {part} you rely on, [weigh|test|doubt] it, and {give} the {result} [last|at the end|below].",
    ),
    "code": (
        "{give} working code and {say} {full} what {each} {part} of the {noun} is for.",
        "Write the code [first|in one block], then {say} {full} {each} {part} that a test of the {noun} must cover.",
        "Keep the interface [of the {noun}|as it is], handle {each} {part} {full}, and {give} the finished function.",
        "{give} the whole file after the change, with a remark where a {part} [was unclear|touches the {noun}].",
    ),
    "plan": (
        "Lay out the actions [in order|by {noun}], with the {part} that each one needs [from the {noun}|to begin].",
        "Decide the next action [for the {noun}|], name the tool, and {give} its arguments as a {shape}.",
        "Work out a plan [for the {noun}|] with a check after {each} {part} and a way back if [it fails|the {noun} is lost].",
    ),
    "grade": (
        "{give} a mark from 1 to [5|10|20|100] for {each} {part} [of the {noun}|] and {say} the grounds {full}.",
        "Say which {result} is better [for the {noun}|], by how much, and {say} {full} which {part} decided it.",
        "Judge the {result} against {each} {part} of the [{noun} rubric|rubric|sheet] before the total, and {say} why {full}.",
    ),
    "rewrite": (
        "Rewrite [it|the {noun} part] for {reader} in a {tone} tone[ and keep the {noun}|].",
        "Keep {each} {part} [of the {noun}|] but say it in a {tone} way[ for {reader}|].",
        "Turn [it|the {noun}] into a {shape} that {reader} can use[ without the {unit}|].",
    ),
    "extract": (
        "{give} a {shape} with one field for {each} {part} [of the {noun}|{full}].",
        "List {each} {part} [of the {noun}|that occurs], {full}, as a {shape}.",
        "Choose one label [for the {noun}|] and {say} {full} which {part} decided it.",
    ),
    "explain": (
        "Explain [it|the {noun}] to {reader}, with an example for {each} {part}.",
        "{give} an overview [of the {noun}|] first and one paragraph for {each} {part} {full}.",
        "Answer in a {tone} tone and {say} {each} {part} [of the {noun}|once].",
    ),
}
STOCK = ("No greeting and no closing line.", "Do not repeat the question.", "Answer in English.", "Return only the answer.", "Be concise.")
EXTRAS = (
    *STOCK,
    "Use at [most|least] {limit} words [in all|for the {noun}|for {each} {part}].",
    "[Answer|Reply|Write it up] as a {shape} [with the {noun} on top|for {reader}|of {limit} words].",
    "If a {part} [is missing|of the {noun} is missing|cannot be read], say so [instead of guessing|and stop|and go on].",
    "[Mark|Flag|Underline] {each} {part} [that you are not sure of|that touches the {noun}|taken from the {unit}].",
    "[Do not|Never] [repeat|quote|change] the {noun} [of the {unit}|in the {result}].",
    "[Finish|End|Close] with the {result} on a line of its own[ after the {noun}|].",
    "Put the {result} between <{tag}> marks[ and the {noun} outside|].",
    "[Write|Phrase it|Word it] for {reader} [who has no {noun}|in a {tone} tone|and keep the {noun}].",
    "Begin with the [hardest|oldest|plainest] {part} [of the {noun}|in the {unit}].",
    "State the {result} twice, [in words and in figures|before and after the {noun}].",
    "Name one other {result} that was possible and {say} {full} why [it was left out|the {noun} spoke against it].",
)
DUTIES = (
    "When asked about {field}, begin with the {part} that matters most [for the {noun}|to {reader}].",
    "Never reveal an internal {unit} [or a {noun}|] to {reader}.",
    "Prefer a {shape} where the {result} has more than one {part}[ or a {noun}|].",
    "Ask before you change a {part} [of the {noun}|].",
    "Read the whole {unit} [and its {noun}|] before you {verb} it.",
    "If a tool fails, report the {part} and go on with the next [{unit}|{noun}].",
    "Quote the {part} [of the {noun}|] on which a {result} rests.",
    "Keep to {field} [and the {noun}|] and decline other work in a {tone} tone.",
    "Use at most {limit} words unless {reader} asks for [more|the {noun}].",
    "Run the checks after {each} {part} [of the {noun}|] and show what failed.",
    "Do not invent a {part} [for the {noun}|].",
    "Write file paths and names exactly as the [{unit}|{noun}] gives them.",
)
WRAPS = (("\n\n", ""), ("\n---\n", "\n---"), ('\n"""\n', '\n"""'), ("\nInput: ", "\nOutput:"), (' "', '"'), ("\n<text>\n", "\n</text>"), ("\n\n### {unit}\n", "\n\n### {result}"))
T = TypeVar("T")
_SLOT = re.compile(r"\{(\w+)\}")
_EITHER = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


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


def paraphrases(rng: np.random.Generator, task: str, variants: int) -> tuple[Wording, ...]:
    """Templates that ask for the same and share no sentence on purpose: every frame, word and order is drawn afresh."""
    return tuple(template(rng, task) for _ in range(variants))


def instruction(rng: np.random.Generator, task: str) -> Wording:
    """One instruction to stand behind whatever the user wrote: two or three sentences and no role."""
    frames = [_pick(rng, GOALS[task]), *(EXTRAS[place] for place in rng.permutation(len(EXTRAS))[: rng.integers(1, 3)].tolist())]
    return Wording("", "\n\n" + " ".join(_fill(rng, frame) for frame in frames))


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
    chosen = _EITHER.sub(lambda options: _pick(rng, tuple(options[1].split("|"))), frame)
    text = _SLOT.sub(lambda slot: CHOICES[slot[1]][int(rng.integers(len(CHOICES[slot[1]])))], chosen)
    text = re.sub(r" +([.,]| )", r"\1", text)
    return text[:1].upper() + text[1:] if text[:1].isalpha() else text
