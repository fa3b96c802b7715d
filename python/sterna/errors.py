"""The exception that Sterna shows to users, alone or as a list."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Characters shown of a part of a message, and of its end: longer parts come from broken files.
MOST, LAST = 600, 200
#: How pydantic, and typer with it, words what a value should be.
_SHOULD = re.compile(r"(?P<what>.*?)(: )?\b[A-Z]\w+ should (be|have) (?P<allowed>.*?)(, (unable to|got) .*)?", re.S)


class SternaError(Exception):
    """A refusal that a user can act on, shown as one line.

    `what` says what is wrong; the optional parts follow in a fixed order, so that all messages read alike: where
    (layer, file, step), attribute = value, what is allowed, and the remedy.

    >>> try:
    ...     sterna.load_config("nona")
    ... except sterna.SternaError as error:
    ...     error.attribute, error.value, error.allowed
    ('config', 'nona', 'nano, arria10, cyclone5')
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        attribute: str | None = None,
        value: object | None = None,
        allowed: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.what, self.where, self.attribute = what, where, attribute
        self.value, self.allowed, self.remedy = value, allowed, remedy
        super().__init__(self._message())

    def _message(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.attribute is not None:
            parts.append(f"{self.attribute} = {self.value}")
        elif self.value is not None:
            parts.append(f"got {self.value}")
        if self.allowed is not None:
            parts.append(f"allowed: {self.allowed}")
        if self.remedy is not None:
            parts.append(f"remedy: {self.remedy}")
        return "; ".join(_shown(part) for part in parts)


def _shown(part: str) -> str:
    """`part` on one line, shortened, without terminal control characters."""
    short = part if len(part) <= MOST else f"{part[: MOST - LAST]} ... {part[-LAST:]}"
    return "".join(each if each.isprintable() else " " if each.isspace() else ascii(each)[1:-1] for each in short)


def what_and_allowed(message: str) -> tuple[str, str | None]:
    """What a message of pydantic says besides what is allowed, and what is; None if it does not say that.

    >>> what_and_allowed("Input should be a valid integer, unable to parse string as an integer")
    ('', 'a valid integer')
    """
    plain = message.replace("Value error, ", "")
    found = _SHOULD.fullmatch(plain)
    return (found["what"], found["allowed"]) if found else (plain, None)


class StoppedError(SternaError):
    """The user stopped the work. The command has said so and how to continue, so no further line follows."""


class FaultsError(SternaError):
    """Several refusals at once: each is shown on a line of its own, then this one, with their number and the remedy.

    faults: what is wrong, a SternaError each; lists among them are opened up.
    """

    def __init__(self, faults: Sequence[SternaError], *, where: str, remedy: str) -> None:
        self.faults = [fault for each in faults for fault in single(each)]
        super().__init__(f"{len(self.faults)} faults, the first: {self.faults[0].what}", where=where, remedy=remedy)


def single(error: SternaError) -> Sequence[SternaError]:
    """The refusals in `error`: itself, or those in its list."""
    return error.faults if isinstance(error, FaultsError) else [error]
