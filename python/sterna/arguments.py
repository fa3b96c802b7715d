"""What a public call is given, checked against its type hints: the wrong kind is refused before any work is done."""

from __future__ import annotations

import errno
import functools
import importlib
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from sterna.errors import SternaError

Call = TypeVar("Call", bound=Callable[..., Any])

#: What a hint takes, where that is more than instances of its class: numbers of numpy, paths of other libraries.
_FORMS: dict[type, Any] = {int: Integral, float: Real, Path: os.PathLike, tuple: (tuple, list), dict: Mapping}
#: What messages call a kind, where that is not the name of its class.
_WORDS = {NoneType: "None", int: "a whole number", float: "a number", bool: "True or False", tuple: "a tuple or list"}
#: How to come by a thing of a kind, by the name of its class; the first that a parameter takes.
_REMEDIES = {
    "Graph": "give what sterna.load returns; the graph of a package is package.graph",
    "Package": "give what sterna.compile or sterna.load returns",
    "Backend": "give a backend's URI such as reference: or sim:, or what sterna.open_backend returns",
    "EngineConfig": "give an engine config or the name of one, such as nano",
    "TrainOptions": "give sterna.TrainOptions(...), or the options by name: train(data=..., output=...)",
    "ndarray": "give a numpy array; np.asarray(image.convert('RGB')) converts a PIL image",
    "Path": "give a path as text or as a Path",
    "str": "give it as text, in quotes",
    "Callable": "give a function",
}


def checked(call: Call) -> Call:
    """`call`, a function or a class, which raises SternaError for an argument that its hints do not allow.

    A number of numpy becomes one of Python.
    Names in the hints are those of its module, or public ones of Sterna, which are imported with the first call.
    """
    if isinstance(call, type):
        call.__init__ = checked(call.__init__)  # type: ignore[misc]
        return call
    name = call.__qualname__.removesuffix(".__init__").removesuffix(".__call__")
    signature = inspect.signature(call)

    @functools.cache
    def kinds() -> dict[str, tuple[type, ...]]:
        names = _Public()
        return {
            each.name: tuple(_kinds(eval(each.annotation, call.__globals__, names)))
            for each in signature.parameters.values()
            if each.annotation is not each.empty and each.kind is not each.VAR_KEYWORD
        }

    @functools.wraps(call)
    def check_and_call(*arguments: Any, **options: Any) -> Any:
        try:
            given = signature.bind(*arguments, **options)
        except TypeError as error:
            raise SternaError(
                str(error), where=name, allowed=", ".join(each for each in signature.parameters if each != "self"),
                remedy=f"see help({name})",
            ) from None  # fmt: skip
        for parameter, kind in kinds().items():
            if parameter in given.arguments:
                _check(given.arguments[parameter], kind, parameter, name)
                given.arguments[parameter] = _plain(given.arguments[parameter], kind)
        return call(*given.args, **given.kwargs)

    return check_and_call  # type: ignore[return-value]


class _Public(dict[str, Any]):
    """The public names of Sterna, each imported when it is asked for."""

    def __missing__(self, name: str) -> Any:
        try:
            return getattr(importlib.import_module("sterna"), name)
        except AttributeError:
            raise KeyError(name) from None


def _kinds(hint: Any) -> Iterator[type]:
    """The classes that `hint` allows."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        for each in get_args(hint):
            yield from _kinds(each)
    else:
        yield NoneType if hint is None else origin or hint


def _check(value: object, kinds: tuple[type, ...], parameter: str, call: str) -> None:
    if not any(_is(value, kind) for kind in kinds):
        names = {kind.__name__ for kind in kinds}
        *others, last = (_WORDS.get(kind, kind.__name__) for kind in kinds)
        raise SternaError(
            f"{parameter} is of the wrong kind", where=call, attribute=parameter, value=_shown(value),
            allowed=f"{', '.join(others)} or {last}" if others else last,
            remedy=next((text for name, text in _REMEDIES.items() if name in names), f"see help({call})"),
        )  # fmt: skip
    if Path in kinds and isinstance(value, str | os.PathLike) and not _is_path(value):
        raise SternaError(
            f"{parameter} is no path", where=call, attribute=parameter, value=repr(value),
            allowed="text that is not empty, without zero characters, as long as the system takes",
            remedy="name a file or folder",
        )  # fmt: skip


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool) and kind in (int, float):
        return False
    return isinstance(value, _FORMS.get(kind, kind))


def _plain(value: Any, kinds: tuple[type, ...]) -> Any:
    """`value`; a number of numpy, which could overflow, as one of Python."""
    if isinstance(value, int | float):
        return value
    if isinstance(value, Integral) and int in kinds:
        return int(value)
    return float(value) if isinstance(value, Real) and float in kinds else value


def _is_path(path: str | os.PathLike[str]) -> bool:
    try:
        os.lstat(path)
    except OSError as error:
        return path != "" and error.errno != errno.ENAMETOOLONG
    except ValueError:  # for characters that no path has
        return False
    return True


def _shown(value: object) -> str:
    """The value, or what it is if it is large."""
    if value is None or isinstance(value, bool | int | float | str | os.PathLike):
        return repr(value)
    name = getattr(value, "__name__", None)
    return f"{type(value).__name__} {name}" if isinstance(name, str) else type(value).__name__
