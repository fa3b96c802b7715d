"""Engine configs: one named set of engine parameters that every tool reads."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, field_validator, model_validator

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.spec import memory as memories
from sterna.spec import named
from sterna.spec.memory import Memory
from sterna.spec.paths import CONFIGS
from sterna.validated import Validated

#: Channels in one word of the feature memory.
WORD_CHANNELS = 4
#: Words of the largest banks.
MOST_FM_WORDS = 65536

#: Fields that no tape depends on.
_NOT_HASHED = ("name", "memory", "burst_beats", "block_windows")
#: Names of parameters before the engine's words became the field's.
_RENAMED = {"units": "pes", "slots": "accumulators"}
#: Those that engines had before their PEs went in step.
GONE = ("buffer_vectors", "buffer_lines", "block_lines", "chunk_bytes", "fifo_chunks")

_REMEDY = "see docs/reference/configs.md, or python/sterna/spec/config.py, for each parameter"


def _require(ok: bool, rule: str) -> None:
    if not ok:
        raise ValueError(rule)


class EngineConfig(Validated):
    """The parameters of one engine. [Engine configs](configs.md) explains them.

    >>> engine = sterna.load_config("nano").model_copy(update={"pes": 8})
    >>> engine.pes * engine.clusters * engine.tile_h * engine.tile_w
    400
    """

    model_config = ConfigDict(strict=True, use_attribute_docstrings=True)
    _field: ClassVar[str] = "parameter"
    _remedy: ClassVar[str] = _REMEDY

    name: Annotated[str, Field(min_length=1)]
    """Name of the config; not a parameter of the engine."""
    tile_h: Annotated[int, Field(ge=3, le=15)]
    """Rows of a tile, the pixels that are computed together. Odd, so that a stride of two meets every bank once."""
    tile_w: Annotated[int, Field(ge=3, le=15)]
    """Columns of a tile, odd as well. Rows times columns are the lanes of a PE and the banks of the feature memory."""
    clusters: Annotated[int, Field(ge=1, le=4)]
    """Groups of PEs, each with a vector port of its own. They work on different tiles or on different filters."""
    drains: Annotated[int, Field(ge=1, le=4)]
    """Modules that requantise and write the sums of the PEs. Each serves the same number of clusters."""
    pes: Annotated[int, Field(ge=4, le=32)]
    """Processing elements per cluster. Each adds up to four vectors to an accumulator per cycle."""
    accumulators: Annotated[int, Field(ge=4, le=16)]
    """Accumulators per PE and lane, in each of two halves: the filters or phases of one pass."""
    act_w: Annotated[int, Field(ge=4, le=8)]
    """Bits of an activation."""
    acc_w: Annotated[int, Field(ge=12, le=32)]
    """Bits of an accumulator. A graph whose sums could need more is refused."""
    mul_w: Annotated[int, Field(ge=8, le=18)]
    """Bits of the requantisation multiplier, the engine's only multiplier."""
    fm_words: Annotated[int, Field(ge=64, le=MOST_FM_WORDS)]
    """Words in each bank of the feature memory. A word holds four channels of one pixel. Maps that do not
    fit spill to DDR."""
    axi_data_w: Annotated[int, Field(ge=64, le=1024)]
    """Bits of the AXI4 data bus. The tape streams over it."""
    burst_beats: Annotated[int, Field(ge=16, le=64)] = 64
    """Beats of the longest AXI burst. Some interconnects take at most 16, as AXI3 does."""
    input_table: bool = False
    """Whether LOAD looks the bytes of an image up in tables, which come with the tape: 256 entries for each of up to
    three channels."""
    first_layer: bool = False
    """Whether LOAD can compute the first layer on multipliers, beside the frame before: a convolution of 3x3 pixels of
    three channels, and the pool that follows."""
    general_requant: bool = False
    """Whether a layer may have a clamp of its own, and ties that go to the even result."""
    block_windows: Annotated[int, Field(ge=0)] = 0
    """PEs of all clusters whose windows lie in block RAM instead of MLABs: for a chip that has block RAM left and is
    short of ALMs."""
    memory: str = memories.DEFAULT
    """Memory that cycles are counted with, by its name or `FILE.yaml:NAME`; not a parameter of the engine."""

    @field_validator(
        "clusters",
        "drains",
        "pes",
        "accumulators",
        "axi_data_w",
        "burst_beats",
    )
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        _require(value & (value - 1) == 0, "must be a power of two")
        return value

    @field_validator("tile_h", "tile_w")
    @classmethod
    def _odd(cls, value: int) -> int:
        _require(value % 2 == 1, "must be odd, so that a stride of two meets every bank once")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> EngineConfig:
        _require(self.acc_w >= self.act_w + 4, "acc_w must be at least act_w + 4")
        _require(self.drains <= self.clusters, f"drains must be at most clusters = {self.clusters}")
        _require(self.block_windows <= self.all_pes, f"block_windows must be at most all PEs, {self.all_pes}")
        most = 4096 // self.beat_bytes
        _require(self.burst_beats <= most, f"burst_beats must be at most {most}, as a burst has at most 4 KB")
        return self

    @property
    def lanes(self) -> int:
        """Pixels of a tile; each is a lane in every PE."""
        return self.tile_h * self.tile_w

    @property
    def drain_clusters(self) -> int:
        """Clusters that share a drain."""
        return self.clusters // self.drains

    @property
    def all_pes(self) -> int:
        """PEs of all clusters."""
        return self.clusters * self.pes

    @property
    def all_lanes(self) -> int:
        """Lanes of all PEs. Each can add a vector of each channel of a word in a cycle."""
        return self.all_pes * self.lanes

    @property
    def beat_bytes(self) -> int:
        """Bytes of one bus beat."""
        return self.axi_data_w // 8

    def in_beats(self, size: int) -> int:
        """`size` bytes rounded up to whole bus beats."""
        return -(-size // self.beat_bytes) * self.beat_bytes

    @property
    def word_beats(self) -> int:
        """Bus beats that carry one feature memory word of all lanes."""
        return -(-self.lanes * WORD_CHANNELS // self.beat_bytes)

    @property
    def word_bytes(self) -> int:
        """Bytes that one feature memory word of all lanes takes in memory, whole beats."""
        return self.word_beats * self.beat_bytes

    @property
    def memory_timing(self) -> Memory:
        """The memory that cycles are counted with. Raises SternaError if there is none of that name."""
        return memories.load_memory(self.memory)

    @property
    def hash(self) -> int:
        """CRC-32 of the parameters that a tape depends on; it carries it and the engine compares it with its own.

        One that has its default changes nothing, so that a later parameter leaves engines and tapes as they are.
        """
        fields = self.model_dump(exclude=set(_NOT_HASHED), exclude_defaults=True)
        return zlib.crc32(json.dumps(fields, sort_keys=True).encode())


def about_configs(path: Path = CONFIGS) -> dict[str, str]:
    """What the file says about each config, a sentence by name."""
    return named.about(path, "config")


def config_names(path: Path = CONFIGS) -> list[str]:
    """Names of the configs in `path`."""
    return list(named.read_all(path, "config"))


def make_config(name: str, fields: object, where: str) -> EngineConfig:
    """Validate `fields` as the config `name`; `where` names their origin in errors."""
    where = f"{where}: {name}"
    if not isinstance(fields, dict):
        raise SternaError("is not a mapping of parameters", where=where, remedy=_REMEDY)
    _check_names(fields, where)
    return EngineConfig.model_validate({"name": name} | fields, context=where)


def _check_names(fields: dict[Any, Any], where: str) -> None:
    names = [name for name in EngineConfig.model_fields if name != "name"]
    for name, value in fields.items():
        if name not in names:
            raise SternaError(
                "there is no such parameter",
                where=where,
                attribute=str(name),
                value=value,
                allowed=", ".join(names),
                remedy=_remedy_of(name),
            )
    missing = [name for name in names if name not in fields and EngineConfig.model_fields[name].is_required()]
    if missing:
        raise SternaError(
            "a parameter is missing", where=where, attribute="parameter", value=missing[0], remedy=_REMEDY
        )


def _remedy_of(name: object) -> str:
    if name in GONE:
        return "remove it: engines have no such part any more"
    return f"it is now {_RENAMED[str(name)]}" if name in _RENAMED else "correct its name or remove it"


@checked
def load_config(spec: str) -> EngineConfig:
    """Load a named config, or `FILE.yaml:NAME` (the name may be left out if the file holds one).

    Raises SternaError if the name or file is unknown or a parameter is out of range.

    >>> sterna.load_config("nano").pes
    4
    """
    file, name = named.place(spec, CONFIGS)
    name, fields = named.read(file, "config", name, "name one of these or give FILE.yaml:NAME")
    return make_config(name, fields, str(file))
