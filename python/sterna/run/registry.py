"""Finds backends by the scheme of their URI: Sterna's own, and those of other distributions."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from sterna.errors import SternaError
from sterna.run.backend import Announce, Backend
from sterna.run.uri import Uri

#: Where distributions name their backends.
GROUP = "sterna.backends"
#: Sterna's own, which no other replaces. They are found by name as well, so that a room above this one may bring some:
#: `sim` generates the engine that it simulates, and the generator builds on this room.
_OWN = {
    "reference": "sterna.run.backends.reference:ReferenceBackend",
    "sim": "sterna.generate.rtl.sim:SimBackend",
}


def backends() -> list[str]:
    """The schemes that there are."""
    return list(_found())


def backend_class(scheme: str) -> type[Backend]:
    """The class of `scheme`, which tells how its URIs are written. Raises SternaError if there is none."""
    found = _found()
    if scheme not in found:
        raise SternaError(
            "no such backend",
            attribute="backend",
            value=scheme,
            allowed=", ".join(found),
            remedy="name one of these, or install the one that brings it",
        )
    return _loaded(found[scheme])


def open_backend(uri: str, announce: Announce | None = None) -> Backend:
    """The backend that `uri` names, ready to load packages, to be closed or used in a `with`.

    `announce` is told in one line what takes long, as the building of a simulator. Raises SternaError for an unknown
    scheme, path or parameter, and for what the backend refuses.
    """
    parsed = Uri.parse(uri)
    return backend_class(parsed.scheme).from_uri(parsed, announce or (lambda text: None))


def _found() -> dict[str, EntryPoint]:
    others = {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}
    own = {scheme: EntryPoint(scheme, place, GROUP) for scheme, place in _OWN.items()}
    return own | {scheme: entry for scheme, entry in others.items() if scheme not in own}


def _loaded(entry: EntryPoint) -> type[Backend]:
    where = f"backend '{entry.name}'" + (f" of {entry.dist.name}" if entry.dist else "")
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        raise SternaError(
            f"cannot be imported ({error})", where=where, remedy="install the distribution that brings it again"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Backend)):
        raise SternaError(
            "is not a Backend", where=where, attribute=GROUP, value=entry.value,
            allowed="a class derived from sterna.run.Backend", remedy="correct the entry point",
        )  # fmt: skip
    return found
