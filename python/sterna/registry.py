"""What is found by name: Sterna's own things, those that a program registers, and those of other distributions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from sterna.arguments import checked
from sterna.errors import SternaError

Thing = TypeVar("Thing")
Registered = TypeVar("Registered")

_NAME = re.compile(r"[\w.-]+")


class Registry(Generic[Thing]):
    """Things of one kind by name; iterating gives the names, `registry[name]` the thing.

    A program adds one by a decorator, and a distribution by an entry point of the group `registry.group`, with which
    the command line finds it too:

        [project.entry-points."sterna.schedules"]
        straight = "my_module:straight"

    >>> @sterna.schedules.register("straight")
    ... def straight(share, target):
    ...     return 1 - (1 - target) * share
    >>> list(sterna.schedules)
    ['cubic', 'straight']
    >>> sterna.schedules["straight"](0.5, 0.2)
    0.6

    A name that is registered twice means the later thing, so that a cell of a notebook can run again; Sterna's own
    names are not given away.
    """

    def __init__(
        self, kind: str, group: str, own: Mapping[str, str], allowed: str, is_one: Callable[[Any], bool]
    ) -> None:
        """`own`: where Sterna's own are, "module:name"; they are imported on first use.

        kind: what they are called in messages. allowed: what may be registered, of which `is_one` is true.
        """
        self.kind, self.group = kind, group
        self._allowed, self._is_one = allowed, is_one
        self._own = {name: EntryPoint(name, place, group) for name, place in own.items()}
        self._registered: dict[str, Thing] = {}

    @checked
    def register(self, name: str) -> Callable[[Registered], Registered]:
        """A decorator that adds what it decorates as `name`.

        Raises SternaError if the name is one of Sterna's own or no name (letters, digits and _ . -), and if what is
        decorated is of another kind.
        """
        if name in self._own or not _NAME.fullmatch(name):
            raise SternaError(
                "this name cannot be registered", attribute=self.kind, value=name,
                allowed=f"letters, digits and _ . -, but not {', '.join(self._own)}", remedy="choose another name",
            )  # fmt: skip

        def add(thing: Registered) -> Registered:
            self._registered[name] = self._checked(thing, f"{self.kind} '{name}'", repr(thing))
            return thing

        return add

    def __iter__(self) -> Iterator[str]:
        return iter([*self._entries(), *(name for name in self._registered if name not in self._entries())])

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    @checked
    def __getitem__(self, name: str) -> Thing:
        """Raises SternaError if there is none of this name, or it cannot be imported or is of another kind."""
        if name in self._registered:
            return self._registered[name]
        entries = self._entries()
        if name not in entries:
            raise self.unknown(name, ", ".join(self))
        return self._loaded(entries[name])

    @checked
    def check(self, name: str) -> str:
        """`name`; raises SternaError if there is nothing of this name."""
        if name not in self:
            raise self.unknown(name, ", ".join(self))
        return name

    @checked
    def unknown(self, name: str, allowed: str) -> SternaError:
        """The refusal of `name`."""
        return SternaError(
            f"no such {self.kind}", attribute=self.kind, value=name, allowed=allowed,
            remedy="name one of these, or import or install what brings it",
        )  # fmt: skip

    def _entries(self) -> dict[str, EntryPoint]:
        others = sorted(entry_points(group=self.group), key=lambda entry: entry.name)
        return self._own | {entry.name: entry for entry in others if entry.name not in self._own}

    def _loaded(self, entry: EntryPoint) -> Thing:
        where = f"{self.kind} '{entry.name}'" + (f" of {entry.dist.name}" if entry.dist else "")
        try:
            found = entry.load()
        except (ImportError, AttributeError) as error:
            raise SternaError(
                f"cannot be imported ({error})", where=where, remedy="reinstall the package that provides it"
            ) from error
        return self._checked(found, where, entry.value)

    def _checked(self, thing: Any, where: str, value: str) -> Any:
        if not self._is_one(thing):
            raise SternaError(
                f"is no {self.kind}", where=where, attribute=self.group, value=value, allowed=self._allowed,
                remedy="correct what is registered",
            )  # fmt: skip
        return thing
