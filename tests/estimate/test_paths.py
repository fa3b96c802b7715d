"""Modules joined: paths, loads and distances across the hierarchy."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.estimate.hierarchy import Instance, Part, elaborate, merged
from sterna.estimate.model import Model
from sterna.estimate.paths import FROM_ONE, Paths
from sterna.estimate.synthesis import Synthesis
from sterna.estimate.timing import Delays, delays_of

#: A register, a sum and a way through without a register.
LEAF = """
module leaf #(parameter int unsigned Loads = 1) (
  input logic clk_i, input logic [7:0] a_i, b_i, output logic [7:0] held_o, both_o, output logic [Loads-1:0] many_o
);
  assign both_o = a_i + b_i;
  always_ff @(posedge clk_i) begin
    held_o <= a_i;
    many_o <= {Loads{a_i[7]}} ^ many_o;
  end
endmodule
"""
#: Two leaves in a row between registers, and nothing else.
TOP = """
module top (input logic clk_i, input logic [7:0] a_i, output logic [7:0] b_o, held_o, output logic [299:0] many_o);
  logic [7:0] start_q, between;
  logic [7:0] last;
  always_ff @(posedge clk_i) begin
    start_q <= a_i;
    b_o <= last;
  end
  leaf u_first (.clk_i, .a_i(start_q), .b_i(8'd3), .held_o(), .both_o(between), .many_o());
  leaf #(.Loads(300)) u_second (.clk_i, .a_i(between), .b_i(start_q), .held_o, .both_o(last), .many_o);
endmodule
"""
DELAYS = delays_of("cyclone5", 7, full=False)


@pytest.fixture(scope="module")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    folder = tmp_path_factory.mktemp("rtl")
    for name, text in (("leaf", LEAF), ("top", TOP)):
        (folder / f"{name}.sv").write_text(text)
    return Synthesis(folder, tmp_path_factory.mktemp("cache"))


def joined(synthesis: Synthesis, top: Instance, area: int = 0, delays: Delays = DELAYS) -> Paths:
    models: dict[Part, Model] = {}
    for each in top.all():
        outside = {child.part.module for _, child in each.named}
        models[each.part] = synthesis.model(each.part, delays, outside, each.merged)
    return Paths(top, models, dict.fromkeys(models, area), delays)


@pytest.fixture(scope="module")
def top(synthesis: Synthesis) -> Instance:
    return elaborate("top", {}, synthesis.rtl)


def test_a_path_crosses_modules(synthesis: Synthesis, top: Instance) -> None:
    slowest = joined(synthesis, top).slowest(10)
    path = next(each for each in slowest if "u_second: both_o[7]" in each.through)
    assert path.start.register.source == "top.sv:5" == path.end.register.source and path.end.register.name == "b_o"
    assert path.start.place is path.end.place
    assert [name.partition("[")[0] for name in path.through][1:] == ["u_first: both_o", "u_second: both_o"]
    assert path.levels == 2


def test_the_slowest_path_into_each_module(synthesis: Synthesis, top: Instance) -> None:
    paths = joined(synthesis, top)
    found = paths.into_modules()
    assert set(found) == {"leaf", "top"}
    assert all(Path(path.end.register.source.partition(":")[0]).stem == module for module, path in found.items())
    slowest = {module: [] for module in found}
    for path in paths.slowest(100):
        if path.end.register.source:
            slowest[path.end.register.source.partition(".")[0]].append(path.delay)
    assert {module: path.delay for module, path in found.items()} == {m: max(each) for m, each in slowest.items()}


def test_joined_modules_are_no_faster_than_the_same_flat(synthesis: Synthesis, top: Instance) -> None:
    flat = synthesis.model(top.part, DELAYS, inside=["leaf"]).inside[0].delay
    assert flat <= joined(synthesis, top).slowest(1)[0].delay < 1.5 * flat


def test_merged_modules_are_one(synthesis: Synthesis, top: Instance) -> None:
    one = merged(top, ())
    assert not one.named and one.merged == {"leaf"}
    assert joined(synthesis, one).slowest(1)[0].delay == max(path.delay for path in joined(synthesis, one).slowest(10))
    apart = merged(top, {part for part in top.counts if part.module == "leaf"})
    assert [name for name, _ in apart.named] == ["u_first", "u_second"] and not apart.merged


def test_loads_count_in_all_modules(synthesis: Synthesis, top: Instance) -> None:
    """The top bit of the first sum is read by all the registers of the second leaf."""
    (net,) = joined(synthesis, top).wide()
    assert (str(net.place), net.name) == ("u_first", "both_o[7]")
    assert 300 < net.loads < 310 and net.wire == DELAYS.wire(net.loads)


def test_a_wire_is_longer_between_large_parts(synthesis: Synthesis, top: Instance) -> None:
    """From one leaf to the other, and from the top's registers to a leaf."""
    near, far = (joined(synthesis, top, area).wide()[0] for area in (0, 5000))
    assert far.wire == DELAYS.wire(far.loads, 2 * 5000) > near.wire


def test_a_cycle_is_refused(tmp_path: Path) -> None:
    for name, text in (
        ("around", "module around (input logic [64:0] a_i, output logic [64:0] b_o); assign b_o = ~a_i; endmodule"),
        ("ring", "module ring (output logic [64:0] b_o); around u_a (.a_i({b_o[63:0], 1'b0}), .b_o); endmodule"),
    ):
        (tmp_path / f"{name}.sv").write_text(text)
    synthesis = Synthesis(tmp_path, tmp_path / "cache")
    with pytest.raises(SternaError, match=r"ring: u_a\.b_o: signals go round in a cycle"):
        joined(synthesis, elaborate("ring", {}, tmp_path))


def test_one_register_does_not_hide_the_others(synthesis: Synthesis, tmp_path: Path) -> None:
    """A register that reaches all others has three of the slowest paths, to different places in the sources."""
    ends = "\n".join(f"always_ff @(posedge clk_i) b_o[{i}] <= ^{{wide_q, a_i[{i}]}};" for i in range(6))
    (tmp_path / "wide.sv").write_text(f"""
module wide (input logic clk_i, input logic [20:0] a_i, output logic [5:0] b_o, output logic c_o);
  logic [20:0] wide_q;
  logic other_q;
  always_ff @(posedge clk_i) wide_q <= a_i;
  always_ff @(posedge clk_i) other_q <= a_i[0];
  always_ff @(posedge clk_i) c_o <= other_q;
  {ends}
endmodule""")
    one = elaborate("wide", {}, tmp_path)
    found = joined(Synthesis(tmp_path, tmp_path / "cache"), one).slowest(10)
    places = [path.start.register.source for path in found if path.start.register.source]
    assert places.count("wide.sv:5") == FROM_ONE and "wide.sv:6" in places
    assert len({(path.start.register, path.end.register.source) for path in found}) == len(found)
