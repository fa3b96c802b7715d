"""The clocks that named configs support."""

from __future__ import annotations

import pytest

from sterna.estimate.engine import estimate_engine
from sterna.estimate.supported_clock import estimate_clock
from sterna.spec.config import about_configs, load_config
from sterna.spec.fpga import about_fpgas, load_fpga
from support.engines import SIMULATORS

CLOCKS = [(config, name, mhz) for name in about_fpgas() for config, mhz in load_fpga(name).clocks.items()]


def test_each_named_config_has_a_clock_on_the_fpga_that_it_is_for() -> None:
    assert sorted(config for config, _, _ in CLOCKS) == sorted(about_configs())


@pytest.mark.slow
@pytest.mark.parametrize(("config", "fpga", "mhz"), CLOCKS)
def test_a_config_supports_its_clock(config: str, fpga: str, mhz: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that grew fails here with its two ends."""
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))
    clock = estimate_clock(estimate_engine(load_config(config), load_fpga(fpga)))
    path = clock.slowest[0]
    assert clock.mhz >= mhz, f"{path.delay} ps from {path.start} to {path.end}"
