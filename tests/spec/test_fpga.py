"""The FPGAs, and what is refused in their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.spec import named
from sterna.spec.fpga import FPGAS, Fpga, about_fpgas, load_fpga

GOOD = load_fpga("gx1150").model_dump(exclude={"name"})


@pytest.mark.parametrize("name", named.read_all(FPGAS, "FPGA"))
def test_named_fpgas_load(name: str) -> None:
    assert load_fpga(name).name == name


@pytest.mark.parametrize("name", named.read_all(FPGAS, "FPGA"))
def test_named_boards_have_a_shell_with_a_source(name: str) -> None:
    fpga = load_fpga(name)
    assert fpga.shell_alms > 10 * fpga.shell_mlabs > 0 < fpga.shell_block_rams
    assert "ALMs" in fpga.shell_source and "assumed" in fpga.shell_source


def test_every_named_fpga_and_every_field_is_described() -> None:
    assert all(about_fpgas().values())
    assert all(field.description for field in Fpga.model_fields.values())


def test_unknown_fpga() -> None:
    with pytest.raises(SternaError, match="no such FPGA; FPGA = gx9; allowed: gx1150"):
        load_fpga("gx9")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine: 3", "mine: is not a mapping"),
        ("mine: {alms: 3}", "mine: the parameter is required; family = nothing"),
        (f"mine: {GOOD | {'alms': 0}}", "mine: is not a legal value; alms = 0; allowed: greater than or equal to 1; "),
        (f"mine: {GOOD | {'name': 3}}", "mine: is not a legal value; name = 3; allowed: a valid string"),
        ("mine: {alms: 1, alms: 2}", "alms is given twice"),
        ("[", "the list of FPGAs cannot be read as YAML"),
        ("", "holds no FPGAs"),
    ],
)
def test_illegal_fpgas_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "fpgas.yaml"
    path.write_text(text)
    with pytest.raises(SternaError, match=said):
        load_fpga(f"{path}:mine")
