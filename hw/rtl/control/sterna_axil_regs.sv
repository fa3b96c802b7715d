// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// AXI4-Lite register file: identity, control, status, counters of the last frame and of each of
/// its steps.
module sterna_axil_regs #(
  /// Value of CONFIG_HASH.
  parameter logic [31:0] ConfigHash = '0,
  /// Value of CAPABILITY_TILE.
  parameter logic [31:0] CapabilityTile = '0,
  /// Value of CAPABILITY_PE.
  parameter logic [31:0] CapabilityPe = '0,
  /// Value of CAPABILITY_WORDS.
  parameter logic [31:0] CapabilityWords = '0,
  /// PEs of the engine.
  parameter int unsigned AllPes = 8
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,

  /// AXI4-Lite write address. All channels take what comes into registers, and say from registers
  /// that they can.
  input  logic                          aw_valid_i,
  /// It is taken.
  output logic                          aw_ready_o,
  /// The address; unknown ones are ignored.
  input  axil_address_t                 aw_i,
  /// AXI4-Lite write data.
  input  logic                          w_valid_i,
  /// It is taken.
  output logic                          w_ready_o,
  /// The data, and which of its bytes to write.
  input  axil_write_t                   w_i,
  /// AXI4-Lite write response.
  output logic                          b_valid_o,
  /// It is taken.
  input  logic                          b_ready_i,
  /// Always OKAY.
  output logic [1:0]                    b_resp_o,
  /// AXI4-Lite read address.
  input  logic                          ar_valid_i,
  /// It is taken.
  output logic                          ar_ready_o,
  /// The address; unknown ones read as 0.
  input  axil_address_t                 ar_i,
  /// AXI4-Lite read data.
  output logic                          r_valid_o,
  /// It is taken.
  input  logic                          r_ready_i,
  /// The data; the response is always OKAY.
  output axil_read_t                    r_o,
  /// Interrupt, high while STATUS.IRQ and CONTROL.IRQ_ENABLE are set.
  output logic                          irq_o,

  /// Starts a frame, or queues one after the frame that runs (pulse).
  output logic                          start_o,
  /// Ends the frame (pulse).
  output logic                          abort_o,
  /// First byte of the tape, a multiple of 128.
  output logic [63:0]                   tape_addr_o,
  /// Bytes of the tape.
  output logic [31:0]                   tape_bytes_o,
  /// First byte of the frame, a multiple of 128.
  output logic [63:0]                   frame_addr_o,
  /// First byte of the result, a multiple of 128.
  output logic [63:0]                   result_addr_o,
  /// First byte of the scratch memory, a multiple of 128.
  output logic [63:0]                   scratch_addr_o,
  /// How the frame's bytes lie and count.
  output logic [1:0]                    frame_layout_o,
  /// Cycles without activity before a frame is given up; 0: never.
  output logic [31:0]                   watchdog_o,
  /// A frame runs.
  input  logic                          busy_i,
  /// Another one is queued.
  input  logic                          queued_i,
  /// The frame ends in this cycle.
  input  logic                          finish_i,
  /// Why the frame ended.
  input  logic [7:0]                    error_code_i,
  /// Segment at which the frame ended in error.
  input  logic [31:0]                   error_segment_i,

  /// A step has ended (pulse).
  input  logic                          step_end_i,
  /// PEs that issue an addition.
  input  logic [$clog2(AllPes + 1)-1:0] pes_busy_i,
  /// PEs that wait for vectors.
  input  logic [$clog2(AllPes + 1)-1:0] pes_wait_vectors_i,
  /// PEs that wait for weights.
  input  logic [$clog2(AllPes + 1)-1:0] pes_wait_weights_i,
  /// PEs that wait for the drain.
  input  logic [$clog2(AllPes + 1)-1:0] pes_wait_drain_i,
  /// A beat is read.
  input  logic                          beat_read_i,
  /// A beat is written.
  input  logic                          beat_written_i
);
  /// Bits of a count of PEs.
  localparam int unsigned CountW = $clog2(AllPes + 1);
  localparam int unsigned Counters = 7;
  /// The first counters are kept for each step too.
  localparam int unsigned StepCounters = 5;
  localparam int unsigned IndexW = $clog2(ProfileSteps);

  typedef logic [StepCounters-1:0][ProfileW-1:0] profile_t;

  // -------------------------------------------------------------------------------------- counters

  // What is counted, and the ends of steps and frames, are looked at a cycle late.
  logic [Counters-1:0][CountW-1:0] amount_d, amount_q;
  logic step_end_q, finish_q, begins_d, begins_q;
  // Of the frame that runs, and of the last one: the lower halves, and the upper ones a cycle
  // later.
  logic [Counters-1:0][31:0] low_d, low_q, high_d, high_q, last_low_q, last_high_q;
  logic [Counters-1:0] carry_d, carry_q;
  logic [31:0] steps_d, steps_q, last_steps_q;
  // Of the step that runs; of all steps, the last frame's in half `last_half_q`.
  profile_t part_d, part_q, profile_q;
  logic [StepCounters-1:0] full;
  logic last_half_q;
  (* ramstyle = "no_rw_check" *) profile_t profile_memory [2*ProfileSteps];
  logic [IndexW-1:0] profile_index_d, profile_index_q;
  logic [IndexW:0] profile_write, profile_read;
  logic [31:0] frames_q;
  logic began_q, finished_q;

  assign amount_d = {
    CountW'(beat_written_i), CountW'(beat_read_i), pes_wait_drain_i, pes_wait_weights_i,
    pes_wait_vectors_i, pes_busy_i, CountW'(busy_i)
  };
  // A frame begins: at its start, or where the one before it ends.
  assign begins_d = (start_o && !busy_i) || finish_i;

  always_comb begin
    for (int i = 0; i < int'(Counters); i++) begin
      {carry_d[i], low_d[i]} = {1'b0, low_q[i]} + 33'(amount_q[i]);
      high_d[i] = high_q[i] + 32'(carry_q[i]);
    end
    for (int i = 0; i < int'(StepCounters); i++) begin
      {full[i], part_d[i]} = {1'b0, part_q[i]} + (ProfileW + 1)'(amount_q[i]);
      if (full[i]) part_d[i] = '1;
    end
    steps_d = steps_q + 32'(step_end_q);
  end

  assign profile_write = {!last_half_q, IndexW'(steps_q)};
  assign profile_read = {last_half_q, profile_index_q};

  always_ff @(posedge clk_i) begin
    if (step_end_q && steps_q < ProfileSteps) profile_memory[profile_write] <= part_d;
    profile_q <= profile_memory[profile_read];
  end

  // ----------------------------------------------------------------------------------------- write

  // Registers are whole words; strobes choose bytes.
  logic [RegisterAddrW-1:2] aw_addr_q, ar_addr_q;
  logic [RegisterAddrW-1:0] write_addr, read_addr;
  assign write_addr = {aw_addr_q, 2'b00};
  assign read_addr = {ar_addr_q, 2'b00};

  // What was taken, and is not yet written or read.
  axil_write_t w_q;
  logic aw_held_d, aw_held_q, w_held_d, w_held_q, ar_held_d, ar_held_q;
  logic aw_ready_q, w_ready_q, ar_ready_q;

  logic write, b_valid_d, b_valid_q;
  logic [31:0] write_mask, aligned_mask;
  logic start_d, start_q, abort_d, abort_q, irq_enable_d, irq_enable_q;
  logic done_d, done_q, error_d, error_q, irq_d, irq_q, busy, queued;
  logic [63:0] tape_addr_d, tape_addr_q, frame_addr_d, frame_addr_q, result_addr_d, result_addr_q;
  logic [63:0] scratch_addr_d, scratch_addr_q;
  logic [31:0] tape_bytes_d, tape_bytes_q, watchdog_d, watchdog_q;
  logic [1:0] frame_layout_d, frame_layout_q;

  // A start takes a cycle to reach the sequencer.
  assign busy = busy_i || start_q;
  assign queued = queued_i || (busy_i && start_q);
  assign write = aw_held_q && w_held_q && (!b_valid_q || b_ready_i);
  assign b_valid_d = write || (b_valid_q && !b_ready_i);
  assign write_mask = {{8{w_q.strb[3]}}, {8{w_q.strb[2]}}, {8{w_q.strb[1]}}, {8{w_q.strb[0]}}};

  // Addresses are multiples of 128.
  assign aligned_mask = write_mask & ~32'h7f;

  function automatic logic [31:0] written(logic [31:0] old, logic [31:0] data, logic [31:0] mask);
    return (old & ~mask) | (data & mask);
  endfunction

  logic [31:0] set_bits;
  assign set_bits = w_q.data & write_mask;

  always_comb begin
    start_d = 1'b0;
    abort_d = 1'b0;
    irq_enable_d = irq_enable_q;
    done_d = done_q;
    error_d = error_q;
    irq_d = irq_q;
    watchdog_d = watchdog_q;
    profile_index_d = profile_index_q;
    if (write) begin
      unique case (write_addr)
        RegControl: begin
          start_d = |(set_bits & ControlStart) && !queued && !error_q;
          abort_d = |(set_bits & ControlAbort) && busy;
          if (w_q.strb[0]) irq_enable_d = |(set_bits & ControlIrqEnable);
        end
        RegStatus: begin
          if (|(set_bits & StatusDone)) done_d = 1'b0;
          if (|(set_bits & StatusError)) error_d = 1'b0;
          if (|(set_bits & StatusIrq)) irq_d = 1'b0;
        end
        RegWatchdog: watchdog_d = written(watchdog_q, w_q.data, write_mask);
        RegProfileIndex: if (w_q.strb[0]) profile_index_d = w_q.data[IndexW-1:0];
        default: ;
      endcase
    end
    if (finish_i) begin
      done_d = error_code_i == ErrorNone;
      error_d = error_code_i != ErrorNone;
      irq_d = 1'b1;
    end
    if (start_d && !busy) done_d = 1'b0;
  end

  // The tape cannot change while a frame runs; the rest only matters when one is started.
  always_comb begin
    tape_addr_d = tape_addr_q;
    tape_bytes_d = tape_bytes_q;
    frame_addr_d = frame_addr_q;
    result_addr_d = result_addr_q;
    scratch_addr_d = scratch_addr_q;
    frame_layout_d = frame_layout_q;
    if (write && !busy) begin
      unique case (write_addr)
        RegTapeAddrLo: tape_addr_d[31:0] = written(tape_addr_q[31:0], w_q.data, aligned_mask);
        RegTapeAddrHi: tape_addr_d[63:32] = written(tape_addr_q[63:32], w_q.data, write_mask);
        RegTapeBytes: tape_bytes_d = written(tape_bytes_q, w_q.data, write_mask);
        default: ;
      endcase
    end
    if (write) begin
      unique case (write_addr)
        RegFrameAddrLo: frame_addr_d[31:0] = written(frame_addr_q[31:0], w_q.data, aligned_mask);
        RegFrameAddrHi: frame_addr_d[63:32] = written(frame_addr_q[63:32], w_q.data, write_mask);
        RegResultAddrLo: result_addr_d[31:0] = written(result_addr_q[31:0], w_q.data, aligned_mask);
        RegResultAddrHi: result_addr_d[63:32] = written(result_addr_q[63:32], w_q.data, write_mask);
        RegScratchAddrLo: begin
          scratch_addr_d[31:0] = written(scratch_addr_q[31:0], w_q.data, aligned_mask);
        end
        RegScratchAddrHi: begin
          scratch_addr_d[63:32] = written(scratch_addr_q[63:32], w_q.data, write_mask);
        end
        RegFrameLayout: if (w_q.strb[0]) frame_layout_d = w_q.data[1:0];
        default: ;
      endcase
    end
  end

  assign aw_held_d = aw_held_q ? !write : aw_valid_i && aw_ready_q;
  assign w_held_d = w_held_q ? !write : w_valid_i && w_ready_q;
  assign aw_ready_o = aw_ready_q;
  assign w_ready_o = w_ready_q;
  assign b_valid_o = b_valid_q;
  assign b_resp_o = 2'b00;
  assign irq_o = irq_q && irq_enable_q;
  // A frame that was to follow one that has just failed does not.
  assign start_o = start_q && !error_q;
  assign abort_o = abort_q;
  assign tape_addr_o = tape_addr_q;
  assign tape_bytes_o = tape_bytes_q;
  assign frame_addr_o = frame_addr_q;
  assign result_addr_o = result_addr_q;
  assign scratch_addr_o = scratch_addr_q;
  assign frame_layout_o = frame_layout_q;
  assign watchdog_o = watchdog_q;

  // ------------------------------------------------------------------------------------------ read

  logic read, r_valid_d, r_valid_q;
  logic [31:0] status, value, r_data_d, r_data_q;
  // The upper half of the counter whose lower half was read last, of the same time as that.
  logic [31:0] upper_d, upper_q;
  logic unused;

  // Not while the last frame's lower halves are there and its upper ones are not.
  assign read = ar_held_q && (!r_valid_q || r_ready_i) && !finished_q;
  assign ar_held_d = ar_held_q ? !read : ar_valid_i && ar_ready_q;
  assign ar_ready_o = ar_ready_q;
  assign r_valid_d = read || (r_valid_q && !r_ready_i);
  assign r_data_d = read ? value : r_data_q;
  assign r_valid_o = r_valid_q;
  assign r_o = '{data: r_data_q, resp: 2'b00};
  assign unused = ^{aw_i.prot, ar_i.prot, aw_i.addr[1:0], ar_i.addr[1:0]};

  assign status = (busy ? StatusBusy : '0) | (done_q ? StatusDone : '0) |
                  (error_q ? StatusError : '0) | (irq_q ? StatusIrq : '0) |
                  (queued ? StatusQueued : '0);

  always_comb begin
    unique case (read_addr)
      RegIdentity: value = EngineIdentity;
      RegVersion: value = EngineVersion;
      RegConfigHash: value = ConfigHash;
      RegCapabilityTile: value = CapabilityTile;
      RegCapabilityPe: value = CapabilityPe;
      RegCapabilityWords: value = CapabilityWords;
      RegControl: value = irq_enable_q ? ControlIrqEnable : '0;
      RegStatus: value = status;
      RegErrorCode: value = 32'(error_code_i);
      RegErrorSegment: value = error_segment_i;
      RegTapeAddrLo: value = tape_addr_q[31:0];
      RegTapeAddrHi: value = tape_addr_q[63:32];
      RegTapeBytes: value = tape_bytes_q;
      RegWatchdog: value = watchdog_q;
      RegFrameAddrLo: value = frame_addr_q[31:0];
      RegFrameAddrHi: value = frame_addr_q[63:32];
      RegResultAddrLo: value = result_addr_q[31:0];
      RegResultAddrHi: value = result_addr_q[63:32];
      RegScratchAddrLo: value = scratch_addr_q[31:0];
      RegScratchAddrHi: value = scratch_addr_q[63:32];
      RegFrameLayout: value = 32'(frame_layout_q);
      RegCyclesLo: value = last_low_q[0];
      RegBusyLo: value = last_low_q[1];
      RegWaitVectorsLo: value = last_low_q[2];
      RegWaitWeightsLo: value = last_low_q[3];
      RegWaitDrainLo: value = last_low_q[4];
      RegBeatsReadLo: value = last_low_q[5];
      RegBeatsWrittenLo: value = last_low_q[6];
      RegCyclesHi, RegBusyHi, RegWaitVectorsHi, RegWaitWeightsHi, RegWaitDrainHi, RegBeatsReadHi,
      RegBeatsWrittenHi: value = upper_q;
      RegSteps: value = last_steps_q;
      RegStepsNow: value = steps_q;
      RegFrames: value = frames_q;
      RegProfileIndex: value = 32'(profile_index_q);
      RegProfileCycles: value = 32'(profile_q[0]);
      RegProfileBusy: value = 32'(profile_q[1]);
      RegProfileWaitVectors: value = 32'(profile_q[2]);
      RegProfileWaitWeights: value = 32'(profile_q[3]);
      RegProfileWaitDrain: value = 32'(profile_q[4]);
      default: value = '0;
    endcase
  end

  always_comb begin
    upper_d = upper_q;
    if (read) begin
      unique case (read_addr)
        RegCyclesLo: upper_d = last_high_q[0];
        RegBusyLo: upper_d = last_high_q[1];
        RegWaitVectorsLo: upper_d = last_high_q[2];
        RegWaitWeightsLo: upper_d = last_high_q[3];
        RegWaitDrainLo: upper_d = last_high_q[4];
        RegBeatsReadLo: upper_d = last_high_q[5];
        RegBeatsWrittenLo: upper_d = last_high_q[6];
        default: ;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (aw_ready_o) aw_addr_q <= aw_i.addr[RegisterAddrW-1:2];
    if (w_ready_o) w_q <= w_i;
    if (ar_ready_o) ar_addr_q <= ar_i.addr[RegisterAddrW-1:2];
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_held_q <= 1'b0;
      w_held_q <= 1'b0;
      ar_held_q <= 1'b0;
      aw_ready_q <= 1'b0;
      w_ready_q <= 1'b0;
      ar_ready_q <= 1'b0;
      upper_q <= '0;
      amount_q <= '0;
      step_end_q <= 1'b0;
      finish_q <= 1'b0;
      begins_q <= 1'b0;
      low_q <= '0;
      high_q <= '0;
      carry_q <= '0;
      began_q <= 1'b0;
      finished_q <= 1'b0;
      part_q <= '0;
      steps_q <= '0;
      last_low_q <= '0;
      last_high_q <= '0;
      last_steps_q <= '0;
      last_half_q <= 1'b0;
      frames_q <= '0;
      profile_index_q <= '0;
      b_valid_q <= 1'b0;
      r_valid_q <= 1'b0;
      r_data_q <= '0;
      start_q <= 1'b0;
      abort_q <= 1'b0;
      irq_enable_q <= 1'b0;
      done_q <= 1'b0;
      error_q <= 1'b0;
      irq_q <= 1'b0;
      tape_addr_q <= '0;
      tape_bytes_q <= '0;
      frame_addr_q <= '0;
      result_addr_q <= '0;
      scratch_addr_q <= '0;
      frame_layout_q <= '0;
      watchdog_q <= WatchdogCycles;
    end else begin
      aw_held_q <= aw_held_d;
      w_held_q <= w_held_d;
      ar_held_q <= ar_held_d;
      aw_ready_q <= !aw_held_d;
      w_ready_q <= !w_held_d;
      ar_ready_q <= !ar_held_d;
      upper_q <= upper_d;
      amount_q <= amount_d;
      step_end_q <= step_end_i;
      finish_q <= finish_i;
      begins_q <= begins_d;
      low_q <= begins_q ? '0 : low_d;
      high_q <= began_q ? '0 : high_d;
      carry_q <= carry_d;
      began_q <= begins_q;
      finished_q <= finish_q;
      part_q <= begins_q || step_end_q ? '0 : part_d;
      steps_q <= begins_q ? '0 : steps_d;
      if (finish_q) begin
        last_low_q <= low_d;
        last_steps_q <= steps_d;
        last_half_q <= !last_half_q;
      end
      if (finished_q) last_high_q <= high_d;
      if (finish_i && error_code_i == ErrorNone) frames_q <= frames_q + 32'd1;
      profile_index_q <= profile_index_d;
      b_valid_q <= b_valid_d;
      r_valid_q <= r_valid_d;
      r_data_q <= r_data_d;
      start_q <= start_d;
      abort_q <= abort_d;
      irq_enable_q <= irq_enable_d;
      done_q <= done_d;
      error_q <= error_d;
      irq_q <= irq_d;
      tape_addr_q <= tape_addr_d;
      tape_bytes_q <= tape_bytes_d;
      frame_addr_q <= frame_addr_d;
      result_addr_q <= result_addr_d;
      scratch_addr_q <= scratch_addr_d;
      frame_layout_q <= frame_layout_d;
      watchdog_q <= watchdog_d;
    end
  end

`ifdef VERILATOR
  BHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    b_valid_o && !b_ready_i |=> b_valid_o);
  RHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    r_valid_o && !r_ready_i |=> r_valid_o && $stable(r_o));
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    profile_write != profile_read);
`endif
endmodule
