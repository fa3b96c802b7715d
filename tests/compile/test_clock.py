"""The cycle model's parts; tests/sim/test_cycle_model.py compares the whole with counts."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.build import ENDS, TAKES_WORD
from sterna.compile.clock import Clock, bus, drains, issuer, jit, rounds, state
from sterna.compile.clock.timing import LOAD_WORDS
from sterna.errors import SternaError
from sterna.graph import Graph, Input, Output
from sterna.package.counters import UNTIMED
from sterna.spec import load_config, tape
from sterna.spec.memory import IDEAL, Memory
from sterna.spec.tape import WINDOW_GUARD
from support.packages import small_graph
from support.random_graphs import random_graph

NANO = load_config("nano")
#: A memory with pauses that are easily counted.
PAUSES = {
    "name": "pauses", "latency": 3, "refresh_every": 10, "refresh_cycles": 2, "gap_every": 4, "gap_cycles": 1,
}  # fmt: skip


class Issuer:
    """`sterna_issuer` of nano with two tiles at once, with a step of `fetches` words and endless rounds."""

    def __init__(self, fetches: int = 100) -> None:
        self.machine = state.machine(NANO, NANO.memory_timing)[0]
        self.issue, self.distributor = np.zeros(1, state.ISSUE)[0], np.zeros(1, state.DISTRIBUTOR)[0]
        self.drains, self.step = np.zeros(NANO.drains, state.DRAIN), np.zeros(1, state.STEP)[0]
        self.step["shared"], self.step["groups"], self.step["fetches"] = 2, 4, fetches
        self.counts, self.after, self.now = np.zeros(rounds.COUNTS, np.int64), np.zeros(fetches, np.int64), 0
        rounds.begin_step(self.issue, self.step)

    def cycle(self, flags: int = 0, operations: int = 0, *, valid: bool = True, written: int = 0) -> bool:
        """A cycle in which a round is offered; whether it is issued."""
        self.distributor["round_valid"], self.distributor["offered"] = valid, 0
        self.now += 1
        rounds.cycle_issue(
            self.issue, self.distributor, self.drains, self.step, written, self.now, np.array([flags], np.uint8),
            np.array([operations], np.uint8), self.after, self.counts, self.machine,
        )  # fmt: skip
        return bool(self.issue["issued"])

    def words_come(self) -> None:
        """Fetch words come, and go through the queues."""
        rounds.queue_fetches(self.issue, 4, self.now)
        for _ in range(20):
            self.cycle(valid=False)


def test_a_round_waits_for_the_word_that_it_takes() -> None:
    issuer = Issuer()
    assert issuer.cycle() and not issuer.cycle(TAKES_WORD)
    issuer.words_come()
    assert issuer.cycle(TAKES_WORD)


def test_a_word_waits_until_what_it_reads_is_written() -> None:
    issuer = Issuer()
    issuer.after[0] = 7
    issuer.words_come()
    issued = [issuer.cycle(TAKES_WORD, written=written) for written in (6, 6, 7, 7)]
    assert issued == [False, False, False, True], "by way of a register"


def test_after_the_last_round_the_windows_rest() -> None:
    issuer = Issuer()
    assert issuer.cycle(ENDS)
    assert [issuer.cycle() for _ in range(WINDOW_GUARD + 1)] == [False] * WINDOW_GUARD + [True]


def test_a_half_is_drained_before_its_next_pass() -> None:
    issuer = Issuer()
    for _ in range(2):
        while not issuer.cycle(ENDS):
            pass
        issuer.drains["pass_ended"] = issuer.drains["pass_ended_next"]
    assert not any(issuer.cycle() for _ in range(2 * WINDOW_GUARD))
    issuer.drains["freed"][0] = (1, 0)
    issuer.cycle()
    assert issuer.cycle()


def test_a_drains_read_takes_the_place_of_a_round() -> None:
    issuer = Issuer()
    issuer.drains["read"] = 1
    assert issuer.cycle() and not issuer.cycle()
    issuer.drains["read"] = 0
    assert not issuer.cycle() and issuer.cycle()


def test_what_the_pes_do_is_counted_once() -> None:
    issuer = Issuer()
    issuer.cycle(operations=3)
    issuer.cycle(valid=False)
    issuer.cycle(TAKES_WORD)
    issuer.drains["read"] = 1
    issuer.cycle()
    issuer.cycle()
    # Of both clusters: 3 operations and 0; then all PEs wait.
    assert issuer.counts.tolist() == [2 * 3, NANO.all_pes, NANO.all_pes, NANO.all_pes]


def test_a_load_writes_when_no_drain_does() -> None:
    port = np.zeros(1, state.WRITE_PORT)[0]
    came, waits, idle = 0, [], []
    for busy in [1] * 20 + [0] * 30:
        port["taken"] = busy
        written = port["go"] if came < 20 else 0
        came += written
        drains.cycle_port(port, written)
        waits.append(int(port["loads"]))
        idle.append(bool(port["idle"]))
    # The first layer's words are a cycle longer on their way, and fill it.
    assert came == 20 and max(waits) == waits[19] == LOAD_WORDS - 1 and waits[-1] == 0
    assert waits[20] == LOAD_WORDS - 2 and idle.index(True, 20) == 2 + waits.index(0, 40)


def test_drains_write_in_turns() -> None:
    """The last channel of a word is read when the drain has its turn, so that no two write in one cycle."""
    machine = state.machine(NANO.model_copy(update={"clusters": 4, "drains": 4}), NANO.memory_timing)[0]
    each, steps = np.zeros(4, state.DRAIN), np.zeros(1, state.STEP)
    each["count"], each["channels"][:, 0] = 1, 2
    wrote = []
    for now in range(1, 9):
        for index in range(4):
            drains.cycle_drain(each[index], index, steps, now, machine)
        wrote.append(each["valid"].tolist())
    assert max(map(sum, wrote)) == 1 and np.sum(wrote, axis=0).tolist() == [1, 1, 1, 1]


def test_words_written_of_a_pass_never_count_as_all_of_the_step() -> None:
    """However many a drain writes: they count up to one less than what stands for a step that is drained."""
    part, drain, step = np.zeros(1, state.ISSUER), np.zeros(1, state.DRAIN), np.zeros(1, state.STEP)
    drain["valid"] = drain["word_written"] = 1
    part["earlier"], part["words"] = 1, tape.AFTER_ALL - 3
    seen = []
    for _ in range(5):
        issuer.cycle_issuer(part[0], drain, step[0], 0, True, 0)
        seen.append(int(part["words"][0, 0]))
    assert seen == [tape.AFTER_ALL - 3, tape.AFTER_ALL - 2] + 3 * [tape.AFTER_ALL - 1], "by way of a register"


def test_refresh_and_gaps_begin_anew_with_a_frame() -> None:
    record = np.zeros(1, state.BUS)
    machine = state.machine(NANO, Memory(**PAUSES))
    record["first_cycle"] = 8
    moving = [now - 8 for now in range(8, 23) if not bus.pauses(record[0], now, machine[0])]
    assert moving == [2, 3, 5, 6, 7, 9, 13, 14], "as in tests/run/axi_memory_test.cpp"


@pytest.mark.parametrize(("config", "stages"), [("nano", 2), ("arria10", 1)])
def test_a_table_goes_through_every_stage_of_its_queue(config: str, stages: int) -> None:
    """`sterna_fifo_chain` gives a beat to the next of its FIFOs a cycle later."""
    engine = load_config(config)
    assert state.machine(engine, engine.memory_timing)["table_latency"] == stages * state.FIFO_LATENCY


def test_a_slower_memory_takes_longer() -> None:
    graph = random_graph(np.random.default_rng(0), max_size=40, max_channels=40)
    cycles = []
    for name in (IDEAL, "ddr3-shared"):
        package = compile_graph(graph, NANO.model_copy(update={"memory": name}))
        cycles.append(package.schedule.queued_cycles)
    assert cycles[0] < cycles[1]


def test_bursts_end_at_multiples_of_their_size() -> None:
    left, address, sizes = 200, 60, []
    while left:
        sizes.append(bus.burst_beats(left, address, 64))
        left, address = left - sizes[-1], address + sizes[-1]
    assert sizes == [4, 64, 64, 64, 4]


@pytest.mark.parametrize("seed", range(4))
def test_pes_do_one_thing_a_cycle(seed: int) -> None:
    package = compile_graph(random_graph(np.random.default_rng(seed), max_size=40, max_channels=40), NANO)
    steps = package.schedule.steps
    for step in steps:
        told = step.busy + step.wait_vectors + step.wait_weights + step.wait_drain
        # The counters lag the end of a step by some cycles.
        assert told <= (step.cycles + 2) * NANO.all_pes
    # An operation adds up to four vectors.
    assert 4 * sum(step.busy for step in steps) >= sum(step.nonzeros for step in steps)
    # While a STORE goes on, what is begun beside it counts as its own.
    assert all((step.busy > 0) <= (step.op in ("CONV", "STORE")) for step in steps if step.cycles > 20)
    assert steps[-1].busy == 0 or steps[-1].op == "CONV"
    assert package.schedule.queued_cycles > 0


def test_a_tape_without_conv_has_a_time() -> None:
    graph = Graph((Input("image", 3, 9, 9, 1.0, 0), Output("out", "image")), act_bits=8, acc_bits=20)
    package = compile_graph(graph, NANO)
    load, store = package.schedule.steps
    assert load.cycles > 4 * NANO.word_beats and store.cycles > 4 * NANO.word_beats
    assert 0 <= package.schedule.queued_cycles - load.cycles - store.cycles <= 1


def test_without_cycles_the_model_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    timed = compile_graph(small_graph(), NANO)
    monkeypatch.delattr(Clock, "frame")
    untimed = compile_graph(small_graph(), NANO, cycles=False)
    assert untimed.tape == timed.tape
    assert timed.schedule.timed and not untimed.schedule.timed
    assert [step.model_copy(update=asdict(UNTIMED)) for step in timed.schedule.steps] == [*untimed.schedule.steps]


def test_what_is_compiled_is_kept_if_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "build_cache", lambda: tmp_path)
    folder = jit.cache_folder()
    assert folder is not None and folder.is_dir() and folder.is_relative_to(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setattr(jit, "build_cache", lambda: tmp_path / "file")
    assert jit.cache_folder() is None


def double(number: int) -> int:
    """What is compiled below."""
    return 2 * number


def test_compiled_code_is_kept_in_the_folder_of_its_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "_FOLDER", tmp_path)
    assert jit.compiled(double)(21) == 42
    assert list(tmp_path.rglob("*double*.nbc"))


@pytest.mark.parametrize(
    "error", [EOFError("Ran out of input"), pickle.UnpicklingError("pickle data was truncated"), OSError(28, "full")]
)
def test_a_cache_that_cannot_be_used_is_said(error: Exception) -> None:
    """What numba raises for an index or a function that is cut off, and for a full disk."""
    with pytest.raises(SternaError, match="cached cycle model"), jit.cache_in_use():
        raise error
