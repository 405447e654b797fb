"""Of `show NETWORK`: what its prompts ask for, and whose traffic it carries, as tables for a terminal; and how fast its conversations go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.evidence.cards import Parts, Row
    from pipeline.pages.words import Wording

Print = Callable[[str, "Sequence[Row]", Sequence[str]], None]
"""Prints a part: title, rows, columns that a narrow terminal may lose."""


def show_harvest(parts: Parts, show: Print) -> None:
    """The tables through `show`; of a run without them nothing."""
    from pipeline.evidence.cards import wording
    from pipeline.pages import harvest

    words, rows, traffic = wording(), parts["capabilities"], {row["part"]: row for row in parts["traffic"]}
    own = harvest.of_part(rows, "operator")
    is_referred = any(row["what"] == "tier" and row["value"] == "refer" for row in parts["network"])
    show("WHAT PROMPTS ASK FOR, a weak guess that decides nothing", [_capability(words, row, own) for row in harvest.ordered(rows)], ("sampled", "output tokens"))
    asking = {row["part"]: row for row in parts["elicitation"]}
    show("ASKS FOR THE REASONING TO BE WRITTEN OUT, a weak guess that decides nothing", [_asking(asking[part]) for part in harvest.ASKING if part in asking], ("sampled",))
    shown = [_traffic(harvest.owner_word(words, part, is_referred=is_referred), traffic[part]) for part in (*harvest.OWNERS, *harvest.PARTS) if part in traffic]
    show("WHOSE TRAFFIC IT IS, AND WHAT SHOWS IT" if is_referred else "WHAT ITS TRAFFIC IS MADE OF", shown, ("how",))
    show("TURNS SENT AT ONCE, which decides nothing", [_pace(words, row) for row in harvest.paced(parts["pace"])], ("accounts",))


def _capability(words: Wording, row: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> Row:
    from pipeline.pages import harvest

    mine = own.get(row["capability"])
    return {
        "asks for": words.word("capability", row["capability"]),
        "share": harvest.share(row["share"]),
        "95 % interval": harvest.interval(row),
        "of the wording's": harvest.share(mine["share"]) if mine else "none" if own else "-",
        "requests": f"{row['request_count']:,}",
        "output tokens": "unknown" if row["output_tokens"] is None else f"{row['output_tokens']:,}",
        "sampled": f"{row['prompt_count']:,}",
    }


def _asking(row: Mapping[str, Any]) -> Row:
    from pipeline.pages import harvest

    names = {"all": "the group's prompts", "operator": "with its wording", "carried": "without it", "controls": "matched controls'"}
    return {
        "of": names[row["part"]],
        "share": harvest.share(row["share"]),
        "95 % interval": harvest.interval(row),
        "sampled": f"{row['prompt_count']:,} of {row['sample_count']:,}",
    }


def _traffic(name: str, row: Mapping[str, Any]) -> Row:
    from pipeline.pages import harvest

    known = row["share"] is not None
    return {
        "part": name,
        "share": harvest.share(row["share"]) if known else "not known",
        "95 % interval": ("-" if row["is_exact"] else harvest.interval(row)) if known else "-",
        "requests": f"{row['request_count']:,}" if known else "-",
        "how": "counted" if row["is_exact"] else "estimated",
    }


def _pace(words: Wording, row: Mapping[str, Any]) -> Row:
    from pipeline.pages import harvest

    return {
        "of": words.word("pace_side", row["side"]),
        "share": harvest.share(row["share"]),
        "95 % interval": harvest.interval(row),
        "at once": f"{row['at_once_count']:,}",
        "later turns": f"{row['later_turn_count']:,}",
        "accounts": f"{row['account_count']:,}",
    }
