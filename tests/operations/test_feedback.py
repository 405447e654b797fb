"""What people say is shown and reversible, and changes no table: commands, marks, and the law."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import load_config
from pipeline.errors import InputError, UsageError
from pipeline.operations import feedback
from pipeline.provenance import sha256_file
from pipeline.run import RunOptions, run_night
from tests.conftest import Program
from tests.pages.reading import Page

TODAY = dt.date(2026, 5, 3)
HOSTILE = "</script><b>\u202ex</b> =cmd() \x1b[31m"


def quiet(_what: str, _done: int, _total: int) -> None:
    """No progress."""


def tables(folder: Path) -> dict[str, str]:
    return {path.name: sha256_file(path) for path in sorted((folder / "tables").glob("*.parquet"))}


def test_no_word_changes_a_table_and_every_word_shows_on_the_pages(out: Path, network: str, tiny_log: Path, tiny_accounts: Path) -> None:
    """The law: the run with a full journal has the tables of the run without one, to the byte, and another id and other pages."""
    before = (out / "latest").resolve()
    feedback.note(out, network, f"billing was asked {HOSTILE}", "Ann")
    feedback.dispose(out, network, "benign", "course of a university", "Ann")
    feedback.allow(out, "pool-001", TODAY + dt.timedelta(days=9), "a colleague", "Bo", TODAY)
    options = RunOptions((str(tiny_log),), out, load_config(), tiny_accounts, threads=2)
    marked = run_night(options, quiet)
    assert marked.run_id != before.name
    assert tables(marked.folder) == tables(before)
    assert run_night(options, quiet).already_done
    index, page = (Page((marked.folder / name).read_bytes()) for name in ("index.html", f"networks/{network}.html"))
    for shown in (index, page):
        assert f"Cleared by Ann on {dt.datetime.now(dt.UTC).date()}: course of a university." in shown.text
        assert "billing was asked" in shown.text
        assert shown.faults == []
        assert "\x1b" not in shown.text
        assert "\u202e" not in shown.text
    assert "pool-001" in index.text.split("What is suppressed")[2]
    assert "allowed until 2026-05-12 by Bo" in page.text
    feedback.allow(out, network, TODAY, "vouched", "Bo", TODAY)
    hidden = run_night(options, quiet)
    assert tables(hidden.folder) == tables(before)
    queue = Page((hidden.folder / "index.html").read_bytes()).text.split("Networks by tier")
    assert len(queue) == 1, "nothing is left in the queue"
    assert "1 network not in the queue because somebody vouches for it" in queue[0]
    for number in (1, 2, 3, 4):
        feedback.revoke(out, number, "taken back", "Ann")
    again = run_night(options, quiet)
    assert tables(again.folder) == tables(before)
    assert pages(again.folder) == pages(before), "with every word taken back the pages are the first ones again"


def pages(folder: Path) -> dict[str, str]:
    """Every page by name, without the id of its run."""
    return {path.name: path.read_text().replace(folder.name, "") for path in sorted(folder.rglob("*.html"))}


def test_each_word_is_one_entry_about_what_is_there(out: Path, network: str) -> None:
    first = feedback.note(out, "pool-003", "looks like a colleague", "Ann")
    second = feedback.dispose(out, network, "confirmed", "card owner found", "Ann")
    assert (first.content["is_network"], first.number) == (False, 1)
    assert second.content["seen"]["account_count"] == 8
    assert second.content["seen"]["tier"] == "refer"
    assert "identity" in second.content["seen"]["families"]
    assert second.content["night"] == "2026-05-03"


@pytest.mark.parametrize(
    ("action", "said", "error"),
    [
        (lambda out, _network: feedback.note(out, "N-ffffffffff", "x", "Ann"), "is neither a network nor an account", InputError),
        (lambda out, network: feedback.note(out, network[:-1] + "z", "x", "Ann"), "Did you mean N-", InputError),
        (lambda out, network: feedback.note(out, network, "  ", "Ann"), "the note is empty", UsageError),
        (lambda out, network: feedback.note(out, network, "x" * 2001, "Ann"), "more than 2000", UsageError),
        (lambda out, network: feedback.note(out, network, "x", " "), "--by must name", UsageError),
        (lambda out, _network: feedback.dispose(out, "pool-001", "benign", "x", "Ann"), "is an account", InputError),
        (lambda out, network: feedback.dispose(out, network, "benign", "", "Ann"), "--reason is empty", UsageError),
        (lambda out, network: feedback.allow(out, network, TODAY - dt.timedelta(days=1), "x", "Ann", TODAY), "has passed", UsageError),
        (lambda out, network: feedback.allow(out, network, TODAY + dt.timedelta(days=367), "x", "Ann", TODAY), "more than a year", UsageError),
        (lambda out, network: feedback.expire(out, network, "x", "Ann"), "not allowed by any standing entry", InputError),
        (lambda out, _network: feedback.revoke(out, 1, "x", "Ann"), "has no entry 1", InputError),
    ],
)
def test_what_cannot_be_said_is_refused_and_leaves_nothing(finished: Path, network: str, action, said: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=said):
        action(finished, network)
    assert not (finished / "journal.jsonl").exists()


def test_an_entry_is_revoked_once(out: Path, network: str) -> None:
    feedback.note(out, network, "x", "Ann")
    feedback.revoke(out, 1, "wrong", "Ann")
    with pytest.raises(InputError, match="revoked already"):
        feedback.revoke(out, 1, "again", "Ann")
    feedback.revoke(out, 2, "it was right", "Ann")
    assert [stands for _, stands in feedback.listed(out)] == [True, False, True]


def test_labels_are_the_members_of_decided_networks(out: Path, network: str, tmp_path: Path) -> None:
    assert feedback.labels(out).is_empty()
    feedback.dispose(out, network, "unsure", "x", "Ann")
    assert feedback.labels(out).is_empty()
    feedback.dispose(out, network, "benign", "x", "Ann")
    found = feedback.labels(out)
    assert found["account_id"].to_list() == [f"pool-{number:03d}" for number in range(8)]
    assert set(found["malicious"]) == {False}
    feedback.dispose(out, network, "confirmed", "x", "Ann")
    found = feedback.labels(out)
    assert set(found["malicious"]) == {True}
    from pipeline.validate.truth import read_truth

    found.write_csv(tmp_path / "labels.csv")
    assert read_truth(tmp_path / "labels.csv").height == 8, "validate --truth reads them"


def test_the_commands(program: Program, out: Path, network: str) -> None:
    assert program("note", network, f"seen {HOSTILE}", "--by", "Ann", "--out", out).returncode == 0
    assert program("disposition", network, "benign", "--reason", "a course", "--by", "Ann", "--out", out).returncode == 0
    added = program("allow", "add", network, "--until", "2999-01-01", "--reason", "x", "--by", "Bo", "--out", out)
    assert (added.returncode, "more than a year" in added.stderr) == (2, True)
    until = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)).isoformat()
    assert program("allow", "add", network, "--until", until, "--reason", "x", "--by", "Bo", "--out", out).returncode == 0
    assert program("allow", "add", network, "--reason", "x", "--by", "Bo", "--out", out).returncode == 2, "an expiry is obligatory"
    listed = json.loads(program("allow", "list", "--out", out, "--format", "json").stdout)
    assert [(row["subject"], row["state"]) for row in listed["rows"]] == [(network, "in force")]
    shown = program("networks", "--out", out)
    assert "cleared by Ann" in shown.stderr
    assert f"allowed until {until} by Bo" in shown.stderr
    one = json.loads(program("show", network, "--out", out, "--format", "json").stdout)
    assert [row["what"] for row in one["journal"]] == ["note", "cleared", f"allowed until {until}"]
    assert program("allow", "expire", network, "--reason", "over", "--by", "Bo", "--out", out).returncode == 0
    table = program("journal", "list", "--out", out)
    assert [line.split()[0] for line in table.stdout.splitlines()[::2]] == ["1", "2", "3", "4"], "two lines an entry, whatever was said"
    assert table.stdout.splitlines()[4].endswith(", REVOKED")
    assert table.stdout.count("REVOKED") == 1
    assert "4 entries, 3 not revoked" in table.stderr
    assert "\x1b" not in table.stdout
    assert json.loads(program("journal", "list", "--out", out, "--format", "json").stdout)["schema"] == "stillhunt.journal/1"
    (out / "journal.jsonl").write_bytes((out / "journal.jsonl").read_bytes().replace(b"a course", b"a crime!"))
    broken = program("networks", "--out", out)
    assert (broken.returncode, "line 2" in broken.stderr) == (4, True)


def test_the_journal_is_part_of_what_a_night_is_made_from(out: Path, network: str) -> None:
    from pipeline.history import read_past
    from pipeline.store import Store

    assert read_past(Store(out), TODAY).hashes()["journal"] is None
    feedback.note(out, network, "x", "Ann")
    first = read_past(Store(out), TODAY).hashes()["journal"]
    assert first is not None
    feedback.note(out, network, "y", "Ann")
    assert read_past(Store(out), TODAY).hashes()["journal"] != first
    feedback.revoke(out, 2, "no", "Ann")
    assert read_past(Store(out), TODAY).hashes()["journal"] == first


def test_labels_follow_the_member_that_two_networks_claim(out: Path, network: str) -> None:
    known = out / "latest" / "tables" / "known_networks.parquet"
    frame = pl.read_parquet(known)
    other = frame.filter(pl.col("account_id") == "pool-000").with_columns(pl.lit("N-00000000aa").alias("network_id"))
    pl.concat([frame, other]).write_parquet(known)
    feedback.dispose(out, network, "confirmed", "x", "Ann")
    feedback.dispose(out, "N-00000000aa", "benign", "x", "Ann")
    rows = dict(feedback.labels(out).select("account_id", "network").iter_rows())
    assert (rows["pool-000"], rows["pool-001"]) == ("N-00000000aa", network)


def _last(err: str) -> str:
    return err.strip().splitlines()[-1]


def test_each_word_says_how_to_take_it_back_and_where_to_look(program: Program, out: Path, network: str) -> None:
    noted = program("note", "pool-001", "x", "--by", "Ann", "--out", out).stderr
    assert noted.splitlines()[1:] == [
        "`show` has it at once; pages have it from the next run on.",
        f"to take it back: stillhunt journal revoke 1 --reason TEXT --by NAME --out {out}",
        f"next: stillhunt show pool-001 --out {out}",
    ]
    assert "x" in program("show", "pool-001", "--out", out).stdout.split("WHAT PEOPLE SAID")[1]
    assert "`networks` and `show` have it at once" in program("disposition", network, "benign", "--reason", "x", "--by", "Ann", "--out", out).stderr
    assert _last(program("journal", "revoke", 2, "--reason", "x", "--by", "Ann", "--out", out).stderr) == f"next: stillhunt journal list --out {out}"


def test_what_is_vouched_for_is_listed_with_the_days_left(program: Program, out: Path) -> None:
    empty = program("allow", "list", "--out", out).stderr
    assert "nothing is vouched for." in empty
    assert _last(empty) == f"next: stillhunt networks --out {out}"
    today = dt.datetime.now(dt.UTC).date()
    feedback.allow(out, "pool-001", today + dt.timedelta(days=30), "a colleague", "Bo", today)
    feedback.allow(out, "pool-002", today - dt.timedelta(days=2), "a guest", "Bo", today - dt.timedelta(days=3))
    listed = program("allow", "list", "--out", out)
    rows = [line.split() for line in listed.stdout.splitlines()]
    assert rows[1][:5] in (["1", "pool-001", str(today + dt.timedelta(days=30)), "30", "days"], ["1", "pool-001", str(today + dt.timedelta(days=30)), "29", "days"])
    assert rows[2][3] == "expired"
    assert "1 of 2 in force today" in listed.stderr
    assert f"stillhunt allow expire pool-001 --reason TEXT --by NAME --out {out}" in listed.stderr
