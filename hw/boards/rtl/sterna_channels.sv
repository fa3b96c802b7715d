// SPDX-License-Identifier: Apache-2.0

/// Two memories side by side as one of twice the width: each beat has its lower half in memory 0
/// and its upper half in memory 1. Both get the same bursts, at half of the address, and may be
/// ahead of each other by what their queues hold. Bursts are of type INCR and answered in order;
/// those of several beats have whole beats.
module sterna_channels #(
  /// Bits of a beat of each memory.
  parameter int unsigned DataW = 512,
  /// Bits of the name of a burst, which is given back with its answers.
  parameter int unsigned IdW = 1,
  /// Bursts that may be under way, reads and writes each; a power of two.
  parameter int unsigned Outstanding = 16,
  /// Beats that a memory may be ahead; a power of two.
  parameter int unsigned Ahead = 32
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  /// A burst is to be written.
  input  logic                      s_aw_valid_i,
  /// It is taken.
  output logic                      s_aw_ready_o,
  /// Its name.
  input  logic [IdW-1:0]            s_aw_id_i,
  /// Its first byte.
  input  logic [63:0]               s_aw_addr_i,
  /// Its beats less one.
  input  logic [7:0]                s_aw_len_i,
  /// A beat is offered.
  input  logic                      s_w_valid_i,
  /// It is taken.
  output logic                      s_w_ready_o,
  /// The beat.
  input  logic [2*DataW-1:0]        s_w_data_i,
  /// Bytes to write.
  input  logic [2*DataW/8-1:0]      s_w_strb_i,
  /// It is the last of its burst.
  input  logic                      s_w_last_i,
  /// A burst is answered.
  output logic                      s_b_valid_o,
  /// The answer is taken.
  input  logic                      s_b_ready_i,
  /// Name of the burst.
  output logic [IdW-1:0]            s_b_id_o,
  /// OKAY, or SLVERR if a memory has refused a part of it.
  output logic [1:0]                s_b_resp_o,
  /// A burst is asked for.
  input  logic                      s_ar_valid_i,
  /// It is taken.
  output logic                      s_ar_ready_o,
  /// Its name.
  input  logic [IdW-1:0]            s_ar_id_i,
  /// Its first byte.
  input  logic [63:0]               s_ar_addr_i,
  /// Its beats less one.
  input  logic [7:0]                s_ar_len_i,
  /// A beat of it is given.
  output logic                      s_r_valid_o,
  /// The beat is taken.
  input  logic                      s_r_ready_i,
  /// Name of the burst.
  output logic [IdW-1:0]            s_r_id_o,
  /// The beat.
  output logic [2*DataW-1:0]        s_r_data_o,
  /// OKAY, or SLVERR if a memory has refused its half.
  output logic [1:0]                s_r_resp_o,
  /// It is the last of the burst.
  output logic                      s_r_last_o,
  /// A burst is to be written to this memory.
  output logic [1:0]                m_aw_valid_o,
  /// It is taken.
  input  logic [1:0]                m_aw_ready_i,
  /// Its first byte.
  output logic [1:0][63:0]          m_aw_addr_o,
  /// Its beats less one.
  output logic [1:0][7:0]           m_aw_len_o,
  /// A beat of it is offered.
  output logic [1:0]                m_w_valid_o,
  /// It is taken.
  input  logic [1:0]                m_w_ready_i,
  /// The beat.
  output logic [1:0][DataW-1:0]     m_w_data_o,
  /// Bytes to write.
  output logic [1:0][DataW/8-1:0]   m_w_strb_o,
  /// It is the last of its burst.
  output logic [1:0]                m_w_last_o,
  /// A burst is answered.
  input  logic [1:0]                m_b_valid_i,
  /// The answer is taken.
  output logic [1:0]                m_b_ready_o,
  /// The answer.
  input  logic [1:0][1:0]           m_b_resp_i,
  /// A burst is asked for of this memory.
  output logic [1:0]                m_ar_valid_o,
  /// It is taken.
  input  logic [1:0]                m_ar_ready_i,
  /// Its first byte.
  output logic [1:0][63:0]          m_ar_addr_o,
  /// Its beats less one.
  output logic [1:0][7:0]           m_ar_len_o,
  /// A beat of it has come.
  input  logic [1:0]                m_r_valid_i,
  /// The beat is taken.
  output logic [1:0]                m_r_ready_o,
  /// The beat.
  input  logic [1:0][DataW-1:0]     m_r_data_i,
  /// Its response.
  input  logic [1:0][1:0]           m_r_resp_i,
  /// It is the last of its burst.
  input  logic [1:0]                m_r_last_i
);
  localparam int unsigned HalfW = $clog2(DataW / 8);

  generate
    if (DataW < 64 || DataW > 512 || DataW != 2 ** $clog2(DataW)) begin : gen_bad_width
      initial $error("sterna_channels: DataW = %0d must be a power of two from 64 to 512", DataW);
    end
  endgenerate

  // What both memories have to be offered is taken when both have room.
  logic write, write_beat, read;
  logic [1:0] aw_room, w_room, ar_room;
  logic [63:0] aw_addr, ar_addr;
  logic write_named, read_named;

  assign s_aw_ready_o = &aw_room && write_named;
  assign s_w_ready_o = &w_room;
  assign s_ar_ready_o = &ar_room && read_named;
  assign write = s_aw_valid_i && s_aw_ready_o;
  assign write_beat = s_w_valid_i && s_w_ready_o;
  assign read = s_ar_valid_i && s_ar_ready_o;
  // The same beat, of half as many bytes.
  assign aw_addr = {1'b0, s_aw_addr_i[63:HalfW+1], HalfW'(0)};
  assign ar_addr = {1'b0, s_ar_addr_i[63:HalfW+1], HalfW'(0)};

  // Names wait in order until the last answer.
  logic answered, given_last;
  logic b_named, r_named;

  sterna_fifo #(
    .Width     (IdW),
    .Depth     (Outstanding),
    .Registered(1'b1)
  ) u_writes (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(write),
    .ready_o(write_named),
    .data_i (s_aw_id_i),
    .valid_o(b_named),
    .ready_i(answered),
    .data_o (s_b_id_o),
    .count_o()
  );

  sterna_fifo #(
    .Width     (IdW),
    .Depth     (Outstanding),
    .Registered(1'b1)
  ) u_reads (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(read),
    .ready_o(read_named),
    .data_i (s_ar_id_i),
    .valid_o(r_named),
    .ready_i(given_last),
    .data_o (s_r_id_o),
    .count_o()
  );

  // An answer is given when both memories have given theirs.
  logic [1:0] b_valid, b_error, r_valid, r_error, r_last;

  assign s_b_valid_o = &b_valid;
  assign s_b_resp_o = {|b_error, 1'b0};
  assign answered = s_b_valid_o && s_b_ready_i;
  assign s_r_valid_o = &r_valid;
  assign s_r_resp_o = {|r_error, 1'b0};
  assign s_r_last_o = r_last[0];
  assign given_last = s_r_valid_o && s_r_ready_i && s_r_last_o;

  genvar c;
  generate
    for (c = 0; c < 2; c++) begin : gen_channel
      sterna_fifo #(
        .Width     (64 + 8),
        .Depth     (2),
        .Registered(1'b1)
      ) u_write_bursts (
        .clk_i,
        .rst_ni,
        .clear_i(1'b0),
        .valid_i(write),
        .ready_o(aw_room[c]),
        .data_i ({aw_addr, s_aw_len_i}),
        .valid_o(m_aw_valid_o[c]),
        .ready_i(m_aw_ready_i[c]),
        .data_o ({m_aw_addr_o[c], m_aw_len_o[c]}),
        .count_o()
      );

      sterna_fifo #(
        .Width     (DataW + DataW / 8 + 1),
        .Depth     (Ahead),
        .Registered(1'b1)
      ) u_write_beats (
        .clk_i,
        .rst_ni,
        .clear_i(1'b0),
        .valid_i(write_beat),
        .ready_o(w_room[c]),
        .data_i ({s_w_data_i[c*DataW+:DataW], s_w_strb_i[c*DataW/8+:DataW/8], s_w_last_i}),
        .valid_o(m_w_valid_o[c]),
        .ready_i(m_w_ready_i[c]),
        .data_o ({m_w_data_o[c], m_w_strb_o[c], m_w_last_o[c]}),
        .count_o()
      );

      sterna_fifo #(
        .Width     (1),
        .Depth     (Outstanding),
        .Registered(1'b1)
      ) u_answers (
        .clk_i,
        .rst_ni,
        .clear_i(1'b0),
        .valid_i(m_b_valid_i[c]),
        .ready_o(m_b_ready_o[c]),
        .data_i (m_b_resp_i[c][1]),
        .valid_o(b_valid[c]),
        .ready_i(answered),
        .data_o (b_error[c]),
        .count_o()
      );

      sterna_fifo #(
        .Width     (64 + 8),
        .Depth     (2),
        .Registered(1'b1)
      ) u_read_bursts (
        .clk_i,
        .rst_ni,
        .clear_i(1'b0),
        .valid_i(read),
        .ready_o(ar_room[c]),
        .data_i ({ar_addr, s_ar_len_i}),
        .valid_o(m_ar_valid_o[c]),
        .ready_i(m_ar_ready_i[c]),
        .data_o ({m_ar_addr_o[c], m_ar_len_o[c]}),
        .count_o()
      );

      sterna_fifo #(
        .Width     (DataW + 2),
        .Depth     (Ahead),
        .Registered(1'b1)
      ) u_read_beats (
        .clk_i,
        .rst_ni,
        .clear_i(1'b0),
        .valid_i(m_r_valid_i[c]),
        .ready_o(m_r_ready_o[c]),
        .data_i ({m_r_data_i[c], m_r_resp_i[c][1], m_r_last_i[c]}),
        .valid_o(r_valid[c]),
        .ready_i(s_r_valid_o && s_r_ready_i),
        .data_o ({s_r_data_o[c*DataW+:DataW], r_error[c], r_last[c]}),
        .count_o()
      );
    end
  endgenerate

  logic unused;
  assign unused = ^{s_aw_addr_i[HalfW:0], s_ar_addr_i[HalfW:0], m_b_resp_i[0][0], m_b_resp_i[1][0],
                    m_r_resp_i[0][0], m_r_resp_i[1][0], b_named, r_named};

`ifdef VERILATOR
  Together_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_r_valid_o |-> r_last[0] == r_last[1])
    else $error("the memories end a burst at different beats");
  Answer_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_b_valid_o |-> b_named)
    else $error("an answer to no burst");
  Beat_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_r_valid_o |-> r_named)
    else $error("a beat of no burst");
`endif
endmodule
