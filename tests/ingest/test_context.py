"""The context folder: what is read, and what is refused with a sentence that says where."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.errors import InputError
from pipeline.ingest import read_context


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "context"
    path.mkdir()
    return path


def test_no_folder_is_an_empty_context():
    context = read_context(None)
    assert (context.releases, context.bans, context.preambles, context.vouched_organizations, context.regions, context.files) == ((), (), (), frozenset(), None, {})


def test_every_file_is_read_and_hashed(folder):
    (folder / "releases.csv").write_text("model,released_at\nnew,2026-03-02T01:00:00+01:00\nold,2026-03-01\n")
    (folder / "bans.csv").write_bytes(b"\xef\xbb\xbfaccount_id, banned_at, why\na, 2026-03-01T00:00:01.5Z, spam\n\n")
    (folder / "vouched.csv").write_text("organization_id\norg1\n\norg1\n")
    (folder / "regions.csv").write_text("country\nde\nFR\n")
    (folder / "preambles.toml").write_text('[[preamble]]\nproduct = "short"\ntext = "Hi"\n[[preamble]]\nproduct = "long"\ntext = "Hi there"\n')
    (folder / "terms").mkdir()
    (folder / "terms" / "2026.txt").write_text("terms")
    context = read_context(folder)
    day = 1_772_323_200_000_000
    assert context.releases == (("old", day), ("new", day + 86_400_000_000))
    assert context.bans == (("a", day + 1_500_000),)
    assert context.vouched_organizations == {"org1"}
    assert context.regions == {"DE", "FR"}
    assert [preamble.product for preamble in context.preambles] == ["long", "short"]
    assert context.files == {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("releases.csv", b"model\nx\n", "released_at"),
        ("releases.csv", b"model,released_at\nx,yesterday\n", "no ISO date"),
        ("bans.csv", b"account_id,banned_at\n\xff,2026-01-01\n", "UTF-8"),
        ("preambles.toml", b"[[preamble]\n", "TOML"),
        ("preambles.toml", b"[[preamble]]\nproduct = 'x'\n", "needs product"),
        ("preambles.toml", b"[[preamble]]\nproduct = 'x'\ntext = 'y'\nsha256 = 'z'\n", "not allowed"),
        ("preambles.toml", b"[[preamble]]\nproduct = 'x'\ntext = 'y'\ncolour = 'z'\n", "not allowed"),
        ("preambles.toml", b"[other]\n", "only"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder, name, content, words):
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_context(folder)
    assert name in str(error.value)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_context(tmp_path / "nowhere")
