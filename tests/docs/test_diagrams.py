"""The diagrams are as their sources draw them, and stand on a page."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
_spec = spec_from_file_location("diagrams", DOCS / "diagrams" / "__main__.py")
assert _spec and _spec.loader
diagrams = module_from_spec(_spec)
_spec.loader.exec_module(diagrams)
sys.path.remove(str(diagrams.FOLDER))

NAMES = diagrams.names()
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources import `drawing` from beside them."""
    monkeypatch.syspath_prepend(diagrams.FOLDER)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_up_to_date(name: str) -> None:
    assert (diagrams.FOLDER / f"{name}.svg").read_text("utf-8") == diagrams.svg(name), "make docs"


@pytest.mark.parametrize("name", NAMES)
def test_it_stands_on_a_page(name: str) -> None:
    assert any(f"<!-- diagram: {name} -->" in page.read_text("utf-8") for page in DOCS.rglob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_it_stays_inside_its_sheet(name: str) -> None:
    root = ET.fromstring((diagrams.FOLDER / f"{name}.svg").read_text("utf-8"))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for text in root.iter(f"{SVG}text"):
        x, y, size = (float(text.attrib[name]) for name in ("x", "y", "font-size"))
        # A sans serif letter is about half as wide as high.
        long = 0.5 * size * len(text.text or "")
        left = x - {"start": 0.0, "middle": long / 2, "end": long}[text.attrib["text-anchor"]]
        assert left >= 0 and left + long <= width and size / 2 < y <= height, text.text
    for box in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height


@pytest.mark.parametrize("name", NAMES)
def test_colours_are_those_of_light_and_dark(name: str) -> None:
    text = (diagrams.FOLDER / f"{name}.svg").read_text("utf-8")
    css = (DOCS / "assets" / "site.css").read_text("utf-8")
    used = set(re.findall(r"var\(--(\w+)\)", text))
    for scheme in (text.split("@media")[0], text.split("@media")[1], *css.split("[data-md-color-scheme")[1:]):
        assert used <= set(re.findall(r"--(\w+): #", scheme))
