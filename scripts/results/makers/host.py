"""docs/results/host.json: what the host does for a frame, from pixels or a JPEG to boxes, without the device."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

import sterna
from results.record import ROOT, Metric, TableRow, write
from sterna.compile import compile_graph
from sterna.graph import file
from sterna.package import file as package_file
from sterna.spec.config import load_config

SEED, HEIGHT, WIDTH, QUALITY = 7, 720, 1280, 90
MODEL, CONFIG = "yolov2-scenes", "arria10"
FRAMES = 1000
#: Frames per second for which the host's threads are counted.
RATES = (1000, 3000)
PARTS = ("decode", "resize", "boxes")
METHOD = (
    f"mean of {FRAMES} frames of {WIDTH}x{HEIGHT}, 8 in flight, through libsterna's detector with a device that takes "
    f"no time and gives the head of {MODEL} for this image, 416x416; JPEG of quality {QUALITY}"
)


def build() -> Path:
    """The program that measures."""
    folder = ROOT / "build" / "sw" / "host"
    cmake = Path(sys.executable).with_name("cmake")
    subprocess.run([cmake, "-G", "Ninja", "-S", ROOT / "sw", "-B", folder], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([cmake, "--build", folder, "--target", "host_speed"], check=True, stdout=subprocess.DEVNULL)
    return folder / "tests" / "host_speed"


def measured(program: Path, folder: Path, frames: int) -> Iterator[TableRow]:
    """A row for each form of the image and number of threads."""
    graph = file.load(ROOT / "models" / f"{MODEL}.sterna-graph")
    package, raw, jpeg = (folder / name for name in ("model.sterna", "image.rgb", "image.jpg"))
    package_file.save(compile_graph(graph, load_config(CONFIG), cycles=False), package)
    image = sterna.scene(SEED, HEIGHT, WIDTH)
    raw.write_bytes(image.tobytes())
    Image.fromarray(image).save(jpeg, quality=QUALITY)
    command = [program, package, raw, WIDTH, HEIGHT, jpeg, frames]
    done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True)
    yield from map(row, done.stdout.splitlines())


def row(line: str) -> TableRow:
    """The row of a line that the program prints."""
    form, threads, total, *parts = line.split()
    milliseconds = dict(zip(PARTS, map(float, parts), strict=True))
    slowest = max(milliseconds, key=milliseconds.__getitem__)
    found: TableRow = {"frame": form, "threads": int(threads), "ms": round(float(total), 3)}
    found |= {f"{part}_ms": round(value, 3) for part, value in milliseconds.items()}
    for rate in RATES:
        needed = rate * sum(milliseconds.values()) / 1000
        held = f"{slowest}: {needed:.1f} threads needed"
        found[f"at_{rate}"] = "nothing" if needed <= int(threads) else held
    return found


def main() -> None:
    """Measure and write."""
    with TemporaryDirectory() as folder:
        rows = list(measured(build(), Path(folder), FRAMES))
    metrics = {
        f"{each['frame']}_ms" + ("" if each["threads"] == 1 else "_2_threads"): Metric(
            what=f"Host's work on a frame, {each['frame']}, {each['threads']} thread{'s' * (each['threads'] != 1)}",
            value=each["ms"], unit="ms", method=METHOD,
        )
        for each in rows
    }  # fmt: skip
    write("host", metrics, command="make results-host", seed=SEED, rows=rows)


if __name__ == "__main__":
    main()
