"""Find objects in images: `python examples/detect.py IMAGE...`, or in a generated scene if there is no image."""

import sys

import sterna

package = sterna.compile("demo-nano")
with sterna.Detector(package, backend="reference:") as detect:
    for image in sys.argv[1:] or [sterna.scene(7)]:
        for box in detect(image):
            print(f"{box.label} {box.score:.2f} at {box.left:.0f}, {box.top:.0f}, {box.right:.0f}, {box.bottom:.0f}")
