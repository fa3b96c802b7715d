// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// AXI4 slave of 64 bits that turns bursts (INCR, aligned, whole beats) into words, one burst at a
/// time; a read and a write that are both waiting take turns.
module ulx3s_axi #(
  /// Words that may be read and not yet taken; a power of two.
  parameter int unsigned Depth = 16
) (
  input  logic         clk_i,
  input  logic         rst_ni,

  /// Write address.
  input  logic         aw_valid_i,
  /// It is taken.
  output logic         aw_ready_o,
  /// The address.
  input  axi_address_t aw_i,
  /// Write data.
  input  logic         w_valid_i,
  /// It is taken.
  output logic         w_ready_o,
  /// The last beat of a burst. The data goes to the memory beside this module.
  input  logic         w_last_i,
  /// Write response: always OKAY.
  output logic         b_valid_o,
  /// It is taken.
  input  logic         b_ready_i,
  /// Read address.
  input  logic         ar_valid_i,
  /// It is taken.
  output logic         ar_ready_o,
  /// The address.
  input  axi_address_t ar_i,
  /// Read data: always OKAY.
  output logic         r_valid_o,
  /// It is taken.
  input  logic         r_ready_i,
  /// The data.
  output logic [63:0]  r_data_o,
  /// The last beat of a burst.
  output logic         r_last_o,

  /// A word is asked for.
  output logic         valid_o,
  /// It is taken.
  input  logic         ready_i,
  /// It is written; otherwise it is read.
  output logic         write_o,
  /// Which.
  output logic [21:0]  addr_o,
  /// A word was read.
  input  logic         read_valid_i,
  /// The word.
  input  logic [63:0]  read_data_i
);
  typedef enum logic [1:0] {Idle, Reading, Writing, Responding} state_t;

  state_t state_d, state_q;
  logic [21:0] addr_d, addr_q;
  logic [7:0] left_d, left_q;
  logic writes_next_d, writes_next_q, room, last, data_valid, last_valid;

  assign write_o = state_q == Writing;
  assign valid_o = write_o ? w_valid_i : state_q == Reading && room;
  assign addr_o = addr_q;
  assign w_ready_o = write_o && ready_i;
  assign b_valid_o = state_q == Responding;
  assign last = left_q == '0;
  assign r_valid_o = data_valid && last_valid;

  always_comb begin
    state_d = state_q;
    addr_d = addr_q;
    left_d = left_q;
    writes_next_d = writes_next_q;
    aw_ready_o = 1'b0;
    ar_ready_o = 1'b0;
    case (state_q)
      Idle: begin
        aw_ready_o = aw_valid_i && (writes_next_q || !ar_valid_i);
        ar_ready_o = ar_valid_i && !aw_ready_o;
        addr_d = aw_ready_o ? aw_i.addr[24:3] : ar_i.addr[24:3];
        left_d = ar_i.len;
        if (aw_ready_o) state_d = Writing;
        else if (ar_ready_o) state_d = Reading;
        if (aw_ready_o || ar_ready_o) writes_next_d = ar_ready_o;
      end
      Responding: if (b_ready_i) state_d = Idle;
      default: if (valid_o && ready_i) begin
        addr_d = addr_q + 1'b1;
        left_d = left_q - 1'b1;
        if (write_o && w_last_i) state_d = Responding;
        if (!write_o && last) state_d = Idle;
      end
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Idle;
      writes_next_q <= 1'b0;
    end else begin
      state_q <= state_d;
      writes_next_q <= writes_next_d;
    end
  end

  always_ff @(posedge clk_i) begin
    addr_q <= addr_d;
    left_q <= left_d;
  end

  // What was asked for and not yet taken, so that there is room for every word that comes.
  sterna_fifo #(
    .Width     (1),
    .Depth     (Depth),
    .Registered(1'b1)
  ) u_lasts (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(state_q == Reading && ready_i && room),
    .ready_o(room),
    .data_i (last),
    .valid_o(last_valid),
    .ready_i(r_valid_o && r_ready_i),
    .data_o (r_last_o),
    .count_o()
  );

  sterna_fifo #(
    .Width     (64),
    .Depth     (Depth),
    .Registered(1'b1)
  ) u_words (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(read_valid_i),
    .ready_o(),
    .data_i (read_data_i),
    .valid_o(data_valid),
    .ready_i(r_valid_o && r_ready_i),
    .data_o (r_data_o),
    .count_o()
  );
endmodule
