"""How many clock cycles a frame takes on engines of different shape: exact, and without a simulation."""

import sterna

nano = sterna.load_config("nano")
for changes in ({}, {"pes": 8}, {"tile_h": 7, "tile_w": 7}, {"clusters": 4, "drains": 2}):
    engine = nano.model_copy(update=changes)
    package = sterna.compile("demo-nano", engine)
    shape = f"{engine.tile_h}x{engine.tile_w} lanes, {engine.clusters} clusters of {engine.pes} PEs"
    print(f"{shape}: {package.schedule.queued_cycles:,} cycles per frame")
