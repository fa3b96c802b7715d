"""The places in a module where cosmic-ray's operators can put an error, and the module with one of them put in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "sterna"

_COMPARISONS = (
    "Eq_NotEq", "NotEq_Eq", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt", "Is_IsNot",
    "IsNot_Is",
)  # fmt: skip
_BINARY = (
    "Add_Sub", "Sub_Add", "Mul_Div", "Mul_Add", "Div_Mul", "FloorDiv_Mul", "Mod_FloorDiv", "Pow_Mul", "LShift_RShift",
    "RShift_LShift", "BitAnd_BitOr", "BitOr_BitAnd", "BitXor_BitAnd",
)  # fmt: skip
_UNARY = ("USub", "Not", "Invert")
#: What is put in: one or two errors for each kind of expression, those that people make.
OPERATORS = (
    *(f"core/ReplaceComparisonOperator_{name}" for name in _COMPARISONS),
    *(f"core/ReplaceBinaryOperator_{name}" for name in _BINARY),
    *(f"core/ReplaceUnaryOperator_Delete_{name}" for name in _UNARY),
    "core/NumberReplacer",  # one more, one less
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/AddNot",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/ZeroIterationForLoop",
)


@dataclass(frozen=True, order=True)
class Mutant:
    """One error: the `occurrence`-th place in `module`, a path in PACKAGE, that `operator` can change."""

    module: str
    line: int
    column: int
    operator: str
    occurrence: int
    definition: str

    @property
    def path(self) -> Path:
        """The module's file."""
        return PACKAGE / self.module

    @property
    def dotted(self) -> str:
        """The name by which it is imported."""
        return ".".join(("sterna", *Path(self.module).with_suffix("").parts))

    def source(self) -> str:
        """The module with the error."""
        changed = mutate_code(_text(self.path), get_operator(self.operator)(), self.occurrence)
        assert changed is not None and changed != _text(self.path)
        return str(changed)

    def change(self) -> tuple[str, str]:
        """The lines that differ, before and after, without what is around them."""
        before, after = _text(self.path).splitlines(), self.source().splitlines()
        while before and after and before[-1] == after[-1]:
            before.pop(), after.pop()
        start = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
        return tuple(" ".join(" ".join(lines[start:]).split()) for lines in (before, after))  # type: ignore[return-value]


def mutants(path: Path) -> list[Mutant]:
    """Every error that can be put into the module at `path`, in order of the place."""
    return sorted(_mutants(path))


@cache
def _mutants(path: Path) -> tuple[Mutant, ...]:
    module, text = str(path.relative_to(PACKAGE)), _text(path)
    typed = list(_annotations(ast.parse(text)))
    nodes = list(ast_nodes(get_ast(text)))
    found = []
    for name in OPERATORS:
        operator = get_operator(name)()
        places = ((node, start) for node in nodes for start, _ in operator.mutation_positions(node))
        for occurrence, (node, start) in enumerate(places):
            # A * among parameters multiplies nothing.
            if node.parent.type != "parameters" and not any(first <= start < last for first, last in typed):
                definition = ASTQuery(node).get_definition_name() or ""
                found.append(Mutant(module, *start, name, occurrence, definition))
    return tuple(found)


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _annotations(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where types and decorators stand, which nothing computes with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            typed = [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            typed = node.decorator_list
        elif isinstance(node, ast.arg | ast.AnnAssign):
            typed = [node.annotation]
        else:
            continue
        for each in typed:
            if each is not None and each.end_lineno is not None and each.end_col_offset is not None:
                yield (each.lineno, each.col_offset), (each.end_lineno, each.end_col_offset)
