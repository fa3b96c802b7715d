"""The hand-written RTL is of one style, as far as text shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sterna.spec.paths import ROOT, RTL, SHELL, TESTBENCH, rtl_sources

COLUMNS = 100
FILES = rtl_sources() + rtl_sources(SHELL) + rtl_sources(TESTBENCH)
MODULES = [path for path in rtl_sources() + rtl_sources(SHELL) if not path.stem.endswith("_pkg")]

#: A parameter check: what holds it and what it says.
CHECK = re.compile(r'begin : gen_\w+\s*initial \$error\("([^"]*)"')
#: Anything else that is named and asserted, and named as it should be.
LABEL = re.compile(r"^\s*(\w+)\s*:\s*assert\b", re.MULTILINE)
GOOD_LABEL = re.compile(r"(?:[A-Z][a-z0-9]*)+_A")
#: Two connections of an instance in one line.
PACKED = re.compile(r"^\s*\.\w+(?:\([^\n]*?\))?, *\.\w+", re.MULTILINE)


def faults(text: str, module: str) -> list[str]:
    """What of `text`, the file of `module`, is of another style."""
    parameters = set(re.findall(r"^\s*parameter\b.*?(\w+)\s*=", text, re.MULTILINE))
    long = [f"line {number}" for number, line in enumerate(text.splitlines(), 1) if len(line) > COLUMNS]
    checks = [
        f"check: {message}"
        for message in CHECK.findall(text)
        if not message.startswith(f"{module}: ") or not parameters & set(re.findall(r"\w+", message.split("=")[0]))
    ]
    labels = [f"label: {label}" for label in LABEL.findall(text) if not GOOD_LABEL.fullmatch(label)]
    return [*long, *checks, *labels, *(f"packed: {match.strip()}" for match in PACKED.findall(text))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_style(path: Path) -> None:
    assert not faults(path.read_text("utf-8"), path.stem)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_file_holds_the_module_of_its_name_and_says_what_its_ports_are(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    header = text[text.index("\nmodule ") : text.index("\n);")].splitlines()
    ports = [at for at, line in enumerate(header) if re.match(r"\s*(input|output|parameter)\b", line)]
    bare = [header[at] for at in ports if not header[at - 1].lstrip().startswith("///")]
    assert all(re.search(r"\b(clk_i|rst_ni)\b", line) for line in bare) or path.stem == "sterna_engine", bare


def test_every_module_is_in_the_reference_under_its_folder() -> None:
    text = (ROOT / "docs" / "reference" / "modules.md").read_text("utf-8")
    parts = dict(re.findall(r"\| \*\*`(\w+)`\*\* \|(.*?)(?=\| \*\*`|\n\n)", text, re.DOTALL))
    for path in MODULES:
        if path.parent != RTL:
            assert f"`{path.stem}`" in parts["boards" if path.parent == SHELL else path.parent.name], path


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x" * 101, "line 1"),
        ('parameter int A = 1;\nbegin : gen_bad\n  initial $error("other: A = %0d", A);', "check: other: A = %0d"),
        ('parameter int A = 1;\nbegin : gen_bad\n  initial $error("some: B = %0d", B);', "check: some: B = %0d"),
        ("  assert_held : assert property (x);", "label: assert_held"),
        ("    .clk_i, .rst_ni,", "packed: .clk_i, .rst_ni"),
    ],
)
def test_another_style_is_found(text: str, fault: str) -> None:
    assert faults(text, "some") == [fault]
