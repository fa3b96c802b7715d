"""docs/results/fit_gx1150.json: what config arria10 and a shell take of an Arria 10 GX 1150; an estimate."""

from __future__ import annotations

from results import fit


def main() -> None:
    """Synthesise and write."""
    fit.record("arria10", "gx1150")


if __name__ == "__main__":
    main()
