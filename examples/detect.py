"""Find objects in images: `python examples/detect.py FOLDER`, or in a generated scene if there is no folder.

What is found is printed, and drawn into FOLDER/boxes.
"""

import sys
from pathlib import Path

import sterna
from sterna.vision import drawing, image_files, image_search

package = sterna.compile("demo-nano")
with sterna.Detector(package, backend="reference:") as detect:
    if len(sys.argv) == 1:
        print(*detect(sterna.scene(7)), sep="\n")
    for path in image_search.find([Path(name) for name in sys.argv[1:]]):
        for box in detect(path):
            print(f"{path.name}: {box.label} {box.score:.2f} at {box.left:.0f}, {box.top:.0f}")
        image = image_files.pixels(path)
        (path.parent / "boxes").mkdir(exist_ok=True)
        drawn = drawing.boxes(image, detect.detect(image), detect.classes)
        drawn.save(path.parent / "boxes" / f"{path.stem}.png")
