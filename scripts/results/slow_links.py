"""Machines on one computer with slow links between them: network namespaces whose device the kernel limits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sterna.errors import SternaError

DEVICE = "outer"
_HUB, _PORT = "sterna-hub", 29511
#: Bytes that may be sent at once, and how long what is more may wait.
_LIMIT = ("burst", "32kb", "latency", "400ms")


@dataclass(frozen=True)
class Machines:
    """`count` machines; the processes of each reach each other at once, and those of others by DEVICE."""

    count: int

    def run(self, module: str, arguments: Sequence[str], each: int) -> None:
        """Run a Python module in `each` processes of every machine, by rank one machine after the other.

        Raises CalledProcessError if one fails.
        """
        size = self.count * each
        running = [
            subprocess.Popen(
                ["ip", "netns", "exec", _name(rank // each), sys.executable, "-m", module, *arguments],
                env=os.environ | {
                    "RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": _address(0), "MASTER_PORT": str(_PORT),
                    "GLOO_SOCKET_IFNAME": DEVICE, "OMP_NUM_THREADS": "1",
                },
            )
            for rank in range(size)
        ]  # fmt: skip
        for process in running:
            if process.wait():
                for other in running:
                    other.kill()
                raise subprocess.CalledProcessError(process.returncode, process.args)


@contextmanager
def machines(count: int, rate: str) -> Iterator[Machines]:
    """`count` machines, each of which sends to others at no more than `rate`, as tc writes it.

    Raises SternaError if they cannot be made here.
    """
    made: list[str] = []
    try:
        for name in (_HUB, *map(_name, range(count))):
            _ip("netns", "add", name)
            made.append(name)
        _ip("-n", _HUB, "link", "add", "hub", "type", "bridge")
        _ip("-n", _HUB, "link", "set", "hub", "up")
        for number in range(count):
            _connect(number, rate)
        yield Machines(count)
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _connect(number: int, rate: str) -> None:
    name, port = _name(number), f"port{number}"
    _ip("-n", _HUB, "link", "add", port, "type", "veth", "peer", "name", DEVICE, "netns", name)
    _ip("-n", _HUB, "link", "set", port, "master", "hub", "up")
    _ip("-n", name, "addr", "add", f"{_address(number)}/24", "dev", DEVICE)
    for device in ("lo", DEVICE):
        _ip("-n", name, "link", "set", device, "up")
    _run("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", DEVICE, "root", "tbf", "rate", rate, *_LIMIT)


def _name(number: int) -> str:
    return f"sterna-{number}"


def _address(number: int) -> str:
    return f"10.77.0.{number + 1}"


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*words: str) -> None:
    try:
        subprocess.run(words, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise SternaError(
            f"network namespaces with slow links cannot be made ({reason})", where="results",
            remedy="run it as root on Linux, with iproute2",
        ) from None  # fmt: skip
