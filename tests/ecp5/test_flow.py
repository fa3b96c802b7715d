"""The tools of place and route as they are run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecp5 import flow
from sterna.errors import SternaError


def test_a_tool_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "LIMIT", 1)
    with pytest.raises(SternaError, match=r"call did not end in 1 s.*ulx3s\.lpf"):
        flow.run_tool("subprocess.call", ("sleep", "3"), tmp_path)


def test_a_tool_that_fails_is_told_by_its_error(tmp_path: Path) -> None:
    program = "import sys; print('noise', file=sys.stderr); sys.exit('ERROR: no such cell')"
    with pytest.raises(SternaError, match="call failed: ERROR: no such cell"):
        flow.run_tool("subprocess.call", ("python3", "-c", program), tmp_path)


@pytest.mark.parametrize(("clocks", "seed"), [((81.0,), 1), ((79.9, None, 80.0, 90.0), 3), ((70.0,) * 8, 8)])
def test_seeds_are_tried_until_the_clock_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clocks: tuple[float | None, ...], seed: int
) -> None:
    """Of clocks that nextpnr reaches from each seed, None: it does not end."""
    said: list[str] = []

    def tool(name: str, arguments: tuple[str, ...], folder: Path) -> None:
        if "nextpnr" in name and "--seed" in arguments:
            clock = clocks[int(arguments[-1]) - 1]
            if clock is None:
                raise flow.EndlessError("it did not end")
            (folder / "report.json").write_text(json.dumps({"fmax": {"clock": {"achieved": clock}}}))

    monkeypatch.setattr(flow, "BUILDS", tmp_path)
    monkeypatch.setattr(flow, "run_tool", tool)
    made = flow.make(said.append)
    assert made.seed == seed and made.fmax() == clocks[seed - 1]
    assert [line for line in said if "seed" in line] == [
        f"placement and routing from seed {each} ..." for each in range(1, seed + 1)
    ]
