"""How a tape nests: segments, records, rounds, chunks, entries."""

from __future__ import annotations

from drawing import Box, Sheet, spread


def _zoom(s: Sheet, part: Box, whole: Box) -> None:
    """Dashed lines from a part to the bar below, which shows the inside of it."""
    s.line(part.bottom(0), whole.top(0), dashed=True)
    s.line(part.bottom(1), whole.top(1), dashed=True)


def _bar(s: Sheet, x: float, y: float, end: float, parts: list[tuple[str, float, str]]) -> list[Box]:
    """Cells side by side from x to end: words, share of the width, fill."""
    unit = (end - x) / sum(share for _, share, _ in parts)
    boxes = []
    for words, share, fill in parts:
        width = share * unit
        boxes.append(s.cell(x, y, width, 36, fill, words))
        x += width
    return boxes


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(960, 506, "How a tape nests")
    left = 128
    for index, (word, note) in enumerate(
        (
            ("Tape", "one per model"),
            ("Segment", "kind, length, CRC-32"),
            ("WEIGHTS", "once per tile group"),
            ("Round", "a chunk per stream"),
            ("Chunk", "8 bytes on arria10"),
            ("Entry", "7 bits on arria10"),
        )
    ):
        y = 34 + index * 82
        s.text(8, y, word, bold=True)
        s.text(8, y + 17, note, size=11, colour="quiet")
    tape = _bar(
        s, left, 22, 950,
        [("header", 1, "four"), ("STEP", 1, "three"), ("STEP", 1, "three"), ("REQUANT", 1.2, "one"),
         ("WEIGHTS", 2.4, "two"), ("STEP", 1, "three"), ("REQUANT", 1.2, "one"), ("WEIGHTS", 2.4, "two"),
         ("…", 0.6, "paper")],
    )  # fmt: skip
    s.text((tape[1].x + tape[1].right()[0]) / 2, 15, "LOAD", size=11, colour="quiet", anchor="middle")
    s.text((tape[2].x + tape[4].right()[0]) / 2, 15, "a CONV step", size=11, colour="quiet", anchor="middle")
    segment = _bar(s, left, 96, 950, [("64-byte header", 1.3, "four"), ("payload, a multiple of 64 bytes", 6, "two")])
    _zoom(s, tape[4], Box(left, 96, 950 - left, 36))
    weights = _bar(
        s, left, 178, 950,
        [("FETCH", 0.8, "four"), ("fetch words", 1.6, "one"), ("ROUNDS", 0.8, "four"), ("rounds", 2.2, "two"),
         ("FETCH", 0.8, "four"), ("fetch words", 1.6, "one"), ("ROUNDS", 0.8, "four"), ("rounds", 1.6, "two"),
         ("…", 0.5, "paper")],
    )  # fmt: skip
    _zoom(s, segment[1], Box(left, 178, 950 - left, 36))
    rounds = [
        s.cell(x, 260, w, 36, "two", f"PE {index}")
        for index, (x, w) in enumerate(spread(left, 800, 8, 0))
    ]  # fmt: skip
    s.text(814, 275, "one chunk for each PE", size=11, colour="quiet")
    s.text(814, 290, "of a filter group", size=11, colour="quiet")
    _zoom(s, weights[3], Box(left, 260, 800 - left, 36))
    entries = [s.cell(x, 342, w, 36, "three", f"entry {index}") for index, (x, w) in enumerate(spread(left, 880, 9, 0))]
    s.cell(880, 342, 70, 36, "paper", "0", 11)
    _zoom(s, rounds[2], Box(left, 342, 950 - left, 36))
    _bar(s, 260, 424, 700, [("skip", 1.2, "two"), ("accumulator", 3, "one"), ("sign", 0.9, "two")])
    _zoom(s, entries[3], Box(260, 424, 440, 36))
    for x, words in ((312, "2 bits"), (493, "4 bits"), (661, "1 bit")):
        s.text(x, 476, words, size=11, colour="quiet", anchor="middle")
    s.text(716, 438, "skip: how far to move on,", size=11, colour="quiet")
    s.text(716, 453, "or the lower bits are a command", size=11, colour="quiet")
    s.text(716, 468, "(NOP, PAD, END_PASS, SKIP, DOUBLE)", size=11, colour="quiet")
    return s
