"""Rounds, the order of operations and of records, and requantisation words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.graph import Conv, Graph, Input, Output, Requant, reference
from sterna.native import libsterna
from sterna.spec import load_config, tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import FETCH_AHEAD, FETCH_GROUP, WINDOW_WORDS, EntryKind, RecordKind, Segment, SegmentKind
from support.rounds import Accumulators, Round, Streamed, read_rounds
from support.tape_emulator import emulated

NANO = load_config("nano")
#: Nothing overflows, and vectors are small.
WIDE = NANO.model_copy(update={"tile_h": 3, "tile_w": 3, "acc_w": 32})


@dataclass(frozen=True)
class Work:
    """What the PEs do in a part."""

    words: int
    #: Stream, word, channel, accumulator, digit, subtract.
    additions: NDArray[np.int64]
    streams: int = 4
    tiles_at_once: int = 1
    #: Accumulators of each stream that filters have.
    used: int = 16


@dataclass(frozen=True)
class Encoded:
    """An encoded part, read back."""

    streamed: Streamed
    payload: bytes
    records: NDArray[np.int64]
    operations: NDArray[np.uint8]


def encoded(config: EngineConfig, work: Work) -> Encoded:
    """The part; what is told of it is what is in it, and all rules of its order hold."""
    used = [(stream, acc_index) for stream in range(work.streams) for acc_index in range(work.used)]
    fetches = np.zeros((work.words, 4), np.int64)
    fetches[:, 0] = np.arange(work.words)
    payload, rounds, records, operations = libsterna.encode_part(
        libsterna.EncoderConfig(config.tile_h, config.tile_w, config.accumulators, config.beat_bytes),
        work.streams, work.tiles_at_once, fetches, np.array(used, np.int64).reshape(-1, 2), work.additions,
    )  # fmt: skip
    streamed = read_rounds(config, payload, work.streams)
    streamed.check_order(config, work.tiles_at_once)
    assert [fetch["plane"] for fetch in streamed.fetches] == list(range(work.words))
    assert streamed.accumulators() == set(used)
    assert rounds.tolist() == [each.takes_word + 2 * each.ends for each in streamed.rounds]
    assert operations.tolist() == [len(each.operations) for each in streamed.rounds]
    return Encoded(streamed, payload, records, operations)


def random_work(rng: np.random.Generator, density: float, words: int = 100, digits: int = 1, **shape: int) -> Work:
    """Of `words` words for each digit, in the order in which digits come."""
    work = Work(words * digits, np.zeros((0, 6), np.int64), **shape)
    stream, acc_index, word, channel = np.nonzero(rng.random((work.streams, work.used, words * digits, 4)) < density)
    order = rng.permutation(len(word))
    columns = stream, word, channel, acc_index, digits - 1 - word // words, rng.integers(0, 2, len(word))
    return replace(work, additions=np.stack(columns, 1)[order])


def sums(work: Work, words: NDArray[np.int64]) -> NDArray[np.int64]:
    """What accumulators [stream, accumulator, row, column] hold in the end, of words [word, row, column, channel]."""
    made = np.zeros((work.streams, work.used, *words.shape[1:3]), np.int64)
    for stream, word, channel, acc_index, digit, subtract in work.additions.tolist():
        vector = words[word, :, :, channel]
        made[stream, acc_index] += (~vector if subtract else vector) << digit
    return made


def is_right(config: EngineConfig, work: Work, streamed: Streamed) -> bool:
    """Whether PEs that follow the rounds get the sums."""
    words = np.random.default_rng(0).integers(-128, 128, (work.words, config.tile_h, config.tile_w, 4))
    half = Accumulators(config.model_copy(update={"pes": work.streams}))
    half.run(streamed.rounds, list(words), 0)
    return np.array_equal(half.values[:, : work.used], sums(work, words))


@given(
    seed=st.integers(0, 1 << 32),
    density=st.sampled_from([0, 0.003, 0.03, 0.2, 1]),
    words=st.integers(1, 80),
    digits=st.integers(1, 4),
    tiles_at_once=st.sampled_from([1, 2, 4]),
    used=st.sampled_from([0, 1, 2, 5, 16]),
)
@settings(max_examples=40, deadline=None)
def test_any_work_is_done_in_a_legal_order(
    seed: int, density: float, words: int, digits: int, tiles_at_once: int, used: int
) -> None:
    rng = np.random.default_rng(seed)
    work = random_work(rng, density, words, digits, tiles_at_once=tiles_at_once, used=used)
    assert is_right(WIDE, work, encoded(WIDE, work).streamed)


@pytest.mark.parametrize("digits", [(7, 0), (6, 3, 1), (2,)])
def test_doublings_lead_from_a_digit_to_the_next_that_an_accumulator_has(digits: tuple[int, ...]) -> None:
    additions = [(0, word, 1, 3, digit, 0) for word, digit in enumerate(digits)]
    work = Work(len(digits), np.array(additions, np.int64), used=4)
    found = encoded(WIDE, work).streamed
    kinds = [each.operations[0].kind for each in found.rounds if 0 in each.operations]
    assert kinds.count(EntryKind.DOUBLE) == digits[0]
    assert is_right(WIDE, work, found)


def test_one_vector_may_be_added_more_than_once() -> None:
    """As that of a map that is concatenated with itself, added and subtracted."""
    work = Work(1, np.array([(0, 0, 2, 1, 0, 0), (0, 0, 2, 1, 0, 1), (0, 0, 2, 1, 0, 1)], np.int64))
    assert is_right(WIDE, work, encoded(WIDE, work).streamed)


def test_equal_work_in_any_order_gives_equal_bytes() -> None:
    rng = np.random.default_rng(3)
    work = random_work(rng, 0.1, digits=2)
    other = replace(work, additions=rng.permutation(work.additions))
    assert encoded(WIDE, work).payload == encoded(WIDE, other).payload


@pytest.mark.parametrize("tiles_at_once", [1, 2, 4])
def test_words_come_without_a_pause_if_pes_have_little_to_do(tiles_at_once: int) -> None:
    work = random_work(np.random.default_rng(1), 0.01, 300, tiles_at_once=tiles_at_once)
    rounds = encoded(WIDE, work).streamed.rounds
    assert 299 * tiles_at_once < len(rounds) <= 299 * tiles_at_once + WINDOW_WORDS


@pytest.mark.parametrize(("density", "least"), [(0.05, 2.4), (0.1, 2.95), (0.2, 3.4), (0.5, 3.75)])
def test_operations_add_many_vectors(density: float, least: float) -> None:
    """With 16 accumulators, of at most four; and PEs seldom have nothing to do."""
    work = random_work(np.random.default_rng(2), density, 400)
    found = encoded(WIDE, work)
    assert len(work.additions) / found.operations.sum() > least
    assert found.operations.sum() > 0.96 * work.streams * len(found.streamed.rounds)


def test_fetch_words_come_in_groups_ahead_of_the_rounds() -> None:
    work = random_work(np.random.default_rng(4), 0.1, 150)
    found = encoded(WIDE, work)
    kinds, counts = found.records.T.tolist()
    assert kinds == [RecordKind.FETCH, RecordKind.ROUNDS] * 3
    assert counts[::2] == [64, 64, 22]
    taken = np.cumsum([each.takes_word for each in found.streamed.rounds])
    before = np.cumsum(counts[1::2])[:-1]
    assert taken[before - 1].tolist() == [FETCH_GROUP * group - FETCH_AHEAD for group in range(1, 3)]
    # None comes earlier: the round after takes a word.
    assert all(found.streamed.rounds[each].takes_word for each in before)


@pytest.mark.parametrize("record", [1, 2])
def test_fetch_words_at_another_place_are_seen(record: int) -> None:
    """A group that comes a record too early, or too late."""
    found = encoded(WIDE, random_work(np.random.default_rng(4), 0.1, 150))
    parts, at = [], 0
    for kind, count in found.records.tolist():
        size = WIDE.beat_bytes + WIDE.in_beats(count * (8 if kind == RecordKind.FETCH else 16))
        parts.append(found.payload[at : at + size])
        at += size
    parts[record : record + 2] = parts[record + 1], parts[record]
    with pytest.raises(AssertionError, match=["too early", "too late"][record - 1]):
        read_rounds(WIDE, b"".join(parts), 4)


class TestPlantedErrors:
    """In the order of operations."""

    work = random_work(np.random.default_rng(5), 0.1, 120)

    def planted(self, change: Any) -> bool:
        """Whether it is seen that `change` was done to the rounds."""
        streamed = encoded(WIDE, self.work).streamed
        rounds = [Round(dict(each.operations), each.takes_word, each.ends) for each in streamed.rounds]
        change(rounds, np.flatnonzero([each.takes_word for each in rounds]))
        wrong = Streamed(streamed.fetches, rounds)
        assert wrong.rounds != streamed.rounds
        try:
            wrong.check_order(WIDE, 1)
            return not is_right(WIDE, self.work, wrong)
        except AssertionError:
            return True

    @staticmethod
    def exchange(rounds: list[Round], first: int, second: int, stream: int = 0) -> None:
        one, other = rounds[first].operations.pop(stream, None), rounds[second].operations.pop(stream, None)
        if other is not None:
            rounds[first].operations[stream] = other
        if one is not None:
            rounds[second].operations[stream] = one

    @staticmethod
    def reading(rounds: list[Round], number: int, word: int) -> bool:
        """Whether stream 0 reads a word in a round."""
        operation = rounds[number].operations.get(0)
        slots = [operand.slot for operand in operation.operands] if operation else []
        return word % WINDOW_WORDS in slots

    @pytest.mark.parametrize("least", [1, 40])
    def test_before_its_word_comes(self, least: int) -> None:
        def change(rounds: list[Round], taken: NDArray[np.int64]) -> None:
            word = next(w for w in range(least, 120) if self.reading(rounds, int(taken[w]), w))
            self.exchange(rounds, int(taken[word]) - 1, int(taken[word]))

        assert self.planted(change)

    @pytest.mark.parametrize("late", [-1, 0, 3])
    def test_when_it_is_overwritten(self, late: int) -> None:
        def change(rounds: list[Round], taken: NDArray[np.int64]) -> None:
            word = 40
            number = next(n for n in range(int(taken[word]), len(rounds)) if self.reading(rounds, n, word))
            self.exchange(rounds, number, int(taken[word + WINDOW_WORDS]) + late)

        assert self.planted(change)

    def test_too_near_on_one_accumulator(self) -> None:
        def change(rounds: list[Round], _: object) -> None:
            for number in range(40, len(rounds)):
                nearby = [rounds[n].operations[0].acc_index for n in (number, number + 2)]
                if nearby[0] == nearby[1]:
                    self.exchange(rounds, number + 1, number + 2)
                    return

        assert self.planted(change)

    @pytest.mark.parametrize("kind", [EntryKind.ADD, EntryKind.DOUBLE, EntryKind.SET])
    def test_another_kind(self, kind: EntryKind) -> None:
        def change(rounds: list[Round], _: object) -> None:
            is_first = kind is not EntryKind.SET
            number, operation = next(
                (number, each.operations[0])
                for number, each in enumerate(rounds)
                if 0 in each.operations and (each.operations[0].kind is EntryKind.SET) == is_first
            )
            rounds[number].operations[0] = replace(operation, kind=kind)

        assert self.planted(change)

    def test_a_word_too_early(self) -> None:
        def change(rounds: list[Round], taken: NDArray[np.int64]) -> None:
            number = next(int(b) for a, b in pairwise(taken) if b - a > 1)
            first, second = rounds[number - 1], rounds[number]
            rounds[number - 1] = Round(first.operations, True, first.ends)
            rounds[number] = Round(second.operations, False, second.ends)

        assert self.planted(change)

    def test_a_sign(self) -> None:
        def change(rounds: list[Round], _: object) -> None:
            operation = rounds[40].operations[0]
            first = replace(operation.operands[0], subtract=1 - operation.operands[0].subtract)
            rounds[40].operations[0] = replace(operation, operands=(first, *operation.operands[1:]))

        assert self.planted(change)


def test_words_too_fast_for_the_tiles_are_seen() -> None:
    found = encoded(WIDE, random_work(np.random.default_rng(1), 0.01, 50, tiles_at_once=1)).streamed
    with pytest.raises(AssertionError, match="too fast"):
        found.check_order(WIDE, 2)


def conv_graph(weights: NDArray[np.int8], multiplier: int, bias: int, act: int = 3) -> Graph:
    filters = len(weights)
    requant = Requant(np.full(filters, multiplier), np.full(filters, bias), act, "relu")
    conv = Conv("conv", "image", weights, 1, (0, 0, 0, 0), requant, 1.0)
    return Graph((Input("image", weights.shape[1], 5, 5, 1.0, 0), conv, Output("out", "conv")))


def requant_words(data: bytes) -> list[int]:
    (payload,) = [each.payload for each in tape.read(data).segments if each.kind is SegmentKind.REQUANT]
    return np.frombuffer(payload, "<u8").tolist()


@given(st.integers(0, 2**18 - 1), st.integers(-(2**45) + 1, 2**45 - 1))
def test_requant_words_keep_both_numbers(multiplier: int, bias: int) -> None:
    package = compile_graph(conv_graph(np.ones((1, 1, 1, 1), np.int8), multiplier, bias), NANO, cycles=False)
    present, *others = requant_words(package.tape)
    bits = tape.REQUANT_MULTIPLIER_BITS
    assert present & ((1 << bits) - 1) == multiplier
    found = present >> bits
    assert found - ((found >> (tape.REQUANT_BIAS_BITS - 1)) << tape.REQUANT_BIAS_BITS) == bias
    assert not any(others)


@pytest.mark.parametrize(
    ("weights", "lacking"), [([1, 1, 1], 0), ([-1, 1, -1], 2), ([3, 7, -7], 1 + 8), ([-128, 85, -86], 128 + 64 + 32)]
)
def test_biases_make_up_for_inverses(weights: list[int], lacking: int) -> None:
    """7 is 8 - 1, -7 is 1 - 8, -86 is 8 + 2 - 64 - 32."""
    shaped = np.array(weights, np.int8).reshape(1, 3, 1, 1)
    word = requant_words(compile_graph(conv_graph(shaped, 5, 100), NANO, cycles=False).tape)[0]
    assert word >> tape.REQUANT_MULTIPLIER_BITS == 100 + 5 * lacking


def test_a_wrong_bias_is_seen() -> None:
    rng = np.random.default_rng(8)
    graph = conv_graph(rng.integers(-1, 2, (4, 8, 1, 1)).astype(np.int8), 1, 0)
    image = rng.integers(-128, 128, (8, 5, 5)).astype(np.int8)
    package = compile_graph(graph, NANO, cycles=False)
    expected = reference.execute(graph, image)["conv"][0]
    assert np.array_equal(emulated(package, image)["conv"], expected)
    parsed = tape.read(package.tape)
    words = np.array(requant_words(package.tape), "<u8")
    words[0] += 8 << tape.REQUANT_MULTIPLIER_BITS
    segments = [
        Segment(each.kind, words.tobytes()) if each.kind is SegmentKind.REQUANT else each for each in parsed.segments
    ]
    changed = replace(package, tape=tape.write(parsed.config_hash, segments))
    assert not np.array_equal(emulated(changed, image)["conv"], expected)


def test_a_bias_that_has_no_room_for_inverses_is_refused() -> None:
    graph = conv_graph(np.full((2, 1, 1, 1), -1, np.int8), 2**18 - 1, 2**45 - 2**18)
    compile_graph(graph, NANO, cycles=False)
    graph = conv_graph(np.full((2, 1, 1, 1), -1, np.int8), 2**18 - 1, 2**45 - 2**18 + 1)
    with pytest.raises(SternaError, match=r"layer conv, filter 0: its bias is too large.*; bias = 35184372088832; .*"):
        compile_graph(graph, NANO, cycles=False)


def test_sums_of_inverses_that_may_overflow_are_refused() -> None:
    """109 is 128 - 16 - 4 + 1: 109 x - 20, of x = -128, has a larger magnitude than 109 * 128."""
    config = NANO.model_copy(update={"acc_w": 18})
    weights = np.array([109] * 9 + [42], np.int8).reshape(1, 10, 1, 1)
    graph = Graph(conv_graph(weights, 1, 0).layers, acc_bits=18)
    with pytest.raises(SternaError, match=r"layer conv, filter 0: the accumulator may overflow; .* = 131124; .*131071"):
        compile_graph(graph, config, cycles=False)
    compile_graph(graph, config.model_copy(update={"acc_w": 19}), cycles=False)
