"""The memories: the named ones are legal and described, and what is refused in their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.spec import named
from sterna.spec.config import load_config
from sterna.spec.memory import DEFAULT, IDEAL, MEMORIES, Memory, about_memories, load_memory

#: Beats that memories move of those that a bus could, where they are not 85 %.
SHARES = {IDEAL: 1.0, "ddr4-2133-half": 0.425}
GOOD = load_memory(DEFAULT).model_dump(exclude={"name"})


@pytest.mark.parametrize("name", named.read_all(MEMORIES, "memory timing"))
def test_named_memories_load(name: str) -> None:
    memory = load_memory(name)
    assert memory.name == name
    assert memory.share == pytest.approx(SHARES.get(name, 0.85), abs=0.006)


def test_every_named_memory_and_every_field_is_described() -> None:
    assert all(about_memories().values())
    assert all(field.description for field in Memory.model_fields.values())


def test_the_memory_is_no_parameter_of_the_engine() -> None:
    config = load_config("nano")
    assert config.model_copy(update={"memory": IDEAL}).hash == config.hash


def test_own_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"slow: {GOOD | {'latency': 500}}")
    assert load_memory(f"{path}:slow").latency == 500
    assert load_config("nano").model_copy(update={"memory": f"{path}:slow"}).memory_timing.latency == 500


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine: 3", "mine: is not a mapping"),
        (
            f"mine: {GOOD | {'latency': -1}}",
            "mine: is not a legal value; latency = -1; allowed: greater than or equal to 0; remedy: see docs",
        ),
        (f"mine: {GOOD | {'gap_every': 0}}", "mine: is not a legal value; gap_every = 0"),
        (
            f"mine: {GOOD | {'gap_cycles': 100}}",
            "mine: refresh_cycles .* gap_cycles less than gap_every; remedy: ",
        ),
        (f"mine: {GOOD | {'refresh_every': 84}}", "mine: refresh_cycles must be less than refresh_every"),
        (f"mine: {GOOD | {'speed': 3}}", "mine: there is no such parameter; speed = 3"),
        (f"yours: {GOOD}", "no such memory timing; memory timing = mine; allowed: yours"),
        ("[", "the list of memory timings cannot be read as YAML"),
        ("", "holds no memory timings"),
    ],
)
def test_illegal_memories_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "memories.yaml"
    path.write_text(text)
    with pytest.raises(SternaError, match=said):
        load_memory(f"{path}:mine")
