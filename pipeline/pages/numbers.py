"""Numbers as text: with their unit, never more digits than they carry, the same on every machine.

A missing value is the word `unknown` (or what the caller says instead), never an empty cell or `None`.
"""

from __future__ import annotations

import datetime as dt
import math

UNKNOWN = "unknown"
_MINUS = "\u2212"
_NARROW_SPACE = "\u202f"
_WHOLE_UNITS = frozenset({"accounts", "requests", "tokens", "entities", "days", "pairs", "documents", "prompts", "characters", "words", "groups", "hours", "sessions", "items"})
_SHARE_UNITS = frozenset({"share", "0..1"})
_SINGULAR = {"entities": "entity", "families": "family", "canaries": "canary"}


def count(value: float | None) -> str:
    """`12,345`; a half count of an average keeps one digit."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    whole = float(value).is_integer()
    return _signed(f"{abs(value):,.0f}" if whole else f"{abs(value):,.1f}", value)


def counted(value: float | None, unit: str) -> str:
    """`1 account`, `12,345 accounts`: `unit` is given in the plural."""
    if value == 1:
        unit = _SINGULAR.get(unit, unit.removesuffix("s"))
    return f"{count(value)} {unit}"


def compact(value: float | None) -> str:
    """`987`, `12.3 k`, `4.56 M`, `7.89 G`: for columns of large numbers; the exact value stands beside or in a data table."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    for scale, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= scale:
            scaled = value / (scale if suffix != "k" else 1e3)
            digits = 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0
            return _signed(f"{abs(scaled):,.{digits}f}", value) + f"{_NARROW_SPACE}{suffix}"
    return count(value)


def decimal(value: float | None, digits: int = 1) -> str:
    """A number with a fixed count of decimals; infinite or missing is `unknown`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    return _signed(text, value if float(text.replace(",", "")) else 0.0)


def bits(value: float | None) -> str:
    """`12.4 bits`, never broken over two lines."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{decimal(value)}\u00a0bits"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 0..1 as `12.3 %`; what is neither none nor all never rounds to 0 % or 100 %."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    text = f"{100 * share:.{digits}f}"
    least, most = f"{10.0**-digits:.{digits}f}", f"{100 - 10.0**-digits:.{digits}f}"
    if share > 0 and float(text) == 0:
        return f"below {least}{_NARROW_SPACE}%"
    if share < 1 and float(text) >= 100:
        return f"above {most}{_NARROW_SPACE}%"
    return f"{text.removesuffix('.' + '0' * digits)}{_NARROW_SPACE}%"


def probability(value: float | None) -> str:
    """A p or q value: `0.032`, `below 0.000001`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if 0 <= value < 1e-6:
        return "below 0.000001"
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.6f}"


def measured(value: float | None, unit: str) -> str:
    """A value with its unit, in the form that the unit asks for."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if unit in _SHARE_UNITS:
        return percent(value)
    if unit == "bits":
        return bits(value)
    if unit in _WHOLE_UNITS and not (unit == "pairs" and value % 1):  # expected pairs are no whole number
        return counted(value, unit)
    if unit == "share of pairs":
        return f"{percent(value)} of pairs"
    if unit == "cosine":
        return f"{decimal(value, 2)} of 1"
    text = decimal(value, _digits(value))
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}" if unit not in ("", "ratio") else text


def moment(value: dt.datetime | None) -> str:
    """`2026-05-06 14:03`, UTC; the page states the zone once."""
    if value is None:
        return UNKNOWN
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC)
    return value.strftime("%Y-%m-%d %H:%M")


def listed(parts: list[str] | tuple[str, ...]) -> str:
    """`a`, `a and b`, `a, b and c`; nothing gives `none`."""
    if not parts:
        return "none"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _digits(value: float) -> int:
    if float(value).is_integer():
        return 0
    return max(0, min(6, 2 - math.floor(math.log10(abs(value)))))


def _signed(text: str, value: float) -> str:
    return _MINUS + text if value < 0 and text.strip("0.,") else text
