"""How a tape nests: segments, records, rounds, entries, operands."""

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
            ("Round", "an entry for each PE"),
            ("Entry", "32 bits, an operation"),
            ("Operand", "6 bits, a vector"),
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
    segment = _bar(s, left, 96, 950, [("128-byte header", 1.3, "four"), ("payload, a multiple of 128 bytes", 6, "two")])
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
    s.text(814, 275, "one entry for each PE", size=11, colour="quiet")
    s.text(814, 290, "of a filter group", size=11, colour="quiet")
    _zoom(s, weights[3], Box(left, 260, 800 - left, 36))
    entry = _bar(
        s, left, 342, 950,
        [(f"operand {channel}", 6, "three") for channel in range(4)]
        + [("accumulator", 5, "one"), ("kind", 2, "two"), ("control", 2, "four")],
    )  # fmt: skip
    _zoom(s, rounds[2], Box(left, 342, 950 - left, 36))
    s.text(left, 396, "a vector of each channel", size=11, colour="quiet")
    s.text(716, 410, "kind: NONE, ADD, SET or DOUBLE", size=11, colour="quiet")
    s.text(716, 425, "control: the round takes a word (PE 0),", size=11, colour="quiet")
    s.text(716, 440, "or is the last of its pass (PE 1)", size=11, colour="quiet")
    _bar(s, 260, 424, 560, [("slot of the window", 5, "one"), ("sign", 1.4, "two")])
    _zoom(s, entry[1], Box(260, 424, 300, 36))
    for x, words in ((377, "5 bits; slot 31 is zero"), (527, "1 bit")):
        s.text(x, 476, words, size=11, colour="quiet", anchor="middle")
    return s
