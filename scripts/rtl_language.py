"""SystemVerilog that Verilator and Quartus Pro read and Quartus Standard and Lite do not.

A Cyclone V needs the Standard or Lite edition. There is no Quartus in the checks, so these rules come from what people
report of it; each names where. They look at what synthesis reads: what is for simulation alone is inside
`ifdef VERILATOR`, which is not defined here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyslang.syntax import SyntaxKind as Kind
from pyslang.syntax import SyntaxNode, SyntaxTree

_GENERATES = (Kind.LoopGenerate, Kind.IfGenerate, Kind.CaseGenerate)
_ASSERTIONS = (
    Kind.ConcurrentAssertionMember,
    Kind.ImmediateAssertionMember,
    Kind.AssertPropertyStatement,
    Kind.ImmediateAssertStatement,
)
_FUNCTIONS = ("$bits", "$clog2", "$error", "$signed", "$unsigned")


def complaints(text: str) -> list[tuple[int, str]]:
    """Line and remedy of each construct in SystemVerilog `text` that Quartus Standard does not read."""
    tree = SyntaxTree.fromText(text)
    return [
        (tree.sourceManager.getLineNumber(node.sourceRange.start), what)
        for node, what in _walk(tree.root, in_region=False)
    ]


def _walk(node: SyntaxNode, *, in_region: bool) -> Iterator[tuple[SyntaxNode, str]]:
    """What is wrong with `node` and below; `in_region`: a generate region is around it."""
    wrong = list(_wrong(node, in_region=in_region))
    yield from ((node, what) for what in wrong)
    if wrong and node.kind in _ASSERTIONS:
        return
    in_region |= node.kind == Kind.GenerateRegion or node.kind in _GENERATES
    for child in _nodes(node):
        yield from _walk(child, in_region=in_region)


def _wrong(node: Any, *, in_region: bool) -> Iterator[str]:
    # Editions differ in what they read of assertions, so synthesis gets none.
    if node.kind in _ASSERTIONS:
        yield "an assertion outside of `ifdef VERILATOR: put it inside"
    # github.com/MarekPikula/quartus-sv-gotchas (18.1), github.com/openhwgroup/cv32e40p/issues/1050 (25.1std).
    if node.kind == Kind.InsideExpression or (node.kind == Kind.CaseStatement and node.matchesOrInside):
        yield "`inside`: compare with == and ||"
    # github.com/rggen/rggen-sv-rtl/issues/18 (24.1std), github.com/openhwgroup/cv32e40p/issues/943.
    if node.kind == Kind.ModuleHeader and len(node.imports):
        yield "import in a module's header: import in front of the module"
    # github.com/ZipCPU/wb2axip/issues/31, github.com/pulp-platform/common_cells/pull/49.
    if node.kind == Kind.ParameterPortList and any(child.keyword.valueText == "localparam" for child in _nodes(node)):
        yield "a localparam among the parameters: put it into the module"
    # intel.com/content/www/us/en/programmable/quartushelp/17.0/mapIdTopics/jka1465580540702.htm: of Verilog's tasks it
    # reads those that display; others end in error 10174, as in github.com/litex-hub/litex-boards/issues/538.
    if node.kind == Kind.SystemName and (name := str(node).strip()) not in _FUNCTIONS:
        yield f"{name}: write it out"
    # They came with IEEE 1800-2009. github.com/alexforencich/verilog-ethernet checks parameters in initial blocks
    # and is built for a Cyclone IV, which Standard and Lite alone know.
    if node.kind == Kind.ElabSystemTask:
        yield "a task of elaboration: initial $error(...)"
    # github.com/lowRISC/ibex/issues/117, and quartus-sv-gotchas on section 27.4 of the standard, for the rest.
    if node.kind in _GENERATES and not in_region:
        yield "a loop, if or case generate outside of generate ... endgenerate: put it inside"
    if node.kind == Kind.LoopGenerate and node.genvar:
        yield "genvar declared in the for: declare it in front of the loop"
    if node.kind == Kind.LoopGenerate and not _is_named(node.block):
        yield "a loop generate without a name: begin : gen_name"


def _is_named(block: Any) -> bool:
    return block.kind == Kind.GenerateBlock and block.beginName is not None


def _nodes(node: SyntaxNode) -> Iterator[Any]:
    return (child for child in node if isinstance(child, SyntaxNode))
