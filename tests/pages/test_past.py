"""What the index and a network's page say beyond the night: changes, health, drift, canaries, what is suppressed, earlier nights, what people said."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.history.past import Past, no_past
from pipeline.history.recall import Recall
from pipeline.pages import build_pages
from pipeline.pages.banded_bars import Bar, banded_bars
from tests.pages import fixtures
from tests.pages.fixtures import EXPLAINED, NIGHT, REFER, SILENT, WATCH
from tests.pages.reading import Page


def built(frames: dict[str, pl.DataFrame] | None = None, past: Past | None = None, pages_for: tuple[str, ...] = (), **manifest: Any) -> dict[str, Page]:
    told = fixtures.manifest(**{"health": fixtures.health(), "tiers": {"refer": 1, "watch": 3, "explained": 1}, **manifest})
    pages = build_pages(fixtures.frames() if frames is None else frames, told, load_config(), pages_for=pages_for, past=fixtures.past() if past is None else past)
    return {name: Page(page) for name, page in pages}


@pytest.fixture(scope="module")
def index() -> str:
    return built()["index.html"].text


@pytest.fixture(scope="module")
def page() -> str:
    return built(pages_for=(REFER,))[f"networks/{REFER}.html"].text


def part(text: str, heading: str, following: str) -> str:
    """The text between two headings; each also stands in the list of contents."""
    return text.rsplit(heading, maxsplit=1)[-1].split(following, maxsplit=1)[0]


def test_changes_are_since_the_last_good_night(index: str) -> None:
    assert "Since the last good night, 2026-05-04: 1 grown, 1 merged and 1 judged otherwise. Not compared with 2026-05-05: degraded." in index
    assert f"{REFER} Grown 40 +31 104,210 +24,210 Refer was Watch" in index
    assert f"N-5f60718293 Merged 0 \u22129 none gone was Watch {REFER}" in index
    assert "Judged otherwise" not in index, "its other row already says what its tier was"


def lineage(*rows: tuple[str, int, str, str | None, int]) -> dict[str, pl.DataFrame]:
    """Frames whose lineage is these (network, nights ago, event, other, accounts)."""
    frames = fixtures.frames(12)
    known = [{"network_id": name, "night": NIGHT - dt.timedelta(days=ago), "event": event, "other_id": other, "account_count": count} for name, ago, event, other, count in rows]
    frames["lineage"] = fixtures.table(fixtures.schema.LINEAGE, known)
    return frames


def test_a_network_that_slept_through_a_degraded_night_did_not_change() -> None:
    """Last good night two days ago; degraded yesterday, when the network fell dormant."""
    past = fixtures.past()
    past = dataclasses.replace(past, networks_then={**past.networks_then, REFER: dataclasses.replace(past.networks_then[REFER], tier="refer", account_count=12)})
    frames = lineage((REFER, 5, "new", None, 12), (REFER, 1, "dormant", None, 0), (REFER, 0, "returned", None, 12))
    assert "Since the last good night, 2026-05-04: nothing changed." in built(frames, past)["index.html"].text


def test_a_network_that_came_and_one_that_went_since_the_good_night() -> None:
    past = dataclasses.replace(fixtures.past(), networks_then={"N-5f60718293": fixtures.past().networks_then["N-5f60718293"]})
    frames = lineage(
        (WATCH, 1, "new", None, 6),
        (WATCH, 0, "grown", None, 9),
        ("N-5f60718293", 1, "dormant", None, 0),
        ("N-aaaaaaaaaa", 1, "new", None, 5),
        ("N-aaaaaaaaaa", 0, "dormant", None, 0),
    )
    text = built(frames, past)["index.html"].text
    assert "Since the last good night, 2026-05-04: 1 new and 1 dormant." in text
    assert "N-aaaaaaaaaa" not in text, "it came and went in between"


def test_a_return_under_another_id_is_told_with_the_network_it_returned_from() -> None:
    frames = lineage((REFER, 4, "new", None, 9), (REFER, 0, "returned", "N-5f60718293", 12))
    pages = built(frames, pages_for=(REFER,))
    assert f"{REFER} Returned 12 +3" in pages["index.html"].text
    said = "Returned from N-5f60718293, which A. Analyst confirmed on 2026-05-02."
    assert said in pages["index.html"].text
    assert said in pages[f"networks/{REFER}.html"].text


def test_a_confirmed_network_whose_values_are_held_is_named_where_the_run_links_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Recall(REFER, "N-5f60718293", 21.5, ("stack", "template"))
    monkeypatch.setattr("pipeline.pages.source.recalled", lambda _frames, confirmed, _config: (found,) if "N-5f60718293" in confirmed else ())
    pages = built(lineage(), pages_for=(REFER,))
    said = "Holds rare values of N-5f60718293 (21.5\u00a0bits: stack and template), which A. Analyst confirmed on 2026-05-02."
    for name in ("index.html", f"networks/{REFER}.html"):
        assert said.replace("\u00a0", " ") in pages[name].text.replace("\u00a0", " ")
        assert "a person decides" in pages[name].text
    assert "Holds rare values" not in built(lineage(), past=no_past(NIGHT))["index.html"].text


def test_a_changed_tier_is_a_change_of_its_own() -> None:
    past = dataclasses.replace(fixtures.past(), networks_then={REFER: fixtures.past().networks_then[REFER]})
    past = dataclasses.replace(past, networks_then={REFER: dataclasses.replace(past.networks_then[REFER], account_count=12)})
    assert f"{REFER} Judged otherwise 12 0 104,210 +24,210 Refer was Watch" in built(lineage(), past)["index.html"].text


def test_without_a_good_night_the_page_says_what_it_compares_with() -> None:
    past = dataclasses.replace(fixtures.past(), good=None, networks_then={})
    assert "Since the night of 2026-05-05, which was degraded (no earlier night was good): 1 new, 1 grown and 1 merged." in built(past=past)["index.html"].text


def test_health_names_what_is_unusual_first(index: str) -> None:
    assert "But look at Data health and Drift first: 10 figures unusual and 1 canary missed." not in index  # a tier of no network is within chance
    assert "But look at Data health and Drift first: 9 figures unusual and 1 canary missed." in index
    health = part(index, "Data health", "Drift and canaries")
    assert "beside 19 earlier weekdays, 2026-04-09 to 2026-05-05: 7 figures of 30 lie outside their band" in health
    assert health.index("06:00 to 06:59 UTC") < health.index("rows read 12,400")
    assert "ja4 Columns filled 0" in health
    assert "6 hours of the night's day are unusual" in health


def test_a_healthy_night_says_so() -> None:
    text = built(health=fixtures.health(dip=False), past=no_past(NIGHT))["index.html"].text
    assert "every figure lies within its band" in text
    assert "But look at" not in text


def test_drift_and_canaries(index: str) -> None:
    drift = part(index, "Drift and canaries", "What is suppressed")
    assert "2 simulated networks planted beside the log of 2026-05-05, judged apart from it: not found: L2. That is 1 day before this night." in drift
    assert "score from 0.95 Scores 1.7" in drift
    assert "L2 12 4 Watch missed" in drift


def test_an_allowed_network_leaves_the_queue_and_is_listed_with_its_expiry(index: str) -> None:
    queue, rest = part(index, "Networks by tier", "Data health"), part(index, "What is suppressed", "What could not be seen")
    assert WATCH not in queue
    assert REFER in queue, "an expired entry hides nothing, nor does one for a single account"
    assert f"{WATCH} 2026-06-30 55 known team" in rest
    assert "Watch, 6 accounts 5 when it was allowed" in rest
    assert "1 network not in the queue because somebody vouches for it" in rest
    assert "1 allow entry has expired." in rest
    assert f"{SILENT} 5 \u22122.0 0.0" in rest.split("Nearest to a referral")[1]
    assert WATCH not in rest.split("Nearest to a referral")[1]


def test_a_network_all_of_whose_accounts_are_allowed_is_suppressed_too() -> None:
    past = fixtures.past()
    one = next(entry for entry in past.standing.allowed if not entry.is_network)
    names = [f"acct-s-{number:05d}" for number in range(5)]
    some, every = (
        dataclasses.replace(past, standing=dataclasses.replace(past.standing, allowed=tuple(dataclasses.replace(one, subject=name) for name in kept)))
        for kept in (names[:4], names)
    )
    assert SILENT in part(built(past=some)["index.html"].text, "Networks by tier", "Data health")
    hidden = built(past=every)["index.html"].text
    assert SILENT not in part(hidden, "Networks by tier", "Data health")
    assert "1 network of allowed accounts only" in hidden


def test_the_ledger_lists_earlier_nights_and_the_days_without_a_run(index: str) -> None:
    ledger = index.split("8 earlier nights, 7 good.")[1]
    assert ledger.startswith(" No run speaks for 2026-05-02.")
    assert "2026-05-05 DEGRADED part-3.parquet was skipped: truncated" in ledger
    assert "runs/000000000001/index.html" in ledger


def test_marks_say_how_far_they_still_fit(index: str) -> None:
    assert "Cleared by A. Analyst on 2026-05-01: evaluation team, contract 17. It had 3 accounts then, 5 tonight: those that came later were not looked at." in index
    assert "1 note; the last, by A. Analyst on 2026-05-03: billing was asked about the two cards" in index


def test_the_network_page_holds_its_journal_and_its_look_alikes(page: str) -> None:
    assert "3 2026-05-03 Note billing was asked about the two cards A. Analyst" in page
    assert "6 2026-05-06 Allowed until 2026-05-01: was a test" in page
    alike = page.split("Networks that a person cleared, the most alike first")[1]
    assert alike.index("N-60718293a4") < alike.index(SILENT), "the one with families in common comes first"
    assert "one course identity" in alike
    assert "acct-r-00003 allowed until 2026-05-20 by A. Analyst" in page


def test_a_folder_without_a_past_has_whole_pages() -> None:
    for frames in (fixtures.empty_frames(), fixtures.frames()):
        pages = built(frames, no_past(NIGHT), pages_for=(REFER,), health={})
        text = pages["index.html"].text
        assert all(found.faults == [] for found in pages.values())
        assert "No record of the days was kept with this run, so nothing is compared." in text
        assert "No canary was planted" in text
        assert "no allow entry is in force." in text
        assert "This is the first night of this output folder." in text


def test_no_mark_changes_a_figure() -> None:
    """The queue's figures, reasons and order are those of a folder in which nobody said anything, but for what is suppressed."""
    import re

    said = fixtures.past()
    silent = dataclasses.replace(said, entries=(), standing=no_past(NIGHT).standing)
    spoken, quiet = (
        re.findall(
            r"<tbody class=\"\w+\">\n<tr>\n.*?</tr>",
            dict(build_pages(fixtures.frames(), fixtures.manifest(), load_config(), pages_for=(), past=past))["index.html"].decode(),
            re.DOTALL,
        )
        for past in (said, silent)
    )
    ids = re.compile(r"N-[0-9a-f]{10}")
    rest = [row for row in quiet if ids.search(row)[0] != WATCH]  # type: ignore[index]
    numbers = re.compile(r"spark-\d+|priority \d+")
    assert [numbers.sub("", row) for row in spoken] == [numbers.sub("", row) for row in rest]
    assert len(spoken) == len(quiet) - 1


def test_hostile_words_of_people_stay_text() -> None:
    past = fixtures.past()
    bad = "</script><svg onload=alert(1)>\u202e\x1b[31m " + "x" * 500
    words = {name: dataclasses.replace(word, reason=bad, by=bad) for name, word in past.standing.dispositions.items()}
    notes = tuple(dataclasses.replace(note, text=bad, by=bad) for note in past.standing.notes)
    allowed = tuple(dataclasses.replace(entry, reason=bad, by=bad) for entry in past.standing.allowed)
    nights = tuple(dataclasses.replace(night, degraded=(bad,), version=bad) for night in past.nights)
    poisoned = dataclasses.replace(past, nights=nights, standing=dataclasses.replace(past.standing, dispositions=words, notes=notes, allowed=allowed))
    for found in built(past=poisoned, pages_for=(REFER, SILENT, EXPLAINED)).values():
        assert found.faults == []
        assert "\u202e" not in found.text
        assert "\x1b" not in found.text


def test_a_bar_outside_its_band_is_marked_by_more_than_colour() -> None:
    usual, unusual = (banded_bars([Bar("00", value, 5.0, 10.0)], [(0.0, "0"), (20.0, "20")], "fig-1-a", "t", "d") for value in (7.0, 15.0))
    assert unusual.count("<path") == usual.count("<path") + 1
    assert "#D55E00" in unusual
    assert "#D55E00" not in usual


def test_a_drawing_of_nothing_is_a_drawing() -> None:
    assert "<svg" in banded_bars([Bar("", 0.0)], [(0.0, "0")], "fig-1-a", "<t>", "d&")
    assert "&lt;t&gt;" in banded_bars([], [(0.0, "<0>"), (1.0, "1")], "fig-1-a", "<t>", "d")
