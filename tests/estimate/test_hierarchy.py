"""The instances of an engine come from its sources."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.estimate.hierarchy import Part, elaborate, engine
from sterna.spec.config import load_config
from sterna.spec.paths import RTL

LEAF = "module leaf #(parameter int unsigned Width = 1) (input logic [Width-1:0] data_i); endmodule"
TOP = """
module top #(parameter int unsigned Count = 2, parameter bit More = 0) (input logic [7:0] data_i);
  for (genvar i = 0; i < Count; i++) begin : gen_pair
    for (genvar k = 0; k < 2; k++) begin : gen_leaf
      leaf #(.Width(k + 1)) u_leaf (.data_i(data_i[k:0]));
    end
  end
  if (More) begin : gen_more
    leaf #(.Width(8)) u_leaf (.data_i);
  end
endmodule
"""


def leaf(width: int) -> Part:
    return Part("leaf", (("Width", str(width)),))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, text in (("leaf", LEAF), ("top", TOP)):
        (tmp_path / f"{name}.sv").write_text(text)
    return tmp_path


@pytest.mark.parametrize(("more", "widths"), [("0", {1: 3, 2: 3}), ("1", {1: 3, 2: 3, 8: 1})])
def test_instances_are_counted_through_generate_blocks(sources: Path, more: str, widths: dict[int, int]) -> None:
    found = elaborate("top", {"Count": "3", "More": more}, sources)
    assert {part: count for part, count in found.counts.items() if part.module == "leaf"} == {
        leaf(width): count for width, count in widths.items()
    }
    assert found.kinds[found.part] == {"leaf"} and not found.kinds[leaf(1)]


def test_counts_multiply(sources: Path) -> None:
    text = "module two (input logic [7:0] data_i); top u_a (.data_i); top u_b (.data_i); endmodule"
    (sources / "two.sv").write_text(text)
    assert elaborate("two", {}, sources).counts[leaf(2)] == 4


def test_illegal_sources_are_refused(sources: Path) -> None:
    (sources / "top.sv").write_text("module top; nothing u_nothing (); endmodule")
    with pytest.raises(SternaError, match="top cannot be elaborated"):
        elaborate("top", {}, sources)


@pytest.mark.parametrize("name", ["nano", "arria10", "cyclone5"])
def test_engine_has_the_pes_of_its_config(name: str) -> None:
    config = load_config(name)
    counts = engine(config, RTL).counts
    by_module: Counter[str] = Counter()
    for part, count in counts.items():
        by_module[part.module] += count
    assert by_module["sterna_cluster"] == config.clusters
    assert by_module["sterna_pe"] == config.clusters * config.pes
    in_blocks = [count for part, count in counts.items() if part.module == "sterna_pe" and part.value("BlockWindows")]
    assert sum(in_blocks) == config.block_windows
    lanes = sum(part.value("Lanes") * count for part, count in counts.items() if part.module == "sterna_lane_group")
    assert lanes == config.clusters * config.pes * config.lanes
