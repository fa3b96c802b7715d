"""The cycle model's parts; tests/sim/test_cycle_model.py compares the whole with counts."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.clock import Clock, bus, drains, issuer, jit, pes, state, vectors
from sterna.errors import SternaError
from sterna.graph import Graph, Input, Output
from sterna.package.counters import UNTIMED
from sterna.spec import load_config, tape
from sterna.spec.memory import IDEAL, Memory
from sterna.spec.tape import Command
from support.packages import small_graph
from support.random_graphs import random_graph

NANO = load_config("nano")
CONTROL = tape.ENTRY_CONTROL << 5
#: A memory with pauses that are easily counted.
PAUSES = {
    "name": "pauses", "latency": 3, "refresh_every": 10, "refresh_cycles": 2, "gap_every": 4, "gap_cycles": 1,
}  # fmt: skip


def test_entries_are_what_the_tape_format_says() -> None:
    kind, advance, acc_index = pes.entry_table(NANO)
    assert (advance[2 << 5 | 7 << 1], acc_index[2 << 5 | 7 << 1]) == (2, 7)
    assert [advance[CONTROL | Command.SKIP | exponent] for exponent in range(8)] == [1 << k for k in range(8)]
    assert [advance[CONTROL | Command.END_PASS | k] for k in range(4)] == [0, 1, 2, 3]
    assert acc_index[CONTROL | 1 << 4 | 9] == 9
    codes = [0, CONTROL | 1 << 4, CONTROL | Command.SKIP, CONTROL | Command.END_PASS, CONTROL | Command.PAD, CONTROL]
    assert len(set(kind[codes])) == len(codes)


@pytest.mark.parametrize(
    ("vectors", "wants", "served"),
    [((3, 3), (1, 1), [1, 1]), ((3, 4), (1, 1), [1, 0]), ((5, 4), (1, 1), [0, 1]), ((5, 4), (1, 0), [1, 0])],
)
def test_the_pe_behind_reads_first(vectors: tuple[int, int], wants: tuple[int, int], served: list[int]) -> None:
    pair = np.zeros(2, state.PE)
    pair["vector"], pair["wants"] = vectors, wants
    pes.cycle_port(pair)
    assert pair["served"].tolist() == served


def test_writers_take_turns() -> None:
    port, both = np.zeros(1, state.WRITE_PORT), np.zeros(2, state.DRAIN)
    port["chosen"], both["valid"], both["word_written"] = -1, 1, 1

    def granted(loads: tuple[int, ...], load_next: int = 0) -> list[int]:
        seen = []
        for load in loads:
            drains.arbitrate(port[0], both, load_next, load)
            seen.append(int(port["grant"][0]))
        return seen

    assert granted((1, 1, 1, 1, 0, 0, 0)) == [-1, 0, 1, 2, 0, 1, 0]
    # Nothing is written any more but what was chosen before; a word that is taken asks once.
    both["word_written"] = 0
    assert granted((0, 0)) == [1, -1]
    assert granted((1, 1, 1, 0)) == [-1, 2, -1, 2]
    assert granted((0, 1, 1), load_next=1) == [-1, 2, 2]


def test_cursors_walk_to_their_first_tiles_a_tile_a_cycle() -> None:
    loader, clusters, step = np.zeros(1, state.LOADER), np.zeros(4, state.CLUSTER), np.zeros(1, state.STEP)
    fetches, machine = np.zeros(1, state.FETCH), state.machine(NANO, NANO.memory_timing)
    vectors.begin_vectors(loader[0], clusters)
    left = [clusters["tile_left"].tolist()]
    for now in range(1, 5):
        vectors.cycle_loader(loader[0], clusters, step[0], 0, now, fetches, machine[0])
        left.append(clusters["tile_left"].tolist())
    assert left == [[0, 1, 2, 3], [0, 0, 1, 2], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_words_written_of_a_pass_never_count_as_all_of_the_step() -> None:
    """However many a drain writes: they count up to one less than what stands for a step that is drained."""
    part, drain, step = np.zeros(1, state.ISSUER), np.zeros(1, state.DRAIN), np.zeros(1, state.STEP)
    port = np.zeros(1, state.WRITE_PORT)
    part["earlier"], part["words"] = 1, tape.AFTER_ALL - 3
    seen = []
    for _ in range(5):
        issuer.cycle_issuer(part[0], drain, step[0], 0, True, 0, port[0])
        seen.append(int(part["words"][0, 0]))
    assert seen == [tape.AFTER_ALL - 2] + 4 * [tape.AFTER_ALL - 1]


def test_refresh_and_gaps_begin_anew_with_a_frame() -> None:
    record = np.zeros(1, state.BUS)
    machine = state.machine(NANO, Memory(**PAUSES))
    record["first_cycle"] = 8
    moving = [now - 8 for now in range(8, 23) if not bus.pauses(record[0], now, machine[0])]
    assert moving == [2, 3, 5, 6, 7, 9, 13, 14], "as in tests/run/axi_memory_test.cpp"


@pytest.mark.parametrize(("config", "stages"), [("nano", 2), ("arria10", 4)])
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
    assert sum(step.busy for step in steps) >= sum(step.nonzeros for step in steps)
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
