"""The grammar: a document is a function of its own numbers, the vocabulary is wide, and wordings vary by seed."""

import re

import numpy as np
import pytest

from pipeline.simulate import documents, wording
from pipeline.simulate.lexicon import BODIES, LANGUAGES, TASKS, THEMES, lexicon
from pipeline.simulate.seeds import keys_of, mix, normal, stream, unit


def some_documents(count: int, body: str | None = None) -> documents.Documents:
    rng = stream(1, "documents")
    bodies = rng.integers(0, len(BODIES), count) if body is None else np.full(count, BODIES.index(body))
    sentences = np.clip(rng.lognormal(1.0, 0.9, count), 1, 80).astype(np.int64)
    return documents.Documents(rng.integers(0, 2**63, count, dtype=np.uint64), rng.integers(0, len(TASKS), count), bodies, rng.integers(0, len(THEMES), count), sentences)


def test_a_documents_text_does_not_depend_on_its_neighbours():
    docs = some_documents(300)
    together = documents.render(docs).to_pylist()
    alone = [documents.render(docs.take(np.array([row])))[0].as_py() for row in range(0, 300, 7)]
    backwards = documents.render(docs.take(np.arange(300)[::-1])).to_pylist()[::-1]
    assert together[::7] == alone
    assert together == backwards


def test_no_documents_give_no_text():
    assert len(documents.render(documents.concat([]))) == 0


def test_every_document_has_text_and_longer_documents_have_more():
    docs = some_documents(2000)
    lengths = np.array([len(text) for text in documents.render(docs).to_pylist()])
    assert lengths.min() > 0
    assert np.corrcoef(lengths, docs.sentences)[0, 1] > 0.8


def test_the_vocabulary_runs_to_thousands_of_words():
    texts = documents.render(some_documents(20_000, "en")).to_pylist()
    used = {word.lower() for text in texts for word in re.findall(r"[A-Za-z]{3,}", text)}
    assert len(used) > 5000


@pytest.mark.parametrize(("body", "sign"), [("de", " und | ist "), ("es", " la | el "), ("fr", " la | le "), ("zh", "[\u4e00-\u9fff]"), ("code", r"return|\(|="), ("table", r"\|")])
def test_each_body_reads_like_itself(body, sign):
    texts = documents.render(some_documents(200, body)).to_pylist()
    long = [text for text, sentences in zip(texts, some_documents(200, body).sentences, strict=True) if sentences >= 4]
    assert np.mean([bool(re.search(sign, text)) for text in long]) > 0.9


def test_every_language_of_the_world_has_sentences():
    assert set(LANGUAGES) <= set(BODIES)


def test_texts_of_one_theme_share_more_words_than_texts_of_two():
    rng = stream(2, "themes")
    count = 400
    english = np.full(count, BODIES.index("en"))
    theme = np.repeat([0, 1], count // 2)
    docs = documents.Documents(rng.integers(0, 2**63, count, dtype=np.uint64), np.full(count, TASKS.index("explain")), english, theme, np.full(count, 8))
    words = [set(re.findall(r"[a-z]{5,}", text)) for text in documents.render(docs).to_pylist()]
    half = count // 2
    within = np.mean([len(words[row] & words[row + 1]) for row in range(0, half - 1, 2)])
    across = np.mean([len(words[row] & words[row + half]) for row in range(0, half - 1, 2)])
    assert within > across


def test_pattern_rows_hold_tokens_and_slots_only():
    lex = lexicon()
    codes = lex.patterns[lex.patterns > np.iinfo(np.int64).min]
    assert codes.max() < len(lex.tokens)
    assert codes.min() >= -len(lex.class_first)
    assert (lex.class_first + lex.class_size <= len(lex.tokens)).all()


def test_templates_of_two_seeds_differ_and_of_one_seed_agree():
    assert wording.template(stream(1, "t"), "reason") == wording.template(stream(1, "t"), "reason")
    heads = {wording.template(stream(seed, "t"), "reason").head for seed in range(60)}
    assert len(heads) > 57


def test_a_family_varies_but_stays_a_family():
    made = wording.family(stream(3, "f"), "reason", 16)
    assert len(set(made)) > 8
    shingles = [{" ".join(words[k : k + 4]) for k in range(len(words) - 3)} for words in ((entry.head + entry.tail).split() for entry in made)]
    shared = [len(shingles[0] & other) / len(shingles[0] | other) for other in shingles[1:]]
    assert np.mean(shared) > 0.25


def test_no_wording_leaves_a_slot_unfilled():
    for task in wording.GOALS:
        for entry in wording.family(stream(5, task), task, 20):
            assert not re.search(r"[{}|\[\]]", entry.head + entry.tail)
    assert not re.search(r"[{}|\[\]]", wording.system_prompt(stream(6), 200))


def test_versions_of_a_client_prompt_change_a_little_at_a_time():
    first, *others = wording.versions(stream(7), 30, 5)
    assert len({first, *others}) == 5
    assert len(set(first.split(". ")) & set(others[0].split(". "))) >= 25


def test_hashes_are_uniform_and_normal():
    keys = keys_of(np.uint64(9), np.arange(100_000))
    assert len(np.unique(mix(keys))) == 100_000
    draw, bell = unit(keys), normal(keys)
    assert abs(draw.mean() - 0.5) < 0.005
    assert draw.min() >= 0.0
    assert draw.max() < 1.0
    assert abs(bell.mean()) < 0.02
    assert abs(bell.std() - 1.0) < 0.02


def test_streams_of_two_names_differ_and_of_one_agree():
    assert stream(1, "a", 2).random() == stream(1, "a", 2).random()
    assert stream(1, "a", 2).random() != stream(1, "a", 3).random()
