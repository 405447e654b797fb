"""What people said about networks and accounts, beside what the tables say: read when the command runs, so a word shows at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import console, redact

if TYPE_CHECKING:
    from pipeline.evidence.finished import FinishedRun
    from pipeline.history.standing import Standing

VERDICTS = {"confirmed": "confirmed", "benign": "cleared", "duplicate": "called a duplicate", "unsure": "left undecided"}
MARK_COLUMNS = ("entry", "on", "by", "what", "text")


def marks_on(out: Path, subject: str) -> list[dict[str, Any]]:
    """Every standing entry about one network or account, oldest first; none without a journal. Raises IntegrityError if the journal is broken."""
    standing = _standing(out)
    rows = [(note.number, note.on, note.by, "note", note.text) for note in standing.notes_on(subject)]
    rows += [(entry.number, entry.on, entry.by, f"allowed until {entry.until}", entry.reason) for entry in standing.allowed if entry.subject == subject]
    word = standing.dispositions.get(subject)
    rows += [(word.number, word.on, word.by, VERDICTS[word.verdict], word.reason)] if word else []
    return [dict(zip(MARK_COLUMNS, row, strict=True)) for row in sorted(rows)]


def say_marks(out: Path, subjects: Iterable[str], night: date) -> None:
    """One line a network that carries a disposition or an allow entry in force on the night."""
    standing = _standing(out)
    allowed = standing.allowed_on(night)
    for subject in subjects:
        word, entry = standing.dispositions.get(subject), allowed.get(subject)
        if word:
            console.say(f"{redact.for_cell(subject)}: {VERDICTS[word.verdict]} by {word.by} on {word.on} (entry {word.number}): {word.reason}")
        if entry:
            console.say(f"{redact.for_cell(subject)}: allowed until {entry.until} by {entry.by} (entry {entry.number}): {entry.reason}")


def say_recalls(run: FinishedRun, subjects: Collection[str]) -> None:
    """One line a network that holds what a confirmed one made, where the run links nobody; no table is read while nobody is confirmed."""
    confirmed = {word.network_id: word for word in _standing(run.out).verdict("confirmed")}
    if not confirmed:
        return
    from pipeline.config import recorded_config
    from pipeline.history.recall import NEEDED, recalled

    frames = {name: run.table(name) for name in NEEDED if run.holds(name)}
    for one in recalled(frames, confirmed, recorded_config(run.manifest()["config"], str(run.folder / "run.json"))):
        if one.network_id in subjects:
            word = confirmed[one.confirmed_id]
            held = f"holds rare values of {redact.for_cell(one.confirmed_id)} ({one.bits:,.2f} bits: {', '.join(one.kinds)})"
            console.say(f"{redact.for_cell(one.network_id)}: {held}, confirmed by {word.by} on {word.on} (entry {word.number}); one of the two is explained, so a person decides")


def _standing(out: Path) -> Standing:
    from pipeline.history.journal import read_journal
    from pipeline.history.standing import standing

    return standing(read_journal(out))
