"""One layer's life in time: what each part of the engine does, and how steps overlap."""

from __future__ import annotations

from drawing import Sheet

_LEFT, _RIGHT = 170, 946
_ROWS = ("Tape reader", "Gather", "PEs", "Drain", "Feature memory")


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(960, 356, "One layer's life in time")
    for row, name in enumerate(_ROWS):
        y = 40 + row * 54
        s.text(10, y + 25, name, bold=True)
        s.line((_LEFT, y + 44), (_RIGHT, y + 44), dashed=True)

    def bar(row: int, start: float, end: float, words: str, fill: str) -> None:
        s.cell(start, 40 + row * 54 + 4, end - start, 34, fill, words, 11)

    s.text(170, 24, "layer n - 1", size=12, bold=True, colour="quiet")
    s.text(300, 24, "layer n", size=12, bold=True, colour="edge")
    s.text(812, 24, "layer n + 1", size=12, bold=True, colour="quiet")
    bar(0, 170, 268, "…", "paper")
    bar(0, 272, 340, "STEP, REQ.", "three")
    bar(0, 344, 690, "WEIGHTS, once per tile group", "two")
    bar(0, 694, 762, "STEP, REQ.", "three")
    bar(0, 766, 946, "WEIGHTS …", "paper")
    bar(1, 170, 300, "…", "paper")
    bar(1, 356, 700, "words, as rounds take them", "two")
    bar(1, 780, 946, "words …", "paper")
    bar(2, 170, 330, "additions …", "paper")
    for index in range(4):
        start = 372 + index * 92
        bar(2, start, start + 88, f"pass {index}", "one" if index % 2 else "two")
    bar(2, 796, 946, "pass 0 …", "paper")
    bar(3, 200, 380, "…", "paper")
    for index in range(4):
        start = 464 + index * 92
        bar(3, start, start + 70, f"pass {index}", "one" if index % 2 else "two")
    bar(3, 888, 946, "…", "paper")
    bar(4, 230, 390, "map n - 1 grows", "paper")
    bar(4, 476, 816, "map n grows", "four")
    bar(4, 900, 946, "…", "paper")
    s.arrow((460, 190), (470, 206), colour="edge")
    s.line((372, 40), (372, 310), colour="hot", dashed=True)
    s.text(376, 324, "Layer n starts while the drain still empties layer n - 1.", size=12, colour="hot")
    s.line((816, 40), (816, 330), colour="edge", dashed=True)
    s.text(812, 342, "The step ends: its last word is written.", size=12, colour="edge", anchor="end")
    return s
