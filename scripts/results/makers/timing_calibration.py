"""docs/results/timing_calibration.json: the clock of open cores, as Quartus reached it and as it is estimated here.

Each core is synthesised and timed as the engine is, on a nearly empty chip of the speed grade that its authors name.
CORES=FOLDER holds a git clone of each repository under its own name; the sources come from the commit that published
the clock. What no author names is taken for grade 7, though the chip that Quartus chooses by itself is slower.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from results.record import Metric, TableRow, write
from results.runs import data
from sterna.cli.guard import guarded
from sterna.errors import SternaError
from sterna.estimate.hierarchy import Part
from sterna.estimate.synthesis import Synthesis
from sterna.estimate.timing import delays_of
from sterna.spec.paths import build_cache

CORES = "CORES"
#: In the repositories of secworks on GitHub.
SOURCES = "src/rtl"


class Core(NamedTuple):
    """A core of which a clock on Cyclone V was published, in its README."""

    name: str
    commit: str
    #: Chip, as far as it is named, and its speed grade.
    chip: str
    grade: int
    mhz: float

    @property
    def repository(self) -> str:
        """Where it comes from."""
        return f"https://github.com/secworks/{self.name}"


_DEFAULT = "5CGXFC7C7F23C8"
KNOWN = (
    Core("aes", "9cc5847ff0ea199343f6b86cd0ed0c6a272edf94", _DEFAULT, 8, 93),
    Core("chacha", "b0984142984b2d8f2550d5d26f3d238ab664e96f", "Cyclone V GX", 7, 60),
    Core("md5", "7e7d3f9e7c7b3188c61cecae44e1fe4b88ab2284", "5CGXFC7C6U19C7", 7, 85),
    Core("modexp", "62a123ea217dc85aec57f14d9906a2d0f0f5399f", "Cyclone V", 7, 107),
    Core("prince", "95461e8ada9a147674c84036bb02d104d2470e7c", _DEFAULT, 8, 102),
    Core("sha1", "824ce6029fcc07a9493315dc206162e9b3b2251a", _DEFAULT, 8, 104),
    Core("sha256", "27a10947fc32564450cb6d6245e708fbee91d176", _DEFAULT, 8, 79),
    Core("sha512", "a7c58b5cd47c8ba4784f3055736a332e9cf05562", "Cyclone V GX", 7, 80),
    Core("siphash", "c06415fd51fdffeb87de789be759327fd7da6cdf", "5CGXFC7D6F31C7", 7, 116),
)


def main() -> None:
    """Synthesise and write."""
    clones = data(CORES)
    rows = [row(core, estimated(core, clones)) for core in KNOWN]
    command = f"make results-timing_calibration {CORES}=FOLDER"
    write("timing_calibration", metrics(rows), command=command, rows=rows)


def estimated(core: Core, clones: Path) -> float:
    """MHz of the slowest path between registers."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for path, content in sources(core, clones):
            (folder / path.with_suffix(".sv").name).write_bytes(content)
        synthesis = Synthesis(folder, build_cache() / "synthesis")
        inside = [path.stem for path in folder.iterdir()]
        delays = delays_of("cyclone5", core.grade, full=False)
        return 1e6 / synthesis.model(Part(core.name, ()), delays, inside=inside).inside[0].delay


def sources(core: Core, clones: Path) -> list[tuple[Path, bytes]]:
    """The Verilog files of the core at its commit. Raises SternaError if there is no clone with that commit."""
    command = ["git", "-C", str(clones / core.name), "archive", core.commit, SOURCES]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise SternaError(
            f"there is no clone with commit {core.commit[:12]}", where=str(clones / core.name),
            remedy=f"git clone {core.repository} {clones / core.name}",
        )  # fmt: skip
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive if member.name.endswith(".v"))
        return [(Path(name), file.read()) for name, file in files if file]


def row(core: Core, mhz: float) -> TableRow:
    """Published and estimated clock of a core."""
    return {
        "core": core.name,
        "published_MHz": core.mhz,
        "estimated_MHz": round(mhz, 1),
        "error_percent": round(100 * (mhz / core.mhz - 1), 1),
        "chip": core.chip,
        "grade": core.grade,
        "published_at": f"{core.repository}/blob/{core.commit[:12]}/README.md",
    }


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """How far the estimates are off."""
    errors = sorted(float(str(each["error_percent"])) for each in rows)
    method = "the table below: estimated clock / published clock - 1"
    return {
        "cores": Metric(what="Open cores compared", value=len(rows), unit="", method="those of the table"),
        "most_overestimated": Metric(what="Error of the fastest estimate", value=errors[-1], unit="%", method=method),
        "median_error": Metric(what="Median of the errors", value=errors[len(errors) // 2], unit="%", method=method),
        "most_underestimated": Metric(what="Error of the slowest estimate", value=errors[0], unit="%", method=method),
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
