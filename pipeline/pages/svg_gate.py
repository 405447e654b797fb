"""The one gate through which a picture reaches a page: parse, keep only what is allowed, rebuild.

What comes out holds only the tags and attributes listed here, no id that another figure could also hold, no style attribute, no
script, no reference to anything outside the picture, and no font name: text takes the page's font. Coordinates are rounded to
hundredths. Colours that stand for "the page's ink" in the drawing become `currentColor`, so that a figure is readable on a light
and on a dark page.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # only pictures of our own making are parsed, and those that declare entities are refused

from markupsafe import Markup

from pipeline import redact

INK = "#010203"
"""The colour a drawing uses where the page's own ink is meant."""

_SVG = "{http://www.w3.org/2000/svg}"
_TAGS = frozenset({"g", "path", "rect", "line", "circle", "text", "tspan", "defs", "clipPath", "linearGradient", "stop"})
_NUMBERS = frozenset(
    "x y x1 x2 y1 y2 cx cy r width height opacity fill-opacity stroke-opacity stroke-width stroke-miterlimit stroke-dashoffset font-size dx dy offset stop-opacity".split()
)
_WORDS = frozenset("text-anchor font-weight font-style stroke-linecap stroke-linejoin dominant-baseline clip-rule fill-rule gradientUnits".split())
_PAINTS = frozenset({"fill", "stroke", "stop-color"})
_REFERENCES = frozenset({"clip-path"})
_NUMBER = re.compile(r"-?\d{1,7}(?:\.\d{1,12})?(?:e-?\d{1,2})?(?:px|%)?")
_WORD = re.compile(r"[A-Za-z-]{1,24}|\d{3}")
_PAINT = re.compile(r"none|transparent|currentColor|white|black|#[0-9A-Fa-f]{3,8}|rgba?\([\d., %]{5,40}\)")
_PATH = re.compile(r"[MmLlHhVvCcSsQqTtAaZz0-9eE., +-]*")
_TRANSFORM = re.compile(r"(?:(?:translate|rotate|scale|matrix)\([\d.eE, -]{1,80}\)\s*)*")
_DASHES = re.compile(r"[\d., ]{1,40}|none")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?|-?\d+(?:\.\d+)?e-?\d+")
_LOCAL = re.compile(r"url\(#([A-Za-z][\w-]{0,63})\)")


def picture(source: str, name: str, title: str, description: str) -> Markup:
    """`source` (one SVG document) as markup for a page: role img, named by `title` and described by `description`, ids prefixed with `name`.

    `name` is unique on the page and of the form `fig-1-a`. Raises ValueError when the source is not an SVG document or declares a document type.
    """
    root = _parsed(source)
    width, height = _size(root)
    names: dict[str, str] = {}
    body = "".join(_written(child, name, names) for child in root)
    labels = f'<title id="{name}-title">{_text(title)}</title><desc id="{name}-desc">{_text(description)}</desc>'
    frame = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title" aria-describedby="{name}-desc"'
    return Markup(f"<svg {frame}>{labels}{body}</svg>")  # noqa: S704  # rebuilt from the lists above, element by element


def _parsed(source: str) -> ET.Element:
    if "<!" in source or "<?" in source:
        raise ValueError("a picture must not declare a document type, an entity or an instruction")
    try:
        root = ET.fromstring(source)  # noqa: S314  # entities were refused above
    except ET.ParseError as error:
        raise ValueError(f"a picture is not well-formed: {error}") from None
    if root.tag != f"{_SVG}svg":
        raise ValueError(f"a picture's root is {root.tag!r}, not svg")
    return root


def _size(root: ET.Element) -> tuple[str, str]:
    sizes = root.get("width", ""), root.get("height", "")
    if not all(re.fullmatch(r"\d{1,5}(\.\d{1,3})?", size) for size in sizes):
        raise ValueError("a picture must state its width and height in plain numbers")
    return sizes


def _written(element: ET.Element, name: str, names: dict[str, str]) -> str:
    tag = element.tag.removeprefix(_SVG)
    if tag not in _TAGS or element.get("display") == "none":
        return ""
    attributes = "".join(_attribute(key, value, name, names) for key, value in element.attrib.items())
    text = _text(element.text) if element.text and tag in ("text", "tspan") else ""
    children = "".join(_written(child, name, names) for child in element)
    if tag == "g" and not children:
        return ""
    if tag == "g" and not attributes:
        return children
    return f"<{tag}{attributes}>{text}{children}</{tag}>" if text or children else f"<{tag}{attributes}/>"


def _text(text: str) -> str:
    """Markup does not pass the templates' own check, so words in a picture pass the redaction gate here."""
    return str(Markup.escape(redact.visible(text)))


def _attribute(key: str, value: str, name: str, names: dict[str, str]) -> str:
    kept = _kept(key, value, name, names)
    return "" if kept is None else f' {key}="{Markup.escape(kept)}"'


def _kept(key: str, value: str, name: str, names: dict[str, str]) -> str | None:
    if key == "id":
        return _renamed(value, name, names)
    if key in _REFERENCES:
        found = _LOCAL.fullmatch(value)
        return f"url(#{_renamed(found[1], name, names)})" if found else None
    if key in _PAINTS:
        return "currentColor" if value.lower() == INK else value if _PAINT.fullmatch(value) else None
    pattern = _pattern(key)
    return _LONG_NUMBER.sub(_rounded, value) if pattern and pattern.fullmatch(value) else None


def _rounded(found: re.Match[str]) -> str:
    """A hundredth of a pixel is more than can be seen; the digits after it differ between processors."""
    text = f"{float(found.group()):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _pattern(key: str) -> re.Pattern[str] | None:
    if key in _NUMBERS:
        return _NUMBER
    if key in _WORDS:
        return _WORD
    return {"d": _PATH, "transform": _TRANSFORM, "stroke-dasharray": _DASHES}.get(key)


def _renamed(old: str, name: str, names: dict[str, str]) -> str:
    """Ids of the drawing are counters of the process that drew it; numbered anew in order of first use they are equal everywhere."""
    return names.setdefault(old, f"{name}-{len(names)}")
