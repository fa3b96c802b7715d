"""How much of what reads files the inputs of the fuzzers reach."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz import runs
from fuzz.programs import ROOT

#: What takes the bytes and numbers of others, from `sw/src`.
PARSERS = (
    "package/container.cpp", "package/arrays.cpp", "package/graph_records.cpp", "package/plan_records.cpp",
    "package/signature.cpp", "graph/graph.cpp", "compile/bands.cpp", "compile/build.cpp", "compile/check.cpp",
    "compile/first.cpp", "compile/lower.cpp", "compile/maps.cpp", "compile/work.cpp", "tape/check.cpp",
    "tape/encoder.cpp", "tape/rounds.cpp", "tape/writer.cpp", "vision/boxes.cpp", "vision/fit.cpp", "vision/jpeg.cpp",
    "vision/resize.cpp",
)  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """Edges of a file's control flow, two for each condition, and those that were taken."""

    taken: int
    edges: int

    @property
    def share(self) -> float:
        """Taken of all."""
        return self.taken / self.edges

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(self.taken + other.taken, self.edges + other.edges)


def measure(programs: Mapping[str, Path], corpora: Path) -> dict[str, Coverage]:
    """Of each of the PARSERS, by all programs on their folders of `corpora` together."""
    with TemporaryDirectory() as folder:
        raw = [Path(folder) / f"{name}.profraw" for name in programs]
        for (name, program), each in zip(programs.items(), raw, strict=True):
            runs.profile(program, corpora / name, each)
        merged = Path(folder) / "merged"
        subprocess.run(["llvm-profdata", "merge", "-o", merged, *raw], check=True)
        first, *others = programs.values()
        sources = [ROOT / "sw" / "src" / name for name in PARSERS]
        command = ["llvm-cov", "export", "-summary-only", f"-instr-profile={merged}", first]
        command += [word for other in others for word in ("-object", other)]
        done = subprocess.run([*command, *sources], check=True, capture_output=True, text=True)
    found = {file["filename"]: file["summary"]["branches"] for file in json.loads(done.stdout)["data"][0]["files"]}
    branches = {name: found[str(source)] for name, source in zip(PARSERS, sources, strict=True)}
    return {name: Coverage(each["covered"], each["count"]) for name, each in branches.items()}
