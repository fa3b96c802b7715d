"""What the fuzzers start from: small packages of random graphs and a kept one, and noise for what has no file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, islice
from pathlib import Path

import numpy as np
from minisign import KeyPair
from PIL import Image

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.package.package import Package
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT
from support.random_configs import random_config
from support.random_graphs import random_graph

#: Seeds of a kind.
COUNT = 40
#: Words of an engine's feature memory with which maps of most small graphs spill.
SPILL_WORDS = 96
#: The longest input that noise makes, in bytes.
NOISE = 512


def write(target: str, folder: Path) -> None:
    """Write those of the program `target` to `folder`; equal ones every time."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(
        {"package": _packages, "signature": _signatures, "jpeg": _jpegs}.get(target, _noise)()
    ):
        (folder / f"seed-{number}").write_bytes(data)


def _packages() -> Iterator[bytes]:
    graph = graph_file.load(ROOT / "models" / "demo-nano.sterna-graph")
    yield package_file.to_bytes(compile_graph(graph, load_config("nano"), cycles=False))
    for seed in range(COUNT):
        rng = np.random.default_rng(seed)
        options = {"input_table": bool(seed % 2), "general_requant": True, "first_layer": seed % 3 == 0}
        graph = random_graph(rng, max_layers=5, max_size=12, max_channels=8, **options)
        config = random_config(rng).model_copy(update=options)
        yield package_file.to_bytes(compile_graph(graph, config, cycles=bool(seed % 3)))
    yield from map(package_file.to_bytes, islice(_spilling(), COUNT // 2))


def _spilling() -> Iterator[Package]:
    """For engines with so few words that maps spill."""
    for seed in count():
        rng = np.random.default_rng(seed)
        graph = random_graph(rng, max_layers=6, max_size=30, max_channels=8)
        config = random_config(rng).model_copy(update={"fm_words": SPILL_WORDS})
        with suppress(SternaError):
            package = compile_graph(graph, config, trace=bool(seed % 2), cycles=False)
            if package.plan.bands:
                yield package


def _signatures() -> Iterator[bytes]:
    """As libFuzzer's FuzzedDataProvider takes texts apart: a backslash and another letter end one."""
    pair = KeyPair.generate()
    for seed in range(COUNT):
        file = np.random.default_rng(seed).bytes(seed).replace(b"\\", b"/")
        signature = pair.secret_key.sign(file, trusted_comment=f"number:{seed}")
        yield bytes(pair.public_key) + b"\\." + file + b"\\." + bytes(signature)


def _jpegs() -> Iterator[bytes]:
    rng = np.random.default_rng(0)
    for seed in range(COUNT):
        mode = ("RGB", "L", "CMYK")[seed % 3]
        image = Image.frombytes(mode, (17, 9), rng.bytes(17 * 9 * len(mode)))
        data = io.BytesIO()
        image.save(data, "JPEG", quality=10 + 2 * seed, progressive=bool(seed % 2), optimize=bool(seed % 5))
        yield data.getvalue()


def _noise() -> Iterator[bytes]:
    rng = np.random.default_rng(0)
    for _ in range(COUNT):
        yield rng.bytes(int(rng.integers(NOISE)))
