"""`report lint`: each rule finds what it is for, says where, and leaves plain good English alone."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evidence.lint import counts, lint, names_in
from pipeline.evidence.prose import read_prose
from tests.conftest import ROOT

RULES = tomllib.loads((ROOT / "reports" / "lint.toml").read_text(encoding="utf-8"))


def _found(text: str, organisations: tuple[str, ...] = (), files: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(finding.rule, finding.found) for finding in lint(f'<h2 id="s1">1 Summary</h2><p>{text}</p>', organisations, files)]


@pytest.mark.parametrize("word", [word for ban in RULES["banned"] for word in ban["words"]])
def test_every_banned_word_is_found_in_any_case_with_its_reason_and_another_word(word: str) -> None:
    for spelled in (word, word.upper(), word.capitalize()):
        (first, *_) = lint(f'<h2 id="s1">1 Summary</h2><p>It is {spelled} here.</p>')
        assert first.rule == "banned_word"
        assert first.found.lower() == word.lower()
        assert first.place == "1 Summary (#s1)"
        assert first.reason
        assert first.instead


@pytest.mark.parametrize(
    "text",
    [
        "We judge it almost certainly so (95-99%).",
        "The burden of proof lies elsewhere.",
        "100 % of the accounts sent requests from it.",
        "The improved approving prover of unproved provenance.",
        "<q>They stole it</q>, says a letter.",
        "<code>stillhunt prove --all</code> is a command.",
        "<script>var proves = 1;</script><style>.stole{}</style>Nothing.",
    ],
)
def test_a_word_in_another_word_a_phrase_or_a_quotation_is_none(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is very likely, and our confidence is moderate.", True),
        ("With high confidence it is unlikely.", True),
        ("It is almost certainly so; confidence: low.", True),
        ("It is very likely (80-95%). Our confidence is moderate, because the log holds no cards.", False),
        ("The 95 % confidence interval makes it likely.", False),
        ("Our confidence is high.", False),
    ],
)
def test_likelihood_and_confidence_are_kept_in_two_sentences(text: str, found: bool) -> None:
    assert bool(_found(text)) is found
    if found:
        assert _found(text)[0][0] == "likelihood_and_confidence"


@pytest.mark.parametrize(
    "text",
    [
        "There are 412 accounts, of which 3 of 400 had 12, 15 and 30 requests.",
        "Table 3 on page 7 says q = 0.003 at n = 12, a ratio above 100, with seed 7.",
        "<table><caption id='t'>Table 3. Requests</caption></table>On 2026-05-01 at 12:30 in 2026 it held 95 % and 12.4\u00a0bits.",
        "About 300 times more probable; 0 in 100,000 accounts; between 5 and 10% of N-0042 under v1.2.",
        "6 The median answer has 228 tokens.",
        "Of 29 detectors, 8 with a hit; 28 columns of the contract's 51; numba 0.68.1; a scale of ICD 203; below 1 the reciprocal; the column 'of 3-5' stands apart.",
    ],
)
def test_numbers_with_unit_n_or_label_are_left_alone(text: str) -> None:
    assert [one for one in _found(text) if one[0] == "bare_number"] == []


@pytest.mark.parametrize(
    ("text", "number"), [("The score was 12.", "12"), ("It rose to 5, which is more.", "5"), ("A value of 0.31 was seen.", "0.31"), ("It went from 3 to 7.", "3")]
)
def test_a_number_alone_is_found(text: str, number: str) -> None:
    assert ("bare_number", number) in _found(text)


def test_cells_need_no_unit_but_keep_the_other_rules() -> None:
    page = "<table><tr><th>Share</th></tr><tr><td>0.31</td><td>100 %</td><td>proves</td></tr></table><dl><dt>Accounts</dt><dd>412</dd></dl><svg><text>17</text></svg>"
    assert [(one.rule, one.found) for one in lint(page)] == [("banned_word", "proves")]


def test_every_reference_has_to_lead_somewhere() -> None:
    page = (
        '<p>See Figure 1, Figure 2, Table T3, EX-001, EX-002, <a href="#fig-1">here</a>, <a href="#gone">there</a>, <a href="data/a.csv">a</a>, <a href="data/b.csv">b</a>.</p>'
        '<figure id="fig-1"><figcaption>Figure 1. What?</figcaption></figure><table><caption>Table T3. How?</caption></table><p id="ex-001">Exhibit.</p>'
    )
    assert [(one.rule, one.found) for one in lint(page, files=("data/a.csv",))] == [("unresolved_exhibit", name) for name in ("Figure 2", "EX-002", "#gone", "data/b.csv")]


def test_an_organisation_stands_under_attribution_and_nowhere_else() -> None:
    page = (
        '<head><title>Example Trading Ltd</title><meta name="description" content="about example  trading ltd"></head><h2>1 Summary</h2><p>Example Trading Ltd sent it.</p>'
        '<svg><title>Example-Trading-Ltd</title></svg><h2 id="s10">10 Attribution</h2><p>Example Trading Ltd, B2.</p><h2>11 Reliability</h2><td>of Example\nTrading Ltd</td>'
    )
    found = lint(page, ("Example Trading Ltd",))
    assert [one.place for one in found] == ["cover", "page head", "1 Summary", "1 Summary", "11 Reliability (#s10)"]
    assert counts(found) == {"named_organisation": 5}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("It was run by Example Trading Ltd and Other & Sons GmbH, not by a limited few.", ("Example Trading Ltd", "Other & Sons GmbH")),
        ("The University of Somewhere lent it.", ("University of Somewhere",)),
        ("Nobody is named here.", ()),
    ],
)
def test_organisations_are_known_by_their_form(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


@given(st.text(alphabet=st.sampled_from("<>/&;abq=\"'h2p !-\x00\u202e1")))
def test_no_page_is_too_broken_to_be_read(text: str) -> None:
    assert all(finding.rule for finding in lint(text, ("ab",)))
    assert " ".join("".join(piece.text for piece in read_prose(f"<p>{text}").pieces).split()) is not None


def test_what_lint_prints_has_passed_the_gate() -> None:
    (finding,) = lint("<p>It proves\u202e that jane@example.org wrote sk-abcdefghijklmnopqrstuvwx.</p>")
    assert "\u202e" not in finding.sentence
    assert "jane@" not in finding.sentence
    assert "abcdefgh" not in finding.sentence
