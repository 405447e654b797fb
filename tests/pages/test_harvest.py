"""What prompts ask for and whose traffic it is, on the working page and the terminal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest

from pipeline import schema
from pipeline.cli.harvest import show_harvest
from pipeline.config import load_config
from pipeline.pages import build_pages, harvest
from pipeline.pages.words import load_wording
from tests.conftest import ROOT, Program
from tests.pages import fixtures
from tests.pages.reading import Page

HOSTILE = "</script><b>=1+1\x00\u202e"


def capability(network: str, part: str, name: str, share: float, low: float = 0.0, high: float = 1.0, **changes: object) -> dict[str, object]:
    plain = {"request_count": 1200, "input_tokens": 34000, "output_tokens": 560000, "prompt_count": 70, "account_count": 9, "sample_count": 640, "sample_account_count": 10}
    return {"network_id": network, "part": part, "capability": name, "share": share, "low_share": low, "high_share": high, **plain, **changes}


def traffic(network: str, part: str, share: float | None, *, exact: bool = False) -> dict[str, object]:
    ends = {"low_share": None if share is None else max(share - 0.04, 0.0), "high_share": None if share is None else min(share + 0.05, 1.0)}
    counts = {"request_count": None if share is None else round(4000 * share), "is_exact": exact, "prompt_count": 320, "sampled_count": 333, "account_count": 10}
    return {"network_id": network, "part": part, "share": share, **ends, **counts}


def rows(network: str) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """A pool whose prompts with the group's wording ask for reasoning, and which carries three quarters for others."""
    asked = [
        capability(network, "all", "coding", 0.1, 0.08, 0.13),
        capability(network, "all", "reasoning", 0.25, 0.21, 0.3, output_tokens=None),
        capability(network, "all", "general", 0.65, 0.6, 0.7),
        capability(network, "operator", "reasoning", 0.92, 0.88, 0.95),
        capability(network, "operator", "general", 0.08, 0.05, 0.12),
        capability(network, "carried", "coding", 1.0),
    ]
    shares = {"operator": 0.25, "carried": 0.75, "boilerplate": 0.25, "session_stream": 0.5, "client_stack": 0.0, "unexplained": 0.25}
    return asked, [traffic(network, part, share) for part, share in shares.items()]


def page_of(network: str, asked: list[dict[str, object]], shares: list[dict[str, object]], more: Mapping[str, pl.DataFrame] = MappingProxyType({})) -> str:
    frames = {
        **fixtures.frames(8),
        **more,
        "network_capabilities": fixtures.table(schema.NETWORK_CAPABILITIES, asked),
        "network_traffic": fixtures.table(schema.NETWORK_TRAFFIC, shares),
    }
    built = dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[network]))
    read = Page(built[f"networks/{network}.html"])
    assert read.faults == []
    return read.text.replace("\u202f", " ")


def test_the_page_of_a_referred_network_says_what_was_asked_for_and_what_was_carried() -> None:
    text = page_of(fixtures.REFER, *rows(fixtures.REFER))
    assert "What prompts ask for: most of all reasoning, where they have the group's wording" in text
    assert "21 % to 30 %" in text
    assert "88 % to 95 %" in text
    assert "640 prompts of 10 accounts were sampled." in text
    assert "the operator's, at least" in text
    assert "carried for others, at most" in text
    assert "estimated from 333 requests of 10 accounts" in text
    assert "no verdict reads it" in text


def asking(network: str, part: str, share: float, low: float, high: float) -> dict[str, object]:
    return {
        "network_id": network,
        "part": part,
        "share": share,
        "low_share": low,
        "high_share": high,
        "prompt_count": 70,
        "account_count": 9,
        "sample_count": 640,
        "sample_account_count": 10,
    }


@pytest.mark.parametrize("has_controls", [True, False])
def test_what_asks_for_reasoning_stands_beside_the_controls(*, has_controls: bool) -> None:
    asked, shares = rows(fixtures.REFER)
    told = [asking(fixtures.REFER, "all", 0.3, 0.25, 0.36), asking(fixtures.REFER, "operator", 0.52, 0.44, 0.6)]
    told += [asking(fixtures.REFER, "controls", 0.041, 0.03, 0.06)] if has_controls else []
    more = {"network_elicitation": fixtures.table(schema.NETWORK_ELICITATION, told)}
    text = page_of(fixtures.REFER, asked, shares, more)
    assert "to be written out stand in 30 % of the sampled requests (25 % to 36 %). Of those with the group's wording: 52 %." in text
    assert ("Of its matched controls' requests: 4.1 % (3 % to 6 %)." in text) == has_controls
    assert ("no sampled prompt of matched controls" in text) != has_controls


def test_of_a_group_that_is_not_referred_no_operator_is_spoken_of() -> None:
    text = page_of(fixtures.WATCH, *rows(fixtures.WATCH))
    assert "What the accounts' traffic is made of" in text
    assert "the operator's, at least" not in text
    assert "carried for others" not in text
    assert "with the group's wording" in text


def test_without_wording_in_common_nothing_is_told_apart_and_what_is_counted_says_so() -> None:
    asked = [row for row in rows(fixtures.REFER)[0] if row["part"] == "all"]
    shares = [traffic(fixtures.REFER, part, None if part in harvest.OWNERS else 0.25, exact=True) for part in (*harvest.OWNERS, *harvest.PARTS)]
    text = page_of(fixtures.REFER, asked, shares)
    assert "not told apart" in text
    assert "nothing tells it" in text
    assert "counted" in text
    assert "These accounts have no wording in common" in text


def test_a_run_without_the_tables_has_a_page_without_the_part() -> None:
    built = dict(build_pages(fixtures.frames(8), fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))
    assert "What the traffic asks for" not in Page(built[f"networks/{fixtures.REFER}.html"]).text


def pace(network: str, side: str, share: float, at_once: int, turns: int) -> dict[str, object]:
    ends = {"low_share": share / 2, "high_share": min(2 * share, 1.0)}
    return {"network_id": network, "side": side, "share": share, **ends, "at_once_count": at_once, "later_turn_count": turns, "account_count": 7}


def pace_page(rows: list[dict[str, object]]) -> str:
    built = dict(build_pages({**fixtures.frames(8), "network_pace": fixtures.table(schema.NETWORK_PACE, rows)}, fixtures.manifest(), load_config(), pages_for=[fixtures.WATCH]))
    read = Page(built[f"networks/{fixtures.WATCH}.html"])
    assert read.faults == []
    return read.text.replace("\u202f", " ")


def test_turns_sent_at_once_stand_beside_those_of_controls_with_the_innocent_who_send_so() -> None:
    text = pace_page([pace(fixtures.WATCH, "controls", 0.01, 3, 300), pace(fixtures.WATCH, "members", 0.36, 108, 300)])
    assert "these accounts 36 % 18 % to 72 % 108 300 7 controls of the same volume 1 % 0.5 % to 2 % 3 300 7" in text
    assert "agents that work without tools, tests that replay a product's chats" in text
    assert "no verdict reads it" in text


def test_without_a_later_turn_of_a_member_nothing_is_compared() -> None:
    assert "Turns that were sent" not in pace_page([pace(fixtures.WATCH, "controls", 0.01, 3, 300)])


def test_a_class_of_another_version_is_released_and_not_obeyed() -> None:
    asked = [capability(fixtures.REFER, "all", HOSTILE, 0.5), capability(fixtures.REFER, "all", "general", 0.5)]
    frames = {**fixtures.frames(8), "network_capabilities": fixtures.table(schema.NETWORK_CAPABILITIES, asked)}
    read = Page(dict(build_pages(frames, fixtures.manifest(), load_config(), pages_for=[fixtures.REFER]))[f"networks/{fixtures.REFER}.html"])
    assert read.faults == []
    assert "b" not in {tag for tag, _ in read.elements}
    assert "\u202e" not in read.text
    assert "\x00" not in read.text


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.0, 1.0, "no interval"), (None, None, "no interval"), (0.0, 0.132, "none to 13.2 %"), (0.8677, 1.0, "86.8 % to all"), (0.0002, 0.02, "below 0.1 % to 2 %")],
)
def test_intervals_in_words(low: float | None, high: float | None, said: str) -> None:
    assert harvest.interval({"low_share": low, "high_share": high}).replace("\u202f", " ") == said


def test_every_class_and_part_has_words() -> None:
    from pipeline.stages import capabilities, network_pace, traffic_parts

    wording = load_wording(ROOT / "reports" / "wording.toml")
    assert set(wording.names("capability")) == {*capabilities.lexicon().classes, capabilities.GENERAL}
    assert set(wording.names("traffic_part")) == {*harvest.OWNERS, *harvest.PARTS}
    assert set(wording.names("pace_side")) == set(harvest.SIDES) == set(network_pace.SIDES)
    assert harvest.PARTS == traffic_parts.COMPONENTS
    assert harvest.OWNERS == (traffic_parts.OPERATOR, traffic_parts.CARRIED)


def test_show_prints_both_and_json_holds_the_rows(finished: Path, program: Program, tmp_path: Path) -> None:
    network = pl.read_parquet(finished / "latest" / "tables" / "networks.parquet").filter("flagged")["network_id"][0]
    told = program("show", network, "--out", finished)
    assert told.returncode == 0, told.stderr
    assert "WHAT PROMPTS ASK FOR" in told.stdout
    assert "ASKS FOR THE REASONING TO BE WRITTEN OUT" in told.stdout
    assert "the operator's, at least" in told.stdout
    parts = json.loads(program("show", network, "--out", finished, "--format", "json").stdout)
    assert {row["part"] for row in parts["traffic"]} == {*harvest.OWNERS, *harvest.PARTS}
    assert parts["capabilities"]
    assert {row["part"] for row in parts["elicitation"]} >= {"all", "controls"}
    assert parts["pace"] == []  # in the tiny log no conversation goes on
    assert "TURNS SENT AT ONCE" not in told.stdout
    old = shutil.copytree(finished, tmp_path / "old", symlinks=True)
    (manifest,) = old.glob("runs/*/run.json")
    described = json.loads(manifest.read_text(encoding="utf-8"))
    for name in ("network_capabilities", "network_elicitation", "network_traffic", "network_pace"):
        (manifest.parent / "tables" / f"{name}.parquet").unlink()
        del described["tables"][name]
    manifest.write_text(json.dumps(described), encoding="utf-8")
    before = program("show", network, "--out", old)
    assert before.returncode == 0, before.stderr
    assert "WHAT PROMPTS ASK FOR" not in before.stdout


def test_the_terminal_shows_the_pace_of_members_before_that_of_controls() -> None:
    rows = [pace("P-1", "controls", 0.01, 3, 300), pace("P-1", "members", 0.36, 1080, 3000)]
    shown = {}
    parts = {"network": [{"what": "tier", "value": "watch"}], "capabilities": [], "elicitation": [], "traffic": [], "pace": rows}
    show_harvest(parts, lambda title, table, _: shown.update({title: table}))
    (title,) = (title for title in shown if title.startswith("TURNS SENT AT ONCE"))
    assert [row["of"] for row in shown[title]] == ["these accounts", "controls of the same volume"]
    assert [row["at once"] for row in shown[title]] == ["1,080", "3"]
