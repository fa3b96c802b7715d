"""docs/results/fit_de10_nano.json: what config cyclone5 and a shell take of the FPGA of a DE10-Nano; an estimate."""

from __future__ import annotations

from results import fit


def main() -> None:
    """Synthesise and write."""
    fit.record("cyclone5", "de10-nano")


if __name__ == "__main__":
    main()
