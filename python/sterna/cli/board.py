"""`sterna board`: what concerns an engine on a board."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from sterna import api
from sterna.cli.backends import announce
from sterna.cli.progress import bar
from sterna.compile import compile_graph
from sterna.compile.packages import load as load_package
from sterna.errors import SternaError
from sterna.package.graphs import read_graph
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.bring_up import Known, bring_up, identify
from sterna.run.registry import backends
from sterna.run.transport import Transport
from sterna.run.uri import Uri
from sterna.spec.config import EngineConfig, about_configs, load_config
from sterna.vision.prepare import prepare

#: The network of the known frame, and the scene that it sees.
_NETWORK, _SCENE = Path("demo-nano"), 7


def test(text: str, config: str | None, package: Path | None, frames: int, memory: int | None) -> None:
    """Print each step of a first look at the engine that the URI `text` names, as it passes.

    `memory`: KiB that are tried one by one; None: what the backend says.
    """
    uri = Uri.parse(text)
    kind = backends[uri.scheme]
    transport = kind.reach(uri, announce)
    tried = kind.tried_bytes if memory is None else memory << 10
    if package is None:
        engine = _config(transport, config)
        stored, plain = (compile_graph(read_graph(_NETWORK), engine, trace=trace) for trace in (True, False))
    else:
        stored = plain = load_package(package)
    known = _known(stored, plain, frames, tried)
    for passed in bring_up(transport, known, bar):
        print(f"{passed.step:<26}ok   {passed.seen}", flush=True)


def _known(stored: Package, plain: Package, frames: int, tried: int) -> Known:
    """A scene with what the reference makes of it."""
    shape = stored.graph.info[stored.graph.input.name].shape
    image = prepare(stored.graph, api.scene(_SCENE, *shape[1:]))
    with open_backend("reference:") as reference:
        reference.load(stored)
        expected = reference.infer(image[np.newaxis])
    return Known(stored, plain, image, expected, frames, tried)


def _config(transport: Transport, config: str | None) -> EngineConfig:
    """The engine's config."""
    with closing(transport):
        transport.open()
        found = identify(transport)
    engine = _named(found) if config is None else load_config(config)
    if engine.hash != found:
        raise SternaError(
            "the engine has another config", where="--config", value=f"{engine.name} ({engine.hash:08x})",
            allowed=f"{found:08x}", remedy="name the config that the bitstream was generated for",
        )  # fmt: skip
    return engine


def _named(found: int) -> EngineConfig:
    """The named config of that hash."""
    configs = [load_config(name) for name in about_configs()]
    for each in configs:
        if each.hash == found:
            return each
    raise SternaError(
        "no named config has the engine's hash", where="engine", attribute="CONFIG_HASH", value=f"{found:08x}",
        allowed=", ".join(f"{each.hash:08x} ({each.name})" for each in configs),
        remedy="name the config with --config FILE.yaml:NAME, or a package for it with --package",
    )  # fmt: skip
