"""Frozen records of the blocks of a working page, and of the pages that hold further members. As pages/records.py: in words, through the gate."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.pages.records import Command, Figure, PageHead, Table


@dataclass(frozen=True)
class Sharing:
    """What the members share and how they join."""

    sentence: str
    matrix: Figure
    holders: Table
    """what each row of the matrix holds"""
    joins: Figure
    pivots: tuple[Command, ...]
    """how to look up the widest of the shared values"""


@dataclass(frozen=True)
class WhatIf:
    """The network under other thresholds; `absent` says why it was not weighed again, and then the table has no row."""

    sentence: str
    table: Table
    absent: str
    commands: tuple[Command, ...]


@dataclass(frozen=True)
class LookAlike:
    """The network beside matched accounts and beside the innocent network most like it."""

    nearest: str
    """which innocent network that is, and what makes it alike"""
    figure: Figure
    families: Table
    """families of evidence of both"""


@dataclass(frozen=True)
class MemberPages:
    """Where the members that the page does not list are: further pages (label, file) in order, and the file with all of them."""

    pages: tuple[tuple[str, str], ...]
    said: str
    csv: str
    csv_said: str


@dataclass(frozen=True)
class MembersPage:
    """networks/<network_id>-members-<n>.html: members in the order of the network's page, from where that stops."""

    head: PageHead
    network_id: str
    heading: str
    network_file: str
    said: str
    members: Table
    pages: MemberPages
    here: str
    """the label of this page among `pages`"""
