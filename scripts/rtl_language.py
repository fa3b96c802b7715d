"""SystemVerilog that Verilator and Quartus Pro read and Quartus Standard and Lite do not.

A Cyclone V needs the Standard or Lite edition. There is no Quartus in the checks, so these rules come from what people
report of it; each names where.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyslang.syntax import SyntaxKind as Kind
from pyslang.syntax import SyntaxNode, SyntaxTree

_GENERATES = (Kind.LoopGenerate, Kind.IfGenerate, Kind.CaseGenerate)
#: Synthesis skips them, as they are inside `ifndef SYNTHESIS`.
_ASSERTIONS = (
    Kind.ConcurrentAssertionMember,
    Kind.ImmediateAssertionMember,
    Kind.AssertPropertyStatement,
    Kind.ImmediateAssertStatement,
)


def complaints(text: str) -> list[tuple[int, str]]:
    """Line and remedy of each construct in SystemVerilog `text` that Quartus Standard does not read."""
    tree = SyntaxTree.fromText(text)
    return [
        (tree.sourceManager.getLineNumber(node.sourceRange.start), what)
        for node, what in _walk(tree.root, in_region=False)
    ]


def _walk(node: SyntaxNode, *, in_region: bool) -> Iterator[tuple[SyntaxNode, str]]:
    """What is wrong with `node` and below; `in_region`: a generate region is around it."""
    if node.kind in _ASSERTIONS:
        return
    yield from ((node, what) for what in _wrong(node, in_region=in_region))
    in_region |= node.kind == Kind.GenerateRegion or node.kind in _GENERATES
    for child in node:
        if isinstance(child, SyntaxNode):
            yield from _walk(child, in_region=in_region)


def _wrong(node: Any, *, in_region: bool) -> Iterator[str]:
    # github.com/MarekPikula/quartus-sv-gotchas: 18.1 reads no `inside`.
    if node.kind == Kind.InsideExpression or (node.kind == Kind.CaseStatement and node.matchesOrInside):
        yield "`inside` outside of an assertion: compare with == and ||"
    # github.com/rggen/rggen-sv-rtl/issues/18 (24.1std), github.com/openhwgroup/cv32e40p/issues/943.
    if node.kind == Kind.ModuleHeader and len(node.imports):
        yield "import in a module's header: import in front of the module"
    # github.com/lowRISC/ibex/issues/117, and quartus-sv-gotchas on section 27.4 of the standard, for the rest.
    if node.kind in _GENERATES and not in_region:
        yield "a loop, if or case generate outside of generate ... endgenerate: put it inside"
    if node.kind == Kind.LoopGenerate and node.genvar:
        yield "genvar declared in the for: declare it in front of the loop"
    if node.kind == Kind.LoopGenerate and not _is_named(node.block):
        yield "a loop generate without a name: begin : gen_name"


def _is_named(block: Any) -> bool:
    return block.kind == Kind.GenerateBlock and block.beginName is not None
