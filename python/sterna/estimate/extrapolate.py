"""Wide modules from narrow ones: two small sizes of a module that repeats a slice give every larger size."""

from __future__ import annotations

from collections import Counter

from sterna.estimate.hierarchy import Part
from sterna.estimate.usage import Usage

#: Parameters that count equal slices, and the two sizes that are synthesised instead of a larger one.
SLICES = {"Lanes": (8, 16), "Width": (64, 128), "VectorW": (64, 128)}


def points(part: Part) -> tuple[str, int, int] | None:
    """The parameter of `part` to be stretched and its two small sizes, or None if it is small itself."""
    for name, _ in part.parameters:
        if name in SLICES and part.value(name) > SLICES[name][1]:
            return (name, *SLICES[name])
    return None


def stretched(small: Usage, large: Usage, first: int, second: int, wanted: int) -> Usage:
    """The usage at size `wanted` on the line through those at sizes `first` and `second`."""

    def line(a: int, b: int) -> int:
        return round(a + (b - a) * (wanted - first) / (second - first))

    shapes = zip(sorted(small.memories.items()), sorted(large.memories.items()), strict=True)
    return Usage(
        lut_alms=line(small.lut_alms, large.lut_alms),
        adder_bits=line(small.adder_bits, large.adder_bits),
        luts=line(small.luts, large.luts),
        absorbed_luts=line(small.absorbed_luts, large.absorbed_luts),
        flip_flops=line(small.flip_flops, large.flip_flops),
        inputs=line(small.inputs, large.inputs),
        bypassed_flip_flops=line(small.bypassed_flip_flops, large.bypassed_flip_flops),
        memories=Counter(
            {
                a._replace(width=line(a.width, b.width), strobes=line(a.strobes, b.strobes)): line(m, n)
                for (a, m), (b, n) in shapes
            }
        ),
        multipliers=Counter({shape: line(n, large.multipliers[shape]) for shape, n in small.multipliers.items()}),
    )
