"""Where the hardware and simulation sources lie."""

from __future__ import annotations

from pathlib import Path

#: In a source checkout the folders lie beside `python/`; a wheel carries them inside the package.
_CHECKOUT = Path(__file__).resolve().parents[3]
_WHEEL = Path(__file__).resolve().parents[1] / "assets"

ROOT = _WHEEL if _WHEEL.is_dir() else _CHECKOUT
RTL = ROOT / "hw" / "rtl"
CONFIGS = ROOT / "hw" / "configs" / "configs.yaml"
TESTBENCH = ROOT / "hw" / "tb"
LINT = ROOT / "hw" / "lint"
HARNESS = ROOT / "sim" / "harness"
