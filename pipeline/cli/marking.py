"""What people said about networks and accounts, beside what the tables say: read when the command runs, so a word shows at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import console, redact

if TYPE_CHECKING:
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


def _standing(out: Path) -> Standing:
    from pipeline.history.journal import read_journal
    from pipeline.history.standing import standing

    return standing(read_journal(out))
