"""The picture in README: section 1 of the golden report, taken in Chromium. `python -m tests.incident.picture` takes it anew after a change that is meant."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.incident.made_case import GOLDEN

PICTURE = GOLDEN.with_suffix(".png")
WIDTH, COLOURS, MARGIN = 1000, 128, 20


def taken() -> bytes:
    """A PNG of the summary down to its figure, light colours, one pixel a CSS pixel, few colours so that it stays small."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(Path(GOLDEN).as_uri())
        whole, figure = (page.locator(one).bounding_box() or {} for one in ("section[aria-labelledby=s1]", "#fig-1"))
        clip = {"x": whole["x"] - MARGIN, "y": whole["y"] - MARGIN, "width": whole["width"] + 2 * MARGIN, "height": figure["y"] + figure["height"] - whole["y"] + MARGIN + 6}
        data = page.screenshot(clip=clip, full_page=True)
        browser.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    PICTURE.write_bytes(taken())
    print(f"{PICTURE.name}: {PICTURE.stat().st_size:,} bytes")
