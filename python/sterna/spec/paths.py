"""Where the hardware and simulation sources lie, and where what is built from them is kept."""

from __future__ import annotations

import os
from pathlib import Path

#: In a source checkout the folders lie beside `python/`; a wheel carries them inside the package.
_CHECKOUT = Path(__file__).resolve().parents[3]
_WHEEL = Path(__file__).resolve().parents[1] / "assets"

ROOT = _WHEEL if _WHEEL.is_dir() else _CHECKOUT
RTL = ROOT / "hw" / "rtl"
#: Boards, a folder each.
BOARDS = ROOT / "hw" / "boards"
#: What lies between an engine and the ports of a board.
SHELL = BOARDS / "rtl"
CONFIGS = ROOT / "hw" / "configs" / "configs.yaml"
TESTBENCH = ROOT / "hw" / "tb"
LINT = ROOT / "hw" / "lint"
#: C++ for high-level synthesis.
HLS = ROOT / "hw" / "hls"
HARNESS = ROOT / "sim" / "harness"
#: How often the signals of each module change in a frame.
ACTIVITY = ROOT / "docs" / "results" / "activity.json"
#: Trained networks that come with Sterna, found by their names.
MODELS = ROOT / "models"
#: Headers for C and C++, `#include <sterna/...>`.
INCLUDE = ROOT / "sw" / "include"
#: Where a checkout keeps what it has built, whatever built it.
BUILT = Path("build") / "engines" / "simulators"


def rtl_sources(folder: Path = RTL) -> list[Path]:
    """The SystemVerilog files in `folder` and the folders in it, packages first as tools want them."""
    return sorted(folder.rglob("*.sv"), key=lambda path: (not path.stem.endswith("_pkg"), path))


def own_network(path: Path) -> Path | None:
    """The graph of the network of Sterna that `path` names; None if there is none, or something at that path."""
    graph = MODELS / f"{path}.sterna-graph"
    return graph if graph.is_file() and not path.exists() else None


def build_cache() -> Path:
    """Where what took long to build is kept: $STERNA_BUILD_DIR, BUILT in a checkout, else the user's cache folder."""
    given = os.environ.get("STERNA_BUILD_DIR")
    if given:
        return Path(given)
    if (ROOT / "pyproject.toml").is_file():
        return ROOT / BUILT
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sterna"
