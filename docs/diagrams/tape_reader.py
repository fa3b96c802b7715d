"""The states of sterna_tape_reader: how it walks and checks a tape."""

from __future__ import annotations

from drawing import Box, Sheet


def _state(s: Sheet, x: float, y: float, name: str, note: str, fill: str = "one") -> Box:
    return s.box(x, y, 142, 54, name, fill=fill, note=note)


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(906, 470, "States of the tape reader")
    idle = _state(s, 20, 14, "Idle", "no frame", "four")
    tape_header = _state(s, 208, 14, "TapeHeader", "128 bytes in")
    tape_check = _state(s, 396, 14, "TapeCheck", "magic, config, length")
    following = _state(s, 584, 14, "Next", "one more segment?", "two")
    done = _state(s, 756, 100, "Done", "all segments passed", "four")
    header = _state(s, 584, 140, "Header", "128 bytes in")
    header_check = _state(s, 584, 240, "HeaderCheck", "kind, index, length")
    payload = _state(s, 584, 340, "Payload", "beats to their part")
    payload_check = _state(s, 350, 340, "PayloadCheck", "CRC-32")
    check = _state(s, 100, 340, "StepCheck", "legal, lengths fit")
    step = _state(s, 100, 200, "Step", "sequencer takes it")

    s.arrow(idle.right(), tape_header.left())
    s.text(185, 34, "start", size=11, colour="quiet", anchor="middle")
    s.arrow(tape_header.right(), tape_check.left())
    s.arrow(tape_check.right(), following.left())
    s.arrow(following.right(), (827, 41), done.top())
    s.text(740, 34, "no", size=11, colour="quiet")
    s.arrow(following.bottom(0.6), header.top(0.6))
    s.text(676, 108, "yes", size=11, colour="quiet")
    s.arrow(header.bottom(), header_check.top())
    s.arrow(header_check.bottom(), payload.top())
    s.arrow(payload.left(), payload_check.right())
    s.arrow(payload_check.left(), check.right())
    s.text(296, 360, "STEP", size=11, colour="quiet", anchor="middle")
    s.arrow(check.top(), step.bottom())
    s.arrow(step.top(), (171, 100), (598, 100), following.bottom(0.1))
    s.text(182, 93, "then REQUANT after a CONV step, or the next STEP", size=11, colour="quiet")
    s.arrow(payload_check.top(), (421, 124), (626, 124), following.bottom(0.3))
    s.text(430, 318, "REQUANT, or the last", size=11, colour="quiet")
    s.text(430, 332, "repeat of WEIGHTS", size=11, colour="quiet")
    s.arrow(payload_check.bottom(), (421, 426), (655, 426), payload.bottom())
    s.text(432, 444, "WEIGHTS once more, for the next tile group", size=11, colour="quiet")
    s.text(20, 444, "A failed check: Error, with code and segment index.", size=11.5, colour="hot")
    return s
