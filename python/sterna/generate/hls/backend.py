"""The backend `hls:`: the C simulation of a graph's project of high-level synthesis, built by g++."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.generate.hls.folder import write_project
from sterna.generate.hls.layers import nodes_of
from sterna.generate.hls.tools import IO, TOOLS, check_tool
from sterna.graph import Graph
from sterna.package.package import Package
from sterna.run.backend import Announce, Backend, Progress, Results, one_by_one
from sterna.run.uri import Parameter, Uri

_BUILT = tuple(name for name, tool in TOOLS.items() if tool.builds)
_SHOWN = 2000
"""Characters of a compiler's messages."""


class CSimulation:
    """The C simulation of `graph` in a folder of its own until it is closed; it gives the maps of `layers`.

    tool, io: as for `generate_hls`. Raises SternaError if hls4ml is missing, or g++ does not build it.
    """

    def __init__(self, graph: Graph, layers: list[str], tool: str, io: str) -> None:
        check_tool(tool, io)
        self._graph, self._layers = graph, layers
        self._folder = TemporaryDirectory(prefix="sterna-")
        try:
            folder = Path(self._folder.name) / "project"
            self._model = write_project(graph, nodes_of(graph), layers, folder, tool, io)
            self._build(tool)
        except BaseException:
            self.close()
            raise

    def _build(self, tool: str) -> None:
        said = StringIO()
        try:
            with redirect_stdout(said):
                self._model._compile()  # compile() alone would write the project once more
        except Exception as error:  # hls4ml has no class for it
            raise SternaError(
                f"g++ does not build the C simulation ({error}) {said.getvalue()[-_SHOWN:]}", where=f"tool '{tool}'",
                remedy="install g++, or see what it says",
            ) from error  # fmt: skip

    def run(self, image: NDArray[np.int8]) -> dict[str, NDArray[np.int8]]:
        """By layer name the maps int8 [1, F, H, W] of an image int8 [C, H, W] (rgb - 128) of the graph's size."""
        found: Any = self._model.predict(np.ascontiguousarray(image.transpose(1, 2, 0), dtype=np.float32)[np.newaxis])
        maps = found if len(self._layers) > 1 else [found]
        return {name: self._map(name, values) for name, values in zip(self._layers, maps, strict=True)}

    def _map(self, layer: str, values: NDArray[np.float32]) -> NDArray[np.int8]:
        info = self._graph.info[layer]
        pixels = values.reshape(1, info.height, info.width, info.channels)
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2).astype(np.int8))

    def close(self) -> None:
        """Remove its folder."""
        self._folder.cleanup()


class HlsBackend(Backend):
    """Computes a package's graph by the C simulation of its project of high-level synthesis; it does not use the tape.

    tool: quartus, vitis or catapult. io: parallel or stream.
    """

    usage = "hls:"
    parameters: ClassVar = {
        "tool": Parameter("tool that the project is for", ", ".join(_BUILT), lambda text: _one_of(text, _BUILT)),
        "io": Parameter("how maps go from layer to layer", ", ".join(IO), lambda text: _one_of(text, IO)),
    }

    def __init__(self, *, tool: str = _BUILT[0], io: str = IO[0], announce: Announce | None = None) -> None:
        self._tool, self._io = tool, io
        self._announce = announce or (lambda text: None)
        self._simulation: CSimulation | None = None

    @classmethod
    def from_uri(cls, uri: Uri, announce: Announce) -> Self:
        """It takes no path."""
        uri.check_no_path()
        return cls(**uri.values(cls.parameters), announce=announce)

    def _load(self, package: Package) -> None:
        super()._load(package)
        self._close()
        self._announce("building the C simulation")
        layers = [store.layer for store in package.schedule.stores]
        self._simulation = CSimulation(package.graph, layers, self._tool, self._io)

    def _run(self, images: NDArray[np.int8], package: Package, progress: Progress | None) -> Results:
        simulation = self._simulation
        assert simulation is not None, "a package is loaded on it"
        return one_by_one(lambda image: simulation.run(image[0]), images, package, progress)

    def note(self) -> str | None:
        """The tool that the project is for."""
        return f"Executed: the C simulation of the project for {TOOLS[self._tool].title}, {self._io}."

    def _close(self) -> None:
        if self._simulation is not None:
            self._simulation.close()
            self._simulation = None


def _one_of(text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise ValueError
    return text
