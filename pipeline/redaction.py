"""What of a run may leave in a release: one object a document, through which every id, address, value and excerpt of it goes.

Four profiles, from the widest to the narrowest reader: `internal` shows ids and addresses as logged; `counsel`, `partner` and `public` show
pseudonyms, and addresses only as networks of /24 and /48. A pseudonym is HMAC-SHA-256 under a key of the case that lies outside the case, so
nobody without it can test a guess, and one account has one pseudonym in all papers of the case. Text of prompts is masked for every profile.

Built on pipeline/redact.py, the gate that makes text harmless: whatever leaves here has passed it. Nothing here raises on a string.
What was masked is counted by code in `Release.redactions`; the order of calls changes no byte of what is given.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from pipeline import redact

Profile = Literal["internal", "counsel", "partner", "public"]
PROFILES: tuple[Profile, ...] = ("internal", "counsel", "partner", "public")
EXCERPT_LIMIT = 280
SMALLEST_GROUP = 20
"""Fewest accounts whose number is told where they are nobody's members."""
KEY_BYTES = 32
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that a reader takes for a digit."""
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Redaction:
    """A line of the redaction log: what was masked, and how often."""

    code: str
    """account, address, card, credential, cut, mail, name, rare_word, small_count, telephone or value"""
    count: int


class Release:
    """The one way out of a document. `key` is the case's (not used by `internal`); `accounts` are the ids that may stand in texts."""

    def __init__(self, profile: Profile, key: bytes, accounts: Collection[str] = ()) -> None:
        if profile not in PROFILES:
            raise ValueError(f"{profile} is no release profile: {', '.join(PROFILES)}")
        if profile != "internal" and len(key) < KEY_BYTES:
            raise ValueError(f"a release outside internal needs a key of at least {KEY_BYTES} bytes")
        self.profile = profile
        self._key, self._counts = key, Counter[str]()
        self._pseudonyms = {} if self.is_internal else _distinct({name: self._digits("ACCT", name) for name in sorted(set(accounts))})
        self._loose = tuple(name for name in self._pseudonyms if not _WORD_LIKE.fullmatch(name))

    @property
    def is_internal(self) -> bool:
        """Whether ids and addresses are shown as logged."""
        return self.profile == "internal"

    @property
    def redactions(self) -> tuple[Redaction, ...]:
        """The redaction log so far, by code; calls that gave a value as logged are no part of it."""
        return tuple(Redaction(code, count) for code, count in sorted(self._counts.items()) if count)

    def account(self, account_id: str) -> str:
        """The id, or outside internal a pseudonym such as `ACCT-7F3K-2MQX`: two accounts of `accounts` never get the same one."""
        if self.is_internal:
            return redact.identifier(account_id)
        self._counts["account"] += 1
        return _grouped("ACCT", self._pseudonyms.get(account_id) or self._digits("ACCT", account_id)[:8])

    def address(self, value: str) -> str:
        """An address or network; outside internal its /24 or /48 (a wider network stays), and what is no address, such as a hash of one, a pseudonym."""
        if self.is_internal:
            return redact.identifier(value)
        self._counts["address"] += 1
        network = _network(value)
        return _grouped("ADDR", self._digits("ADDR", value)[:8]) if network is None else str(network)

    def value(self, text: str) -> str:
        """A hash, key or id of anything else: as it is for internal, else a pseudonym such as `VAL-7F3K-2MQX`."""
        if self.is_internal:
            return redact.identifier(text)
        self._counts["value"] += 1
        return _grouped("VAL", self._digits("VAL", text)[:8])

    def excerpt(self, text: str, limit: int = EXCERPT_LIMIT, common: Collection[str] | None = None) -> str:
        """Fewer than `limit` characters of a prompt: without mail, telephone, card, keys, full addresses and names as far as patterns find them.

        Outside internal accounts in it are pseudonyms. Where `common` words are given (lower case), every other word is masked as well.
        """
        masked = self._masked(text, limit, self._without_names if common is None else lambda found: self._only(common, self._without_names(found)))
        if len(masked) < limit:
            return masked
        self._counts["cut"] += 1
        return masked[: limit - 2] + "\u2026"

    def text(self, text: str, limit: int = redact.LINE_LIMIT) -> str:
        """At most `limit` characters of what a person wrote for the case: masked as an excerpt, but names stay, for naming is the author's decision."""
        return redact.for_html(self._masked(text, limit, str), limit)

    def aggregate(self, count: int) -> str | None:
        """A number of accounts that belong to no network, as `1,234`; None below 20, for fewer might be picked out."""
        if count >= SMALLEST_GROUP:
            return f"{count:,}"
        self._counts["small_count"] += 1
        return None

    def _masked(self, text: str, limit: int, last: Callable[[str], str]) -> str:
        """Visible text, masked by pattern; its head is longer than what is shown, so that no half of a secret stands at the end."""
        head = redact.visible(text[: 8 * limit + 2 * redact.TEXT_LIMIT])
        known = self._without_accounts(self._without_cards(redact.mask_credentials(head)))
        masked = redact.for_html(known, 2 * limit)
        for code, marks in _MARKS.items():
            self._counts[code] += sum(max(0, masked.count(mark) - text.count(mark)) for mark in marks)
        return last(masked)

    def _without_cards(self, text: str) -> str:
        return _CARD_LIKE.sub(lambda found: self._card(found.group()), text)

    def _card(self, text: str) -> str:
        """A run of digits with every part masked that has the length and the check digit of a card number."""
        hidden = {place for mark in _HIDDEN.finditer(text) for place in range(*mark.span())}
        places = [place for place, character in enumerate(text) if character.isdecimal() and place not in hidden]
        digits = [int(text[place]) for place in places]
        for first in range(len(digits) - 12):
            for length in range(min(19, len(digits) - first), 12, -1):
                if _is_card(digits[first : first + length]):
                    self._counts["card"] += 1
                    return text[: places[first]] + "[card]" + self._card(text[places[first + length - 1] + 1 :])
        return text

    def _without_accounts(self, text: str) -> str:
        """Outside internal, ids of known accounts as their pseudonyms, wherever they stand as a word or, with spaces in them, at all."""
        if not self._pseudonyms:
            return text
        for name in self._loose:
            text = text.replace(name, self.account(name)) if name in text else text
        return _WORD_LIKE.sub(self._known_word, text)

    def _known_word(self, found: re.Match[str]) -> str:
        word = found.group()
        bare = word if word in self._pseudonyms else word.rstrip(".:!?/")
        return self.account(bare) + word[len(bare) :] if bare in self._pseudonyms else word

    def _without_names(self, text: str) -> str:
        text, told = _TOLD_NAME.subn(r"\1\2[name]", text)
        self._counts["name"] += told
        return _CAPITALISED.sub(lambda found: self._name(found.group()), text)

    def _name(self, run: str) -> str:
        """A run of capitalised words as `[name]`, but for words at its start that begin sentences; one word alone is no name by pattern."""
        words = run.split(" ")
        common = next((place for place, word in enumerate(words) if word.lower() not in _SENTENCE_STARTS), len(words))
        if len(words) - common < 2:
            return run
        self._counts["name"] += 1
        return " ".join([*words[:common], "[name]"])

    def _only(self, common: Collection[str], text: str) -> str:
        def kept(found: re.Match[str]) -> str:
            if found.group().lower() in common:
                return found.group()
            self._counts["rare_word"] += 1
            return "[word]"

        return _PLAIN_WORD.sub(kept, text)

    def _digits(self, domain: str, text: str) -> str:
        """Twelve characters of base 32 (60 bits) of the HMAC of a text within its domain."""
        digest = hmac.new(self._key, domain.encode() + b"\0" + text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        number = int.from_bytes(digest[:8], "big")
        return "".join(_DIGITS[number >> 59 - 5 * place & 31] for place in range(12))


_MARKS = {"address": ("/24", "/48"), "mail": ("[mail]",), "telephone": ("[telephone]",), "credential": ("[key]", "[token]", "[secret]", "[login]", "[private key]")}
_GAP = r"(?:[ \u00a0\u2000-\u200a\u202f._\-\u2010-\u2015/]|<U\+[0-9A-F]{4}>){0,2}"
_HIDDEN = re.compile(r"<U\+[0-9A-F]{4,6}>")
_CARD_LIKE = re.compile(rf"\d(?:{_GAP}\d){{12,}}")
_WORD_LIKE = re.compile(r"[^\s,;\"'()\[\]{}<>|=]+")
_PLAIN_WORD = re.compile(r"(?<!\[)\b[^\W\d_]{2,}\b(?!\])")
_UPPER, _LOWER = r"[A-Z\u00c0-\u00de\u0391-\u03a9\u0410-\u042f]", r"[a-z\u00df-\u00ff\u03b1-\u03c9\u0430-\u044f]"
_NAME_WORD = rf"{_UPPER}(?:['\u2019-]?{_UPPER}?{_LOWER}++)+"
_CAPITALISED = re.compile(rf"\b{_NAME_WORD}(?: (?:[A-Z]\. ?)?{_NAME_WORD})+")
_TOLD_NAME = re.compile(
    r"((?:\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herr|Frau|Monsieur|Madame|Mme|Se\u00f1ora?|Sra?)\b\.?|\b[Mm]y name is|\b[Ii]ch hei\u00dfe|\b[Jj]e m'appelle|\b[Mm]e llamo|"
    rf"\b(?:Dear|Hello|Hi|Regards|Sincerely|Yours),?|\b[Ss]igned:?) )(?:{_NAME_WORD})(?: (?:[A-Z]\. ?)?{_NAME_WORD})*"
    r"|((?:\u6211\u53eb|\u59d3\u540d[\uff1a:]))[\u4e00-\u9fff]{2,4}"
)
_SENTENCE_STARTS = frozenset(
    "a act add after again all also am an analyse analyze and answer any are as ask at be begin both but by calculate can check choose classify compare complete compute "
    "consider convert correct could create dear define describe design detail determine do does each edit evaluate every exercise explain extract fill final find first "
    "fix for from generate give given grade have hello here hi how however i identify if imagine implement in is it keep let list look make may my name next no not note "
    "now of on one only or our outline output please point produce provide question rank rate read return rewrite say second section select should show shows solve sort "
    "state step steps summarise summarize system task tell test that the then there these they think this those three to translate two use user using was we what when "
    "where which who why will with work would write you your".split()
)


def _distinct(digits: dict[str, str]) -> dict[str, str]:
    """Eight characters a name, twelve for those that would share eight."""
    shared = Counter(text[:8] for text in digits.values())
    return {name: text[:8] if shared[text[:8]] == 1 else text for name, text in digits.items()}


def _grouped(prefix: str, digits: str) -> str:
    return "-".join([prefix, *(digits[place : place + 4] for place in range(0, len(digits), 4))])


def _network(value: str) -> _Network | None:
    """The /24 or /48 that a value lies in; an IPv6 address that carries an IPv4 one counts as that. None if it is no address."""
    try:
        found: _Network = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Network):
        mapped, six_to_four = found.network_address.ipv4_mapped, found.network_address.sixtofour
        inner = (mapped if found.prefixlen > 120 else None) or (six_to_four if found.prefixlen > 40 else None)
        if inner is not None:
            return ipaddress.ip_network(f"{inner}/24", strict=False)
    bits = 24 if found.version == 4 else 48
    return found.supernet(new_prefix=bits) if found.prefixlen > bits else found


def _is_card(digits: list[int]) -> bool:
    """Luhn's check (ISO/IEC 7812-1): from the right, every second digit doubled, its digits added, the sum a multiple of ten."""
    doubled = (2 * digit - 9 if digit > 4 else 2 * digit for digit in digits[-2::-2])
    return any(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
