"""`verify`: any change of a bag is found and named, by the program and by the bag's own verify.py alike; no path leads out of it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.evidence import agreement, bagfiles, bundle, ed25519, signing, verify
from pipeline.evidence.bundle import Sealing
from pipeline.provenance import sha256_bytes
from tests.evidence.conftest import CASE, TODAY

PUBLIC_BYTES = 32


@pytest.fixture
def bag(sealed: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the internal bag."""
    return Path(shutil.copytree(sealed["internal"], tmp_path / "bag"))


@pytest.fixture(scope="module")
def signed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed bag. Tests put back what they change."""
    home = tmp_path_factory.mktemp("signed")
    shutil.copytree(built, home / "out", symlinks=True)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", home / "key.pem"], check=True, capture_output=True)
    (home / "key.pem").chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLHUNT_KEYS", str(built.parent / "keys"))
        (one,) = bundle.seal(home / "out", Sealing(CASE, "public", by="", key_file=home / "key.pem", despite_lint=False, today=TODAY))
    return one.path


def _failed(bag: Path) -> dict[str, str]:
    return {one.name: one.detail for one in verify.check(bag, signing.holds) if not one.passed}


def _remade(bag: Path) -> None:
    """Make all hashes of a bag true again, as somebody would who wants to hide a change."""
    for name, files in ((bagfiles.MANIFEST, True), (bagfiles.TAGS, False)):
        paths = sorted(path.relative_to(bag).as_posix() for path in bag.rglob("*") if path.is_file())
        listed = [path for path in paths if path.startswith("data/") == files and path not in (bagfiles.TAGS, bagfiles.SIGNATURE)]
        (bag / name).write_text("".join(f"{sha256_bytes((bag / path).read_bytes())}  {path}\n" for path in listed))


def test_a_sound_bag_passes_every_check(sealed: dict[str, Path], signed: Path) -> None:
    for bag in (*sealed.values(), signed):
        assert _failed(bag) == {}
        assert len(verify.check(bag)) == 10


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_any_byte_of_any_file_is_found_and_its_file_named(signed: Path, data: st.DataObject) -> None:
    paths = sorted(path for path in signed.rglob("*") if path.is_file() and path.stat().st_size)
    path = data.draw(st.sampled_from([*paths, *(signed / name for name in (bagfiles.TAGS, bagfiles.INFO, bagfiles.SIGNATURE, bagfiles.KEY))]))
    before = path.read_bytes()
    place, other = data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(0, 255))
    if before[place] == other:
        other ^= 1
    path.write_bytes(before[:place] + bytes([other]) + before[place + 1 :])
    try:
        found = _failed(signed)
    finally:
        path.write_bytes(before)
    assert found
    assert path.relative_to(signed).as_posix() in " ".join(found.values())


def _append(bag: Path, name: str) -> None:
    with (bag / name).open("ab") as file:
        file.write(b"x")


CHANGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a file gone": (lambda bag: (bag / "data/20_exhibits/members.csv").unlink(), "payload complete", "data/20_exhibits/members.csv: is missing"),
    "a file added": (lambda bag: (bag / "data/20_exhibits/more.csv").write_text("x"), "payload complete", "data/20_exhibits/more.csv: was added"),
    "a hidden file added": (lambda bag: (bag / "data/.more").write_text("x"), "payload complete", "data/.more: was added"),
    "a tag file added": (lambda bag: (bag / "fetch.txt").write_text("http://host.example/x 1 data/x\n"), "tag files", "fetch.txt: was added"),
    "a file longer": (lambda bag: _append(bag, "data/10_report/incident.html"), "payload hashes", "data/10_report/incident.html: was changed"),
    "the manifest edited": (lambda bag: _append(bag, bagfiles.MANIFEST), "payload manifest", "its last line has no end"),
    "the manifest gone": (lambda bag: (bag / bagfiles.MANIFEST).unlink(), "structure", "manifest-sha256.txt: is missing"),
    "no declaration": (lambda bag: (bag / bagfiles.BAGIT).unlink(), "structure", "bagit.txt: is missing"),
    "a link": (lambda bag: (bag / "data/link").symlink_to("/etc/passwd"), "structure", "data/link: is a link"),
    "a signature put beside an unsigned bag": (lambda bag: ((bag / "signature").mkdir(), (bag / bagfiles.SIGNATURE).write_bytes(b"x" * 64)), "tag files", "was added"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_done_to_a_bag_is_named(bag: Path, what: str) -> None:
    change, check, words = CHANGES[what]
    change(bag)
    assert words in _failed(bag)[check]


@pytest.mark.parametrize("name", ["data/../../../etc/passwd", "/etc/passwd", "data/..", "data//x", "data/./x", "C:\\x", "data/\x1b[31mx", "data/%2e%2e/x", "~/x"])
def test_a_path_that_leads_out_of_the_bag_is_refused_and_not_opened(bag: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = bag / bagfiles.MANIFEST
    manifest.write_bytes(manifest.read_bytes() + f"{'0' * 64}  {name}\n".encode())
    opened: list[str] = []
    monkeypatch.setattr(bagfiles, "sha256_of", lambda _bag, path: opened.append(path))
    detail = _failed(bag)["payload manifest"]
    assert "was not opened" in detail
    assert name not in opened
    assert "\x1b" not in detail


def test_a_line_twice_or_out_of_order_is_refused(bag: Path) -> None:
    manifest = bag / bagfiles.MANIFEST
    lines = manifest.read_text().splitlines(keepends=True)
    for spelling in ([*lines, lines[-1]], lines[::-1]):
        manifest.write_text("".join(spelling))
        assert "not in order" in _failed(bag)["payload manifest"]


def test_a_folder_of_the_bag_that_is_a_link_is_not_followed(bag: Path, tmp_path: Path) -> None:
    (bag / "data/20_exhibits").rename(tmp_path / "elsewhere")
    (bag / "data/20_exhibits").symlink_to(tmp_path / "elsewhere")
    found = _failed(bag)
    assert "data/20_exhibits: is a link" in found["structure"]
    assert "data/20_exhibits/members.csv: is missing" in found["payload complete"]


def test_a_swapped_signature_or_key_is_found(signed: Path, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.generate()
    bag = Path(shutil.copytree(signed, tmp_path / "bag"))
    message = (bag / bagfiles.TAGS).read_bytes()
    (bag / bagfiles.SIGNATURE).write_bytes(other.sign(message))
    assert "is no signature of tagmanifest-sha256.txt" in _failed(bag)["signature"]
    signer = signing.Signer.__new__(signing.Signer)
    signer._key = other
    (bag / bagfiles.KEY).write_bytes(signer.public_pem())
    assert "is not the key that bag-info.txt names" in _failed(bag)["signature"]
    (bag / bagfiles.SIGNATURE).unlink()
    assert "signature/tagmanifest-sha256.txt.sig: is missing" in _failed(bag)["signature"]


def test_hashes_made_again_do_not_hide_a_cut_journal_or_another_page(bag: Path) -> None:
    journal = bag / bagfiles.JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    _remade(bag)
    assert set(_failed(bag)) >= {"custody chain"}
    assert "does not end where" in _failed(bag)["custody chain"]
    journal.write_bytes(b"".join([lines[0].replace(b"Ann", b"Bob"), *lines[1:]]))
    assert "line 2 does not follow" in _failed(bag)["custody chain"]
    journal.write_bytes(b"".join(lines))
    _append(bag, "data/10_report/incident.html")
    _remade(bag)
    assert "is not the page that lint.json is about" in _failed(bag)["inside agrees"]


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        (bagfiles.EXPECTED, "tables/accounts", "tables/account5", "is not what run.json recorded"),
        (bagfiles.SOURCES, "log,date=", "context,date=", "lists other log files"),
        (bagfiles.CONFIG, "[links]\n", "[links]\nmore = 1\n", "holds other settings"),
        (bagfiles.NIGHTS, "part-0", "part-1", "ends with another run"),
        (bagfiles.RUN, '"config_sha256": "', '"config_sha256": "0', "settings do not have their hash"),
        (bagfiles.CASE, '"version": 1', '"version": 2', "another case, profile or version"),
    ],
)
def test_files_that_contradict_each_other_are_named_whatever_their_hashes(bag: Path, name: str, old: str, new: str, words: str) -> None:
    text = (bag / name).read_text()
    assert old in text
    (bag / name).write_text(text.replace(old, new))
    _remade(bag)
    assert words in _failed(bag)["inside agrees"]


def test_what_is_no_bag_says_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone", tmp_path / "file"):
        (tmp_path / "file").write_text("x")
        with pytest.raises(verify.NotABagError, match="is no bag"):
            verify.check(path)


def test_the_bag_checks_itself_with_nothing_but_python(bag: Path, tmp_path: Path) -> None:
    script = [sys.executable, "-I", "-S", str(bag / "data/50_repro/verify.py")]
    before = sorted(bag.rglob("*"))
    sound = subprocess.run(script, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert [line.split()[0] for line in sound.stdout.splitlines()] == ["pass"] * 10 + ["seal"]
    assert sorted(bag.rglob("*")) == before, "it leaves nothing in the bag"
    _append(bag, "data/20_exhibits/members.csv")
    broken = subprocess.run(script, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (broken.returncode, "data/20_exhibits/members.csv: was changed" in broken.stdout) == (4, True)
    assert subprocess.run([*script, str(tmp_path / "gone")], capture_output=True, text=True, check=False).returncode == 6


def test_what_lies_in_a_bag_imports_the_standard_library_alone() -> None:
    own = {"agreement", "bagfiles", "ed25519", "verify"}
    for module in (agreement, bagfiles, ed25519, verify):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        names = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert names - own - {"pipeline"} <= set(sys.stdlib_module_names)


@settings(max_examples=40, deadline=None)
@given(message=st.binary(max_size=200), flip=st.integers(0, 8 * 96 - 1))
def test_both_ways_to_check_a_signature_agree(message: bytes, flip: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(sha256_bytes(message)[:32].encode())
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519.holds(key, signature, message)
    both = bytearray(key + signature)
    both[flip // 8] ^= 1 << flip % 8
    changed = bytes(both[:PUBLIC_BYTES]), bytes(both[PUBLIC_BYTES:])
    assert ed25519.holds(*changed, message) == signing.holds(*changed, message) is False


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_no_bytes_make_the_check_of_a_signature_fail_otherwise_than_by_no(key: bytes, signature: bytes) -> None:
    assert ed25519.holds(key, signature, b"message") in (True, False)
