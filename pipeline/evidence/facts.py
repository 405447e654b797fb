"""Outside facts: what a person knows from elsewhere, graded by source and by item, and the organisations that it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import cast

from pipeline.errors import InputError
from pipeline.evidence.cases import OutsideFact, Rung
from pipeline.evidence.lint import names_in

LONGEST, LONGEST_NAME = 2000, 200
"""Characters of a text, and of a title or a person's name."""
_GRADE = re.compile(r"[A-F][1-6]")


def outside_fact(words: Mapping[str, str], on: date) -> OutsideFact:
    """A fact of the options `rung`, `grade`, `source`, `text` and `by`. Raises InputError if one is empty, too long or no grade."""
    told = {name: " ".join(value.split()) for name, value in words.items()}
    grade = told["grade"].upper()
    if not _GRADE.fullmatch(grade):
        raise InputError("--grade has to be a letter for the source, A (reliable) to F (cannot be judged), and a digit for the item, 1 (confirmed) to 6 (cannot be judged): B2.")
    short("by", told["by"])
    for name in ("source", "text", "by"):
        if not 0 < len(told[name]) <= LONGEST:
            raise InputError(f"--{name} is empty or longer than {LONGEST} characters. Say it in a sentence or two.")
    return OutsideFact(told["text"], told["source"], grade, cast("Rung", told["rung"]), told["by"], on)


def short(option: str, text: str) -> str:
    """A title or name on one line. Raises InputError if it is longer than 200 characters."""
    found = " ".join(text.split())
    if len(found) > LONGEST_NAME:
        raise InputError(f"--{option} is longer than {LONGEST_NAME} characters. Shorten it.")
    return found


def organisations(fact: OutsideFact, named: Collection[str]) -> tuple[str, ...]:
    """The organisations that a fact names: those given, and those its words show by their form; sorted."""
    given = {" ".join(name.split()) for name in named}
    return tuple(sorted({name for name in given if name} | {*names_in(fact.text), *names_in(fact.source)}))
