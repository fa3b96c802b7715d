"""The engine's SystemVerilog is what both editions of Quartus read, as far as their readers' reports tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rtl_language import complaints
from sterna.generate.rtl import generate
from sterna.spec import load_config
from sterna.spec.paths import SHELL, rtl_sources

LEGAL = """\
import formats_pkg::word_t;

module legal #(
  parameter int unsigned N = 4
) (
  input  logic  clk_i,
  input  word_t word_i,
  output logic  [N-1:0] bits_o
);
  genvar i, j;
  generate
    for (i = 0; i < N; i++) begin : gen_bit
      if (i == 0) begin : gen_first
        assign bits_o[i] = word_i == 4'd1 || word_i == 4'd2;
      end
      for (j = 0; j < N; j++) begin : gen_inner
        localparam int unsigned J = 1;
      end
    end
  endgenerate
  initial $error("legal: N = %0d is wrong", N);
`ifdef VERILATOR
  Known: assert property (@(posedge clk_i) word_i inside {4'd1, 4'd2} && $onehot0(bits_o));
`endif
endmodule
"""
PLANTED = {
    "inside": ("word_i == 4'd1 || word_i == 4'd2", "word_i inside {4'd1, 4'd2}"),
    "case inside": ("  genvar i, j;", "  always_comb case (word_i) inside 4'd1: x = 1; endcase\n  genvar i, j;"),
    "import in a module's header": ("module legal #(", "module legal import formats_pkg::*; #("),
    "outside of generate": ("  generate\n", ""),
    "if or case generate outside": ("  genvar i, j;", "  if (N < 4) begin : gen_few\n  end\n  genvar i, j;"),
    "genvar declared in the for": ("for (j = 0;", "for (genvar j = 0;"),
    "without a name": ("begin : gen_bit", "begin"),
    "localparam among the parameters": (
        "  parameter int unsigned N = 4\n",
        "  parameter int unsigned N = 4,\n  localparam K = N\n",
    ),
    "task of elaboration": ("initial $error", "$error"),
    "$countones": ("word_i == 4'd1 || word_i == 4'd2", "$countones(word_i) == 1"),
    "$onehot": ("word_i == 4'd1 || word_i == 4'd2", "$onehot(word_i)"),
    "assertion outside of `ifdef VERILATOR": ("`ifdef VERILATOR", "`ifndef SYNTHESIS"),
}
MARK = pytest.mark.case(
    "rtl-for-quartus-standard",
    kind="hardware",
    expected="no construct that Quartus Standard or Lite is reported not to read",
    source="lowRISC/ibex#117, rggen/rggen-sv-rtl#18, ZipCPU/wb2axip#31, MarekPikula/quartus-sv-gotchas",
)


def test_legal_text_is_left_alone() -> None:
    assert complaints(LEGAL) == []


@MARK
@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_construct_is_found(what: str, got: Callable[[object], None]) -> None:
    old, new = PLANTED[what]
    assert LEGAL.count(old) == 1
    text = LEGAL.replace(old, new)
    if what == "outside of generate":
        text = text.replace("  endgenerate\n", "")
    found = complaints(text)
    assert len(found) == 1
    line, remedy = found[0]
    assert what.removeprefix("case ") in remedy and 1 <= line <= len(text.splitlines())
    got(f"planted: {remedy}")


@MARK
def test_a_generated_engine_has_none(tmp_path: Path, got: Callable[[object], None]) -> None:
    generate(load_config("nano"), tmp_path / "engine")
    files = sorted((tmp_path / "engine").rglob("*.sv"))
    assert {"sterna_top.sv", "sterna_engine.sv", "sterna_pkg.sv"} <= {path.name for path in files}
    found = [f"{path.name}:{line}: {what}" for path in files for line, what in complaints(path.read_text("utf-8"))]
    got(f"{len(found)} such constructs in the {len(files)} files of a generated engine")
    assert found == []


@MARK
def test_the_shells_of_boards_have_none(got: Callable[[object], None]) -> None:
    files = rtl_sources(SHELL)
    found = [f"{path.name}:{line}: {what}" for path in files for line, what in complaints(path.read_text("utf-8"))]
    got(f"{len(found)} such constructs in the {len(files)} files of the shells")
    assert files and found == []
