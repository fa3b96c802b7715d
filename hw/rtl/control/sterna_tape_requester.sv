// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Asks the bus for the tape, as far as it is known. Places and lengths are counted in lines of the
/// tape, TapeAlign bytes each.
///
/// At the start: the tape's header, the first step and a segment header. When a CONV or TABLE step
/// is taken: its payloads, WEIGHTS once more for each further tile group, and, with the last of
/// these commands, up to the end of the step that follows and the segment header after it. When
/// another step is taken: the step that follows and a segment header.
module sterna_tape_requester (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  /// Forgets what is to be asked for.
  input  logic                                clear_i,
  /// Starts on a tape (pulse).
  input  logic                                start_i,
  /// First byte of the tape, a multiple of TapeAlign; stable while the tape is read.
  input  logic [63:0]                         tape_addr_i,
  /// Lines of the tape; stable while the tape is read.
  input  logic [(32 - $clog2(TapeAlign))-1:0] tape_lines_i,
  /// `step_end_i` has become that of the step that is offered next (pulse).
  input  logic                                step_summed_i,
  /// The step is taken (pulse): two cycles after `step_summed_i`, or later.
  input  logic                                step_taken_i,
  /// Segments of its own follow.
  input  logic                                has_payload_i,
  /// They come once.
  input  logic                                one_group_i,
  /// Its tile groups.
  input  logic [31:0]                         tile_groups_i,
  /// Lines of its WEIGHTS payload.
  input  logic [(32 - $clog2(TapeAlign))-1:0] weights_lines_i,
  /// Lines before the end of the last payload.
  input  logic [(32 - $clog2(TapeAlign))+1:0] step_end_i,
  /// Asks for bytes of the tape.
  output logic                                command_valid_o,
  /// The command is taken.
  input  logic                                command_ready_i,
  /// First byte.
  output logic [63:0]                         command_addr_o,
  /// Bytes.
  output logic [31:0]                         command_bytes_o
);
  localparam int unsigned LineByteW = $clog2(TapeAlign);
  localparam int unsigned LineW = 32 - LineByteW;
  /// Lines that are asked for at the start.
  localparam logic [LineW-1:0] FirstLines = LineW'(4);

  // Lines before limit_q have been asked for. The commands of a CONV step are: from there to the
  // end of its WEIGHTS, then WEIGHTS again for each further tile group; the last one goes on to the
  // new limit.
  logic [LineW-1:0] limit_d, limit_q, next_limit_q, from_d, from_q;
  logic [LineW-1:0] end_d, end_q, to_d, to_q, again_q;
  logic [LineW+1:0] wanted_q;
  logic [31:0] commands_d, commands_q;
  logic open_d, open_q, last_command_d, last_command_q, more_q, command_taken;
  // The ends of a command are known; then its length and the lower half of its address, then the
  // upper half as well. A step's first command begins at the limit, whose address is there already.
  logic [1:0] summed_d, summed_q;
  logic [LineW-1:0] length_q;
  logic [31:LineByteW] low_q;
  logic [63:32] high_q;
  logic carry_q, unused;

  assign unused = ^tape_addr_i[LineByteW-1:0];
  assign command_valid_o = summed_q[1];
  assign command_addr_o = {high_q, low_q, LineByteW'(0)};
  assign command_bytes_o = {length_q, LineByteW'(0)};
  assign command_taken = command_valid_o && command_ready_i;

  always_comb begin
    limit_d = limit_q;
    from_d = open_q ? from_q : limit_q;
    end_d = end_q;
    to_d = to_q;
    commands_d = commands_q;
    last_command_d = last_command_q;
    open_d = open_q;
    summed_d = {summed_q[0], open_q};
    if (start_i) begin
      limit_d = tape_lines_i < FirstLines ? tape_lines_i : FirstLines;
      from_d = '0;
      end_d = limit_d;
      last_command_d = 1'b1;
      open_d = 1'b1;
      summed_d = '0;
    end else if (step_taken_i) begin
      limit_d = next_limit_q;
      to_d = LineW'(step_end_i);
      commands_d = tile_groups_i;
      last_command_d = !has_payload_i || one_group_i;
      end_d = last_command_d ? next_limit_q : LineW'(step_end_i);
      open_d = has_payload_i || more_q;
      summed_d = {1'b0, open_d};
    end else if (command_taken) begin
      from_d = again_q;
      commands_d = commands_q - 32'd1;
      last_command_d = commands_q == 32'd2;
      end_d = last_command_d ? limit_q : to_q;
      open_d = !last_command_q;
      summed_d = '0;
    end
    if (clear_i) begin
      open_d = 1'b0;
      summed_d = '0;
    end
  end

  always_ff @(posedge clk_i) begin
    wanted_q <= has_payload_i ? step_end_i + (LineW + 2)'(3)
                              : (LineW + 2)'(limit_q) + (LineW + 2)'(2);
    next_limit_q <= wanted_q > (LineW + 2)'(tape_lines_i) ? tape_lines_i : LineW'(wanted_q);
    if (step_summed_i) again_q <= LineW'(step_end_i) - weights_lines_i;
    more_q <= limit_q != tape_lines_i;
    length_q <= end_q - from_q;
    {carry_q, low_q} <= {1'b0, tape_addr_i[31:LineByteW]} + {1'b0, from_q};
    high_q <= tape_addr_i[63:32] + 32'(carry_q);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      limit_q <= '0;
      from_q <= '0;
      end_q <= '0;
      to_q <= '0;
      commands_q <= '0;
      last_command_q <= 1'b0;
      open_q <= 1'b0;
      summed_q <= '0;
    end else begin
      limit_q <= limit_d;
      from_q <= from_d;
      end_q <= end_d;
      to_q <= to_d;
      commands_q <= commands_d;
      last_command_q <= last_command_d;
      open_q <= open_d;
      summed_q <= summed_d;
    end
  end

`ifdef VERILATOR
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    step_taken_i |-> !open_q);
  Summed_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    step_taken_i |-> command_addr_o == tape_addr_i + 64'({limit_q, LineByteW'(0)}));
`endif
endmodule
