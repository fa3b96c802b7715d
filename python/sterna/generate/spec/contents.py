"""What `sterna.spec` exports to other languages, whatever the language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from sterna.spec import board, package, registers, tape
from sterna.spec.activations import Activation
from sterna.spec.config import WORD_CHANNELS

#: The first lines of a generated file, as comments of its language.
ORIGIN = "Written by `make spec-files` from python/sterna/spec: change it there."
LICENCE = "SPDX-License-Identifier: Apache-2.0"


@dataclass(frozen=True)
class Constant:
    """A number of `bits` bits; None: a count, in whatever a language counts with."""

    name: str
    value: int
    description: str
    bits: int | None = None


@dataclass(frozen=True)
class Text:
    """A text."""

    name: str
    value: str
    description: str


@dataclass(frozen=True)
class Group:
    """Members of an enumeration, in `bits` bits; `rtl` is the prefix of their names in the RTL."""

    rtl: str
    members: type[IntEnum] | type[IntFlag]
    bits: int

    @property
    def description(self) -> str:
        """The first line of its docstring."""
        return (self.members.__doc__ or "").partition("\n")[0]


REGISTER_CONSTANTS = (
    Constant("engine_identity", registers.IDENTITY, "What the register IDENTITY reads.", 32),
    Constant("engine_version", registers.ENGINE_VERSION, "What the register VERSION reads.", 32),
    Constant("register_addr_w", registers.ADDRESS_BITS, "Bits of a register's address."),
    Constant("profile_steps", registers.PROFILE_STEPS, "Steps of a frame that the profile keeps."),
    Constant("profile_w", registers.PROFILE_BITS, "Bits of a counter in the profile; it stays at the largest value."),
    Constant("watchdog_cycles", registers.WATCHDOG_CYCLES, "WATCHDOG after reset.", 32),
)
REGISTER_GROUPS = (
    Group("Reg", registers.Register, registers.ADDRESS_BITS),
    Group("Control", registers.Control, 32),
    Group("FrameLayout", registers.FrameLayout, 32),
    Group("Status", registers.Status, 32),
    Group("Error", registers.ErrorCode, 8),
)
BOARD_TEXTS = (Text("soc_memory", f"/dev/{board.SOC_BUFFER}", "The device of the memory in a system on chip."),)
BOARD_CONSTANTS = (
    Constant("pcie_vendor", board.PCIE_VENDOR, "The vendor of a card: that of the FPGA's maker.", 32),
    Constant("pcie_device", board.PCIE_DEVICE, 'A card\'s device, the letters "ST".', 32),
    Constant("pcie_memory_bar", board.PCIE_MEMORY_BAR, "The region (BAR) that shows the card's memory."),
    Constant("pcie_registers_bar", board.PCIE_REGISTERS_BAR, "The region with the engine's registers."),
    Constant("pcie_memory", board.PCIE_MEMORY, "Where the engine sees the first byte of the card's memory.", 64),
)
TAPE_CONSTANTS = (
    Constant("tape_magic", tape.MAGIC, 'The first bytes of a tape, the letters "STERNATP".', 64),
    Constant("tape_version", tape.VERSION, "Version of the tape's format.", 32),
    Constant("tape_align", tape.ALIGN, "Headers and payloads are multiples of this many bytes."),
    Constant("crc_polynomial", tape.CRC_POLYNOMIAL, "CRC-32 as in zlib, lowest bit first.", 32),
    Constant(
        "crc_residue",
        tape.CRC_RESIDUE,
        "The CRC register, not yet inverted, after a message followed by its own CRC.",
        32,
    ),
    Constant("word_channels", WORD_CHANNELS, "Channels in a word of the feature memory."),
    Constant("requant_multiplier_w", tape.REQUANT_MULTIPLIER_BITS, "Bits of the multiplier in a requantisation word."),
    Constant("requant_bias_w", tape.REQUANT_BIAS_BITS, "Bits of the bias in a requantisation word."),
    Constant("after_all", tape.AFTER_ALL, "Waits until all earlier steps are written, in a fetch word.", 10),
    Constant("window_words", tape.WINDOW_WORDS, "Words of a pass that a PE keeps: word w in slot w mod so many."),
    Constant("absent_slot", tape.ABSENT_SLOT, "Slot of an absent operand, which always reads as zero.", 5),
    Constant("window_guard", tape.WINDOW_GUARD, "Rounds from the last that reads a word to that which overwrites it."),
    Constant("repeat_distance", tape.REPEAT_DISTANCE, "Rounds between operations on an accumulator, at least."),
    Constant("fetch_queue", tape.FETCH_QUEUE, "Fetch words that wait in the engine, at most."),
    Constant("round_queue", tape.ROUND_QUEUE, "Rounds that wait in the engine, at most, or ROUND_QUEUE_BEATS."),
    Constant("round_queue_beats", tape.ROUND_QUEUE_BEATS, "Beats of rounds that wait, if these are more rounds."),
    Constant("word_stream", tape.WORD_STREAM, "Stream whose control bit says that the round takes a word."),
    Constant("end_stream", tape.END_STREAM, "Stream whose control bit says that the round ends the pass."),
    Constant("first_filters", tape.FIRST_FILTERS, "Filters of a first layer that LOAD can compute."),
    Constant("first_words", tape.FIRST_WORDS, "Words of each of them in the payload of a FIRST step."),
)
#: Those that only an encoder needs: not for the RTL.
ENCODER_CONSTANTS = (
    Constant("fetch_group", tape.FETCH_GROUP, "Fetch words of a FETCH record."),
    Constant("fetch_ahead", tape.FETCH_AHEAD, "Words from the next one of the rounds to a record's first fetch word."),
    Constant("input_tables", tape.INPUT_TABLES, "Channels of an image that an engine has input tables for."),
    Constant("most_beside_stores", tape.MOST_BESIDE_STORES, "STORE steps that may go on beside another step, at most."),
    Constant("first_kernel", tape.FIRST_KERNEL, "Rows and columns of a filter of a first layer."),
    Constant("first_channels", tape.FIRST_CHANNELS, "Channels of the image of a first layer."),
    Constant("first_width", tape.FIRST_WIDTH, "Columns of its widest image."),
    Constant("beside_loads", tape.BESIDE_LOADS, "The bit of `beside` that lets the LOAD steps without `next` go on."),
)
TAPE_GROUPS = (
    Group("Segment", tape.SegmentKind, 32),
    Group("Op", tape.Op, 8),
    Group("Pool", tape.Pool, 2),
    Group("Activation", Activation, 2),
    Group("Record", tape.RecordKind, 8),
    Group("Entry", tape.EntryKind, 2),
)
PACKAGE_CONSTANTS = (
    Constant("package_magic", package.MAGIC, 'The first bytes of a package, the letters "STERNAPK".', 64),
    Constant("package_format", package.FORMAT, "Version of the package's format.", 32),
    Constant("package_most_bytes", package.MOST_BYTES, "Bytes of a package at most."),
    Constant("package_most_sections", package.MOST_SECTIONS, "Sections of a package at most, known or not."),
    Constant("package_most_weights", package.MOST_WEIGHTS, "Weights of a graph at most."),
    Constant("package_run", package.RUN, "In `gaps`: so many zeros, and no nonzero yet."),
    Constant("package_absent", package.ABSENT, "In `filters`: no filter.", 16),
    *(
        Constant(f"package_most_{section.text}", most, f"Bytes that `{section.text}` unpacks to at most.")
        for section, most in package.MOST_UNPACKED.items()
    ),
)
PACKAGE_GROUPS = (Group("PackageSection", package.PackageSection, 64),)


def member_description(member: IntEnum | IntFlag) -> str:
    """The sentence of a member, which every enumeration of `sterna.spec` carries; of a register with its access."""
    description: str = member.description  # type: ignore[union-attr]
    if isinstance(member, registers.Register):
        reset = "" if member.reset is None else f", reset {member.reset:#x}" if member.reset else ", reset 0"
        return f"{member.access}{reset}. {description}"
    return description


def camel(words: str) -> str:
    """`words_like_these` as `WordsLikeThese`."""
    return "".join(word.capitalize() for word in words.split("_"))


def words(camel_case: str) -> str:
    """`WordsLikeThese` as `words_like_these`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in camel_case).lstrip("_")


def document(blocks: Iterable[Iterable[str]]) -> str:
    """Blocks of lines, with an empty line between two of them."""
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"
