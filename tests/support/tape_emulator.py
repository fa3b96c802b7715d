"""A slow, plain reading of docs/reference/tape.md: runs a tape on memory images, round by round.

It shares only the bit layouts (sterna.spec) with the compiler, so that a tape is checked without the RTL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.package import layout
from sterna.package.package import Package
from sterna.spec import tape
from sterna.spec.activations import Activation
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.tape import AFTER_ALL, BESIDE_LOADS, MOST_BESIDE_STORES, Op, Pool, SegmentKind
from support.rounds import Accumulators, Vectors, read_rounds


def emulated(package: Package, image: np.ndarray) -> dict[str, np.ndarray]:
    """Every stored layer as the tape computes it."""
    emulator = TapeEmulator(package.config, package.tape)
    result = emulator.run(layout.frame(image), package.schedule.result_bytes, package.schedule.scratch_bytes)
    assert emulator.additions == sum(step.nonzeros for step in package.schedule.steps)
    return {
        store.layer: layout.unpack(
            result[store.dram_offset : store.dram_offset + layout.region_bytes(store, package.config)],
            store,
            package.config,
        )
        for store in package.schedule.stores
    }


class TapeEmulator:
    """Runs the frames of one tape. `additions` counts executed additions of the last frame."""

    def __init__(self, config: EngineConfig, data: bytes) -> None:
        self.config = config
        self.segments = tape.read(data).segments
        shape = (config.fm_words, config.tile_h, config.tile_w, WORD_CHANNELS)
        self.memory = np.zeros(shape, np.int64)
        #: Channels of words made by the CONV step before, and how many words their drain had then written; words of the
        #: next image.
        self.made: dict[int, int] = {}
        self.next_image: range = range(0)
        self.tables: list[list[int]] = []
        #: The step of the first layer's numbers, the requantisation word and the weights [C, 3, 3] of each filter.
        self.first: tuple[dict[str, int], list[int], np.ndarray] = {}, [], np.zeros(0)
        self.additions = 0
        #: The accumulators of each cluster, of the half that the last pass used, and of the other.
        self.halves = [[Accumulators(config) for _ in range(config.clusters)] for _ in range(2)]
        #: STORE steps that have begun, each done as late as the tape allows, and what the CONV step before it made.
        self.open_stores: list[tuple[dict[str, int], dict[int, int]]] = []
        #: What the LOAD that goes on writes in the end, word by word; until then the words hold something else.
        self.open_load: dict[int, np.ndarray] = {}
        self.result, self.scratch = bytearray(), bytearray()

    def run(self, frame: bytes, result_bytes: int, scratch_bytes: int = 0) -> bytes:
        """Result memory after one frame."""
        self.result, self.scratch = bytearray(result_bytes), bytearray(b"\x63" * scratch_bytes)
        self.additions, self.made, self.next_image = 0, {}, range(0)
        segments = iter(self.segments)
        for segment in segments:
            assert segment.kind is SegmentKind.STEP
            step = tape.unpack_step(segment.payload)
            stores, loads = step["beside"] % BESIDE_LOADS, step["beside"] // BESIDE_LOADS
            self._end_stores(MOST_BESIDE_STORES - 1 if step["op"] == Op.STORE else stores)
            if not loads:
                self._end_load()
            if step["op"] == Op.CONV:
                requant, weights = next(segments), next(segments)
                assert (requant.kind, weights.kind) == (SegmentKind.REQUANT, SegmentKind.WEIGHTS)
                assert (len(requant.payload), len(weights.payload)) == (step["requant_bytes"], step["weights_bytes"])
                self._conv(step, requant.payload, weights.payload)
            elif step["op"] == Op.TABLE:
                self._fill_tables(next(segments))
            elif step["op"] == Op.FIRST:
                self._fill_first(step, next(segments))
            elif step["next"]:
                self._load_next(step)
            elif step["op"] == Op.LOAD:
                load = self._words if step["scratch"] else self._first_map if step["group_words"] else self._pixels
                self._begin_load(load(step, frame))
            else:
                self.open_stores.append((step, self.made))
        self._end_stores(0)
        self._end_load()
        return bytes(self.result)

    def _end_stores(self, beside: int) -> None:
        """All but the last `beside` of them."""
        while len(self.open_stores) > beside:
            step, made = self.open_stores.pop(0)
            self._store(step)
            if made is self.made:
                # All steps before it have ended.
                self.made = {}

    def _begin_load(self, words: dict[int, np.ndarray]) -> None:
        assert not {place >> 2 for place in self.made} & set(words), "a LOAD writes over what may not be written yet"
        self.open_load = words
        self.memory[list(words)] = 99

    def _end_load(self) -> None:
        for word, pixels in self.open_load.items():
            assert (self.memory[word] == 99).all(), "a word of a LOAD that goes on is written"
            self.memory[word] = pixels
        self.open_load = {}

    def _fill_tables(self, segment: tape.Segment) -> None:
        assert segment.kind is SegmentKind.REQUANT
        words = [tape.INPUT_WORD.from_bytes(segment.payload[at : at + 8]) for at in range(0, 2048, 8)]
        self.tables = [[word[f"channel_{c}"] for word in words] for c in range(3)]
        assert len(segment.payload) == 2048

    def _fill_first(self, step: dict[str, int], segment: tape.Segment) -> None:
        assert segment.kind is SegmentKind.REQUANT
        assert len(segment.payload) == step["requant_bytes"] == tape.FIRST_FILTERS * tape.FIRST_WORDS * 8
        filters = np.frombuffer(segment.payload, np.int8).reshape(tape.FIRST_FILTERS, -1)
        assert not filters[:, 8 + 27 :].any()
        words = [int.from_bytes(each[:8].tobytes(), "little") for each in filters]
        self.first = step, words, filters[:, 8 : 8 + 27].reshape(-1, 3, 3, 3).astype(np.int64)

    def _first_map(self, step: dict[str, int], frame: bytes) -> dict[int, np.ndarray]:
        """The map of the first layer: as many words of a pixel as the step says."""
        config, (numbers, words, weights) = self.config, self.first
        image = self._image(step, frame)
        _, height, width = image.shape
        padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), constant_values=numbers["pad_value"])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        sums = np.einsum("fcij,cyxij->fyx", weights, windows)
        if step["pool"] == Pool.MAX:
            height, width = height // 2, width // 2
            sums = sums[:, : 2 * height, : 2 * width].reshape(-1, height, 2, width, 2).max(axis=(2, 4))
        plane = step["out_plane"]
        assert (step["out_tiles_h"], step["out_tiles_w"]) == (-(-height // config.tile_h), -(-width // config.tile_w))
        assert (
            step["fm_words"]
            == step["group_words"] * plane
            == step["group_words"] * (step["out_tiles_h"] * step["out_tiles_w"])
        )
        made = {step["fm_base"] + word: self.memory[step["fm_base"] + word].copy() for word in range(step["fm_words"])}
        for f in range(step["group_words"] * WORD_CHANNELS):
            values = self._requantise(numbers, sums[f], words[f])
            for (y, x), value in np.ndenumerate(values):
                tile = y // config.tile_h * step["out_tiles_w"] + x // config.tile_w
                word = step["fm_base"] + f // WORD_CHANNELS * plane + tile
                made[word][y % config.tile_h, x % config.tile_w, f % WORD_CHANNELS] = value
        return made

    def _words(self, step: dict[str, int], _: bytes) -> dict[int, np.ndarray]:
        """Words of scratch memory, as STORE leaves them; the step counts them as rows of one tile."""
        config, count = self.config, step["fm_words"]
        assert (step["in_full_rows"], step["in_full_cols"], step["filters"]) == (count, 1, 1)
        assert not step["in_extra_rows"] and not step["in_extra_cols"]
        assert step["dram_bytes"] == count * config.word_bytes
        data = np.frombuffer(bytes(self.scratch[step["dram_offset"] :][: step["dram_bytes"]]), np.int8)
        words = data.reshape(count, config.word_bytes)[:, : config.lanes * WORD_CHANNELS]
        pixels = words.reshape(count, config.tile_h, config.tile_w, WORD_CHANNELS)
        return {step["fm_base"] + index: word.astype(np.int64) for index, word in enumerate(pixels)}

    def _pixels(self, step: dict[str, int], frame: bytes) -> dict[int, np.ndarray]:
        config, image = self.config, self._image(step, frame)
        channels, height, width = image.shape
        tiles = -(-height // config.tile_h), -(-width // config.tile_w)
        assert step["fm_words"] == -(-channels // WORD_CHANNELS) * tiles[0] * tiles[1]
        words = {step["fm_base"] + word: self.memory[step["fm_base"] + word].copy() for word in range(step["fm_words"])}
        for (c, y, x), pixel in np.ndenumerate(image):
            word = (c // WORD_CHANNELS * tiles[0] + y // config.tile_h) * tiles[1] + x // config.tile_w
            words[step["fm_base"] + word][y % config.tile_h, x % config.tile_w, c % WORD_CHANNELS] = pixel
        return words

    def _image(self, step: dict[str, int], frame: bytes) -> np.ndarray:
        """Activations [C, H, W]; three channels come pixel by pixel, others plane after plane."""
        config, channels = self.config, step["filters"]
        height = step["in_full_rows"] * config.tile_h + step["in_extra_rows"]
        width = step["in_full_cols"] * config.tile_w + step["in_extra_cols"]
        values = np.frombuffer(frame[step["dram_offset"] :][: channels * height * width], np.int8)
        values = values.reshape(height, width, 3).transpose(2, 0, 1) if channels == 3 else values
        values = values.reshape(channels, height, width)
        pixels = values.astype(np.int64) >> (8 - config.act_w)
        for c in range(channels if config.input_table else 0):
            if c % WORD_CHANNELS < 3:
                pixels[c] = np.array(self.tables[c % WORD_CHANNELS])[values[c].astype(np.int64) + 128]
        return pixels

    def _store(self, step: dict[str, int]) -> None:
        config, used = self.config, self.config.lanes * WORD_CHANNELS
        target = self.scratch if step["scratch"] else self.result
        assert step["dram_bytes"] == step["fm_words"] * config.word_bytes
        for index in range(step["fm_words"]):
            at = step["dram_offset"] + index * config.word_bytes
            target[at : at + used] = self.memory[step["fm_base"] + index].astype(np.int8).tobytes()

    def _load_next(self, step: dict[str, int]) -> None:
        """The next image may come at any time from here on: nothing may touch its words."""
        self.next_image = range(step["fm_base"], step["fm_base"] + step["fm_words"])
        self.memory[self.next_image] = 99

    def _conv(self, step: dict[str, int], table: bytes, payload: bytes) -> None:
        config, at_once = self.config, step["tiles_at_once"]
        groups = config.clusters // at_once
        streamed = read_rounds(config, payload, groups * config.pes)
        streamed.check_order(config, at_once)
        written: list[tuple[int, int, NDArray[np.int64]]] = []
        counts = self._counts(step)
        for tile_group in range(step["tile_groups"]):
            self.halves.reverse()
            # Words of tile groups before the last one are there before the last one's first.
            early = counts and tile_group < step["tile_groups"] - 1
            for cluster, accumulators in enumerate(self.halves[0]):
                group, tile = cluster // at_once, tile_group * at_once + cluster % at_once
                if tile >= step["out_plane"]:
                    continue
                words = self._words_of(step, streamed.fetches, *divmod(tile, step["out_tiles_w"]))
                accumulators.run(streamed.rounds, words, group * config.pes)
                for place, channel, value in self._drained(step, table, accumulators, group, tile):
                    written.append((place, 1 if early else counts.get((cluster, channel), AFTER_ALL), value))
        self.additions += streamed.operands * step["out_plane"]
        self.made = {}
        for place, count, value in written:
            assert place >> 2 not in self.next_image
            self.memory[place >> 2, :, :, place & 3] = value
            self.made[place] = count

    def _counts(self, step: dict[str, int]) -> dict[tuple[int, int], int]:
        """Words of the last tile group that its drain has written when each (cluster, channel) is; none for KEEP."""
        config = self.config
        counts: dict[tuple[int, int], int] = {}
        if step["pool"] == Pool.KEEP:
            return counts
        last_tiles = step["out_plane"] - (step["tile_groups"] - 1) * step["tiles_at_once"]
        row = config.pes
        for drain in range(config.drains):
            clusters = range(drain * config.drain_clusters, (drain + 1) * config.drain_clusters)
            count = 0
            for first in range(0, step["filters"], row):
                for cluster in (c for c in clusters if c % step["tiles_at_once"] < last_tiles):
                    channels = range(first, min(first + row, step["filters"]))
                    for start in channels[::4]:
                        count += 1
                        counts |= {(cluster, c): count for c in channels if start <= c < start + 4}
        return counts

    def _drained(
        self, step: dict[str, int], table: bytes, accumulators: Accumulators, group: int, tile: int
    ) -> list[tuple[int, int, NDArray[np.int64]]]:
        """Place (word and byte), channel and value of all that a cluster writes."""
        words = np.frombuffer(table, "<u8")
        results = []
        phases = 1 if step["pool"] == Pool.NONE else 4
        for channel in range(step["filters"]):
            row, pe = divmod(channel, self.config.pes)
            sums = accumulators.values[pe, row * phases : (row + 1) * phases]
            word = group * step["group_words"] + channel // 4
            plane, entry = step["out_plane"], int(words[group * step["filters"] + channel])
            if step["pool"] == Pool.KEEP:
                for phase, kept in enumerate(sums):
                    place = step["keep_base"] + (word * 4 + phase) * plane + tile
                    results.append((place * 4 + channel % 4, channel, self._requantise(step, kept, entry)))
            place = step["fm_base"] + word * plane + tile
            value = self._requantise(step, sums.max(axis=0), entry)
            results.append((place * 4 + channel % 4, channel, value))
        return results

    def _requantise(self, step: dict[str, int], value: NDArray[np.int64], word: int) -> NDArray[np.int64]:
        multiplier = word & ((1 << tape.REQUANT_MULTIPLIER_BITS) - 1)
        bias = word >> tape.REQUANT_MULTIPLIER_BITS
        bias -= (bias >> (tape.REQUANT_BIAS_BITS - 1)) << tape.REQUANT_BIAS_BITS
        eighths = 8 * (value * multiplier + bias)
        if step["activation"] == Activation.RELU:
            eighths = np.maximum(eighths, 0)
        elif step["activation"] == Activation.LEAKY:
            eighths = np.where(eighths < 0, eighths >> 3, eighths)
        one = 8 << step["shift"]
        raised = eighths + (one >> 1 if step["shift"] else 0)
        result = raised >> (step["shift"] + 3)
        if step["half_even"] and step["shift"]:
            result -= result & (raised & (one - 1) == 0)
        limit = 1 << (self.config.act_w - 1)
        assert -limit <= step["clamp_low"] < step["clamp_high"] < limit
        return np.clip(result, step["clamp_low"], step["clamp_high"])

    def _words_of(
        self, step: dict[str, int], fetches: list[dict[str, int]], tile_row: int, tile_col: int
    ) -> list[Vectors]:
        """The words [row, column, channel] that a tile takes in a pass."""
        words = []
        for fetch in fetches:
            stride = step["gather_stride"]
            top = (tile_row * stride + fetch["tile_row"]) * self.config.tile_h + fetch["row"]
            left = (tile_col * stride + fetch["tile_col"]) * self.config.tile_w + fetch["col"]
            words.append(self._window(step, fetch, top, left))
        return words

    def _window(self, step: dict[str, int], fetch: dict[str, int], top: int, left: int) -> NDArray[np.int64]:
        th, tw, stride = self.config.tile_h, self.config.tile_w, step["gather_stride"]
        height = step["in_full_rows"] * th + step["in_extra_rows"]
        width = step["in_full_cols"] * tw + step["in_extra_cols"]
        rows, cols = top + stride * np.arange(th), left + stride * np.arange(tw)
        inside = ((rows >= 0) & (rows < height))[:, None] & ((cols >= 0) & (cols < width))[None, :]
        rows, cols = np.clip(rows, 0, height - 1)[:, None], np.clip(cols, 0, width - 1)[None, :]
        words = fetch["plane"] + rows // th * step["in_tiles_w"] + cols // tw
        # Garbage beyond a map's edge may be read too early, its pixels may not.
        for word in np.unique(np.where(inside, words, -1)).tolist():
            assert word not in self.next_image
            # Block RAM gives nothing of a word of which a channel is being written, so all of them count.
            made = [self.made.get(4 * word + c, 0) for c in range(WORD_CHANNELS)]
            assert max(made) <= fetch["after"], "a word may be read before all of it is written"
        return np.where(inside[:, :, None], self.memory[words, rows % th, cols % tw], step["pad_value"])
