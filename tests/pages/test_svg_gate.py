"""The picture gate: what is drawn passes, what acts, loads or names things does not."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET

import pytest

from pipeline.pages.svg_gate import INK, picture

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="20">'


def drawn(body: str, title: str = "t", description: str = "d") -> str:
    text = str(picture(f"{HEAD}{body}</svg>", "fig-1-a", title, description))
    ET.fromstring(text)
    return text


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<g><script>alert(1)</script></g>",
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
        '<image href="https://x.invalid/a.png" width="1" height="1"/>',
        '<use xlink:href="#x"/>',
        '<a href="https://x.invalid"><text>t</text></a>',
        "<style>*{fill:url(https://x.invalid)}</style>",
        '<animate attributeName="href"/>',
        "<title>theirs</title>",
        '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
    ],
)
def test_nothing_but_drawing_passes(body):
    assert drawn(body) == drawn("")


@pytest.mark.parametrize(
    "attribute",
    [
        'onload="alert(1)"',
        'style="fill:red"',
        'href="#a"',
        'xlink:href="https://x.invalid"',
        'fill="url(https://x.invalid)"',
        'fill="url(#a)"',
        'clip-path="url(https://x.invalid#a)"',
        'transform="matrix(1) url(x)"',
        'd="M0,0&lt;script>"',
        'class="mark"',
        'aria-label="account 7"',
        'font-family="Caveat"',
        'tabindex="0"',
        'width="1e999999999"',
    ],
)
def test_attributes_that_act_load_or_leak_are_dropped(attribute):
    assert drawn(f'<path d="M0,0h1" {attribute}/>' if not attribute.startswith("d=") else f"<path {attribute}/>") in (drawn('<path d="M0,0h1"/>'), drawn("<path/>"))


@pytest.mark.parametrize(
    "source",
    [
        "",
        "<svg/>",
        "<p>",
        "not xml",
        f"{HEAD}",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]>" + HEAD + "</svg>",
        "<?xml version='1.0'?>" + HEAD + "</svg>",
        HEAD.replace("10", "100%") + "</svg>",
        f"{HEAD}\x00</svg>",
    ],
)
def test_what_is_not_a_plain_picture_is_refused(source):
    with pytest.raises(ValueError, match="picture"):
        picture(source, "fig-1-a", "t", "d")


def test_names_and_texts_are_escaped():
    text = drawn("<text>&lt;script&gt; &amp;</text>", title='</title><script>"', description="<b>")
    assert "<script" not in text
    assert "&lt;/title&gt;" in text
    assert "<text>&lt;script&gt; &amp;</text>" in text


def test_ids_are_numbered_anew_and_references_follow():
    body = '<defs><clipPath id="clip91"><rect width="1" height="1"/></clipPath></defs><g clip-path="url(#clip91)"><path d="M0,0h1"/></g>'
    assert drawn(body) == drawn(body.replace("clip91", "clip4"))
    assert 'id="fig-1-a-0"' in drawn(body)
    assert 'clip-path="url(#fig-1-a-0)"' in drawn(body)


def test_coordinates_are_rounded_so_that_processors_agree():
    assert 'd="M10.92,0h-1.5v100z"' in drawn('<path d="M10.924999999999999,-0.0000001h-1.50v99.99999999z"/>').replace("1.50", "1.5")
    assert drawn('<path d="M1e-15,0h1"/>') == drawn('<path d="M0,0h1"/>')


def test_ink_is_the_colour_of_the_page():
    assert 'fill="currentColor"' in drawn(f'<path d="M0,0h1" fill="{INK}"/>')
    assert 'fill="#0072B2"' in drawn('<path d="M0,0h1" fill="#0072B2"/>')


def test_a_picture_is_an_image_with_a_name():
    assert drawn("").startswith(
        '<svg width="10" height="20" viewBox="0 0 10 20" role="img" aria-labelledby="fig-1-a-title" aria-describedby="fig-1-a-desc"><title id="fig-1-a-title">t</title>'
    )


def test_words_in_a_picture_pass_the_redaction_gate():
    hostile = "a\x1b[2J\x00\u202eb\u200b"
    text = drawn("<text>x\u202ey\u009bz</text>", title=hostile, description=hostile)
    assert [c for c in text if unicodedata.category(c) in ("Cc", "Cf")] == []
    assert "x&lt;U+202E&gt;y" in text
