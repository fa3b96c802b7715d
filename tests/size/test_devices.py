"""The FPGA devices, and what is refused in their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.size.devices import DEVICES, load_device
from sterna.spec import named

GOOD = load_device("gx1150").model_dump(exclude={"name"})


@pytest.mark.parametrize("name", named.read_all(DEVICES, "device"))
def test_named_devices_load(name: str) -> None:
    assert load_device(name).name == name


def test_unknown_device() -> None:
    with pytest.raises(SternaError, match="no such device; device = gx9; allowed: gx1150"):
        load_device("gx9")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine: 3", "mine: is not a mapping"),
        ("mine: {alms: 3}", "mine.family: is not a legal device"),
        (f"mine: {GOOD | {'alms': 0}}", "mine.alms: is not a legal device; got 0"),
        (f"mine: {GOOD | {'name': 3}}", "mine.name: is not a legal device"),
        ("mine: {alms: 1, alms: 2}", "alms is given twice"),
        ("[", "the list of devices cannot be read as YAML"),
        ("", "holds no devices"),
    ],
)
def test_illegal_devices_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(text)
    with pytest.raises(SternaError, match=said):
        load_device("mine", path)
