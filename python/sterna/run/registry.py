"""Finds backends by the scheme of their URI: Sterna's own, and those of others."""

from __future__ import annotations

from sterna.arguments import checked
from sterna.registry import Registry
from sterna.run.backend import Announce, Backend
from sterna.run.uri import Uri

backends: Registry[type[Backend]] = Registry(
    "backend",
    "sterna.backends",
    # `sim` and `hls` generate what they simulate, `onnx` exports the graph that it runs; their rooms build on this one.
    {
        "reference": "sterna.run.backends.reference:ReferenceBackend",
        "emulator": "sterna.run.backends.emulator:EmulatorBackend",
        "hls": "sterna.generate.hls.backend:HlsBackend",
        "onnx": "sterna.exporters.onnx.backend:OnnxBackend",
        "sim": "sterna.generate.rtl.sim:SimBackend",
        "soc": "sterna.run.backends.boards:SocBackend",
        "pcie": "sterna.run.backends.boards:PcieBackend",
        "serial": "sterna.run.backends.serial:SerialBackend",
    },
    "a class derived from sterna.Backend",
    lambda found: isinstance(found, type) and issubclass(found, Backend),
)
"""Classes of backends by the scheme of their URIs."""


@checked
def open_backend(uri: str, announce: Announce | None = None) -> Backend:
    """The backend that `uri` names, ready to load packages, to be closed or used in a `with`.

    `announce` is told in one line what takes long, as the building of a simulator. Raises SternaError for an unknown
    scheme, path or parameter, and for what the backend refuses.

    >>> with sterna.open_backend("sim:?latency=20..60&seed=1") as engine:
    ...     engine.load(sterna.compile("demo-nano"))
    """
    parsed = Uri.parse(uri)
    return backends[parsed.scheme].from_uri(parsed, announce or (lambda text: None))
