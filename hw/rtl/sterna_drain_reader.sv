/// Walks the accumulators of a pass row by row. A row is one slot of all units: its first step reads the row into
/// the units' row registers, each step after that shifts the next unit's value to the first. One step a cycle.
///
/// With pooling a row group, four consecutive slots, holds the four phases of the units' channels: they are read
/// one after the other and their maximum is the channel. With `PoolKeep` they are read once before as channels of
/// their own. A word begins only when there is room for it; it ends with the row or with its fourth channel.
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
  /// It is walked to the end.
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
  output logic               begin_o,
  /// A step; one of a pass that is not written neither reads nor shifts.
  output logic               step_o,
  /// It reads a row.
  output logic               read_o,
  /// Half and slot.
  output logic [SlotW:0]     read_address_o,
  /// It shifts the row.
  output logic               shift_o,
  /// The unit whose value this is.
  output logic [UnitW-1:0]   unit_o,
  /// Its value begins a maximum.
  output logic               first_o,
  /// Its maximum is a channel.
  output logic               channel_o,
  /// Half and channel in the requantisation table.
  output logic [TableW:0]    table_o,
  /// Place of the channel in its word.
  output logic [1:0]         place_o,
  /// The word is complete with this channel.
  output logic               word_o,
  /// Channels that the complete word has.
  output logic [3:0]         strobe_o,
  /// Where the word goes.
  output logic [FmAddrW-1:0] address_o,
  /// The pass is complete with this step.
  output logic               end_o
);

  logic               active_q, active_d, half_q;
  logic               keep_q, keep_d, gap_q;
  logic [1:0]         phase_q, phase_d;
  logic [UnitW-1:0]   unit_q, unit_d, last_unit_q;
  logic [SlotW-1:0]   row_q, row_d, left_q, left_d;
  logic [FmAddrW-1:0] address_q, address_d;
  // Of the phases: the row group's first word, the row's first word, the word.
  logic [FmAddrW-1:0] group_q, group_d, phase_row_q, phase_row_d, phase_word_q, phase_word_d;
  logic [FmAddrW-1:0] plane, next_phase_word;
  logic [TableW-1:0]  last_channel;

  logic empty, pooled, last_row, row_end, group_end, pass_end, last_read, new_word, step, start;

  assign plane        = pass_i.plane[FmAddrW-1:0];
  assign empty        = !pass_i.write || pass_i.filters == '0;
  assign pooled       = pass_i.pool != PoolNone;
  assign last_row     = left_q == '0;
  assign row_end      = &unit_q || (last_row && unit_q == last_unit_q);
  assign group_end    = row_end && !keep_q && (!pooled || &phase_q);
  assign pass_end     = empty || (group_end && last_row);
  assign last_channel = TableW'(pass_i.filters) - TableW'(1);
  assign new_word     = empty || (channel_o && (unit_q == '0 || place_o == '0));

  assign start = !active_q && pass_valid_i && ended_i[half_q];
  assign step  = active_q && (room_i || !new_word) && !gap_q;

  assign step_o         = step;
  assign read_o         = step && !empty && unit_q == '0;
  assign read_address_o = {half_q, pooled ? SlotW'({row_q, phase_q}) : row_q};
  assign shift_o        = step && !empty && unit_q != '0;
  assign unit_o         = unit_q;
  assign first_o        = !pooled || keep_q || phase_q == '0;
  assign channel_o      = !pooled || keep_q || &phase_q;
  assign table_o        = {pass_i.table_half, row_q, unit_q};
  assign place_o        = table_o[1:0];
  assign word_o         = empty || (channel_o && (row_end || &place_o));
  assign address_o      = keep_q ? phase_word_q : address_q;
  assign end_o          = pass_end;

  // With two units a row has half a word.
  always_comb begin
    for (int unsigned i = 0; i < 4; i++) begin
      strobe_o[i] = !empty && i <= 32'(place_o) && (Units > 2 || place_o[1] == 1'(i / 2));
    end
  end

  assign begin_o      = step && new_word;
  assign pass_ready_o = step && pass_end;

  // A half has been read with the first step of its last row.
  assign last_read = empty || (last_row && unit_q == '0 && !keep_q && (!pooled || &phase_q));
  assign free_o    = {step && last_read && half_q, step && last_read && !half_q};

  always_comb begin
    active_d = active_q;
    keep_d   = keep_q;
    phase_d  = phase_q;
    unit_d   = unit_q;
    row_d    = row_q;
    left_d   = left_q;
    if (start) begin
      active_d = 1'b1;
      keep_d   = pass_i.pool == PoolKeep;
      phase_d  = '0;
      unit_d   = '0;
      row_d    = '0;
      left_d   = last_channel[TableW-1:UnitW];
    end else if (step) begin
      active_d = !pass_end;
      unit_d   = row_end ? '0 : unit_q + UnitW'(1);
      if (row_end && pooled) phase_d = phase_q + 2'd1;
      if (row_end && &phase_q) keep_d = 1'b0;
      if (group_end) begin
        keep_d = pass_i.pool == PoolKeep;
        row_d  = row_q + SlotW'(1);
        left_d = left_q - SlotW'(1);
      end
    end
  end

  // Phase p of word w goes to word 4w + p.
  assign next_phase_word = phase_word_q + plane;

  always_comb begin
    address_d    = address_q;
    group_d      = group_q;
    phase_row_d  = phase_row_q;
    phase_word_d = phase_word_q;
    if (start) begin
      address_d    = pass_i.address[FmAddrW-1:0];
      group_d      = pass_i.keep_address[FmAddrW-1:0];
      phase_row_d  = pass_i.keep_address[FmAddrW-1:0];
      phase_word_d = pass_i.keep_address[FmAddrW-1:0];
    end else if (step && word_o && !keep_q) begin
      if (&place_o) address_d = address_q + plane;
    end else if (step && word_o) begin
      phase_word_d = phase_word_q + (plane << 2);
      if (row_end) begin
        phase_row_d  = phase_row_q + plane;
        phase_word_d = phase_row_d;
        if (&phase_q) begin
          group_d      = &place_o ? next_phase_word : group_q;
          phase_row_d  = group_d;
          phase_word_d = group_d;
        end
      end
    end
  end

  // A maximum takes two cycles.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      half_q   <= 1'b0;
      gap_q    <= 1'b0;
    end else if (clear_i) begin
      active_q <= 1'b0;
      half_q   <= 1'b0;
      gap_q    <= 1'b0;
    end else begin
      active_q <= active_d;
      half_q   <= half_q ^ pass_ready_o;
      gap_q    <= step && pooled && row_end && unit_q == '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start) last_unit_q <= last_channel[UnitW-1:0];
    {keep_q, phase_q, unit_q, row_q, left_q} <= {keep_d, phase_d, unit_d, row_d, left_d};
    {address_q, group_q, phase_row_q, phase_word_q} <= {address_d, group_d, phase_row_d, phase_word_d};
  end

`ifndef SYNTHESIS
  Fits: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start && !empty |-> 32'(pass_i.filters) <= (pooled ? Units * Slots / 4 : Units * Slots))
    else $error("a pass with more channels than there are slots");
`endif

endmodule
