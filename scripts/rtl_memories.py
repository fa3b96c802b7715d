"""How the RTL's memories are to be built: each says it by the attribute `ramstyle`.

A memory is an array that is written at an address. Its attribute lists `no_rw_check`: nothing depends on what a read
gives in the cycle in which its word is written. The module asserts that as `NoCollision_A`, or its simulation gives
something wrong then. Without the attribute Quartus adds logic, or builds registers, to give what the text says
(Intel, "Disabling Add Pass-Through Logic to Inferred RAMs", document 683283).

A shallow memory lists MLAB as well, since Quartus uses one only then ("Controlling RAM Inference and Implementation",
document 683082). Block RAM is not named: its name differs between families, and Quartus ignores the attribute where it
has no block of that name ("RAM Style and ROM Style", document 683283).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyslang.syntax import SyntaxKind as Kind
from pyslang.syntax import SyntaxNode, SyntaxTree

LEGAL = ("MLAB, no_rw_check", "no_rw_check")
#: What shows that no collision matters: the assertion, or a wrong word in simulation.
PROOFS = ("NoCollision_A: assert property", "word_q <= ~memory[addr_q];")


def complaints(text: str) -> list[tuple[int, str]]:
    """Line and remedy of each memory in SystemVerilog `text` that does not say how it is to be built."""
    tree = SyntaxTree.fromText(text)
    nodes = list(_all(tree.root))
    written = _written(nodes)
    return [
        (tree.sourceManager.getLineNumber(node.sourceRange.start), what)
        for node in nodes
        if node.kind == Kind.DataDeclaration and written & _arrays(node)
        for what in _wrong(node, text)
    ]


def _wrong(declaration: Any, text: str) -> Iterator[str]:
    attributes = "".join(str(each) for each in declaration.attributes)
    if not any(f'(* ramstyle = "{style}" *)' in attributes for style in LEGAL):
        yield f"a memory without its style: (* ramstyle = {' or '.join(LEGAL)} *)"
    elif not any(proof in text for proof in PROOFS):
        yield "a memory whose reads may collide with writes: assert that none does, as NoCollision_A"


def _arrays(declaration: Any) -> set[str]:
    """The unpacked arrays that it declares."""
    return {each.name.valueText for each in _nodes(declaration.declarators) if len(each.dimensions)}


def _written(nodes: list[Any]) -> set[str]:
    """What is written at an index that the sources leave open: no constant, genvar or variable of a loop."""
    fixed = {name.strip() for node in nodes for name in _fixed(node)}
    return {
        target.identifier.valueText
        for node in nodes
        if node.kind == Kind.NonblockingAssignmentExpression
        for target in _all(node.left)
        if target.kind == Kind.IdentifierSelectName
        and any(_is_open(index, fixed) for index in _all(target.selectors[0]))
    }


def _is_open(index: Any, fixed: set[str]) -> bool:
    """Whether it is the name of a signal; constants begin with a capital letter."""
    name = str(index).strip()
    return (
        index.kind in (Kind.IdentifierName, Kind.IdentifierSelectName) and name not in fixed and not name[0].isupper()
    )


def _fixed(node: Any) -> Iterator[str]:
    if node.kind == Kind.GenvarDeclaration:
        yield from (str(each) for each in node.identifiers)
    if node.kind == Kind.ForVariableDeclaration:
        yield node.declarator.name.valueText


def _all(node: SyntaxNode) -> Iterator[Any]:
    """`node` and all below."""
    yield node
    for child in _nodes(node):
        yield from _all(child)


def _nodes(children: Any) -> Iterator[Any]:
    return (each for each in children if isinstance(each, SyntaxNode))
