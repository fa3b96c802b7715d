"""The tables of the documentation list everything, one row each."""

from __future__ import annotations

from sterna.generate.spec.markdown import layout_table, register_table, registers_page, serial_table, tape_page
from sterna.spec import tape
from sterna.spec.registers import Control, ErrorCode, Register, Status
from sterna.spec.tape import EntryKind


def columns(line: str) -> int:
    return line.replace("\\|", "").count("|")


def test_registers() -> None:
    table = register_table()
    assert table[2:][list(Register).index(Register.WATCHDOG)] == (
        "| `0x03c` | `WATCHDOG` | R/W | `0xf4240` | Cycles without progress before the engine gives up; 0: never, but "
        "after as many as at reset on what is left of a frame that failed. |"
    )
    assert len(table) == 2 + len(Register)
    page = registers_page()
    for member in (*Register, *Control, *Status, *ErrorCode):
        assert f"| `{member.name}` |" in page and member.description in page


def test_tape() -> None:
    assert layout_table(tape.STEP)[2] == "| 0 | 8 | `op` | what the step does |"
    page = tape_page(level=3)
    assert page.count("\n### ") + page.startswith("### ") == page.count("### ")
    for layout in tape.LAYOUTS:
        assert all(f"| `{field.name}` |" in page for field, _ in layout.places())
    assert all(f"| {kind.value} | `{kind.name}` |" in page for kind in EntryKind)


def test_commands_of_the_serial_line() -> None:
    assert serial_table()[3] == (
        "| `0x12` | `WRITE_REGISTER` | `register` 2, `value` 4 | nothing | Writes a register. |"
    )


def test_headings_are_short() -> None:
    """What follows a colon in a description is a sentence below the heading."""
    page = tape_page()
    sentence = "A value of 0 or more stays, a negative one is multiplied by a slope."
    assert f"\n## What requantisation does before it rounds\n\n{sentence}" in page
    assert all(len(line) < 60 for line in page.splitlines() if line.startswith("#"))


def test_every_row_of_a_table_has_its_columns() -> None:
    for page in (registers_page(), tape_page()):
        for table in page.split("\n\n"):
            lines = table.splitlines()
            if lines[0].startswith("| "):
                assert {columns(line) for line in lines} == {columns(lines[0])}
