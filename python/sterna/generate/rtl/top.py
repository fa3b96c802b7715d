"""The thin top: the parameters of `sterna_engine` with the values of a config."""

from __future__ import annotations

from sterna.spec.config import EngineConfig

#: The module that the top instantiates.
ENGINE = "sterna_engine"


def parameters(config: EngineConfig) -> dict[str, str]:
    """The parameters of `sterna_engine` as SystemVerilog values."""
    numbers = {
        "TileH": config.tile_h,
        "TileW": config.tile_w,
        "Clusters": config.clusters,
        "Drains": config.drains,
        "Pes": config.pes,
        "Accumulators": config.accumulators,
        "ActW": config.act_w,
        "AccW": config.acc_w,
        "MulW": config.mul_w,
        "FmWords": config.fm_words,
        "AxiDataW": config.axi_data_w,
        "BurstBeats": config.burst_beats,
        "InputTable": int(config.input_table),
        "FirstLayer": int(config.first_layer),
        "GeneralRequant": int(config.general_requant),
        "BlockWindows": config.block_windows,
    }
    return {**{name: str(value) for name, value in numbers.items()}, "ConfigHash": f"32'h{config.hash:08x}"}
