"""The table of proofs fits the RTL, the proofs hold, and a wrong one is told from a right one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from formal.__main__ import line, main
from formal.assertions import names
from formal.proofs import CHECKS, Bug, Proof, proofs, sources
from formal.prove import Outcome, prove
from sterna.errors import SternaError
from sterna.spec.paths import BOARDS, RTL

PROOFS = {proof.name: proof for proof in proofs()}
#: What is to be proved of whatever the engine and the boards have of it.
INTERFACES = (
    "fifo",
    "queue",
    "splitter",
    "arbiter",
    "_axi_",
    "_axil_",
    "ulx3s_axi",
    "beat_",
    "burst",
    "adapter",
    "crossing",
    "msi",
)
FIFO = PROOFS["fifo"].model_copy(update={"parameters": ({"Width": 1, "Depth": 2, "Registered": 0},)})


def outcome_of(proof: Proof) -> Outcome:
    """Of the proof at its first parameters."""
    return prove(proof, proof.parameters[0])


@pytest.mark.parametrize("name", [name for name, proof in PROOFS.items() if proof.quick])
def test_quick_proofs(name: str) -> None:
    for parameters in PROOFS[name].parameters:
        outcome = prove(PROOFS[name], parameters)
        assert outcome.ok(PROOFS[name]), line(PROOFS[name], parameters, outcome)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, proof in PROOFS.items() if not proof.quick])
def test_long_proofs(name: str) -> None:
    for parameters in PROOFS[name].parameters:
        outcome = prove(PROOFS[name], parameters)
        assert outcome.ok(PROOFS[name]), line(PROOFS[name], parameters, outcome)


@pytest.mark.parametrize("name", PROOFS)
def test_the_table_names_what_is_there(name: str) -> None:
    proof = PROOFS[name]
    known = {each for text in sources(proof).values() for each in names(text)}
    assert {*proof.assume, *proof.leave_out, proof.bug.fails} <= known
    # Only the checks and the module itself may take duties of users for granted, and by a name that nothing else has.
    mine = [each for file in (proof.module, *proof.checks) for each in names(sources(proof)[file])]
    assert all(mine.count(name) == 1 for name in proof.assume)
    assert sources(proof, proof.bug) != sources(proof)
    assert set(proof.checks) <= set(sources(proof))
    # Yosys takes no notice of a parameter that is not there.
    given = re.findall(r"parameter [\w ]+ (\w+) =", sources(proof)[proof.module])
    assert all(set(each) <= set(given) for each in proof.parameters)
    ports = {port for clock in proof.clocks.items() for port in clock}
    assert all(re.search(rf"input  logic +{port},", sources(proof)[proof.module]) for port in ports)


def test_every_interface_has_a_proof() -> None:
    modules = {path.stem for folder in (RTL, BOARDS) for path in folder.rglob("*.sv")}
    wanted = {module for module in modules if any(word in module for word in INTERFACES)}
    assert {"sterna_ram_fifo", "sterna_async_fifo", "sterna_read_adapter", "ulx3s_arbiter"} <= wanted
    assert wanted <= {proof.module for proof in PROOFS.values()}


def test_every_file_of_checks_is_used() -> None:
    used = {file for proof in PROOFS.values() for file in (*sources(proof), *proof.instead.values())}
    assert {path.stem for path in CHECKS.glob("*.sv")} <= used


def test_an_assertion_that_does_not_hold_fails() -> None:
    bug = FIFO.bug.model_copy(
        update={"text": "room_d = count != CountW'(Depth - 1);", "replacement": "room_d = 1'b1;"}
    )
    outcome = outcome_of(FIFO.model_copy(update={"bug": bug.model_copy(update={"fails": "Flags_A"})}))
    assert outcome.bug == ("Flags_A",)


def test_a_bug_that_is_none_is_not_found() -> None:
    none = Bug(what="nothing", text="assign push = valid_i & room_q;", replacement="assign push = room_q & valid_i;",
               fails="Order_A")  # fmt: skip
    proof = FIFO.model_copy(update={"bug": none})
    outcome = outcome_of(proof)
    assert outcome.bug == () and not outcome.ok(proof)
    assert "BLIND: nothing, which Order_A does not notice" in line(proof, {}, outcome)


def test_a_cover_out_of_reach_makes_a_proof_vacuous() -> None:
    proof = FIFO.model_copy(update={"reach": 2})
    outcome = outcome_of(proof)
    assert "Held_C" in outcome.unreached and not outcome.ok(proof)
    assert "VACUOUS" in line(proof, {}, outcome)


def test_a_bug_has_to_be_in_the_text_once() -> None:
    with pytest.raises(AssertionError, match="sterna_fifo holds 'nowhere' 0 times"):
        sources(FIFO, FIFO.bug.model_copy(update={"text": "nowhere"}))


def test_yosys_tells_what_it_does_not_read() -> None:
    with pytest.raises(SternaError, match=r"fifo: Yosys failed: .*sterna_nothing"):
        outcome_of(FIFO.model_copy(update={"module": "sterna_nothing", "bug": FIFO.bug}))


def test_an_unknown_proof_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "no such proof: nothing" in capsys.readouterr().err


def test_lines_for_people() -> None:
    proof = PROOFS["fifo"]
    good = Outcome(failed=(), unreached=(), bug=(proof.bug.fails,), seconds=1.5)
    assert line(proof, {"Depth": 4}, good) == "fifo Depth=4: proved (1.5 s)"
    assert line(proof, {}, replace(good, failed=("X_A",))).endswith("FAILED: X_A (1.5 s)")
    bounded = proof.model_copy(update={"method": "bounded", "depth": 7})
    assert "holds for 7 cycles" in line(bounded, {}, good)
