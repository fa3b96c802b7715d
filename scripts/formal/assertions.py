"""Concurrent assertions as plain logic and immediate ones, which is what Yosys reads.

The RTL and `hw/formal` use a small part of the language, and a name says what an assertion is for: `_A` is to hold,
`_M` is taken for granted of what is outside, `_C` has to be reachable. A property is an expression, or two with `|->`
or `|=>` between them, in which `$past` and `$stable` may stand. Registers that the text gets here hold what it needs of
the cycle before. Line numbers stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pyslang.syntax import SyntaxKind as Kind
from pyslang.syntax import SyntaxNode, SyntaxTree

from sterna.errors import SternaError

_KEYWORDS = {
    Kind.AssertPropertyStatement: "assert",
    Kind.AssumePropertyStatement: "assume",
    Kind.CoverPropertyStatement: "cover",
}
_NEXT, _SAME = "|=>", "|->"
_BEFORE = ("$past", "$stable")
#: What the RTL has its assertions for.
_DEFINE = "`define VERILATOR\n"


def plain(text: str, assume: Collection[str] = (), leave_out: Collection[str] = (), only: str = "") -> str:
    """SystemVerilog `text` with each concurrent assertion rewritten.

    Those named in `assume` are assumed instead; those in `leave_out` go, and, if there is an `only`, all others that
    assert. Raises SternaError for a property of another form.
    """
    source = text.encode()
    for member in reversed(_members(text)):
        begin, end = (place.offset - len(_DEFINE) for place in (member.sourceRange.start, member.sourceRange.end))
        name = member.statement.label.name.valueText
        keyword = "assume" if name in assume else _KEYWORDS[member.statement.kind]
        gone = name in leave_out or (keyword == "assert" and only not in ("", name))
        new = "" if gone else _rewritten(member.statement, name, keyword)
        source = source[:begin] + new.encode() + b"\n" * source[begin:end].count(b"\n") + source[end:]
    return source.decode()


def names(text: str) -> list[str]:
    """The names of all concurrent assertions of SystemVerilog `text`."""
    return [member.statement.label.name.valueText for member in _members(text)]


def _members(text: str) -> list[Any]:
    """All concurrent assertions, in order."""
    nodes = _all(SyntaxTree.fromText(_DEFINE + text).root)
    return [node for node in nodes if node.kind == Kind.ConcurrentAssertionMember]


def _rewritten(statement: Any, name: str, keyword: str) -> str:
    spec = statement.propertySpec
    clock = str(spec.clocking).strip()
    off = f"({spec.disable.expr})" if spec.disable else "1'b0"
    registers: list[str] = []

    def register(bits: str, value: str, initial: str = "") -> str:
        new = f"{name}_{len(registers)}"
        start = f"initial {new} = {initial};" if initial else ""
        registers.append(f"logic [{bits}-1:0] {new}; {start} always_ff {clock} {new} <= {value};")
        return new

    def expression(node: Any) -> str:
        """Its text, with what it says of the cycle before in registers."""
        if node.kind != Kind.SimplePropertyExpr or node.expr.kind != Kind.SimpleSequenceExpr or node.expr.repetition:
            raise SternaError("no form of a property that proofs know", where=name, value=str(node).strip())
        found = str(node)
        for call in _calls(node):
            what = ", ".join(str(each) for each in call.arguments.parameters)
            before = register(f"$bits({what})", what)
            new = before if str(call.left).strip() == "$past" else f"({before} == {{{what}}})"
            found = found.replace(str(call), f" {new}")
        return f"({found})"

    rule = spec.expr
    if rule.kind == Kind.ImplicationPropertyExpr:
        if rule.op.valueText == _NEXT:
            given = register("1", f"{expression(rule.left)} && !{off}", initial="1'b0")
        else:
            given = expression(rule.left)
        holds = f"(!{given} || {expression(rule.right)})"
    else:
        holds = expression(rule)
    holds = f"!{off} && {holds}" if keyword == "cover" else f"{off} || {holds}"
    return " ".join([*registers, f"always_comb {name}: {keyword} ({holds});"]).replace("\n", " ")


def _calls(node: SyntaxNode) -> Iterator[Any]:
    for each in _all(node):
        if each.kind == Kind.InvocationExpression and str(each.left).strip() in _BEFORE:
            yield each


def _all(node: SyntaxNode) -> Iterator[Any]:
    yield node
    for child in node:
        if isinstance(child, SyntaxNode):
            yield from _all(child)
