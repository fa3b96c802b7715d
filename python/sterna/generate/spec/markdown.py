"""Reference tables of registers, tape and package, for the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from sterna.generate.spec.contents import (
    ENCODER_CONSTANTS,
    PACKAGE_CONSTANTS,
    PACKAGE_GROUPS,
    REGISTER_CONSTANTS,
    REGISTER_GROUPS,
    TAPE_CONSTANTS,
    TAPE_GROUPS,
    Constant,
    Group,
    document,
)
from sterna.spec import package, tape
from sterna.spec.fields import Layout
from sterna.spec.registers import CLEAR, READ, READ_WRITE, ErrorCode, Register
from sterna.spec.serial import SerialCommand


def registers_page(level: int = 2) -> str:
    """All of the register map; `level` is that of its headings."""
    groups = [group for group in REGISTER_GROUPS if group.members not in (Register, ErrorCode)]
    return document(
        [
            [_heading(level, "Registers")],
            [f"{READ}: read only. {READ_WRITE}: read and write. {CLEAR}: read, and clear bits by writing ones."],
            register_table(),
            *(block for group in groups for block in _section(level, group)),
            [_heading(level, "Error codes")],
            error_table(),
            [_heading(level, "Constants")],
            constant_table(REGISTER_CONSTANTS),
        ]
    )


def tape_page(level: int = 2) -> str:
    """All of the tape's format; `level` is that of its headings."""
    return document(
        [
            *(block for layout in tape.LAYOUTS for block in _layout_section(level, layout)),
            *(block for group in TAPE_GROUPS for block in _section(level, group)),
            [_heading(level, "Constants")],
            constant_table((*TAPE_CONSTANTS, *ENCODER_CONSTANTS)),
        ]
    )


def package_page(level: int = 2) -> str:
    """All of the package's container; `level` is that of its headings."""
    return document(
        [
            *(block for layout in package.LAYOUTS for block in _layout_section(level, layout)),
            *(block for group in PACKAGE_GROUPS for block in [[_heading(level, "Sections")], section_table(group)]),
            [_heading(level, "Limits and constants")],
            constant_table(PACKAGE_CONSTANTS),
        ]
    )


def section_table(group: Group) -> list[str]:
    """Names and contents of sections."""
    return _table(("section", "holds"), ((f"`{m.text}`", m.description) for m in group.members))  # type: ignore[union-attr]


def register_table() -> list[str]:
    """Every register with address, access, value after reset and meaning."""
    rows = (
        (f"`{r.value:#05x}`", f"`{r.name}`", r.access, "" if r.reset is None else f"`{r.reset:#x}`", r.description)
        for r in Register
    )
    return _table(("address", "name", "access", "reset", "meaning"), rows)


def serial_table() -> list[str]:
    """Every command of the serial line, with its arguments and its answer."""
    rows = (
        (
            f"`{c.value:#x}`", f"`{c.name}`", ", ".join(f"`{name}` {size}" for name, size in c.arguments.items()),
            c.answer or "nothing", c.description,
        )
        for c in SerialCommand
    )  # fmt: skip
    return _table(("byte", "name", "arguments and their bytes", "answer", "meaning"), rows)


def error_table() -> list[str]:
    """Every error code with its meaning and remedy."""
    rows = ((str(code.value), f"`{code.name}`", code.description, code.remedy) for code in ErrorCode)
    return _table(("code", "name", "meaning", "remedy"), rows)


def enum_table(group: Group) -> list[str]:
    """Values, names and meanings of an enumeration or of bits."""
    rows = ((str(m.value), f"`{m.name}`", m.description) for m in group.members)  # type: ignore[union-attr]
    return _table(("value", "name", "meaning"), rows)


def layout_table(layout: Layout) -> list[str]:
    """Fields of a layout with the position of their lowest bit."""
    rows = (
        (
            str(position),
            str(field.bits),
            f"`{field.name}`",
            field.description + ("; two's complement" if field.signed else ""),
        )
        for field, position in layout.places()
    )
    return _table(("bit", "bits", "name", "meaning"), rows)


def constant_table(constants: Iterable[Constant]) -> list[str]:
    """Constants with their values."""
    rows = (
        (f"`{c.name.upper()}`", str(c.value) if c.bits is None else f"`{c.value:#x}`", c.description) for c in constants
    )
    return _table(("name", "value", "meaning"), rows)


def _section(level: int, group: Group) -> list[list[str]]:
    title, _, more = group.description.rstrip(".").partition(": ")
    return [[_heading(level, title)], *([[f"{more[0].upper()}{more[1:]}."]] if more else []), enum_table(group)]


def _layout_section(level: int, layout: Layout) -> list[list[str]]:
    title = layout.name.replace("_", " ").capitalize()
    return [[_heading(level, title)], [f"{layout.description} {layout.size} bytes."], layout_table(layout)]


def _heading(level: int, text: str) -> str:
    return f"{'#' * level} {text}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    escaped = (tuple(cell.replace("|", "\\|") for cell in row) for row in rows)
    return [_row(head), _row(("---",) * len(head)), *map(_row, escaped)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
