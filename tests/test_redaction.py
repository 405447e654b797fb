"""What a release lets out: laws of the pseudonyms, of addresses and of excerpts, for every profile."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.redaction import EXCERPT_LIMIT, KEY_BYTES, PROFILES, SMALLEST_GROUP, Redaction, Release

KEY = bytes(range(KEY_BYTES))
OUTSIDE = [profile for profile in PROFILES if profile != "internal"]
PSEUDONYM = re.compile(r"(ACCT|ADDR|VAL)(-[0-9A-HJKMNP-TV-Z]{4}){2,3}")


def _release(profile: str = "counsel", accounts: tuple[str, ...] = ()) -> Release:
    return Release(profile, KEY, accounts)


def _luhn(body: str) -> str:
    """The number with its check digit, computed the other way round: every digit that brings the sum to a multiple of ten is tried."""
    table = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    for last in "0123456789":
        digits = [int(digit) for digit in body + last]
        if (sum(digits[::-1][::2]) + sum(table[digit] for digit in digits[::-1][1::2])) % 10 == 0:
            return body + last
    raise AssertionError(body)


@given(name=st.text(min_size=1))
def test_a_pseudonym_is_the_hmac_in_base_32_and_tells_nothing_else(name: str) -> None:
    shown = _release().account(name)
    assert PSEUDONYM.fullmatch(shown)
    digest = hmac.new(KEY, b"ACCT\0" + name.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    bits = "".join(f"{byte:08b}" for byte in digest)[:40]
    digits = "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[int(bits[place : place + 5], 2)] for place in range(0, 40, 5))
    assert shown == f"ACCT-{digits[:4]}-{digits[4:]}"


def test_pseudonyms_depend_on_key_and_domain_and_not_on_profile_or_order() -> None:
    other = Release("counsel", bytes(KEY_BYTES), ())
    assert other.account("a") != _release().account("a")
    assert {_release(profile).account("a") for profile in OUTSIDE} == {_release("public", ("b", "a")).account("a")}
    assert _release().account("a")[5:] != _release().value("a")[4:]


def test_two_members_never_share_a_pseudonym(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight characters collide once in a thousand cases of 25,000 accounts; here they always do."""
    real = Release._digits
    monkeypatch.setattr(Release, "_digits", lambda self, domain, text: "0" * 8 + real(self, domain, text)[8:])
    release = _release("counsel", ("one", "two", "three"))
    shown = [release.account(name) for name in ("one", "two", "three")]
    assert len(set(shown)) == 3
    assert all(PSEUDONYM.fullmatch(text) and text.startswith("ACCT-0000-0000-") for text in shown)


@pytest.mark.parametrize("profile", OUTSIDE)
def test_a_release_outside_internal_needs_a_key(profile: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Release(profile, b"short")
    with pytest.raises(ValueError, match="profile"):
        Release("everybody", KEY)
    assert Release("internal", b"").account("acct-1") == "acct-1"


@given(address=st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
@example(ipaddress.ip_address("::ffff:203.0.113.77"))
@example(ipaddress.ip_address("2002:cb00:714d::1"))
def test_an_address_leaves_as_its_network_only(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    network = ipaddress.ip_network(_release().address(str(address)))
    inner = (address.ipv4_mapped or address.sixtofour) if isinstance(address, ipaddress.IPv6Address) else None
    seen = inner or address
    assert network.prefixlen == (24 if seen.version == 4 else 48)
    assert seen in network
    assert _release("internal").address(str(address)) == str(address)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("10.1.2.3/30", "10.1.2.0/24"), ("10.0.0.0/8", "10.0.0.0/8"), ("2001:db8:1:2::/64", "2001:db8:1::/48"), ("2001:db8::/32", "2001:db8::/32"), (" 1.2.3.4 ", "1.2.3.0/24")],
)
def test_networks_are_widened_and_never_narrowed(value: str, shown: str) -> None:
    assert _release().address(value) == shown


@pytest.mark.parametrize("value", ["9f86d081884c7d65", "", "1.2.3", "1.2.3.4.5", "fe80::1%eth0x", "\x00"])
def test_what_is_no_address_becomes_a_pseudonym(value: str) -> None:
    shown = _release().address(value)
    assert PSEUDONYM.fullmatch(shown) or ipaddress.ip_network(shown).prefixlen <= 48
    assert not value or value not in shown


@pytest.mark.parametrize(
    ("text", "gone", "code"),
    [
        ("write to jane.roe+x@mail.example.org now", "jane.roe", "mail"),
        ("call +44 (20) 7946-0958 now", "7946", "telephone"),
        ("pay with 4111 1111 1111 1111 12/26 now", "1111", "card"),
        ("pay with 4111-1111-1111-1111.", "1111", "card"),
        ("pay with 4111\u200b1111\u200b1111\u200b1111 now", "1111", "card"),
        ("pay with \uff14\uff11\uff11\uff11 1111 1111 1111 now", "1111", "card"),
        ("use sk-abcdefghijklmnopqrstuvwx now", "abcdefgh", "credential"),
        ("password: hunter2hunter2 now", "hunter2", "credential"),
        ("from 203.0.113.77 now", "113.77", "address"),
        ("from 2001:db8:aa:bb::77 now", "bb::77", "address"),
        ("ask Dr. Ada Lovelace now", "Lovelace", "name"),
        ("ask Jean-Luc O'Neill about it", "Neill", "name"),
        ("my name is Zoe, hello", "Zoe", "name"),
        ("Dear Zoe, hello", "Zoe", "name"),
        ("\u6211\u53eb\u738b\u5c0f\u660e\u3002", "\u738b\u5c0f\u660e", "name"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_what_patterns_find_is_masked_for_every_profile_and_counted(profile: str, text: str, gone: str, code: str) -> None:
    release = _release(profile)
    shown = release.excerpt(text)
    assert gone not in unicodedata.normalize("NFKC", shown)
    assert code in {line.code for line in release.redactions}


@given(
    body=st.text("0123456789", min_size=12, max_size=18),
    gap=st.sampled_from(["", " ", "-", ".", "\u00a0"]),
    before=st.sampled_from(["", "7 ", "card "]),
    after=st.sampled_from(["", " 12/26", " 123"]),
)
def test_a_card_number_is_found_whatever_stands_beside_it(body: str, gap: str, before: str, after: str) -> None:
    number = _luhn(body)
    if not int(number):
        return
    spelled = gap.join(number[place : place + 4] for place in range(0, len(number), 4))
    shown = re.sub(r"\D", "", _release().excerpt(f"{before}{spelled}{after}"))
    assert number not in shown


def test_instructions_are_no_names_and_dates_no_telephones() -> None:
    text = "Write Python code that sorts 2026-05-01 by time. Explain Each Step, then rank 1234567 items from 1 to 10."
    assert _release().excerpt(text) == text


@given(st.text())
@example("x" * 5000)
@example("a@b.co " * 500)
@example("\x1b[31m\u202e\x00")
def test_an_excerpt_is_short_visible_and_stable(text: str) -> None:
    shown = _release().excerpt(text)
    assert len(shown) < EXCERPT_LIMIT
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs") for character in shown)
    assert _release().excerpt(text) == shown


def test_no_half_of_a_secret_stands_at_the_cut() -> None:
    for length in range(200, 300):
        shown = _release().excerpt("x" * length + " sk-" + "SECRET" * 10 + " and more" * 40)
        assert "SECRET" not in shown, length


def test_known_accounts_in_a_text_become_their_pseudonyms_outside_internal() -> None:
    names = ("acct-1", "two words", "a@b.example")
    release = _release("partner", names)
    shown = release.excerpt("see acct-1, acct-10 (two words) or a@b.example. acct-1!")
    assert shown == f"see {release.account('acct-1')}, acct-10 ({release.account('two words')}) or {release.account('a@b.example')}. {release.account('acct-1')}!"
    assert _release("internal", names).excerpt("see acct-1") == "see acct-1"


def test_with_common_words_every_other_word_is_masked() -> None:
    assert _release().excerpt("sort the zyzzyva list", common={"sort", "the", "list"}) == "sort the [word] list"


@pytest.mark.parametrize(("count", "shown"), [(0, None), (SMALLEST_GROUP - 1, None), (SMALLEST_GROUP, "20"), (12345, "12,345")])
def test_small_groups_have_no_number(count: int, shown: str | None) -> None:
    assert [_release(profile).aggregate(count) for profile in PROFILES] == [shown] * len(PROFILES)


def test_the_log_counts_by_code_and_nothing_that_was_shown_as_it_is() -> None:
    internal, counsel = _release("internal"), _release()
    for release in (internal, counsel):
        release.account("a")
        release.account("b")
        release.address("1.2.3.4")
        release.value("h")
        release.excerpt("nothing to mask here")
        release.aggregate(3)
    assert internal.redactions == (Redaction("small_count", 1),)
    assert counsel.redactions == (Redaction("account", 2), Redaction("address", 1), Redaction("small_count", 1), Redaction("value", 1))


def test_text_of_the_case_keeps_names_and_loses_secrets() -> None:
    shown = _release().text("Ada Lovelace of Example Trading Ltd, ada@example.org, wrote from 203.0.113.77")
    assert shown == "Ada Lovelace of Example Trading Ltd, [mail], wrote from 203.0.113.0/24"
