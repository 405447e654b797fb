"""Configuration: one file of defaults, each key commented and bounded; a wrong key or value is named, with the nearest right one."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from pipeline.config import DEFAULT_FILE, Config, load_config
from pipeline.errors import ConfigError

DEFAULTS = tomllib.loads(DEFAULT_FILE.read_text(encoding="utf-8"))
NUMBERS = [(section, key) for section, keys in DEFAULTS.items() for key, value in keys.items() if isinstance(value, int | float) and not isinstance(value, bool)]


def _file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _field(section: str, key: str) -> dataclasses.Field[object]:
    record = getattr(load_config(), section)
    return next(field for field in dataclasses.fields(record) if field.name == key)


def test_the_defaults_load_and_name_exactly_the_settings_there_are() -> None:
    assert load_config().as_dict() == DEFAULTS
    assert [field.name for field in dataclasses.fields(Config)] == list(DEFAULTS)


def test_names_are_unique_over_all_sections() -> None:
    """SQL parameters are named after settings alone."""
    names = [key for keys in DEFAULTS.values() for key in keys]
    assert len(names) == len(set(names))


def test_every_setting_has_a_comment_with_a_source() -> None:
    lines = DEFAULT_FILE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            above = []
            while lines[number - 1 - len(above)].startswith("#"):
                above.append(lines[number - 1 - len(above)])
            assert "Source:" in " ".join(above), line


@pytest.mark.parametrize(("section", "key"), NUMBERS)
def test_every_number_is_bounded_on_both_sides(tmp_path: Path, section: str, key: str) -> None:
    limits = _field(section, key).metadata
    for beyond in (limits["low"] - 1, limits["high"] + 1):
        with pytest.raises(ConfigError, match=rf"\[{section}\] {key} = .* is outside"):
            load_config(_file(tmp_path, f"[{section}]\n{key} = {beyond}\n"))


def test_a_file_of_ones_own_changes_only_what_it_names(tmp_path: Path) -> None:
    changed = load_config(_file(tmp_path, "[window]\nwindow_days = 90\n"))
    assert changed.window.window_days == 90
    assert dataclasses.replace(changed, window=load_config().window) == load_config()


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'window_days'"):
        load_config(_file(tmp_path, "[window]\nwindow_day = 90\n"))


def test_an_unknown_section_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'window'"):
        load_config(_file(tmp_path, "[windows]\nwindow_days = 90\n"))


def test_a_key_outside_any_section_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="window_days"):
        load_config(_file(tmp_path, "window_days = 90\n"))


@pytest.mark.parametrize("value", ['"28"', "28.5", "true", "nan", "[28]"])
def test_another_type_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="window_days"):
        load_config(_file(tmp_path, f"[window]\nwindow_days = {value}\n"))


def test_nan_is_in_no_range(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_rejected_share"):
        load_config(_file(tmp_path, "[ingest]\nmax_rejected_share = nan\n"))


@pytest.mark.parametrize("text", ["[window", "\udcff"])
def test_what_is_not_toml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        load_config(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such configuration"):
        load_config(tmp_path / "none.toml")
