"""Turns the engine's error registers into words: code, meaning, place on the tape, remedy."""

from __future__ import annotations

from sterna.errors import SternaError
from sterna.package.package import Package
from sterna.spec.registers import ErrorCode, Status
from sterna.spec.tape import Op, SegmentKind

_OF_THE_WHOLE_TAPE = {
    ErrorCode.BAD_MAGIC,
    ErrorCode.BAD_VERSION,
    ErrorCode.BAD_CONFIG,
    ErrorCode.HEADER_CRC,
}
_SEGMENTS_OF_STEP = {
    Op.LOAD.name: (SegmentKind.STEP,),
    Op.CONV.name: (SegmentKind.STEP, SegmentKind.REQUANT, SegmentKind.WEIGHTS),
    Op.STORE.name: (SegmentKind.STEP,),
    Op.TABLE.name: (SegmentKind.STEP, SegmentKind.REQUANT),
}


def _describe_segment(package: Package, index: int) -> str:
    """What tape segment `index` is: its kind, step, part and layers."""
    first = 0
    for number, step in enumerate(package.schedule.steps):
        kinds = _SEGMENTS_OF_STEP[step.op]
        if index < first + len(kinds):
            layers = ", ".join(step.layers)
            kind = kinds[index - first].name
            return f"segment {index} ({kind} of step {number}, {step.op} part {step.part} of {layers})"
        first += len(kinds)
    return f"segment {index}"


def short_watchdog(watchdog: int, latency: int) -> SternaError:
    """What a STALL says if the memory answers only after the watchdog's cycles."""
    return SternaError(
        "the watchdog ended the frame before the memory answered",
        where="engine",
        attribute="watchdog",
        value=f"{watchdog:,} cycles",
        allowed=f"0 for none, or {latency:,} or more, as the memory takes up to {latency:,} cycles to answer",
        remedy="raise the watchdog",
    )


def engine_error(package: Package, status: Status, number: int, segment: int) -> SternaError:
    """What STATUS, ERROR_CODE and ERROR_SEGMENT say about a failed frame of `package`."""
    if Status.ERROR not in status or number not in set(ErrorCode) or number == ErrorCode.NONE:
        return SternaError(
            "the engine ended the frame in an unknown state",
            where="engine",
            attribute="STATUS, ERROR_CODE",
            value=f"{int(status)}, {number}",
            remedy="reset the engine",
        )
    code = ErrorCode(number)
    # While the tape's header is read the engine names segment 0, whose own length is the same in every tape.
    of_the_tape = code in _OF_THE_WHOLE_TAPE or (code is ErrorCode.BAD_LENGTH and segment == 0)
    return SternaError(
        f"the engine stopped: {code.description}",
        where="tape header" if of_the_tape else _describe_segment(package, segment),
        attribute="error",
        value=f"{code.value} {code.name}",
        remedy=code.remedy,
    )
