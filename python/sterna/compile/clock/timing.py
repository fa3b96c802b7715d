"""The lengths of the RTL's pipelines, as numbers for the cycle model.

Each is what the named module of `hw/rtl` takes or holds, in clock cycles or items. State machines that take one cycle
per state are not here: they are modelled as they are, in the file of their part. When a module changes,
`scripts/check_clock.py` shows where the model departs from the count: it is exact as long as it follows the RTL.
"""

from __future__ import annotations

#: `sim/harness/axi_memory.cpp`: from a burst's address to its first beat, or from the last beat written to the
#: response, besides the latency of the memory.
ANSWER_CYCLES = 1
#: Bursts that the memory holds, and that reader and writer have outstanding.
BURSTS = 16
#: The reader's buffer for the tape. Beats of the longest burst of a LOAD, and its shortest buffer; a longer one has as
#: many beats as a quarter of a beat's bits, and lies in block RAM.
TAPE_BUFFER_BEATS = 512
LOAD_BURST_BEATS = 16
LOAD_BUFFER_BEATS = 32
#: `sterna_frame_load`: most channels that can lie side by side, those of a word of scratch memory.
LOAD_CHANNELS = 4
#: Writes that it holds.
LOAD_WRITES = 8
#: `sterna_burst_splitter`: from a transfer or a burst that is taken to the next burst offered.
BURST_CYCLES = 2
#: `sterna_tape_requester`: from the start, or a command taken, to the next command; from a step to its first one.
COMMAND_CYCLES = 3
FIRST_COMMAND_CYCLES = 3
#: `sterna_tape_reader`: beats in front of the walk.
TAPE_BEATS = 2

#: `sterna_first_layer`: rows in its ring; pixels in its queue; from a column to its first pixel there, from a group
#: of filters to its activations; words of a group.
FIRST_ROWS = 8
FIRST_QUEUE_PIXELS = 32
FIRST_PIXEL_LATENCY = 20
FIRST_REQUANT_LATENCY = 9
FIRST_GROUP_WORDS = 4
#: Columns of the pieces of which every fourth cycle takes one, instead of every second.
WIDE_PIECE = 8

#: `sterna_fifo`: from an item taken to the item offered. `sterna_ram_fifo`: the same, and what it holds beside its RAM.
FIFO_LATENCY = 1
RAM_FIFO_LATENCY = 3
RAM_FIFO_EXTRA = 2
#: `sterna_fifo_chain`: items of a stage; each takes FIFO_LATENCY.
STAGE_DEPTH = 32

#: `sterna_distributor`: beats in front of its records, beats of rounds.
DISTRIBUTOR_BEATS = 8
ROUND_BEATS = 32
#: `sterna_engine`: rounds that wait for their issue.
ROUND_DEPTH = 16

#: `sterna_gather`: from the request of a window to its word.
GATHER_LATENCY = 15
#: Reads of the store that wait in front of it.
ASKS = 2
#: `sterna_issuer`: beats of fetch words in front of the serializer, fetch words behind the block RAM; from a window's
#: request until its word is in the windows.
FETCH_BEATS = 16
NEAR_WORDS = 2
FLIGHT_CYCLES = GATHER_LATENCY + 2

#: `sterna_drain`: passes not drained, and words queued; from a step of the reader to its channel in the word queue,
#: besides the cycles that a round waits in its cluster.
PASS_DEPTH = 4
WORD_DEPTH = 16
DRAIN_LATENCY = 18

#: `sterna_pass_issuer`: from the start of a step to its first addresses.
PREPARE_CYCLES = 3

#: `sterna_sequencer`: steps that have begun and not ended.
OPEN_STEPS = 4
#: `sterna_feature_memory`: words of a LOAD that wait. `sterna_engine`: cycles that the drains' turns are ahead
#: of the frame.
LOAD_WORDS = 8
TURN_CYCLES = 1
#: `sterna_frame_store`: beats requested and not yet given.
STORE_BEATS_AHEAD = 32
#: `sterna_engine`, `sterna_axil_regs`: from the issue of a round to the counter of operations, besides the cycles that
#: it waits in its cluster, and to those of waiting; from the end of a step to its note there.
BUSY_LATENCY = 5
WAIT_LATENCY = 2
STEP_END_LATENCY = 1
