"""Rounds, words and windows: what two PEs do in some rounds, and what their windows hold."""

from __future__ import annotations

from drawing import Sheet

_LEFT, _WIDTH, _TOP, _HEIGHT = 150, 112, 62, 46
#: By round: the word that it takes, and the operation of each PE.
_ROUNDS = (
    ("w0", "a0 = +w0.c1", ""),
    ("w1", "a1 = -w0.c0", "a0 = +w1.c2"),
    ("", "a0 + w0.c0 - w1.c3", "a1 = +w0.c3"),
    ("w2", "a1 + w1.c1", "a0 - w0.c1 + w1.c0"),
    ("", "a0 - w2.c2", ""),
    ("w3", "a1 + w2.c0 + w3.c1", "a1 - w3.c2"),
    ("", "", "a0 + w3.c3"),
)


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(960, 330, "Rounds, words and windows")
    for row, name in enumerate(("Round", "Word it takes", "PE 0", "PE 1", "Words in the windows")):
        s.text(10, _TOP - 22 + row * _HEIGHT, name, bold=row in (0, 2, 3))
    for number, (word, *operations) in enumerate(_ROUNDS):
        x = _LEFT + number * _WIDTH
        s.text(x + _WIDTH / 2, 40, str(number), bold=True, anchor="middle")
        if word:
            s.cell(x + 4, _TOP + 4, _WIDTH - 8, 30, "two", word)
        for row, operation in enumerate(operations):
            y = _TOP + (row + 1) * _HEIGHT
            s.cell(x + 4, y, _WIDTH - 8, 34, "one" if operation else "paper", operation or "nothing", 10.5)
        words = 1 + max(int(each[0][1]) for each in _ROUNDS[: number + 1] if each[0])
        for slot in range(4):
            fill, held = ("two", f"w{slot}") if slot < words else ("paper", "")
            s.cell(x + 4 + slot * 26, _TOP + 3 * _HEIGHT, 26, 30, fill, held, 10.5)
    for line, words_of_line in enumerate(
        (
            "A PE has its own window, with the last 31 words of its tile; four of them are shown.",
            "w1.c3 is channel 3 of word 1: a vector. An operation reads at most one vector per channel, of any words",
            "that are there: also of the one that its round takes.",
        )
    ):
        s.text(_LEFT, 256 + 17 * line, words_of_line, size=12)
    s.text(
        _LEFT, 312, "All PEs of the engine are in the same round. Waiting is for all of them, at one place.",
        size=12, colour="hot",
    )  # fmt: skip
    return s
