"""libsterna as Python sees it, built from sw/python/native.cpp. Refusals are SternaErrors.

Arrays are contiguous and read without a copy where nothing else is said.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

class Activation(Enum):
    LINEAR = ...
    RELU = ...
    LEAKY = ...

class Simd(Enum):
    SCALAR = ...
    AVX2 = ...
    AVX512 = ...
    NEON = ...

def available_simd() -> list[Simd]:
    """Those that this processor has, from the slowest to the fastest."""

class Requant:
    def __init__(
        self,
        multiplier: NDArray[np.int64],
        bias: NDArray[np.int64],
        shift: int,
        activation: Activation,
        clamp: tuple[int, int] | None,
        half_even: bool,
    ) -> None: ...

class Input:
    """table: [channels, 256]; [0, 256] for none."""

    def __init__(
        self, channels: int, height: int, width: int, scale: float, zero_point: int, table: NDArray[np.int8]
    ) -> None: ...

class Conv:
    def __init__(
        self,
        weights: NDArray[np.int8],
        stride: int,
        padding: tuple[int, int, int, int],
        requant: Requant,
        scale: float,
        zero_point: int,
        groups: int,
    ) -> None: ...

class MaxPool:
    def __init__(self, stride: int, kernel: int, padding: tuple[int, int, int, int]) -> None: ...

class Reorg:
    def __init__(self) -> None: ...

class Concat:
    def __init__(self) -> None: ...

class Add:
    def __init__(self, requant: Requant, scale: float, zero_point: int, weights: tuple[int, int]) -> None: ...

class Output:
    def __init__(self) -> None: ...

Operation = Input | Conv | MaxPool | Reorg | Concat | Add | Output

class Graph:
    """layers: name, names of the layers that it reads, operation; arrays are copied."""

    def __init__(
        self, layers: Sequence[tuple[str, tuple[Sequence[str], Operation]]], act_bits: int, acc_bits: int
    ) -> None: ...

def package_graph(data: bytes, where: str) -> Graph:
    """The graph in a package, its file's bytes; `where` names their origin in errors."""

def check_signature(data: bytes, signature: str, public_key: str) -> None:
    """Refuses `data` unless `signature`, the text of minisign's file, is of it and of `public_key`, likewise."""

class Weights:
    """Nonzero weights as parallel arrays of one length, as in `sterna.compile.lower`."""

    def __init__(
        self,
        filter: NDArray[np.int32],
        phase: NDArray[np.int8],
        channel: NDArray[np.int32],
        row: NDArray[np.int16],
        col: NDArray[np.int16],
        value: NDArray[np.int8],
    ) -> None: ...

class EngineOperation:
    """A map to compute, as in `sterna.compile.lower`; activation: its code on the tape. output: the map's name."""

    def __init__(
        self,
        layers: Sequence[str],
        output: str,
        sources: Sequence[str],
        weights: Weights,
        filters: int,
        pool: int,
        gather_stride: int,
        pad_value: int,
        multiplier: NDArray[np.int64],
        bias: NDArray[np.int64],
        shift: int,
        activation: int,
        clamp: tuple[int, int] | None,
        half_even: bool,
    ) -> None: ...

class Lowered:
    """A lowered graph.

    layers: name, height and width; inner: those of maps on the way to that of a layer. views: each map that is not
    computed, the maps that it shows, and whether it is their reorg. split: computed maps that lie in memory split by
    phase.
    """

    def __init__(
        self,
        layers: Sequence[tuple[str, int, int]],
        inner: Sequence[tuple[str, int, int]],
        input: str,
        image: Input,
        act_bits: int,
        outputs: Sequence[str],
        operations: Sequence[EngineOperation],
        views: Sequence[tuple[str, Sequence[str], bool]],
        split: Sequence[str],
    ) -> None: ...

_Streamed = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]
_Step = tuple[list[str], bytes, int, int, int, _Streamed | None]
_Store = tuple[str, int, int, int, int, int, int, bool, list[tuple[int, int]]]

def build_tape(
    lowered: Lowered,
    config: bytes,
    config_hash: int,
    plan: bytes,
    filters: bytes,
    keep_streamed: bool,
    show: Callable[[int, str], None] | None,
) -> tuple[bytes, list[_Step], list[_Store], int, int, int]:
    """The tape, its steps, its stores, the bytes of frame, results and scratch memory. Other threads go on.

    config, plan, filters: as a package holds them, the first two as JSON. show: called before each operation with its
    number and the map that it makes. Steps: layers, STEP payload, part, additions, additions times lanes in use, and
    with `keep_streamed` of each CONV rounds [round], records [record, 2], `after` of fetch words, and operations, as
    `encode_part` has them. Stores: layer, offset, channel words, tiles down and across, height, width, whether it is
    split by phase, channel word and byte in it of each channel.
    """

def package_tape(data: bytes, where: str) -> bytes:
    """The tape that the library makes of a package, its file's bytes; `where` names their origin in errors."""

class EncoderConfig:
    def __init__(self, tile_h: int, tile_w: int, accumulators: int, beat_bytes: int) -> None: ...

def encode_part(
    config: EncoderConfig,
    streams: int,
    tiles_at_once: int,
    fetches: NDArray[np.int64],
    used: NDArray[np.int64],
    additions: NDArray[np.int64],
) -> tuple[bytes, NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8]]:
    """The WEIGHTS payload of a part, its rounds [round], 1 for one that takes a word and 2 for the last one, the
    records [record, 2], kind and count, and of each round how many entries do something.

    fetches [word, 4]: plane, row, col, after. used [accumulator, 2]: stream, accumulator. additions [addition, 6]:
    stream, word, channel of it, accumulator, digit, whether it is subtracted.
    """

class Emulator:
    """layers: names of those whose maps `run` gives."""

    def __init__(self, graph: Graph, layers: Sequence[str], threads: int, simd: Simd) -> None: ...
    def run(self, images: NDArray[np.int8]) -> list[NDArray[np.int8]]:
        """Maps int8 [N, F, H, W] of the kept layers, in order, of images int8 [N, C, H, W]. Other threads go on."""

MOST_BOXES: int
Found = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]
"""Boxes [D, 4], left, top, right, bottom; scores [D]; numbers of classes [D]."""

def inner(image: tuple[int, int], input: tuple[int, int], letterbox: bool) -> tuple[int, int, int, int]:
    """Left, top, width and height of an image in an input, each given as height and width."""

def frame(image: NDArray[np.uint8], input: tuple[int, int], letterbox: bool) -> NDArray[np.int8]:
    """RGB [H, W, 3], whose pixels lie side by side, as the input [h, w, 3], less 128. Other threads go on."""

def read_jpeg(data: bytes) -> NDArray[np.uint8]:
    """RGB [H, W, 3] of a JPEG file as it is stored. Other threads go on."""

def in_pixels(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    image: tuple[int, int],
    input: tuple[int, int],
    letterbox: bool,
) -> Found:
    """Boxes in 0..1 of the input in pixels of the image; without those that are not on it."""

def decode_integers(
    head: NDArray[np.int8], anchors: NDArray[np.float32], scale: float, zero_point: int, threshold: float
) -> Found:
    """Boxes in 0..1 of the input, best first, of a head [A * (5 + classes), h, w].

    Its integers stand for `scale * (integer - zero_point)`.
    """

def decode_reals(head: NDArray[np.float32], anchors: NDArray[np.float32], threshold: float) -> Found:
    """The same of a head of real values."""

def suppress(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.int64], overlap: float, limit: int
) -> NDArray[np.int64]:
    """Positions of the boxes that are kept, best first."""

def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union [Na, Nb] of boxes [Na, 4] and [Nb, 4]."""

class Transport:
    """Registers and memory of one engine. Every method raises SternaError if the engine cannot be reached.

    One thread may wait while another uses the other methods.
    """

    memory_base: int
    """Bus address of the memory that the driver may use, a multiple of 4096; right once the transport is open."""
    memory_bytes: int
    """Size of that memory."""
    memory_latency: int
    """Maximum cycles until that memory answers; 0 if unknown."""

    def __init__(self) -> None: ...
    def open(self) -> None:
        """Reach the engine."""

    def close(self) -> None:
        """Release the engine. May be called twice."""

    def read32(self, register: int) -> int:
        """The 32-bit register at byte address `register`."""

    def write32(self, register: int, value: int) -> None:
        """Write the 32-bit register at byte address `register`."""

    def read_memory(self, address: int, size: int) -> bytes:
        """`size` bytes of the memory at bus address `address`."""

    def write_memory(self, address: int, data: bytes) -> None:
        """Write `data` to the memory at bus address `address`."""

    def wait(self, cycles: int) -> bool:
        """Wait for the engine's interrupt for at most about `cycles` of its clock; True if it is raised."""

class SimulatedTiming:
    """Cycles; stall_permille: a share of cycles, in thousandths."""

    def __init__(
        self,
        latency_first: int,
        latency_last: int,
        stall_permille: int,
        seed: int,
        refresh_every: int,
        refresh_cycles: int,
        gap_every: int,
        gap_cycles: int,
    ) -> None: ...

class Simulation(Transport):
    """A simulated engine in a process of its own, and a memory on its bus.

    program: what a generated engine was built into. patience: milliseconds without an answer after which the process
    counts as hung, and is ended.
    """

    MEMORY_BASE: ClassVar[int]
    MEMORY_BYTES: ClassVar[int]
    program: str
    timing: SimulatedTiming

    def __init__(self, program: str = "", patience: int = ..., base: int = ..., bytes: int = ...) -> None: ...
    @property
    def cycles(self) -> int:
        """Clock cycles since `open`."""

    @property
    def process(self) -> int:
        """The number of its process; 0 if there is none."""

    def reset(self) -> None:
        """Reset the engine in the middle of whatever it does; the memory keeps its contents."""

    def set_fault(self, address: int, size: int) -> None:
        """Let the memory refuse (SLVERR) what touches `size` bytes at `address`; size 0 ends that."""

class SocTransport(Transport):
    """An engine in the fabric of a system on chip, by UIO and u-dma-buf.

    mhz: the lowest clock that is expected. root: what comes before /sys and /dev. The methods of its own are there for
    tests to override.
    """

    def __init__(self, device: str, memory: str, mhz: float, root: str = "") -> None: ...
    def open_interrupts(self) -> int:
        """The file where interrupts are waited for and enabled."""

    def tell(self, attribute: str, value: str) -> None:
        """Write to a file that u-dma-buf has for the memory in sysfs."""

class PcieTransport(Transport):
    """An engine on a PCIe card, by VFIO; `root` and the methods of its own are for tests.

    memory_bytes: of the host, a multiple of 2 MiB; 0 for the card's own, which the region `window` shows.
    first_register: where the registers are in the region `bar`.
    """

    MEMORY_BASE: ClassVar[int]
    """The engine sees the host's memory from here on."""

    def __init__(
        self,
        address: str,
        memory_bytes: int,
        bar: int,
        first_register: int,
        mhz: float,
        root: str = "",
        window: int = ...,
    ) -> None: ...
    def sync_for_device(self, offset: int, bytes: int) -> None:
        """Called after bytes of the memory were written."""

    def sync_for_cpu(self, offset: int, bytes: int) -> None:
        """Called before bytes of the memory are read."""

    def ioctl(self, file: int, request: int, argument: bytes, number: int) -> tuple[int, bytes]:
        """Of a VFIO file, whose argument is a structure or a number.

        The result, negative for an error's number, and what the kernel writes to the argument.
        """

class MemoryWord:
    """A word of the feature memory: its tile, and its bytes with what pads it."""

    def __init__(self, tile_h: int, tile_w: int, bytes: int) -> None: ...

class Store:
    """The region of a result memory that holds a layer. channels: channel word, and byte in it."""

    def __init__(
        self,
        layer: str,
        offset: int,
        words: int,
        tiles_h: int,
        tiles_w: int,
        height: int,
        width: int,
        is_split: bool,
        channels: Sequence[tuple[int, int]],
    ) -> None: ...

_Element = TypeVar("_Element", np.int8, np.int64)

def unpack(region: NDArray[_Element], store: Store, word: MemoryWord) -> NDArray[_Element]:
    """The layer [C, H, W] in a region, which has an element for each byte."""

class Program:
    """A tape, and where images and maps lie in an engine's memory: `sterna.package.places` writes that."""

    def __init__(self, places: bytes, tape: bytes) -> None: ...

WATCHDOG: int
"""Clock cycles without progress after which an engine gives up a frame, if nothing else is said."""

def page_up(address: int) -> int:
    """The next multiple of a page from `address` on."""

def cycle_limit(most_cycles: int, watchdog: int) -> int:
    """Clock cycles that a frame may take, on a slow memory too; most_cycles: those on a fast one."""

class Engine:
    """The driver: runs frames in order, one while the next one is queued. Other threads go on.

    watchdog: 0 for none. timeout: cycles that a frame may take; None: what `cycle_limit` says.
    """

    CAPACITY: ClassVar[int]
    """Frames that it holds."""

    def __init__(self, transport: Transport, watchdog: int, timeout: int | None) -> None:
        """Open the transport, and check that an engine of this version is there."""

    def close(self) -> None:
        """Close the transport. May be called twice."""

    def check_config(self, program: Program) -> None:
        """Refuse a program for another config."""

    def load(self, program: Program) -> None:
        """Write the tape to the engine's memory."""

    def begin(self) -> None:
        """Forget all frames; none runs."""

    def start(self, image: bytes) -> None:
        """Start a frame, or queue it after the one that runs. It holds fewer than CAPACITY before."""

    @property
    def held(self) -> int:
        """Frames that were started and not taken."""

    def look(self) -> bool:
        """Wait for the oldest frame for a while; whether it has ended."""

    def take(self) -> list[NDArray[np.int8]]:
        """The stored layers [C, H, W] of the oldest frame, which has ended, in the order of the program's stores."""

    def steps_now(self) -> int:
        """Steps of the running frame that have ended."""

    def counters(
        self,
    ) -> tuple[tuple[int, int, int, int, int, int, int], list[tuple[int, int, int, int, int]]]:
        """What the frame that ended last cost: the fields of `Counters` but for steps, and of each step's counters."""

    def abort(self) -> bool:
        """End the frame, and the one that is queued; whether the engine obeyed."""

class Detector:
    """Images to boxes, in threads beside the emulator. Results come in the order of the images.

    emulator: keeps the head. anchors: width and height in cells. aspect: stretch or letterbox. threads:
    that resize and find boxes. frames: in flight at most. A process that was forked makes its own.
    """

    def __init__(
        self,
        emulator: Emulator,
        classes: Sequence[str],
        anchors: Sequence[tuple[float, float]],
        aspect: str,
        threshold: float,
        overlap: float,
        threads: int,
        frames: int,
    ) -> None: ...
    def submit(self, image: NDArray[np.uint8]) -> bool:
        """Put RGB [H, W, 3], whose pixels lie side by side, in flight, without a copy; False if there is no room."""

    def wait(self) -> Found | None:
        """The boxes of the oldest frame in flight, in its pixels; None if none is. Other threads go on."""

    def seconds(self) -> tuple[float, float, float, float]:
        """What decoding, resizing, the device and boxes have taken; they overlap."""
