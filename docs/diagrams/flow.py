"""From labelled images to boxes: who makes what."""

from __future__ import annotations

from drawing import Sheet


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(960, 372, "Flow from labelled images to boxes")
    y, h = 12, 74
    images = s.box(10, y, 130, h, "Images", "with labels", fill="four")
    train = s.box(190, y, 150, h, "Train", note="float, ternary,\nquantised, integer")
    graph = s.box(390, y, 170, h, "Integer graph", fill="four", note="the specification\nof the model")
    comp = s.box(610, y, 140, h, "Compile", note="schedule, encode,\ncount cycles")
    package = s.box(800, y, 150, h, "Package", fill="four", note="graph, tape,\nschedule")
    for left, right in ((images, train), (train, graph), (graph, comp), (comp, package)):
        s.arrow(left.right(), right.left())

    y2 = 154
    config = s.box(190, y2, 150, h, "Engine config", fill="four", note="tile, clusters, PEs,\nmemory, bus")
    generate = s.box(390, y2, 170, h, "Generate", note="SystemVerilog,\nregisters, testbench")
    engine = s.box(610, y2, 140, h, "Engine", fill="two", note="SystemVerilog,\nsimulated")
    s.arrow(config.right(), generate.left())
    s.arrow(generate.right(), engine.left())
    s.arrow(config.top(0.75), (302, 120), (650, 120), comp.bottom(0.286), dashed=True)
    s.arrow(package.bottom(), (875, y2 + 20), engine.right(0.27))
    s.text(870, 122, "tape", size=12, colour="quiet", anchor="end")

    y3 = 284
    reference = s.box(390, y3, 170, h, "Reference", note="exact integers\nin software")
    same = s.box(610, y3, 140, h, "Bit-identical?", fill="three", note="every layer,\nevery value")
    boxes = s.box(800, y3, 150, h, "Boxes", fill="four", note="decode, NMS,\ndraw")
    s.arrow(graph.left(0.8), (365, y + 59), (365, y3 + 37), reference.left())
    s.arrow(reference.right(), same.left())
    s.arrow(engine.bottom(), same.top())
    s.arrow(engine.right(0.7), (775, y2 + 52), (775, y3 + 37), boxes.left())
    s.text(783, y2 + 100, "maps", size=12, colour="quiet")
    return s
