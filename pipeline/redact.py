"""The one gate through which text, addresses and ids reach a page, a picture, a terminal, a CSV or JSON document or a bundle.

Every value that came out of a log is somebody else's text. What leaves here holds no control character, no terminal escape and no
mark that reorders or hides text (each is made visible instead). On a page it is also at most `limit` characters long, and shows no
credential, mail address, telephone number or full network address. Ids are the exception in one point: an id has to be typed back by the
analyst, so only what looks like a credential is masked in it, and an id that had to be changed carries a mark of its own, so that two ids
never look alike. A terminal and a CSV cell treat every text so, for most of it is ids and nothing else tells them apart; there nothing is cut.
JSON is for programs, which join on exact values: it keeps them, and writes whatever is not printable ASCII as an escape.

Every function is pure and never raises on a string; passing its own output through it again changes nothing (but for JSON, which is an encoding).
HTML's own special characters are not touched here: the page templates escape every value.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Any

TEXT_LIMIT = 200
ID_LIMIT = 80
LINE_LIMIT = 4000
EXCERPT_LIMIT = 280
_CUT_MARK = "\u2026"
_SLACK = 4  # text is cut to this many times the limit before masking, so that cost does not grow with hostile length
_LAST_WORD = 512  # characters given up at that first cut, so that no half of a secret survives it

_ESCAPE_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC: titles, links, clipboard
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 byte
    r"|\x1b[ -/]*[0-~]?"  # any other escape
)
_ESCAPE_MARK = "\u241b"
_MARK_RUN = re.compile(r"[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]{5,}")
_SPACES = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
_ORDINARY = re.compile("[ -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2015\u2018-\u201f\u2026\u202f\u2212]*")
"""Text of these characters alone shows as it is: letters and signs of Latin scripts, dashes, quotes; no control, no mark, nothing that is not seen."""
_INVISIBLE = frozenset({0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0xFEFF})


def for_html(text: str, limit: int = TEXT_LIMIT) -> str:
    """Free text for a page: visible, masked, at most `limit` characters. The template still escapes it."""
    return _shown(text, limit, mask)


def for_excerpt(text: str, common: Collection[str], limit: int = EXCERPT_LIMIT) -> str:
    """At most `limit` characters of a prompt: as `for_html`, with quotes, code, paths, words that hold digits and names masked, and every word that is not in `common`.

    `common` holds lower-case words out of `excerpt_words`. Line breaks show as `|`. A word in capitals inside a sentence counts as a name.
    """
    plain = for_html(_lined(text), 4 * limit)
    for pattern, mark in _SKELETON_MASKS:
        plain = pattern.sub(mark, plain)
    shown = _WORD.sub(lambda found: _excerpt_word(found, common), plain)
    return _cut(_MASK_RUN.sub(r"\1 ..", shown), limit)


def excerpt_words(text: str, limit: int = EXCERPT_LIMIT) -> frozenset[str]:
    """The words of a prompt that `for_excerpt` asks about, lower case; its own marks are none."""
    plain = for_html(_lined(text), 4 * limit)
    for pattern, mark in _SKELETON_MASKS:
        plain = pattern.sub(mark, plain)
    return frozenset(found.group().lower() for found in _WORD.finditer(plain) if not _is_mark(found))


def _lined(text: str) -> str:
    return re.sub(r"[\r\n\u2028\u2029\x85]+", " | ", text[: _SLACK * _SLACK * EXCERPT_LIMIT])


def _is_mark(found: re.Match[str]) -> bool:
    """Whether a word is one of the marks in brackets that masking leaves."""
    return found.group() in _MASK_WORDS and found.string[found.start() - 1 : found.start()] == "[" and found.string[found.end() : found.end() + 1] == "]"


def _excerpt_word(found: re.Match[str], common: Collection[str]) -> str:
    word, before = found.group(), found.string[: found.start()].rstrip(" ([")
    if _is_mark(found):
        return word
    if word.lower() not in common:
        return "[word]"
    is_inside = bool(before) and before[-1] not in ".!?:;|"
    return "[name]" if word[0].isupper() and is_inside and word != "I" else word


def for_terminal(text: str, limit: int = LINE_LIMIT) -> str:
    """A line of talk: no escape sequence, no credential, at most `limit` characters. Addresses stay: talk names paths and commands to type again."""
    return _shown(text, limit, mask_credentials)


_BEFORE_QUOTED_ROW = re.compile(r"Expected \d+ columns, got \d+(?=: )")
"""What Arrow says of a CSV row that is too long or too short; then it quotes the row."""
_AFTER = "). Export it again."


def for_error(text: str) -> str:
    """A message of ours that may hold a library's: without the row of data that the library quotes."""
    found = _BEFORE_QUOTED_ROW.search(text)
    if found is None:
        return text
    return text[: found.end()] + (_AFTER if text.endswith(_AFTER) else "")


def for_cell(text: str) -> str:
    """A cell of a table on a terminal: as an id, and long ones are cut only where nobody could read on."""
    return identifier(text, LINE_LIMIT)


def for_csv(text: str, limit: int = LINE_LIMIT) -> str:
    """A CSV cell: as a cell on a terminal, and a spreadsheet does not read it as a formula."""
    shown = identifier(text, limit - 1)
    return f"'{shown}" if _is_formula(shown) or _is_formula(text) else shown


def for_json(document: Any) -> str:
    """A JSON document in printable ASCII and line ends: every text keeps its value, every other character in it is an escape. Dates are ISO."""
    return json.dumps(document, indent=2, ensure_ascii=True, default=as_text)


def as_text(value: Any) -> str:
    """A value that is neither text nor a number as text: dates and times in ISO form."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def identifier(text: str, limit: int = ID_LIMIT) -> str:
    """An account, request or network id as it may be shown: as logged if it is harmless, else changed and marked with `#` and 8 hex digits of its sha256."""
    shown = mask_credentials(visible(_head(text, limit)))
    return text if shown == text and len(text) <= limit else f"{_cut(shown, limit - 9)}#{_fingerprint(text)}"


def file_path(text: str, limit: int = TEXT_LIMIT) -> str:
    """A path below the LOGS root as it may be shown: masked but for long numbers (dates, hours), and cut at its start, since its end tells files apart."""
    shown = _mask_addresses(mask_credentials(visible(text[-_SLACK * limit :])))
    return shown if len(shown) <= limit else _CUT_MARK + shown[len(shown) - limit + 1 :]


def for_filename(text: str, limit: int = 80) -> str:
    """A name that every file system takes: ASCII letters, digits, `-`, `_`, `.`; a name that had to be changed ends in 8 hex digits of its sha256."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", text[:limit]).lstrip(".-") or "unnamed"
    reserved = plain.split(".")[0].upper() in _RESERVED_NAMES
    if plain == text and not reserved and not plain.endswith("."):
        return plain
    return f"{plain[: limit - 9].rstrip('.')}-{_fingerprint(text)}"


def painted(text: str, colour: str) -> str:
    """`text` made visible, in a colour of ours (the numbers of an SGR sequence; '' for none): the only escape that ever leaves."""
    shown = visible(text)
    return f"\x1b[{colour}m{shown}\x1b[0m" if colour and shown else shown


def columns(text: str) -> int:
    """Columns that a text takes on a terminal: letters of East Asian scripts two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def visible(text: str) -> str:
    """`text` on one line with every control character, escape sequence and reordering or hidden mark replaced by something that can be seen."""
    if _ORDINARY.fullmatch(text):
        return text
    return _MARK_RUN.sub(_fewer_marks, "".join(map(_visible_character, _ESCAPE_SEQUENCES.sub(_ESCAPE_MARK, text))))


def mask(text: str) -> str:
    """`text` without credentials, mail addresses, telephone numbers and full network addresses (these keep their /24 or /48)."""
    return _PHONE.sub(_telephone_mask, _mask_addresses(mask_credentials(text)))


def mask_credentials(text: str) -> str:
    """`text` without keys, tokens, passwords in URLs and private keys."""
    for pattern, replacement in _CREDENTIALS:
        text = pattern.sub(replacement, text)
    return text


def _mask_addresses(text: str) -> str:
    text = _IPV4.sub(lambda found: _network_of(found, 24), _MAIL.sub("[mail]", text))
    return _IPV6.sub(lambda found: _network_of(found, 48), text)


_RESERVED_NAMES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{digit}" for port in ("COM", "LPT") for digit in range(10))}
_FORMULA_STARTS = ("=", "+", "-", "@", "\u2212")

_CREDENTIALS = (
    (re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)", re.DOTALL), "[private key]"),
    (re.compile(r"\b(?:sk|pk|rk|xai|gsk|hf|ghp|gho|ghu|ghs|glpat|npm|pypi|xox[abpors])[-_][A-Za-z0-9_-]{16,}"), "[key]"),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), "[key]"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"), "[key]"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"), r"\1 [token]"),
    (re.compile(r"(?i)\b(pass(?:word|wd|phrase)?|secret|api[_-]?key|access[_-]?token|auth[_-]?token)(\s{0,3}[=:]\s{0,3})(?!\[)[^\s,;&]{4,}"), r"\1\2[secret]"),
    (re.compile(r"(?<=://)[^\s/@:\[]{1,100}:[^\s/@]{1,100}@"), "[login]@"),
)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?:/\d{1,3})?(?![\w:])")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d ().-]{7,18}\d(?![\w.])")


_SKELETON_MASKS = (
    (re.compile(r"```.*?(?:```|$)|`[^`]*`"), "[code]"),
    (re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|\u00ab[^\u00bb]*\u00bb"), "[quote]"),
    (re.compile(r"(?<![^\s(])[^\s()\[\]]*[/\\@](?:[^\s()\[\]]*[^\s()\[\].,;:!?])?"), "[path]"),
    (re.compile(r"[\w']*\d[\w'.,]*\b"), "#"),
)
"""What a skeleton masks, and what stands for it."""
_MASK_WORDS = ("code", "quote", "path", "name", "word", "mail", "private key", "key", "token", "secret", "login", "telephone")
_WORD = re.compile(rf"(?<=\[)(?:{'|'.join(_MASK_WORDS)})(?=\])|[^\W\d]+(?:'[^\W\d]+)*")
_MASK_RUN = re.compile(r"(\[word\]|\[name\])(?:[\s,]+(?:\[word\]|\[name\]))+")


def _is_formula(text: str) -> bool:
    """Whether a spreadsheet might run the cell: its first character, after any space, is a sign (or its full-width or small twin), or the cell starts with a tab or a return."""
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return first.startswith(_FORMULA_STARTS) or text.startswith(("\t", "\r"))


def _shown(text: str, limit: int, masked: Callable[[str], str]) -> str:
    return _cut(masked(visible(_head(text, limit))), limit)


def _head(text: str, limit: int) -> str:
    """As much of `text` as masking may look at; its last part is given up, for it may hold half of a secret."""
    longest = _SLACK * limit + _LAST_WORD
    return text if len(text) <= longest else text[: longest - _LAST_WORD] + _CUT_MARK


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + _CUT_MARK


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _visible_character(character: str) -> str:
    if character in _SPACES:
        return " "
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn") or code in _INVISIBLE:
        return f"<U+{code:04X}>"
    return character


def _fewer_marks(found: re.Match[str]) -> str:
    """Combining marks piled up on one letter would cover the lines around it; no script needs more than four."""
    run = found.group()
    return run[:4] + f"<{len(run) - 4} marks>" if all(unicodedata.category(character) in ("Mn", "Me") for character in run) else run


def _network_of(found: re.Match[str], bits: int) -> str:
    address, _, prefix = found.group().partition("/")
    try:
        network = ipaddress.ip_network(f"{address}/{bits}", strict=False)
        return str(network.supernet(new_prefix=int(prefix))) if prefix and int(prefix) < bits else str(network)
    except ValueError:  # not an address after all: a version number, a clock time
        return found.group()


def _telephone_mask(found: re.Match[str]) -> str:
    """Nine to fifteen digits with separators or a plus; dates, network addresses and plain integers stay."""
    text = found.group()
    digits = sum(character.isdigit() for character in text)
    plain = text.isdigit() or re.fullmatch(r"\d{4}-\d\d-\d\d.*|[\d.]+|\d{1,3}( \d{3})+", text)
    return text if plain or not 9 <= digits <= 15 else "[telephone]"
