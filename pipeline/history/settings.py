"""operations.toml: the numbers of health and drift. The shipped ones, and DIR/operations.toml over them if there is one.

None of them decides about an account or a network: they say when a page calls a figure unusual. They have a file of their own because
the settings of a run (default.toml) are what its error rates were measured with.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError

NAME = "operations.toml"
SHIPPED = Path(__file__).with_name(NAME)


@dataclass(frozen=True)
class Operations:
    """What operations.toml says; its comments give meaning and unit of each."""

    history_days: int
    minimum_days: int
    minimum_same_kind: int
    spread: float
    count_floor_share: float
    share_floor: float
    score_floor_share: float
    ledger_nights: int
    near_misses: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for hashing."""
        return dataclasses.asdict(self)


_LIMITS = {
    "history_days": (7, 366),
    "minimum_days": (3, 366),
    "minimum_same_kind": (2, 60),
    "spread": (1.0, 100.0),
    "count_floor_share": (0.0, 1.0),
    "share_floor": (0.0, 1.0),
    "score_floor_share": (0.0, 1.0),
    "ledger_nights": (1, 60),
    "near_misses": (0, 50),
}


def read_operations(root: Path) -> Operations:
    """The shipped settings under those of DIR/operations.toml. Raises ConfigError for a name, type or value that does not fit."""
    values, own = _read(SHIPPED), root / NAME
    if own.is_file():
        values = {**values, **_read(own)}
    unknown = sorted(set(values) - set(_LIMITS))
    if unknown:
        raise ConfigError(f"{own}: '{unknown[0]}' is no setting of operations. Known: {', '.join(_LIMITS)}.")
    return Operations(**{name: _checked(name, values[name], own) for name in _LIMITS})


def shipped_operations() -> Operations:
    """The settings that come with the program."""
    return Operations(**_read(SHIPPED))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: not readable as TOML ({error}). Correct the file.") from None


def _checked(name: str, value: Any, path: Path) -> Any:
    low, high = _LIMITS[name]
    kind = type(low)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or not low <= value <= high:
        raise ConfigError(f"{path}: {name} = {value!r} must be {kind.__name__} from {low} to {high}.")
    return value
