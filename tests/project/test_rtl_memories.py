"""Every memory of the RTL says how it is to be built."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtl_memories import complaints
from sterna.spec.paths import SHELL, rtl_sources

LEGAL = """\
module legal (
  input  logic       clk_i,
  input  logic [3:0] place_i,
  output logic [7:0] data_o
);
  (* ramstyle = "MLAB, no_rw_check" *) logic [7:0] mem_q [16];
  logic [7:0] stage_q [4];

  genvar g;
  generate
    for (g = 0; g < 2; g++) begin : gen_half
      always_ff @(posedge clk_i) stage_q[g] <= data_o;
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    mem_q[place_i + 4'd1][3:0] <= data_o[3:0];
    for (int i = 2; i < 4; i++) stage_q[i] <= stage_q[i-1];
    data_o <= mem_q[place_i];
  end

`ifdef VERILATOR
  NoCollision_A: assert property (@(posedge clk_i) place_i != place_i + 4'd1);
`endif
endmodule
"""
STYLE = '(* ramstyle = "MLAB, no_rw_check" *) '


def test_a_legal_memory_and_registers_are_left_alone() -> None:
    assert complaints(LEGAL) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (STYLE, "", "a memory without its style"),
        (STYLE, STYLE.replace(", no_rw_check", ""), "a memory without its style"),
        ("NoCollision_A: ", "Other_A: ", "assert that none does"),
        ("stage_q[i] <=", "stage_q[place_i] <=", "a memory without its style"),
    ],
)
def test_a_planted_memory_is_found(old: str, new: str, what: str) -> None:
    assert LEGAL.count(old) == 1
    [(line, remedy)] = complaints(LEGAL.replace(old, new))
    assert what in remedy and line in (6, 7)


@pytest.mark.parametrize("path", rtl_sources() + rtl_sources(SHELL), ids=lambda path: path.stem)
def test_the_rtl_has_none_without(path: Path) -> None:
    assert complaints(path.read_text("utf-8")) == []
