"""The bus: bursts of both ports of the AXI reader and the memory that answers (`sterna_axi_reader`,
`sterna_burst_splitter`, `sim/harness/axi_memory.cpp`)."""

from __future__ import annotations

from sterna.compile.clock.jit import compiled
from sterna.compile.clock.state import BEAT_RING, Record, Records
from sterna.compile.clock.timing import (
    ANSWER_CYCLES,
    BURST_CYCLES,
    BURSTS,
    COMMAND_CYCLES,
    FIFO_LATENCY,
    LOAD_BUFFER_BEATS,
    LOAD_BURST_BEATS,
    RAM_FIFO_LATENCY,
    TAPE_BUFFER_BEATS,
)

TAPE_PORT, LOAD_PORT = 0, 1


@compiled
def burst_beats(left: int, address: int, longest: int) -> int:
    """Beats of the next burst of a transfer of which `left` beats are left, from beat `address` on."""
    return min(left, longest - address % longest)


def set_ports(ports: Records, longest: int, beat_bytes: int) -> None:
    """The differences between the two ports; `longest`: beats of the longest burst for the tape."""
    load_buffer = max(LOAD_BUFFER_BEATS, 2 * beat_bytes)
    ports["longest"] = longest, LOAD_BURST_BEATS
    ports["most"] = TAPE_BUFFER_BEATS - longest, load_buffer - LOAD_BURST_BEATS
    ports["hurries"] = ports["most"]
    ports["latency"] = RAM_FIFO_LATENCY, FIFO_LATENCY if load_buffer == LOAD_BUFFER_BEATS else RAM_FIFO_LATENCY


@compiled
def beat_there(port: Record, now: int) -> bool:
    """A beat waits to be taken."""
    return port.count > 0 and port.time[port.head] + port.latency <= now


@compiled
def take_beat(port: Record) -> None:
    """Take it."""
    port.head = (port.head + 1) & (BEAT_RING - 1)
    port.count -= 1
    port.leaves = 1


@compiled
def pauses(bus: Record, now: int, machine: Record) -> bool:
    """Whether the memory moves no beat in this cycle, for a refresh or a gap."""
    cycle = now - bus.first_cycle
    return cycle % machine.refresh_every < machine.refresh_cycles or cycle % machine.gap_every < machine.gap_cycles


@compiled
def _receive(bus: Record, ports: Records, now: int, machine: Record) -> bool:
    """The memory gives a beat; whether it is the last of its burst."""
    if bus.count == 0 or bus.time[bus.head] > now or pauses(bus, now, machine):
        return False
    port = ports[bus.port[bus.head]]
    port.time[(port.head + port.count) & (BEAT_RING - 1)] = now
    port.count += 1
    bus.beats[bus.head] -= 1
    if bus.beats[bus.head] > 0:
        return False
    bus.head = (bus.head + 1) & (BURSTS - 1)
    bus.count -= 1
    return True


@compiled
def _choose(ports: Records) -> int:
    """The first port that asks for a burst; -1 if none does."""
    for index in range(len(ports)):
        if ports[index].left > 0 and ports[index].wait == 0 and ports[index].has_room:
            return index
    return -1


@compiled
def _ask(bus: Record, port: Record, index: int) -> None:
    beats = burst_beats(port.left, port.address, port.longest)
    bus.ar_first = index == TAPE_PORT and port.address == 0
    port.left -= beats
    port.address += beats
    port.reserved += beats
    port.wait = BURST_CYCLES
    bus.ar_valid = 1
    bus.ar_port = index
    bus.ar_beats = beats
    bus.outstanding += 1


@compiled
def _count_reserved(port: Record) -> None:
    port.has_room = port.reserved <= port.most
    port.reserved -= port.leaves
    port.leaves = 0


@compiled
def _send_address(bus: Record, now: int, machine: Record) -> None:
    place = (bus.head + bus.count) & (BURSTS - 1)
    bus.time[place] = now + ANSWER_CYCLES + machine.memory_latency
    bus.port[place] = bus.ar_port
    bus.beats[place] = bus.ar_beats
    bus.count += 1
    bus.ar_valid = 0
    if bus.ar_first:
        bus.first_cycle = now + 1


@compiled
def _take_tape_command(tape: Record, port: Record, machine: Record) -> None:
    """The commands of a step: to the end of its WEIGHTS, WEIGHTS again for each group; the last one to the limit."""
    end = tape.limit if tape.commands == 1 else tape.stop
    port.left = (end - tape.start) * machine.line_beats
    port.address = tape.start * machine.line_beats
    port.wait = BURST_CYCLES
    tape.start = tape.again
    tape.commands -= 1
    tape.command_wait = COMMAND_CYCLES


@compiled
def cycle_bus(
    bus: Record, ports: Records, tape: Record, load_step: Record, load_start: int, now: int, machine: Record
) -> None:
    """A cycle of reading; `load_start`: the LOAD `load_step` is requested."""
    tape_free = ports[TAPE_PORT].left == 0
    room = bus.outstanding < BURSTS
    address_free = bus.count < BURSTS
    ends = _receive(bus, ports, now, machine)
    may_ask = room and (not bus.ar_valid or address_free)
    if bus.ar_valid and address_free:
        _send_address(bus, now, machine)
    chosen = _choose(ports) if may_ask else -1
    for index in range(len(ports)):
        _count_reserved(ports[index])
    if chosen >= 0:
        _ask(bus, ports[chosen], chosen)
    bus.outstanding -= ends
    if tape_free and tape.commands > 0 and tape.command_wait == 0:
        _take_tape_command(tape, ports[TAPE_PORT], machine)
    if load_start:
        ports[LOAD_PORT].left = load_step.beats
        ports[LOAD_PORT].address = load_step.address
        ports[LOAD_PORT].wait = BURST_CYCLES
        # The image of the next frame is in no hurry, unless it is that of the first layer.
        least = LOAD_BUFFER_BEATS - LOAD_BURST_BEATS
        waits = load_step.next and load_step.first_words == 0
        ports[LOAD_PORT].most = least if waits else ports[LOAD_PORT].hurries
    for index in range(len(ports)):
        ports[index].wait = max(ports[index].wait - 1, 0)
    tape.command_wait = max(tape.command_wait - 1, 0)
