"""The how-to page on videos says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sterna.vision.forms import FORMS
from sterna.vision.places import Places
from sterna.vision.raw_frames import FORMS as PIXELS
from sterna.vision.video.movement import LEAST_OTHERS, Z_SCORE
from support.page_blocks import ROOT, Reader, blocks, language

PAGE = ROOT / "docs" / "how-to" / "detect-in-videos.md"
TEXT = PAGE.read_text("utf-8")


def block(kind: str) -> str:
    (text,) = re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)
    return str(text)


def test_its_program_runs(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    (program,) = [each for each in blocks(PAGE) if language(each) == "python"]
    reader.follow(program)


def test_its_places_are_read(tmp_path: Path) -> None:
    (tmp_path / "places.yaml").write_text(block("yaml"))
    options = re.findall(r"--(line|zone) (\S+)", TEXT)
    given = {what: [text] for what, text in options}
    assert Places.read(tmp_path / "places.yaml") == Places.parse(given["line"], given["zone"])


def test_it_names_every_form_and_pixel() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == set(FORMS)
    (listed,) = re.findall(r"Pixels: (.*)\.\n", TEXT)
    assert re.findall(r"`(\w+)`", listed) == list(PIXELS)


def test_its_line_is_one_of_those_that_are_written() -> None:
    assert set(json.loads(block("json"))) == {
        "source", "frame", "seconds", "width", "height", "boxes", "crossed", "inside",
    }  # fmt: skip


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"more than {Z_SCORE} robust" in TEXT and LEAST_OTHERS == 8 and "at least eight other tracks" in TEXT
