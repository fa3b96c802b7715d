"""docs/results/frame_trained.json: the kept full YOLOv2, trained on street scenes, through the simulated arria10.

As frame_arria10 does it: one frame with every map stored and compared, then frames in sequence.
docs/frame_trained.jpg shows their boxes.
"""

from __future__ import annotations

import sys

import numpy as np

from results.makers.frame_arria10 import CONFIG, FRAMES, MHZ, SEED, TRAINED, Case, measured, prepare, trained_case
from results.record import Metric, write
from sterna.graph import reference
from sterna.graph.network import GREY
from sterna.run import open_backend
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT
from sterna.vision import drawing
from sterna.vision.decoder import Decoder
from sterna.vision.defaults import OVERLAP, SHOWN
from support.engines import simulated

IMAGE = ROOT / "docs" / "frame_trained.jpg"


def main() -> int:
    """Simulate, and write; 1 and nothing written if a frame differs."""
    case, config = trained_case(TRAINED), load_config(CONFIG)
    print("building the simulator if it is not built yet: some minutes", flush=True)
    with simulated(config) as engine, open_backend("reference:") as expected:
        found = measured(prepare(case), engine, expected)
    if not found["equal"]:
        print("error: a frame differs from the reference", file=sys.stderr)
        return 1
    counted = f"clock cycles counted in RTL simulation from one frame's end to the next one's; memory {config.memory}"
    metrics = {
        "fps": Metric(
            what="Trained YOLOv2-416, density 0.15 balanced, batch 1, at 240 MHz",
            value=round(MHZ * 1e6 / found["cycles"], 1), unit="frames/s", method=counted,
        ),
        "cycles": Metric(what="Clock cycles per frame", value=found["cycles"], unit="", method=counted),
        "additions": Metric(
            what="Additions per lane and cycle", value=found["additions_per_lane"], unit="",
            method="additions / (lanes x cycles of the frame), at most 4",
        ),
        "equal": Metric(
            what=f"All {found['layers_compared']} maps of an unseen scene equal the reference", value=found["equal"],
            unit="", method=f"every value of every map; outputs also for {FRAMES} frames in sequence",
        ),
    }  # fmt: skip
    write("frame_trained", metrics, command="make results-frame_trained", config=CONFIG, seed=SEED)
    show(case)
    return 0


def show(case: Case) -> None:
    """The images of `case` with the boxes of the reference, which has the engine's outputs, as IMAGE."""
    decoder = Decoder.of(case.graph)
    heads = reference.execute(case.graph, case.images)[decoder.output]
    pixels = np.ascontiguousarray(np.moveaxis(case.images.view(np.uint8) ^ GREY, 1, -1))
    drawn = [
        drawing.boxes(
            image, decoder.boxes(head, image, threshold=SHOWN, overlap=OVERLAP), decoder.classes
        )
        for image, head in zip(pixels, heads, strict=True)
    ]  # fmt: skip
    drawing.sheet(drawn, FRAMES).save(IMAGE, quality=85)


if __name__ == "__main__":
    sys.exit(main())
