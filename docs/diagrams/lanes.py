"""Tile, lane and vector: how one nonzero weight works on all pixels of a tile."""

from __future__ import annotations

from drawing import Sheet

_CELL = 16
_TILE = 5


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(960, 430, "Tile, lane and vector")
    s.text(20, 24, "A map, in tiles", bold=True)
    for row in range(15):
        for column in range(15):
            tile = (row // _TILE, column // _TILE)
            fill = "one" if tile == (1, 1) else "paper"
            s.cell(20 + column * _CELL, 38 + row * _CELL, _CELL, _CELL, fill)
    for edge in (0, 5, 10, 15):
        s.line((20 + edge * _CELL, 38), (20 + edge * _CELL, 38 + 15 * _CELL), colour="ink", width=1.6)
        s.line((20, 38 + edge * _CELL), (20 + 15 * _CELL, 38 + edge * _CELL), colour="ink", width=1.6)
    # The window that the weight looks through: one column to the left, one row up.
    s.line((84, 102), (164, 102), (164, 182), (84, 182), (84, 102), colour="hot", width=2.4)
    s.text(20, 300, "Tile: output pixels computed together.", size=12)
    s.text(20, 318, "Each pixel of it is a lane.", size=12)
    s.text(20, 342, "Red: the input that kernel tap (-1, -1)", size=12, colour="hot")
    s.text(20, 358, "needs for this tile, in one channel.", size=12, colour="hot")

    s.text(310, 24, "Vector", bold=True)
    for row in range(_TILE):
        for column in range(_TILE):
            s.cell(310 + column * 26, 38 + row * 26, 26, 26, "two", str((7 * row * row + 5 * column + 3) % 23 - 9), 11)
    s.line((310, 38), (440, 38), (440, 168), (310, 168), (310, 38), colour="hot", width=2.4)
    s.arrow((268, 110), (304, 110), colour="hot")
    s.text(310, 190, "One value per lane: a channel", size=12)
    s.text(310, 206, "shifted by one kernel tap.", size=12)
    s.text(310, 222, "Read from all banks in one cycle.", size=12)

    s.text(310, 268, "Operations of a PE: only the nonzeros", bold=True)
    for index, (vectors, accumulator) in enumerate((("+v0 -v2", "a3"), ("+v1", "a7"), ("-v0 -v1 +v3", "a3"))):
        x = 310 + index * 90
        s.cell(x, 282, 84, 56, "three")
        s.text(x + 42, 305, vectors, size=12, bold=True, anchor="middle", colour="hot")
        s.text(x + 42, 326, f"to {accumulator}", size=11.5, anchor="middle")
    s.text(310, 362, "Each adds up to four vectors: one of each", size=12)
    s.text(310, 378, "channel of a word, v0 to v3. It takes one cycle.", size=12)

    s.text(600, 24, "One operation, one cycle, all lanes", bold=True)
    s.arrow((446, 100), (594, 100), colour="hot")
    s.text(520, 92, "to the windows", size=11, colour="quiet", anchor="middle")
    for lane in range(5):
        y = 44 + lane * 62
        label = f"lane {lane}" if lane < 4 else "lane 24"
        value = s.cell(604, y, 66, 44, "two", label, 12)
        adder = s.box(712, y, 62, 44, "±", fill="one", size=18)
        total = s.box(822, y, 128, 44, "Accumulators", fill="one", size=12, note="a0 … a15")
        s.arrow(value.right(), adder.left())
        s.arrow(adder.right(0.35), total.left(0.35))
        s.arrow(total.left(0.72), adder.right(0.72))
    s.text(637, 284, "⋮", size=14, anchor="middle", colour="quiet")
    s.arrow((576, 315), (590, 315), (590, 372), (743, 372), (743, 342), colour="edge")
    s.text(604, 396, "Every lane gets the same signs and accumulator:", size=12)
    s.text(604, 412, "no multiplier, no crossbar, and no lane waits for another.", size=12)
    return s
