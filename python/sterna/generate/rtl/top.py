"""The thin top: the ports and parameters of `sterna_engine` with the values of a config."""

from __future__ import annotations

from typing import NamedTuple

from sterna.spec.config import EngineConfig
from sterna.spec.registers import ADDRESS_BITS

#: The module that the top instantiates.
ENGINE = "sterna_engine"

BUS_ADDRESS_BITS = 64
REGISTER_BITS = 32


class Port(NamedTuple):
    """A port of the top and of the engine."""

    direction: str
    range: str
    name: str


def _channel(prefix: str, direction: str, fields: dict[str, int]) -> list[Port]:
    """A valid/ready channel whose payload goes in `direction`; a field of 0 bits is a plain wire."""
    back = "output" if direction == "input" else "input"
    payload = [Port(direction, f"[{bits - 1}:0]" if bits else "", prefix + field) for field, bits in fields.items()]
    return [*payload, Port(direction, "", f"{prefix}valid"), Port(back, "", f"{prefix}ready")]


def ports(config: EngineConfig) -> list[Port]:
    """The ports, in order."""
    address = {"id": 1, "addr": BUS_ADDRESS_BITS, "len": 8, "size": 3, "burst": 2}
    address |= {"lock": 0, "cache": 4, "prot": 3, "qos": 4}
    data = config.axi_data_w
    return [
        Port("input", "", "clk_i"),
        Port("input", "", "rst_ni"),
        *_channel("s_axil_aw", "input", {"addr": ADDRESS_BITS, "prot": 3}),
        *_channel("s_axil_w", "input", {"data": REGISTER_BITS, "strb": REGISTER_BITS // 8}),
        *_channel("s_axil_b", "output", {"resp": 2}),
        *_channel("s_axil_ar", "input", {"addr": ADDRESS_BITS, "prot": 3}),
        *_channel("s_axil_r", "output", {"data": REGISTER_BITS, "resp": 2}),
        *_channel("m_axi_aw", "output", address),
        *_channel("m_axi_w", "output", {"data": data, "strb": data // 8, "last": 0}),
        *_channel("m_axi_b", "input", {"id": 1, "resp": 2}),
        *_channel("m_axi_ar", "output", address),
        *_channel("m_axi_r", "input", {"id": 1, "data": data, "resp": 2, "last": 0}),
        Port("output", "", "irq_o"),
    ]


def parameters(config: EngineConfig) -> dict[str, str]:
    """The parameters of `sterna_engine` as SystemVerilog values."""
    numbers = {
        "TileH": config.tile_h,
        "TileW": config.tile_w,
        "Clusters": config.clusters,
        "Drains": config.drains,
        "Pes": config.pes,
        "Accumulators": config.accumulators,
        "BufferVectors": config.buffer_vectors,
        "ActW": config.act_w,
        "AccW": config.acc_w,
        "MulW": config.mul_w,
        "FmWords": config.fm_words,
        "AxiDataW": config.axi_data_w,
        "BurstBeats": config.burst_beats,
        "ChunkBytes": config.chunk_bytes,
        "FifoChunks": config.fifo_chunks,
        "InputTable": int(config.input_table),
    }
    return {**{name: str(value) for name, value in numbers.items()}, "ConfigHash": f"32'h{config.hash:08x}"}
