"""What is made from the spec for other languages is up to date, compiles, and holds the spec's values."""

from __future__ import annotations

import re
import subprocess
from itertools import chain
from pathlib import Path

import pytest

from sterna.generate.spec import files
from sterna.generate.spec.c_header import constants, registers_header
from sterna.generate.spec.contents import (
    BOARD_CONSTANTS,
    BOARD_TEXTS,
    ENCODER_CONSTANTS,
    PACKAGE_CONSTANTS,
    PACKAGE_GROUPS,
    REGISTER_CONSTANTS,
    REGISTER_GROUPS,
    TAPE_CONSTANTS,
    TAPE_GROUPS,
    words,
)
from sterna.spec import package, tape
from sterna.spec.paths import INCLUDE
from sterna.spec.registers import ErrorCode, Register

STANDARDS = {"c": ["cc", "-std=c11"], "cpp": ["g++", "-std=c++20"]}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}"]
HEADERS = sorted((INCLUDE / "sterna").glob("*.h"))


def expected() -> dict[str, int]:
    """Every name that the headers give to a number, and the number."""
    constants_of_c = (
        *REGISTER_CONSTANTS, *TAPE_CONSTANTS, *ENCODER_CONSTANTS, *PACKAGE_CONSTANTS, *BOARD_CONSTANTS
    )  # fmt: skip
    numbers = {constant.name: constant.value for constant in constants_of_c}
    for group in (*REGISTER_GROUPS, *TAPE_GROUPS, *PACKAGE_GROUPS):
        prefix = words(group.members.__name__)
        for member in group.members:
            numbers[f"{prefix}_{member.name}"] = member.value
    for name, value, _ in chain.from_iterable(map(constants, (*tape.LAYOUTS, *package.LAYOUTS))):
        assert name not in numbers
        numbers[name] = value
    return {f"STERNA_{name.upper()}": value for name, value in numbers.items()}


TEXTS = {f"STERNA_{text.name.upper()}": text.value for text in BOARD_TEXTS}


def said(tmp_path: Path, language: str, statements: list[str]) -> list[str]:
    """The lines that a program of these statements prints."""
    source, program = tmp_path / f"program.{language}", tmp_path / "program"
    includes = [f"#include <sterna/{header.name}>" for header in HEADERS]
    source.write_text("\n".join(["#include <stdio.h>", *includes, "int main(void) {", *statements, "return 0; }", ""]))
    subprocess.run([*STANDARDS[language], *WARNINGS, str(source), "-o", str(program)], check=True)
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()


def test_files_are_up_to_date() -> None:
    assert files.stale() == [], "make spec-files"


def test_a_file_that_is_not_up_to_date_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "registers.h"
    monkeypatch.setattr(files, "FILES", {path: registers_header})
    assert files.main(["--check"]) == 1
    assert files.main([]) == 0 and files.main(["--check"]) == 0
    path.write_text(path.read_text().replace("0x24", "0x28"))
    assert files.main(["--check"]) == 1
    assert f"error: {path}: is not up to date with python/sterna/spec" in capsys.readouterr().err


@pytest.mark.parametrize("language", STANDARDS)
def test_headers_hold_the_values_of_the_spec(language: str, tmp_path: Path) -> None:
    names = list(expected())
    lines = said(tmp_path, language, [f'printf("{name} %llu\\n", (unsigned long long){name});' for name in names])
    assert {name: int(value) for name, value in (line.split() for line in lines)} == expected()


@pytest.mark.parametrize("language", STANDARDS)
def test_headers_hold_the_texts_of_the_spec(language: str, tmp_path: Path) -> None:
    assert said(tmp_path, language, [f'printf("%s\\n", {name});' for name in TEXTS]) == list(TEXTS.values())
    assert TEXTS["STERNA_SOC_MEMORY"] == "/dev/udmabuf-sterna"


def test_headers_hold_nothing_else() -> None:
    text = "\n".join(header.read_text() for header in HEADERS)
    names = re.findall(r"^#define (STERNA_\w+) |^  (STERNA_\w+) = ", text, re.MULTILINE)
    assert sorted(filter(None, chain.from_iterable(names))) == sorted([*expected(), *TEXTS])
    assert expected()["STERNA_REGISTER_STATUS"] == Register.STATUS == 0x24
    assert expected()["STERNA_SEGMENT_HEADER_PAYLOAD_CRC_OFFSET"] == 16


@pytest.mark.parametrize("language", STANDARDS)
def test_error_codes_have_their_texts(language: str, tmp_path: Path) -> None:
    functions = [f"sterna_error_code_{what}" for what in ("text", "remedy")]
    calls = [f'printf("%s\\n", {function}({code.value}u));' for code in ErrorCode for function in functions]
    lines = said(tmp_path, language, [*calls, 'printf("%s\\n", sterna_error_code_text(999u));'])
    assert lines == [text for code in ErrorCode for text in (code.description, code.remedy)] + ["unknown error code"]
