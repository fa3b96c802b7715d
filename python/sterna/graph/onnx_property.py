"""What an ONNX model that Sterna wrote says of its graph beside the arithmetic: a property of the model, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sterna.errors import SternaError
from sterna.graph.graph import ACT_BITS, Graph

KEY = "sterna"
"""The property's name."""


@dataclass(frozen=True)
class Property:
    """act_bits and metadata of the graph. tensors: scale and zero point of the input and of each output, by name."""

    act_bits: int
    tensors: Mapping[str, tuple[float, int]]
    metadata: Mapping[str, Any]

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """That of a graph."""
        ends = {layer.name: graph.info[layer.name] for layer in (graph.input, *graph.outputs)}
        tensors = {name: (info.scale, info.zero_point) for name, info in ends.items()}
        return cls(graph.act_bits, tensors, graph.metadata)

    def text(self) -> str:
        """As it stands in a model."""
        tensors = {name: {"scale": scale, "zero_point": zero} for name, (scale, zero) in self.tensors.items()}
        return json.dumps({"act_bits": self.act_bits, "tensors": tensors, "metadata": self.metadata})

    @classmethod
    def read(cls, text: str | None, place: str) -> Self | None:
        """What `text` of the model `place` says; None if there is none. Raises SternaError for what is not whole."""
        if text is None:
            return None
        try:
            stored = json.loads(text)
            tensors = {
                str(name): (float(each["scale"]), int(each["zero_point"])) for name, each in stored["tensors"].items()
            }
            act_bits, metadata = int(stored["act_bits"]), dict(stored["metadata"])
            if not ACT_BITS[0] <= act_bits <= ACT_BITS[1]:
                raise ValueError(f"act_bits = {act_bits}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SternaError(
                f"has a property that is not whole ({error})", where=place, attribute=KEY,
                remedy="export the graph again, or remove the property",
            ) from error  # fmt: skip
        return cls(act_bits, tensors, metadata)
