"""The name of a backend: `SCHEME:PATH?PARAMETER=VALUE&...`, as in `sim:build/engine?latency=20..60&stall=0.3`.

What a URI cannot hold as it is (`?`, `%`, `&`) is written in percent, as `%3F`. Without a path and parameters the colon
may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote

from sterna.errors import SternaError


@dataclass(frozen=True)
class Parameter:
    """A parameter of a backend: what it does, which values are allowed, and how their text is read.

    `read` raises ValueError for a text that is no value.
    """

    help: str
    allowed: str
    read: Callable[[str], Any]


@dataclass(frozen=True)
class Uri:
    """The parts of a backend's name. What `path` means is the backend's matter."""

    scheme: str
    path: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises SternaError if `text` has no scheme, or something other than parameters follows its `?`."""
        scheme, _, rest = text.strip().partition(":")
        path, _, query = rest.partition("?")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
            if not scheme or len(dict(pairs)) < len(pairs):
                raise ValueError
        except ValueError:
            raise SternaError(
                "is not the name of a backend",
                where=f"backend '{text}'",
                allowed="SCHEME:PATH?PARAMETER=VALUE&..., each parameter once",
                remedy="give for example reference: or sim:",
            ) from None
        return cls(scheme, unquote(path, errors="surrogateescape"), dict(pairs))

    def __str__(self) -> str:
        query = "&".join(f"{name}={quote(value)}" for name, value in self.parameters.items())
        return f"{self.scheme}:{quote(self.path, errors='surrogateescape')}" + (f"?{query}" if query else "")

    def values(self, known: Mapping[str, Parameter]) -> dict[str, Any]:
        """The values of the parameters that are given. Raises SternaError for one that `known` lacks or cannot read."""
        return {name: self._value(name, text, known) for name, text in self.parameters.items()}

    def _value(self, name: str, text: str, known: Mapping[str, Parameter]) -> Any:
        if name not in known:
            raise SternaError(
                "the backend has no such parameter",
                where=f"backend '{self}'",
                attribute="parameter",
                value=name,
                allowed=", ".join(known) or "none",
                remedy="remove it",
            )
        try:
            return known[name].read(text)
        except ValueError:
            raise SternaError(
                "the parameter cannot be read",
                where=f"backend '{self}'",
                attribute=name,
                value=text,
                allowed=known[name].allowed,
                remedy="correct it",
            ) from None

    def check_no_path(self) -> None:
        """Raise SternaError if there is a path, for a backend that takes none."""
        if self.path:
            raise SternaError(
                "the backend takes no path",
                where=f"backend '{self}'",
                attribute="path",
                value=self.path,
                remedy=f"name it {self.scheme}:",
            )
