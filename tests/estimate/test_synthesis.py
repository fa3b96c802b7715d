"""Small modules through Yosys."""

from __future__ import annotations

import subprocess
from pathlib import Path
from threading import Thread

import filelock
import pytest

from sterna.errors import SternaError
from sterna.estimate.extrapolate import points, stretched
from sterna.estimate.hierarchy import Part
from sterna.estimate.resources import resources
from sterna.estimate.synthesis import Synthesis, make_ready
from sterna.estimate.usage import MemoryShape, MultiplierShape
from sterna.spec.fpga import load_fpga

PACKAGE = "package some_pkg; typedef logic [19:0] sum_t; endpackage"
MODULES = {
    # One adder that adds, subtracts or doubles: everything in front of it fits its ALMs.
    "lane": """
module lane import some_pkg::*; #(parameter int unsigned Lanes = 1) (
  input logic clk_i, double_i, subtract_i, input sum_t [Lanes-1:0] old_i, line_i, output sum_t [Lanes-1:0] sum_o
);
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    sum_t operand;
    assign operand = double_i ? old_i[i] : line_i[i] ^ {20{subtract_i}};
    always_ff @(posedge clk_i) sum_o[i] <= old_i[i] + operand + 20'(subtract_i && !double_i);
  end
endmodule""",
    "storage": """
module storage (
  input logic clk_i, write_i, zero_i, read_i, input logic [4:0] from_i, to_i, input logic [7:0] data_i,
  output logic [7:0] data_o
);
  logic [3:0] memory [32][2];
  always_ff @(posedge clk_i) begin
    if (write_i) for (int i = 0; i < 2; i++) memory[to_i][i] <= data_i[4*i+:4];
    if (read_i) for (int i = 0; i < 2; i++) data_o[4*i+:4] <= zero_i ? '0 : memory[from_i][i];
  end
endmodule""",
    "bytes": """
module bytes (
  input logic clk_i, input logic [3:0] strobe_i, input logic [5:0] from_i, to_i, input logic [3:0][7:0] data_i,
  output logic [3:0][7:0] data_o
);
  logic [3:0][7:0] memory [64];
  always_ff @(posedge clk_i) begin
    for (int i = 0; i < 4; i++) if (strobe_i[i]) memory[to_i][i] <= data_i[i];
    data_o <= memory[from_i];
  end
endmodule""",
    "product": """
module product (
  input logic clk_i, input logic signed [19:0] a_i, input logic signed [25:0] b_i, output logic signed [45:0] product_o
);
  always_ff @(posedge clk_i) product_o <= 46'(a_i) * 46'(b_i);
endmodule""",
    # Two registers that are kept apart, and two that need not be.
    "copies": """
module copies (input logic clk_i, data_i, output logic [3:0] data_o);
  (* preserve, dont_merge *) logic first_q, second_q;
  logic third_q, fourth_q;
  always_ff @(posedge clk_i) begin
    {first_q, second_q} <= {2{data_i}};
    {third_q, fourth_q} <= {2{~data_i}};
  end
  assign data_o = {first_q, second_q, third_q, fourth_q};
endmodule""",
    "parent": """
module parent (
  input logic clk_i, input some_pkg::sum_t old_i, line_i, output some_pkg::sum_t sum_o, output logic any_o
);
  lane u_lane (.clk_i, .double_i(1'b0), .subtract_i(1'b0), .old_i, .line_i, .sum_o);
  assign any_o = ^sum_o[3:0];
endmodule""",
    "broken": "module broken (output logic some_o); assign some_o = missing; endmodule",
}


@pytest.fixture(scope="module")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    rtl = tmp_path_factory.mktemp("rtl")
    (rtl / "some_pkg.sv").write_text(PACKAGE)
    for name, text in MODULES.items():
        (rtl / f"{name}.sv").write_text(text)
    return Synthesis(rtl, tmp_path_factory.mktemp("cache"))


def part(module: str, **parameters: int) -> Part:
    return Part(module, tuple((name, str(value)) for name, value in parameters.items()))


def test_first_starts_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    started: list[object] = []
    monkeypatch.setattr(subprocess, "run", lambda *given, **_: started.append(given))
    make_ready.cache_clear()
    starting = Thread(target=make_ready)
    with filelock.FileLock(tmp_path / "sterna.lock"):
        starting.start()
        starting.join(0.3)
        assert starting.is_alive() and not started
    starting.join()
    assert len(started) == 1
    make_ready.cache_clear()


def test_an_adder_takes_nothing_but_its_bits(synthesis: Synthesis) -> None:
    found = synthesis.usage(part("lane", Lanes=4))
    assert found.adder_bits == 4 * 21
    assert found.luts - found.absorbed_luts <= 1
    assert resources(found, load_fpga("gx1150")).logic_alms <= 43
    assert (found.flip_flops, found.bypassed_flip_flops) == (80, 0)


def test_copies_of_a_register_stay_apart_where_the_sources_say_so(synthesis: Synthesis) -> None:
    assert synthesis.usage(Part("copies", ())).flip_flops == 3


def test_memories_keep_their_shape(synthesis: Synthesis) -> None:
    """The read register, its enable and its clear are the memory's."""
    found = synthesis.usage(part("storage"))
    assert dict(found.memories) == {MemoryShape(32, 8, 1, 1, True): 1}
    assert found.flip_flops == 0


def test_groups_of_bits_with_a_strobe_each_are_seen(synthesis: Synthesis) -> None:
    assert dict(synthesis.usage(part("bytes")).memories) == {MemoryShape(64, 32, 1, 1, True, strobes=4): 1}


def test_multipliers_keep_their_shape(synthesis: Synthesis) -> None:
    found = synthesis.usage(part("product"))
    assert dict(found.multipliers) == {MultiplierShape(20, 26): 1}
    assert (found.flip_flops, found.luts) == (0, 0)


def test_modules_outside_are_not_counted(synthesis: Synthesis) -> None:
    alone, whole = synthesis.usage(part("parent"), ["lane"]), synthesis.usage(part("parent"), inside=["lane"])
    assert (alone.adder_bits, alone.luts) == (0, 1)
    assert whole.adder_bits >= 20 and whole.luts >= 1


def test_wide_modules_are_stretched(synthesis: Synthesis) -> None:
    wide = part("lane", Lanes=20)
    name, small, large = points(wide) or ("", 0, 0)
    found = [synthesis.usage(wide.changed(name, size)) for size in (small, large)]
    direct, line = synthesis.usage(wide), stretched(found[0], found[1], small, large, 20)
    assert (line.adder_bits, line.flip_flops, line.luts) == (direct.adder_bits, direct.flip_flops, direct.luts)
    assert points(part("lane", Lanes=large)) is None


def test_a_second_run_takes_what_is_kept(synthesis: Synthesis, monkeypatch: pytest.MonkeyPatch) -> None:
    first = synthesis.usage(part("lane", Lanes=2))
    monkeypatch.setattr(subprocess, "run", None)
    assert synthesis.usage(part("lane", Lanes=2)) == first
    with pytest.raises(TypeError):
        synthesis.usage(part("lane", Lanes=3))


def test_a_changed_source_is_synthesised_again(tmp_path: Path) -> None:
    def gates(text: str) -> int:
        (tmp_path / "gate.sv").write_text(f"module gate (input logic [7:0] a_i, output logic o); {text} endmodule")
        return Synthesis(tmp_path, tmp_path / "cache").usage(part("gate")).luts

    assert gates("assign o = ^a_i;") == 2
    assert gates("assign o = a_i[0];") == 0


def test_a_failure_names_the_module(synthesis: Synthesis) -> None:
    with pytest.raises(SternaError, match=r"broken: Yosys failed: .*undeclared identifier"):
        synthesis.usage(part("broken"))


def test_a_package_counts_where_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "plain.sv").write_text("module plain (input logic a_i, output logic o); assign o = !a_i; endmodule")
    text = "module user (input logic [3:0] a_i, output logic o); assign o = a_i == some_pkg::Wanted; endmodule"
    (tmp_path / "user.sv").write_text(text)
    package = tmp_path / "some_pkg.sv"
    package.write_text("package some_pkg; localparam logic [3:0] Wanted = 4'd1; endpackage")
    for module in ("plain", "user"):
        Synthesis(tmp_path, tmp_path / "cache").usage(part(module))
    package.write_text("package some_pkg; localparam logic [3:0] Wanted = 4'd2; endpackage")
    changed = Synthesis(tmp_path, tmp_path / "cache")
    assert changed.known(part("plain")) and not changed.known(part("user"))
