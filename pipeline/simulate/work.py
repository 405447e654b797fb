"""What is asked: the documents, wordings, settings and answer lengths of one activity's requests on one day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.simulate import places, wording
from pipeline.simulate.dials import Activity, Work, World
from pipeline.simulate.documents import Documents
from pipeline.simulate.holders import Holders
from pipeline.simulate.lexicon import BODIES, LANGUAGES, TASKS, THEMES
from pipeline.simulate.rhythms import Events
from pipeline.simulate.seeds import Flags, Floats, Ints, Keys, key_of, keys_of, mix, normal, stream, unit

VARIANTS = {"family": 16, "paraphrase": 768}  # wordings that a request draws on; one for any other template
SHEET_ITEMS = 14  # items of a class's weekly sheet
VERBATIM_SHARE = 0.65  # pupils who paste the item as it stands
MAX_SENTENCES = 260
GROUP_PEOPLE = 12  # who talk over the accounts of a group that shares them
SWITCHING = 0.5  # most of a polyglot's conversations that are in another language than usual
VERBOSITY = 0.7  # sigma of the log of how much one holder writes, against others of the population
CORPUS_TASKS = ("reason", "code", "reason", "extract", "reason", "grade", "code", "rewrite", "reason", "explain")
FOLLOW = TASKS.index("follow")
ENGLISH, CODE, TABLE = BODIES.index("en"), BODIES.index("code"), BODIES.index("table")
COUNTRY_BODY = np.array([BODIES.index(entry[3]) for entry in places.COUNTRIES], dtype=np.int64)
assert set(LANGUAGES) <= set(BODIES)


@dataclass(frozen=True)
class Settings:
    """Output cap and temperature in thousandths (-1: not sent), and streaming, one row a request."""

    max_tokens: Ints
    temperature_milli: Ints
    stream: Ints


@dataclass
class WordBook:
    """The world's templates and system prompts; rows refer to them by number. 0 is the empty one in both."""

    wordings: list[wording.Wording]
    systems: list[str]

    @classmethod
    def empty(cls) -> WordBook:
        """A book that holds only the empty wording and the empty system prompt."""
        return cls([wording.NO_WORDING], [""])

    def add_wordings(self, entries: tuple[wording.Wording, ...]) -> int:
        """Adds them; the number of the first."""
        self.wordings.extend(entries)
        return len(self.wordings) - len(entries)

    def add_systems(self, entries: tuple[str, ...]) -> int:
        """Adds them; the number of the first."""
        self.systems.extend(entries)
        return len(self.systems) - len(entries)

    def frozen(self) -> Phrases:
        """The book as Arrow columns."""
        heads, tails = (pa.array([getattr(entry, end) for entry in self.wordings], pa.string()) for end in ("head", "tail"))
        return Phrases(heads, tails, pa.array(self.systems, pa.string()))


@dataclass(frozen=True)
class Phrases:
    """A finished WordBook: what stands before and after the user's own text, and system prompts, by number."""

    heads: pa.StringArray
    tails: pa.StringArray
    systems: pa.StringArray


@dataclass(frozen=True)
class Habits:
    """What one population's holders keep from day to day: first wording and first system prompt of each (0: none)."""

    wordings: Ints
    systems: Ints


def main_task(work: Work) -> str:
    """The task that most of the work is about."""
    return max(work.tasks, key=lambda entry: entry[1])[0]


def habits(holders: Holders, work: Work, names: tuple[object, ...], seed: int, book: WordBook, client_systems: int) -> Habits:
    """Draws the templates and system prompts of an activity into the book; `client_systems` is the popular client's first one there."""
    return Habits(_first_wordings(holders, work, names, seed, book), _first_systems(holders, work, names, seed, book, client_systems))


def _first_wordings(holders: Holders, work: Work, names: tuple[object, ...], seed: int, book: WordBook) -> Ints:
    wordings = np.zeros(len(holders), np.int64)
    if work.template in ("group", "family", "paraphrase", "injected"):
        for group in np.unique(holders.group).tolist():
            rng = stream(seed, *names, "template", group)
            wordings[holders.group == group] = book.add_wordings(_group_wordings(rng, work))
    if work.template == "public":
        rng = stream(seed, *names, "template")
        wordings[:] = book.add_wordings((wording.template(rng, _template_task(work, rng)),))
    if work.template == "own":
        for row in np.flatnonzero(unit(mix(holders.key + np.uint64(33))) < work.template_holders).tolist():
            rng = stream(seed, *names, "template", row)
            wordings[row] = book.add_wordings((wording.template(rng, _template_task(work, rng)),))
    return wordings


def _group_wordings(rng: np.random.Generator, work: Work) -> tuple[wording.Wording, ...]:
    task = _template_task(work, rng)
    if work.template == "injected":
        return (wording.instruction(rng, task),)
    if work.template == "paraphrase":
        return wording.paraphrases(rng, task, VARIANTS["paraphrase"])
    return wording.family(rng, task, VARIANTS.get(work.template, 1))


def _first_systems(holders: Holders, work: Work, names: tuple[object, ...], seed: int, book: WordBook, client_systems: int) -> Ints:
    systems = np.full(len(holders), client_systems if work.system == "client" else 0, np.int64)
    if work.system == "group":
        for group in np.unique(holders.group).tolist():
            systems[holders.group == group] = book.add_systems((wording.system_prompt(stream(seed, *names, "system", group), 9),))
    if work.system == "own":
        for row in np.flatnonzero(unit(mix(holders.key + np.uint64(31))) < 0.4).tolist():
            systems[row] = book.add_systems((wording.system_prompt(stream(seed, *names, "system", row), 4),))
    return systems


def _template_task(work: Work, rng: np.random.Generator) -> str:
    known = [entry for entry in work.tasks if entry[0] in wording.GOALS]
    weights = np.array([weight for _, weight in known])
    return known[int(rng.choice(len(known), p=weights / weights.sum()))][0]


def documents(world: World, holders: Holders, persons: Keys, activity: Activity, happened: Events, names: tuple[object, ...], seed: int, day: int) -> Documents:
    """The user's own text of each request; `persons` is the key of whoever writes it. What follows the first turn of a conversation is always their own words."""
    work = activity.work
    if work.source == "people":
        persons = mix(happened.conversation + np.uint64(19))
    if work.source == "members":
        persons = mix(holders.group_key[happened.origin] + mix(happened.conversation + np.uint64(19)) % np.uint64(GROUP_PEOPLE))
    own = _own_text(world, holders, persons, work, happened)
    if work.source in ("own", "people", "members"):
        return own
    if work.source == "corpus":
        items = _corpus_items(*_corpus_choice(world, holders, activity, happened, names, seed), seed)
    elif work.source == "benchmark":
        corpus = _preferred_corpora(world, work, holders.group_key + np.uint64(1))[happened.holder]
        items = _corpus_items(corpus, happened.job % work.items, np.zeros(len(happened), np.bool_), key_of(seed, "benchmark"), seed)
    else:
        items = _sheet(holders, work, happened, names, seed, day)
    verbatim = VERBATIM_SHARE if work.source == "assignment" else 1.0
    taken = (happened.turn == 0) & (unit(mix(happened.conversation + np.uint64(17))) < verbatim)
    return Documents(*(np.where(taken, getattr(items, name), getattr(own, name)) for name in ("seed", "task", "body", "theme", "sentences")))


def _own_text(world: World, holders: Holders, persons: Keys, work: Work, happened: Events) -> Documents:
    seeds = mix(happened.conversation + mix(happened.turn.astype(np.uint64) + np.uint64(1)))
    task = _weighted(work.tasks, unit(mix(happened.conversation + np.uint64(3))))
    taste = mix(persons + mix(happened.conversation) % np.uint64(4))
    theme = (taste % np.uint64(len(THEMES))).astype(np.int64)
    body = _language(world, work, persons, happened.conversation, holders.country[happened.origin])
    median = np.where(happened.turn > 0, 0.5, 1.0) * work.sentences * np.exp(VERBOSITY * normal(persons + np.uint64(43)))
    return _document(seeds, np.where(happened.turn > 0, FOLLOW, task), body, theme, median, work)


def _language(world: World, work: Work, persons: Keys, conversation: Keys, country: Ints) -> Ints:
    """English, or the language of the writer's country; polyglots switch for some of their conversations, to a language of their own choice."""
    foreign = unit(mix(persons + np.uint64(41))) < work.foreign_share
    anywhere = (mix(persons + np.uint64(42)) % np.uint64(len(COUNTRY_BODY))).astype(np.int64)
    usual = np.where(foreign, COUNTRY_BODY[anywhere if work.source == "people" else country], ENGLISH)
    rate = SWITCHING * unit(mix(persons + np.uint64(46))) * (unit(mix(persons + np.uint64(44))) < world.polyglot)
    other = np.where(usual == ENGLISH, COUNTRY_BODY[anywhere], ENGLISH)
    return np.where(unit(mix(conversation + np.uint64(45))) < rate, other, usual)


def _document(seeds: Keys, task: Ints, body: Ints, theme: Ints, median: Floats, work: Work) -> Documents:
    which = unit(mix(seeds + np.uint64(5)))
    body = np.where(which < work.code_share, CODE, np.where(which > 1.0 - work.table_share, TABLE, body))
    return Documents(seeds, task, body, theme, _length(median, seeds))


def _length(median: Floats, seeds: Keys) -> Ints:
    """Sentences: log-normal by the seed alone, with a long tail of pasted text."""
    pasted = np.where(unit(mix(seeds + np.uint64(9))) < 0.03, 8.0, 1.0)
    return np.asarray(np.clip(np.rint(median * pasted * np.exp(0.75 * normal(seeds + np.uint64(7)))), 1, MAX_SENTENCES), dtype=np.int64)


def _corpus_choice(world: World, holders: Holders, activity: Activity, happened: Events, names: tuple[object, ...], seed: int) -> tuple[Ints, Ints, Flags, np.uint64]:
    work = activity.work
    if activity.pooled:
        return _work_list(world, work, len(holders), happened, key_of(seed, *names, "list"))
    which = (mix(happened.conversation) % np.uint64(work.corpora)).astype(np.int64)
    corpus = _preferred_corpora(world, work, holders.key[happened.holder] + which.astype(np.uint64))
    start = _start_item(world, holders)
    walked = start[happened.holder] + (unit(mix(happened.conversation + np.uint64(13))) * 600.0).astype(np.int64)
    return corpus, walked % world.corpus_items, np.zeros(len(happened), np.bool_), np.uint64(0)


def _start_item(world: World, holders: Holders) -> Ints:
    """Where a stranger's script began in a public corpus: a third at its first item, the others anywhere."""
    anywhere = (mix(holders.key + np.uint64(51)) % np.uint64(world.corpus_items)).astype(np.int64)
    return np.where(unit(mix(holders.key + np.uint64(52))) < 0.33, 0, anywhere)


def _work_list(world: World, work: Work, members: int, happened: Events, namespace: np.uint64) -> tuple[Ints, Ints, Flags, np.uint64]:
    """Job k takes item a*k + b of the campaign's list (a prime to its length: no repeat before the list is done), or any item with replacement.

    Sharded, it takes the next item of the account's own part.
    """
    corpora = _distinct_corpora(world, work, namespace)
    public_items = len(corpora) * world.corpus_items
    size = _prime_above(int(public_items / (1.0 - work.beyond)))
    part = max(1, size // members)
    if work.sharded:
        step = keys_of(namespace, happened.origin * size + happened.job).astype(np.uint64) % np.uint64(part)
        item = happened.origin * part + (step.astype(np.int64) if work.replacement else happened.job % part)
    elif work.replacement:
        item = (keys_of(namespace, happened.job) % np.uint64(size)).astype(np.int64)
    else:
        item = (happened.job * (1 + int(namespace % np.uint64(size - 1))) + int(namespace >> np.uint64(40))) % size
    public = item < public_items
    slot = np.where(public, item // world.corpus_items, item % len(corpora))
    return corpora[slot], np.where(public, item % world.corpus_items, item), ~public, namespace


def _distinct_corpora(world: World, work: Work, key: np.uint64) -> Ints:
    """The campaign's public corpora, no corpus twice, likelier the more they are about its tasks (weighted sample by exponential keys)."""
    draw = unit(keys_of(key, np.arange(world.corpora)))
    return np.argsort(-np.log(1.0 - draw) / _corpus_weights(world, work), kind="stable")[: work.corpora]


def _prime_above(number: int) -> int:
    candidate = max(number, 3) | 1
    while any(candidate % d == 0 for d in range(3, int(candidate**0.5) + 1, 2)):
        candidate += 2
    return candidate


def _preferred_corpora(world: World, work: Work, keys: Keys) -> Ints:
    """A public corpus for each key, by the weight of the tasks that the work is about."""
    share = _corpus_weights(world, work)
    return np.asarray(np.searchsorted(np.cumsum(share / share.sum()), unit(mix(keys)), side="right").clip(0, world.corpora - 1), dtype=np.int64)


def _corpus_weights(world: World, work: Work) -> Floats:
    weight = dict(work.tasks)
    return np.array([weight.get(CORPUS_TASKS[corpus % len(CORPUS_TASKS)], 0.02) for corpus in range(world.corpora)])


def _corpus_items(corpus: Ints, item: Ints, private: Flags, namespace: np.uint64, seed: int) -> Documents:
    """Items of the public corpora, which are the same for everyone, and of a campaign's private list."""
    public_key = keys_of(key_of(seed, "corpora"), corpus * 1_000_000 + item)
    seeds = np.where(private, keys_of(namespace, item), public_key)
    task = np.array([TASKS.index(name) for name in CORPUS_TASKS], dtype=np.int64)[corpus % len(CORPUS_TASKS)]
    theme = ((mix(corpus.astype(np.uint64)) + mix(seeds) % np.uint64(5)) % np.uint64(len(THEMES))).astype(np.int64)
    law = Work(code_share=0.12, table_share=0.06)
    return _document(seeds, task, np.full(len(seeds), ENGLISH), theme, np.where(corpus % 3 == 0, 2.0, 4.0), law)


def _sheet(holders: Holders, work: Work, happened: Events, names: tuple[object, ...], seed: int, day: int) -> Documents:
    """A class's sheet of the week: the same items for all."""
    item = (mix(happened.conversation) % np.uint64(SHEET_ITEMS)).astype(np.int64)
    seeds = keys_of(key_of(seed, *names, "sheet"), holders.group[happened.holder] * 100_000 + (day // 7) * 100 + item)
    theme = (mix(holders.group_key[happened.holder]) % np.uint64(len(THEMES))).astype(np.int64)
    return _document(seeds, _weighted(work.tasks, unit(mix(seeds))), np.full(len(seeds), ENGLISH), theme, np.full(len(seeds), work.sentences), work)


def _weighted(tasks: tuple[tuple[str, float], ...], draw: Floats) -> Ints:
    share = np.array([weight for _, weight in tasks])
    place = np.searchsorted(np.cumsum(share / share.sum()), draw, side="right").clip(0, len(tasks) - 1)
    return np.asarray(np.array([TASKS.index(name) for name, _ in tasks], dtype=np.int64)[place], dtype=np.int64)
