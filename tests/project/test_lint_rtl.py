"""The lint of the RTL sees what is wrong around an engine as well."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lint_rtl
from ecp5 import flow
from sterna.generate.boards.files import AROUND
from sterna.generate.rtl import generate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generate(lint_rtl.CONFIG, tmp_path, board=lint_rtl.BOARD)
    return tmp_path


def plant(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("shell", "module", "old"),
    [
        (("sterna_soc", 64), "sterna_read_adapter", "logic [Parts-1:0] errors;"),
        (("sterna_pcie", 512), "sterna_msi_sender", "logic [63:0] address_q;"),
    ],
)
def test_a_planted_signal_that_nobody_reads_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, shell: tuple[str, int], module: str, old: str
) -> None:
    """Nothing else is: the engine and the rest of the shell are clean."""
    monkeypatch.setattr(lint_rtl, "SHELLS", [shell])
    plant(folder / AROUND / f"{module}.sv", old, f"{old} logic spare;")
    (said,) = lint_rtl.of_verilator(folder)
    warnings = [line for line in said.splitlines() if line.startswith("%Warning")]
    assert len(warnings) == 1 and module in warnings[0] and "'spare'" in warnings[0]


def test_a_planted_signal_of_the_ulx3s_is_found(tmp_path: Path) -> None:
    engine, board = tmp_path / "engine", tmp_path / "board"
    assert list(lint_rtl.of_ulx3s(engine, flow.BOARD)) == []
    shutil.copytree(flow.BOARD, board)
    plant(board / "ulx3s_sdram.sv", "logic reads;", "logic reads, spare;")
    (said,) = lint_rtl.of_ulx3s(engine, board)
    assert "'spare'" in said


def test_a_planted_construct_is_found(folder: Path) -> None:
    assert list(lint_rtl.of_language(folder)) == []
    plant(folder / AROUND / "sterna_msi_sender.sv", "(!irq_q ||", "(irq_q inside {1'b0} ||")
    (said,) = lint_rtl.of_language(folder)
    assert said.startswith("error: shell/sterna_msi_sender.sv:") and "`inside`" in said
