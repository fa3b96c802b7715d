"""Options that hold several values, written as one text: A,B,C and A=1,B=2."""

from __future__ import annotations


def listed(value: object) -> object:
    """The parts of a text `A,B`; anything else as it is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def named_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names`; raises ValueError if one is there twice."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} is named twice")
    return names


def paired(value: object) -> object:
    """The names and values of a text `A=x,B=y`; anything else as it is. Raises ValueError for a part without `=`."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(equals and name.strip() and text.strip() for name, equals, text in pairs):
        raise ValueError("not of the form NAME=VALUE,NAME=VALUE")
    return {name.strip(): text.strip() for name, _, text in pairs}
