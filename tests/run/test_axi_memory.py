"""The memory model of the simulation harness: answers as AXI4 asks, and catches masters that do not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sterna.spec.paths import HARNESS


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    binary = tmp_path_factory.mktemp("axi") / "axi_memory_test"
    sources = [Path(__file__).with_name("axi_memory_test.cpp"), HARNESS / "axi_memory.cpp"]
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", f"-I{HARNESS}"]
    subprocess.run(["g++", *flags, *map(str, sources), "-o", str(binary)], check=True)
    return binary


def said(program: Path, case: str) -> str:
    return subprocess.run([program, case], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "case",
    [
        "traffic",
        "traffic_slow",
        "traffic_stalling",
        "whole_page",
        "nothing_changes",
        "read_fault",
        "write_fault",
        "nowhere",
        "latency",
        "pauses",
        "pauses_of_another_frame",
    ],
)
def test_lawful(program: Path, case: str) -> None:
    assert said(program, case) == ""


@pytest.mark.parametrize(
    ("case", "rule"),
    [
        ("crossing", "AR burst at 0x180000ff8 crosses a 4 KB boundary"),
        ("crossing_write", "AW burst at 0x180000ff8 crosses a 4 KB boundary"),
        ("unaligned", "not aligned to the bus"),
        ("narrow", "narrower or wider than the bus"),
        ("fixed", "not of type INCR"),
        ("early_last", "WLAST is early"),
        ("missing_last", "WLAST is missing"),
        ("ar_changes", "AR changed while waiting"),
        ("ar_withdrawn", "AR changed while waiting"),
        ("aw_changes", "AW changed while waiting"),
        ("w_changes", "W changed while waiting"),
    ],
)
def test_broken_rules(program: Path, case: str, rule: str) -> None:
    assert rule in said(program, case)
