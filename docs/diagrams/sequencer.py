"""The states of sterna_sequencer: frames, steps, moves."""

from __future__ import annotations

from drawing import Box, Sheet


def _state(s: Sheet, x: float, y: float, name: str, note: str, fill: str = "one") -> Box:
    return s.box(x, y, 134, 54, name, fill=fill, note=note)


def sheet() -> Sheet:
    """The diagram."""
    s = Sheet(900, 510, "States of the sequencer")
    idle = _state(s, 20, 14, "Idle", "no frame", "four")
    clear = _state(s, 230, 14, "Clear", "reset all parts")
    start = _state(s, 440, 14, "Start", "start the tape reader")
    step = _state(s, 440, 170, "Step", "wait for a step", "two")
    conv_next = _state(s, 700, 110, "NextConv", "wait for rounds")
    conv = _state(s, 700, 230, "Conv", "WEIGHTS stream")
    ask = _state(s, 20, 290, "Ask", "request or queue it")
    total = _state(s, 20, 410, "Sum", "add up the address")
    may_move = _state(s, 230, 410, "MayMove", "wait until it may")
    quiet = _state(s, 440, 290, "Quiet", "wait until written")
    table = _state(s, 440, 410, "Table", "its words pass")
    flush = _state(s, 700, 360, "Flush", "complete bus bursts", "three")

    s.arrow(idle.right(), clear.left())
    s.text(192, 34, "START", size=11, colour="quiet", anchor="middle")
    s.arrow(clear.right(), start.left())
    s.arrow(start.bottom(0.7), step.top(0.7))
    s.arrow(step.top(0.15), (460, 140), (87, 140), idle.bottom(), colour="edge")
    s.text(98, 132, "frame done", size=11, colour="edge")
    s.arrow(step.top(0.4), (493.6, 112), (297, 112), clear.bottom(), colour="edge")
    s.text(308, 104, "frame done, one is queued", size=11, colour="edge")

    s.arrow(step.right(0.2), (640, 180.8), (640, 137), conv_next.left())
    s.text(648, 130, "CONV", size=11, colour="quiet")
    s.arrow(conv_next.bottom(), conv.top())
    s.arrow(conv.left(), (640, 257), (640, 200), step.right(0.555))
    s.text(614, 274, "WEIGHTS done", size=11, colour="quiet")

    s.arrow(step.bottom(0.2), (466.8, 256), (297, 256), may_move.top())
    s.text(308, 249, "LOAD, STORE", size=11, colour="quiet")
    s.arrow(may_move.left(), total.right())
    s.arrow(total.top(), ask.bottom())
    s.arrow(ask.top(), (87, 197), step.left())
    s.text(98, 190, "it goes on beside the next steps", size=11, colour="quiet")
    s.arrow(step.bottom(0.6), quiet.top(0.6))
    s.text(526, 262, "TABLE", size=11, colour="quiet")
    s.arrow(quiet.bottom(), table.top())
    s.arrow(table.bottom(), (507, 492), (606, 492), (606, 213), step.right(0.8))
    s.arrow(flush.bottom(), (767, 444))
    s.text(767, 462, "Idle, with STATUS.ERROR", size=11.5, colour="hot", anchor="middle")
    s.text(640, 340, "ABORT or a failed check, from any state:", size=11.5, colour="hot")
    return s
