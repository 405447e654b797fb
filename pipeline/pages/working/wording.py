"""The sentences of a working page's blocks (reports/working.toml), filled."""

from __future__ import annotations

import functools
import string
import tomllib
from typing import Any

from pipeline import assets


@functools.cache
def words() -> dict[str, Any]:
    """The tables of working.toml."""
    return tomllib.loads((assets.reports_folder() / "working.toml").read_text(encoding="utf-8"))


def say(table: str, name: str, /, **values: str) -> str:
    """A sentence of working.toml, filled. Raises KeyError for a sentence that is not there or a value that it needs and did not get."""
    template: str = words()[table][name]
    wanted = {field for _, field, _, _ in string.Formatter().parse(template) if field}
    return template.format_map({field: values[field] for field in wanted})
