"""The tools of place and route as they are run."""

from __future__ import annotations

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
