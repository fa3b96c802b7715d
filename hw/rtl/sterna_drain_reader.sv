/// Walks the accumulators of a pass: channel after channel, with pooling four slots a channel, one read a cycle.
/// A read goes out only when there is room for the word that it becomes part of.
module sterna_drain_reader
  import sterna_pkg::*;
#(
  /// Units.
  parameter int unsigned Units = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Slots = 16,
  /// Bits of a feature memory word's address.
  parameter int unsigned FmAddrW = 12,
  localparam int unsigned UnitW = $clog2(Units),
  localparam int unsigned SlotW = $clog2(Slots),
  localparam int unsigned TableW = UnitW + SlotW
) (
  /// Clock.
  input  logic               clk_i,
  /// Reset, active low.
  input  logic               rst_ni,
  /// Returns to the reset state.
  input  logic               clear_i,
  /// A pass is to be drained.
  input  logic               pass_valid_i,
  /// It is read to the end.
  output logic               pass_ready_o,
  /// What to drain.
  input  pass_t              pass_i,
  /// All units have ended the pass in this half of the accumulators.
  input  logic [1:0]         ended_i,
  /// That half is read (pulse).
  output logic [1:0]         free_o,
  /// There is room for one more word.
  input  logic               room_i,
  /// That room is taken.
  output logic               word_o,
  /// Read of a unit's accumulator; a pass that is not written is one step that reads nothing.
  output logic [Units-1:0]   read_o,
  /// Half and slot.
  output logic [SlotW:0]     read_address_o,
  /// A step: a read or the step of a pass that is not written.
  output logic               step_valid_o,
  /// It is the first read of its channel.
  output logic               step_first_o,
  /// It is the last read of its channel.
  output logic               step_last_o,
  /// Half and channel in the requantisation table.
  output logic [TableW:0]    step_table_o,
  /// Place of the channel in its word.
  output logic [1:0]         step_place_o,
  /// The word is complete with this channel.
  output logic               step_word_o,
  /// Channels that the complete word has.
  output logic [3:0]         step_strobe_o,
  /// Where the word goes.
  output logic [FmAddrW-1:0] step_address_o,
  /// The pass is complete with this step.
  output logic               step_end_o
);

  logic               active_q, active_d, half_q;
  logic [1:0]         phase_q, phase_d;
  logic [15:0]        channel_q, channel_d;
  logic [UnitW-1:0]   unit_q, unit_d;
  logic [SlotW-1:0]   slot_q, slot_d;
  logic [FmAddrW-1:0] address_q, address_d;

  logic empty, new_word, last_phase, last_channel, step, start;

  assign empty        = !pass_i.write || pass_i.filters == '0;
  assign new_word     = channel_q[1:0] == '0 && phase_q == '0;
  assign last_phase   = empty || !pass_i.pool || &phase_q;
  assign last_channel = empty || channel_q + 16'd1 == pass_i.filters;

  assign start = !active_q && pass_valid_i && ended_i[half_q];
  assign step  = active_q && (room_i || !new_word);

  assign step_valid_o   = step;
  assign step_first_o   = phase_q == '0;
  assign step_last_o    = last_phase;
  assign step_table_o   = {pass_i.table_half, channel_q[TableW-1:0]};
  assign step_place_o   = channel_q[1:0];
  assign step_word_o    = last_phase && (last_channel || &channel_q[1:0]);
  assign step_address_o = address_q;
  assign step_end_o     = last_phase && last_channel;

  always_comb begin
    for (int unsigned i = 0; i < 4; i++) step_strobe_o[i] = !empty && i <= 32'(channel_q[1:0]);
  end

  assign word_o         = step && new_word;
  assign pass_ready_o   = step && step_end_o;
  assign free_o         = {pass_ready_o && half_q, pass_ready_o && !half_q};
  assign read_address_o = {half_q, slot_q};

  always_comb begin
    read_o         = '0;
    read_o[unit_q] = step && !empty;
  end

  // With pooling the four slots of a channel are read first, then the same four of the next unit.
  always_comb begin
    active_d  = active_q;
    phase_d   = phase_q;
    channel_d = channel_q;
    unit_d    = unit_q;
    slot_d    = slot_q;
    address_d = address_q;
    if (start) begin
      active_d  = 1'b1;
      phase_d   = '0;
      channel_d = '0;
      unit_d    = '0;
      slot_d    = '0;
      address_d = pass_i.address[FmAddrW-1:0];
    end else if (step && last_phase) begin
      active_d  = !last_channel;
      phase_d   = '0;
      channel_d = channel_q + 16'd1;
      unit_d    = unit_q + UnitW'(1);
      if (pass_i.pool) slot_d = slot_q & ~SlotW'(3);
      if (&unit_q) slot_d = slot_q + SlotW'(1);
      if (&channel_q[1:0]) address_d = address_q + pass_i.plane[FmAddrW-1:0];
    end else if (step) begin
      phase_d = phase_q + 2'd1;
      slot_d  = slot_q + SlotW'(1);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      half_q   <= 1'b0;
    end else if (clear_i) begin
      active_q <= 1'b0;
      half_q   <= 1'b0;
    end else begin
      active_q <= active_d;
      half_q   <= half_q ^ pass_ready_o;
    end
  end

  always_ff @(posedge clk_i) begin
    phase_q   <= phase_d;
    channel_q <= channel_d;
    unit_q    <= unit_d;
    slot_q    <= slot_d;
    address_q <= address_d;
  end

`ifndef SYNTHESIS
  Fits: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start && !empty |-> 32'(pass_i.filters) <= (pass_i.pool ? Units * Slots / 4 : Units * Slots))
    else $error("a pass with more channels than there are slots");
`endif

endmodule
