"""The settings that a run would go by, each with where its value comes from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config import load_config
from pipeline.pages.error_rates import NO_EFFECT


@dataclass(frozen=True)
class Setting:
    """One setting."""

    section: str
    name: str
    value: Any
    default: Any
    origin: str
    """`default`, or the file as it was named"""
    is_judging: bool
    """whether it may change an error rate"""

    @property
    def is_changed(self) -> bool:
        """Whether the value is not the default."""
        return bool(self.value != self.default)


def effective(file: Path | None) -> tuple[Setting, ...]:
    """Every setting in the order of default.toml's sections. A file that only repeats a default is still its origin. Raises ConfigError for a file that is not a configuration."""
    values, defaults = load_config(file).as_dict(), load_config().as_dict()
    stated = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
    return tuple(
        Setting(section, name, value, defaults[section][name], str(file) if name in stated.get(section, {}) else "default", section not in NO_EFFECT)
        for section, keys in values.items()
        for name, value in keys.items()
    )
