"""Runs of the programs, and what came of them."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sterna.errors import SternaError

#: Of an input that takes longer, in seconds, and of a program that takes more, in MiB: both end the run.
LONGEST, MOST_MEMORY = 20, 2048
#: Files of inputs that libFuzzer found slow, on a busy machine perhaps, and that ended no run.
SLOW = "slow-unit-"
#: The longest input of a program, in bytes, where seeds do not tell.
LENGTHS = {"graph": 1024, "tape": 4096, "image": 1024}


@dataclass(frozen=True)
class Run:
    """What a program did."""

    executions: int
    #: The input that ended it, if one did, and the line that says why.
    crash: Path | None
    reason: str

    def __add__(self, other: Run) -> Run:
        return Run(self.executions + other.executions, self.crash or other.crash, self.reason or other.reason)


def run(target: str, program: Path, corpus: Path, crashes: Path, seconds: int) -> Run:
    """Run `program` for `seconds` from and into the folder `corpus`; an input that ends it is kept in `crashes`."""
    crashes.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    options = [
        f"-max_total_time={seconds}", f"-artifact_prefix={crashes}/", f"-timeout={LONGEST}",
        f"-report_slow_units={LONGEST}", f"-rss_limit_mb={MOST_MEMORY}", "-print_final_stats=1", "-len_control=0",
    ]  # fmt: skip
    if target in LENGTHS:
        options.append(f"-max_len={LENGTHS[target]}")
    said = _said([program, *options, corpus], Path(os.devnull))
    found = re.search(r"stat::number_of_executed_units:\s+(\d+)", said)
    (crash, *_) = [*(path for path in set(crashes.iterdir()) - before if not path.name.startswith(SLOW)), None]
    if found is None or (crash is None and "ERROR" in said):
        raise SternaError("the fuzzer did not run", where=str(program), value=said[-2000:], remedy="see its lines")
    reason = re.search(r"^SUMMARY: .*$", said, re.MULTILINE)
    return Run(int(found[1]), crash, reason[0] if crash and reason else "")


def profile(program: Path, corpus: Path, raw: Path) -> None:
    """Write which branches `program` takes on all inputs of `corpus` to the file `raw`."""
    _said([program, "-runs=0", corpus], raw)


def _said(command: list[object], raw: Path) -> str:
    environment = os.environ | {"LLVM_PROFILE_FILE": str(raw)}
    words = [str(word) for word in command]
    return subprocess.run(words, env=environment, capture_output=True, text=True, errors="replace", check=False).stderr
