"""Documents: the user's own text, each a function of its seed, task, theme, body and length alone.

A document opens with one sentence that states its task and goes on with sentences of its body (English, code, or a table); in another language every sentence is of the body.
`render` writes any number of them at once, as integer work on token numbers with one Arrow join at the end: about 25 million characters a second on one core.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.simulate.lexicon import BODIES, FOREIGN_BODIES, NO_TOKEN, TASKS, THEMES, lexicon
from pipeline.simulate.seeds import Ints, Keys, mix, unit

THEMED_SHARE = 0.6  # nouns that come from the document's theme rather than from the whole language
STOCK = 4096  # ready texts for worlds of cheap text
SKEW = 3.0  # a word's rank is size * u ** SKEW: common words are common, and the tail is long


@dataclass(frozen=True)
class Documents:
    """Equal-length columns, one row a document: seed, task and body (numbers in TASKS and BODIES), theme, sentences (1 and more)."""

    seed: Keys
    task: Ints
    body: Ints
    theme: Ints
    sentences: Ints

    def take(self, rows: Ints) -> Documents:
        """The documents at the given rows."""
        return Documents(self.seed[rows], self.task[rows], self.body[rows], self.theme[rows], self.sentences[rows])


def concat(parts: list[Documents]) -> Documents:
    """The documents of all parts, in order. No parts give no documents."""
    empty = np.empty(0, np.int64)
    if not parts:
        return Documents(empty.astype(np.uint64), empty, empty, empty, empty)
    return Documents(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("seed", "task", "body", "theme", "sentences")))


def render(documents: Documents) -> pa.StringArray:
    """The text of each document, in order. No documents give an empty array."""
    lex = lexicon()
    count = len(documents.seed)
    if count == 0:
        return pa.array([], pa.string())
    owner = np.repeat(np.arange(count), documents.sentences)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(documents.sentences) - documents.sentences, documents.sentences)
    sentence_key = mix(documents.seed[owner] + mix(place.astype(np.uint64)))
    pattern_set = np.where((place == 0) & ~np.isin(documents.body, FOREIGN_BODIES)[owner], documents.task[owner], len(TASKS) + documents.body[owner])
    pattern = lex.set_first[pattern_set] + (sentence_key % lex.set_size[pattern_set].astype(np.uint64)).astype(np.int64)
    codes = lex.patterns[pattern]
    sentence, slot = np.nonzero(codes != NO_TOKEN)
    flat = codes[sentence, slot]
    tokens = _fill(flat, mix(sentence_key[sentence] + slot.astype(np.uint64)), documents.theme[owner[sentence]])
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(owner[sentence], minlength=count), out=offsets[1:])
    lists = pa.ListArray.from_arrays(pa.array(offsets), lex.tokens.take(pa.array(tokens)))
    return pc.utf8_ltrim_whitespace(pc.binary_join(lists, ""))


@cache
def stock() -> pa.StringArray:
    """STOCK short texts of all tasks, bodies and themes, for worlds whose prompts need not be anybody's."""
    number = np.arange(STOCK)
    return render(Documents(mix(number.astype(np.uint64)), number % len(TASKS), number // 7 % len(BODIES), number // 3 % len(THEMES), 1 + number % 4))


def _fill(codes: Ints, keys: Keys, theme: Ints) -> Ints:
    lex = lexicon()
    tokens = codes.copy()
    slots = np.flatnonzero(codes < 0)
    kind = -1 - codes[slots]
    key = keys[slots]
    themed = (kind == lex.noun_class) & (unit(mix(key)) < THEMED_SHARE)
    kind = np.where(themed, lex.first_theme_class + theme[slots], kind)
    rank = np.floor(lex.class_size[kind] * unit(key) ** SKEW).astype(np.int64)
    tokens[slots] = lex.class_first[kind] + rank
    return tokens
