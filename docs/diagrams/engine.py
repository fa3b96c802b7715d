"""The engine's blocks and what flows between them."""

from __future__ import annotations

from drawing import Sheet


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(980, 500, "Blocks of the engine")
    h = 62
    host = s.box(10, 14, 110, h, "Host", fill="four", note="AXI4-Lite")
    memory = s.box(10, 110, 110, 374, "Memory", fill="four", note="AXI4\n\ntape\nimage\nresult")
    registers = s.box(165, 14, 130, h, "Registers", fill="three", note="control, status,\ncounters")
    sequencer = s.box(335, 14, 150, h, "Sequencer", fill="three", note="frames, steps,\nwatchdog")
    passes = s.box(552, 14, 148, h, "Pass issuer", fill="three", note="tile by tile")
    reader = s.box(165, 110, 130, 92, "AXI reader", note="bursts, two ports:\ntape and image")
    tape = s.box(335, 110, 150, h, "Tape reader", fill="three", note="segments, CRC checks")
    tables = s.box(335, 202, 150, 50, "Table writer", fill="three")
    distributor = s.box(552, 110, 148, h, "Distributor", fill="three", note="fetch words, rounds")
    issuer = s.box(552, 202, 148, 58, "Issuer", note="all waiting is here")
    gather = s.box(552, 306, 148, h, "Gather", note="any window: rotate, pad")
    features = s.box(552, 414, 148, 70, "Feature memory", fill="two", note="one bank per lane,\nall maps on chip")
    store = s.box(335, 306, 150, h, "Frame store", note="results out")
    load = s.box(335, 418, 150, h, "Frame load", note="image in")
    writer = s.box(165, 306, 130, h, "AXI writer")

    s.frame(774, 100, 180, 250, "Cluster, up to 4")
    windows = s.box(787, 128, 154, 56, "Windows", fill="two", note="last 31 words, per PE")
    elements = s.box(787, 204, 154, 66, "PEs", fill="two", note="add or subtract up to four\nvectors on all lanes")
    sums = s.box(787, 290, 154, 48, "Accumulators", fill="two", note="two halves")
    drain = s.box(787, 404, 154, 84, "Drain", fill="two", note="maximum of phases,\nrequantise, activation")

    s.arrow(host.right(), registers.left(), both=True)
    s.arrow(registers.right(), sequencer.left(), both=True)
    s.arrow(sequencer.right(), passes.left())
    s.arrow(passes.right(), (966, 45), (966, 446), drain.right())
    s.text(872, 38, "passes", size=12, colour="quiet")
    s.arrow(memory.right(0.123), reader.left())
    s.arrow(reader.right(0.337), tape.left())
    s.arrow(tape.top(), sequencer.bottom())
    s.text(418, 98, "steps", size=12, colour="quiet")
    s.arrow(tape.bottom(), tables.top())
    s.text(418, 192, "REQUANT", size=11, colour="quiet")
    s.arrow(tape.right(), distributor.left())
    s.text(518, 133, "WEIGHTS", size=11, colour="quiet", anchor="middle")
    s.arrow(distributor.bottom(), issuer.top())
    s.text(634, 190, "fetch words, rounds", size=11, colour="quiet")
    s.arrow(issuer.right(), (740, 231), (740, 237), elements.left())
    s.text(708, 225, "rounds", size=11, colour="quiet")
    s.arrow(issuer.bottom(), gather.top())
    s.text(634, 297, "which window", size=11, colour="quiet")
    s.arrow(gather.right(0.3), (756, 324.6), (756, 156), windows.left())
    s.text(706, 318, "words", size=11, colour="quiet")
    s.arrow(features.top(), gather.bottom())
    s.text(632, 396, "read", size=11, colour="quiet")
    s.arrow(windows.bottom(), elements.top())
    s.arrow(elements.bottom(), sums.top())
    s.arrow(sums.bottom(), drain.top())
    s.arrow(tables.bottom(), (410, 279), (740, 279), (740, 424), drain.left(0.24))
    s.text(746, 390, "M, B", size=11, colour="quiet")
    s.arrow((787, 458), (700, 458))
    s.text(746, 474, "words", size=11, colour="quiet", anchor="middle")
    s.arrow(gather.left(), store.right())
    s.arrow(store.left(), writer.right())
    s.arrow(writer.left(), memory.right(0.607))
    s.arrow(reader.right(0.75), (314, 179), (314, 449), load.left())
    s.arrow(load.right(), features.left())
    return s
