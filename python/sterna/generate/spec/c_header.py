"""Headers for programs in C and C++ that drive an engine, or read a tape or a package."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from textwrap import wrap

from sterna.generate.spec.contents import (
    BOARD_CONSTANTS,
    BOARD_TEXTS,
    ENCODER_CONSTANTS,
    LICENCE,
    ORIGIN,
    PACKAGE_CONSTANTS,
    PACKAGE_GROUPS,
    REGISTER_CONSTANTS,
    REGISTER_GROUPS,
    TAPE_CONSTANTS,
    TAPE_GROUPS,
    Constant,
    Group,
    Text,
    document,
    member_description,
    words,
)
from sterna.spec import package, registers, tape
from sterna.spec.fields import Layout

COLUMNS = 100
#: Bits of an enumeration in C.
_ENUM_BITS = 32
_REGISTERS = f"""\
The engine's registers, their bits and its error codes.

Each register has 32 bits; its address is in bytes from the engine's base. {registers.READ}: read only;
{registers.READ_WRITE}: read and write; {registers.CLEAR}: read, and clear bits by writing ones."""
_BOARD = """\
What boards of Sterna's own look like to a driver."""
_TAPE = """\
The tape: the instruction and weight stream that the engine reads.

Everything is little-endian. Fields of headers and steps have offsets and sizes in bytes (_OFFSET,
_SIZE), those of 64-bit words have positions and widths in bits (_SHIFT, _WIDTH)."""

_PACKAGE = """\
The package: the file of a model for an engine.

Everything is little-endian. Fields of headers have offsets and sizes in bytes (_OFFSET, _SIZE).
Names of sections are the number that their letters make."""


def registers_header() -> str:
    """The text of registers.h."""
    return _header("registers", _REGISTERS, REGISTER_CONSTANTS, REGISTER_GROUPS, [_texts()])


def board_header() -> str:
    """The text of board.h."""
    return _header("board", _BOARD, BOARD_CONSTANTS, (), [[line for text in BOARD_TEXTS for line in _text(text)]])


def tape_header() -> str:
    """The text of tape.h."""
    layouts = [list(_layout(layout)) for layout in tape.LAYOUTS]
    return _header("tape", _TAPE, (*TAPE_CONSTANTS, *ENCODER_CONSTANTS), TAPE_GROUPS, layouts)


def package_header() -> str:
    """The text of package.h."""
    layouts = [list(_layout(layout)) for layout in package.LAYOUTS]
    return _header("package", _PACKAGE, PACKAGE_CONSTANTS, PACKAGE_GROUPS, layouts)


def constants(layout: Layout) -> Iterator[tuple[str, int, str]]:
    """Name, value and description of what C is told of a layout."""
    yield f"{layout.name}_size", layout.size, layout.description
    for field, position in layout.places():
        description = field.description + ("; two's complement" if field.signed else "")
        if layout.bits <= 64:
            yield f"{layout.name}_{field.name}_shift", position, description
            yield f"{layout.name}_{field.name}_width", field.bits, ""
        else:
            yield f"{layout.name}_{field.name}_offset", position // 8, description
            yield f"{layout.name}_{field.name}_size", field.bits // 8, ""


def _header(
    name: str, text: str, numbers: tuple[Constant, ...], groups: tuple[Group, ...], rest: list[list[str]]
) -> str:
    guard = f"STERNA_{name.upper()}_H"
    return document(
        [
            [f"/* {LICENCE} */", *_paragraphs(f"{text}\n\n{ORIGIN}")],
            [f"#ifndef {guard}", f"#define {guard}"],
            ["#include <stdint.h>"],
            [line for number in numbers for line in _constant(number)],
            *(_group(group) for group in groups),
            *rest,
            [f"#endif /* {guard} */"],
        ]
    )


def _paragraphs(text: str) -> list[str]:
    first, *others = text.splitlines()
    return [f"/* {first}", *(f" * {line}".rstrip() for line in others), " */"]


def _comment(text: str, indent: str = "") -> list[str]:
    lines = wrap(text, COLUMNS - len(indent) - 6)
    return [f"{indent}{' *' if at else '/*'} {line}" for at, line in enumerate(lines[:-1])] + [
        f"{indent}{' *' if len(lines) > 1 else '/*'} {line} */" for line in lines[-1:]
    ]


def _define(name: str, value: str) -> str:
    return f"#define STERNA_{name.upper()} {value}"


def _constant(constant: Constant) -> list[str]:
    value = str(constant.value)
    if constant.bits is not None:
        value = f"UINT{64 if constant.bits > 32 else 32}_C({constant.value:#x})"
    return [*_comment(constant.description), _define(constant.name, value)]


def _text(text: Text) -> list[str]:
    return [*_comment(text.description), _define(text.name, f'"{text.value}"')]


def _group(group: Group) -> list[str]:
    """Addresses and bits as macros, which are unsigned; choices are enumerations."""
    name = words(group.members.__name__)
    as_macros = issubclass(group.members, IntFlag) or group.members is registers.Register or group.bits > _ENUM_BITS
    of_bits = 64 if group.bits > _ENUM_BITS else 32
    lines = _comment(group.description) + ([] if as_macros else [f"enum sterna_{name} {{"])
    for member in group.members:
        if as_macros:
            lines += _comment(member_description(member))
            lines.append(_define(f"{name}_{member.name}", f"UINT{of_bits}_C({member.value:#x})"))
        else:
            lines += _comment(member_description(member), "  ")
            lines.append(f"  STERNA_{name.upper()}_{member.name} = {member.value},")
    if not as_macros:
        lines[-1] = lines[-1].removesuffix(",")
        lines.append("};")
    return lines


def _layout(layout: Layout) -> Iterator[str]:
    for name, value, description in constants(layout):
        yield from _comment(description)
        yield _define(name, str(value))


def _texts() -> list[str]:
    """Functions from an error code to its texts."""
    return [
        *_function("name", "The name of an error code.", {code: code.name for code in registers.ErrorCode}),
        "",
        *_function("text", "The meaning of an error code.", {code: code.description for code in registers.ErrorCode}),
        "",
        *_function("remedy", "The remedy for an error.", {code: code.remedy for code in registers.ErrorCode}),
    ]


def _function(what: str, description: str, texts: dict[registers.ErrorCode, str]) -> list[str]:
    return [
        f"/* {description} */",
        f"static inline const char *sterna_error_code_{what}(uint32_t code) {{",
        "  switch (code) {",
        *(f'    case STERNA_ERROR_CODE_{code.name}: return "{text}";' for code, text in texts.items()),
        '    default: return "unknown error code";',
        "  }",
        "}",
    ]
