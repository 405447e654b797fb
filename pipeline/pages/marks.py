"""What people said about networks, as the pages show it: marks in the queue, the journal of a network, cleared networks that look like it.

A mark never stands in for a figure and changes none: it says who said what, when, and what the network was then, so that a reader sees how far it still fits.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline import redact
from pipeline.history.standing import Allowed, Disposition
from pipeline.kinds import FAMILIES
from pipeline.pages import numbers
from pipeline.pages.changes import difference
from pipeline.pages.pieces import Numbering, table
from pipeline.pages.records import Cell, Table
from pipeline.pages.source import Row, Source
from pipeline.pages.words import families as family_words

_LOOK_ALIKES = 5


def marks(source: Source, network: Row) -> tuple[str, ...]:
    """Sentences about one network: its disposition, a confirmed network that it is the return of, notes."""
    network_id = network["network_id"]
    words = source.past.standing.dispositions
    own = [_disposition_sentence(source, words[network_id], network["account_count"])] if network_id in words else []
    notes = source.past.standing.notes_on(network_id)
    noted = (
        [f"{numbers.counted(len(notes), 'notes').capitalize()}; the last, by {redact.for_html(notes[-1].by)} on {notes[-1].on}: {redact.for_html(notes[-1].text)}"] if notes else []
    )
    return (*own, *_returned_from(source, network_id), *_recalls(source, network_id), *noted)


def _disposition_sentence(source: Source, word: Disposition, accounts: int | None) -> str:
    said = source.wording.word("disposition", word.verdict)
    then = word.seen.get("account_count")
    size = (
        f" It had {numbers.counted(then, 'accounts')} then, {numbers.count(accounts)} tonight: those that came later were not looked at."
        if then is not None and then != accounts
        else ""
    )
    return f"{said} by {redact.for_html(word.by)} on {word.on}: {redact.for_html(word.reason)}{_stop(word.reason)}{size}"


def _returned_from(source: Source, network_id: str) -> list[str]:
    """Confirmed networks that this one is the return of."""
    words = source.past.standing.dispositions
    back = sorted({row["other_id"] for row in source.lineage_of(network_id) if row["event"] == "returned" and row["other_id"] in words})
    return [
        f"Returned from {redact.identifier(name)}, which {redact.for_html(words[name].by)} confirmed on {words[name].on}." for name in back if words[name].verdict == "confirmed"
    ]


def _recalls(source: Source, network_id: str) -> list[str]:
    """Confirmed networks whose rare values it holds, where the run links nobody because one of the two is explained."""
    words = source.past.standing.dispositions
    return [
        f"Holds rare values of {redact.identifier(one.confirmed_id)} ({numbers.bits(one.bits)}: {numbers.listed(one.kinds)}), which "
        f"{redact.for_html(words[one.confirmed_id].by)} confirmed on {words[one.confirmed_id].on}. One of the two is explained, so the run says no `returned`: a person decides."
        for one in source.recalls
        if one.network_id == network_id
    ]


def allowed(source: Source, network: Row) -> Allowed | None:
    """The allow entry that suppresses a network tonight: its own, or that of all of its accounts (the one that ends first)."""
    held = source.past.standing.allowed_on(source.past.night)
    if network["network_id"] in held:
        return held[network["network_id"]]
    members = source.of_network("members", network["network_id"])["account_id"].to_list() if held else []
    if not members or any(account not in held for account in members):
        return None
    return min((held[account] for account in members), key=lambda entry: (entry.until, entry.number))


def journal_table(source: Source, network_id: str, numbering: Numbering) -> Table:
    """Every standing entry about a network, oldest first."""
    standing = source.past.standing
    word = standing.dispositions.get(network_id)
    rows = [(note.number, note.on, "Note", note.text, note.by) for note in standing.notes_on(network_id)]
    rows += [(entry.number, entry.on, "Allowed", f"until {entry.until}: {entry.reason}", entry.by) for entry in standing.allowed if entry.subject == network_id]
    rows += [(word.number, word.on, source.wording.word("disposition", word.verdict), word.reason, word.by)] if word else []
    cells = [(numbers.count(number), on, what, redact.for_html(text, 400), redact.for_html(by)) for number, on, what, text, by in sorted(rows)]
    empty = "nobody has said anything about this network. Write a note with `stillhunt note`, a verdict with `stillhunt disposition`."
    return table(numbering, "What people said about this network", "Entry # | On | What | Text | By", cells, empty=empty)


def member_note(source: Source, account_id: str) -> str:
    """What the journal holds of an account: an allow entry in force, the number of notes."""
    standing = source.past.standing
    if not standing.allowed and not standing.notes:
        return ""
    entry, notes = source.past.standing.allowed_on(source.past.night).get(account_id), standing.notes_on(account_id)
    said = [f"allowed until {entry.until} by {redact.for_html(entry.by)}"] if entry else []
    return numbers.listed([*said, numbers.counted(len(notes), "notes")]) if notes else "".join(said)


def look_alikes_table(source: Source, network: Row, numbering: Numbering) -> Table | None:
    """Networks that a person cleared and that show the most families of evidence of this one, with what differs; None where none was cleared."""
    cleared = [word for word in source.past.standing.verdict("benign") if word.network_id != network["network_id"]]
    if not cleared:
        return None
    own = _established(source.of_network("network_families", network["network_id"]).rows(named=True))
    ordered = sorted(cleared, key=lambda word: (-_likeness(own, frozenset(word.seen.get("families", ()))), word.network_id))
    rows = [_look_alike(source, network, own, word) for word in ordered[:_LOOK_ALIKES]]
    rest = len(ordered) - len(rows)
    columns = "Cleared network | Cleared because | Families of both | Only here | Only there | Accounts # | Difference #"
    left_out = f"{numbers.counted(rest, 'further cleared networks')} not shown, less alike." if rest else ""
    return table(numbering, "Networks that a person cleared, the most alike first", columns, rows, left_out=left_out)


def _look_alike(source: Source, network: Row, own: frozenset[str], word: Disposition) -> tuple[Cell | str, ...]:
    theirs, wording = frozenset(word.seen.get("families", ())), source.wording
    then = word.seen.get("account_count")
    return (
        Cell(redact.identifier(word.network_id), note=f"by {redact.for_html(word.by)} on {word.on}", tone="code"),
        redact.for_html(word.reason),
        *(family_words(wording, sorted(part)) for part in (own & theirs, own - theirs, theirs - own)),
        numbers.count(then),
        difference(network["account_count"], then),
    )


def _established(rows: Iterable[Row]) -> frozenset[str]:
    """Families of shared values, which the journal of a cleared network names, too."""
    return frozenset(row["family"] for row in rows if row["family"] in FAMILIES and (row["admitted"] or (row["median_bits"] or 0.0) > 0))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Families in common over families of either, 0..1 (Jaccard)."""
    return len(one & other) / len(one | other) if one | other else 0.0


def _stop(text: str) -> str:
    return "" if text.rstrip().endswith((".", "!", "?")) else "."
