// SPDX-License-Identifier: Apache-2.0

/// Reads for a bus of one width over a bus of another width that takes shorter bursts. Bursts are
/// of type INCR, of whole beats, and answered in order.
module sterna_read_adapter #(
  /// Bits of a beat of the bus that reads.
  parameter int unsigned FromDataW = 64,
  /// Bits of a beat of the bus that is read.
  parameter int unsigned ToDataW = 64,
  /// Beats of the longest burst of the bus that is read.
  parameter int unsigned ToBeats = 16,
  /// Bursts of each bus that may be under way; a power of two.
  parameter int unsigned Outstanding = 16
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// A burst is asked for.
  input  logic                 s_ar_valid_i,
  /// It is taken.
  output logic                 s_ar_ready_o,
  /// Its first byte, a multiple of the beat size.
  input  logic [63:0]          s_ar_addr_i,
  /// Its beats less one.
  input  logic [7:0]           s_ar_len_i,
  /// A beat of it is given.
  output logic                 s_r_valid_o,
  /// The beat is taken.
  input  logic                 s_r_ready_i,
  /// The beat.
  output logic [FromDataW-1:0] s_r_data_o,
  /// OKAY or SLVERR.
  output logic [1:0]           s_r_resp_o,
  /// It is the last of the burst.
  output logic                 s_r_last_o,
  /// A burst of the other bus is asked for.
  output logic                 m_ar_valid_o,
  /// It is taken.
  input  logic                 m_ar_ready_i,
  /// Its first byte.
  output logic [63:0]          m_ar_addr_o,
  /// Its beats less one.
  output logic [7:0]           m_ar_len_o,
  /// A beat of it has come.
  input  logic                 m_r_valid_i,
  /// The beat is taken.
  output logic                 m_r_ready_o,
  /// The beat.
  input  logic [ToDataW-1:0]   m_r_data_i,
  /// Its response.
  input  logic [1:0]           m_r_resp_i,
  /// It is the last of its burst.
  input  logic                 m_r_last_i
);
  localparam int unsigned FromW = $clog2(FromDataW / 8);
  localparam int unsigned CountW = $clog2(Outstanding + 1);
  /// Bits of an offset in a beat of the bus that is read.
  localparam int unsigned OffsetW = $clog2(ToDataW / 8);

  // ---------------------------------------------------------------------------------------- bursts

  // That there may be one more is known a cycle ahead.
  logic asked, asked_ready, adapter_ready, burst_valid, burst_taken, burst_done, free_d, free_q;
  logic [CountW-1:0] under_way_d, under_way_q;

  assign asked = s_ar_valid_i && s_ar_ready_o;
  assign s_ar_ready_o = adapter_ready && asked_ready;
  assign m_ar_valid_o = burst_valid && free_q;
  assign burst_taken = m_ar_valid_o && m_ar_ready_i;
  assign burst_done = m_r_valid_i && m_r_ready_o && m_r_last_i;

  sterna_burst_adapter #(
    .FromDataW(FromDataW),
    .ToDataW  (ToDataW),
    .ToBeats  (ToBeats)
  ) u_bursts (
    .clk_i,
    .rst_ni,
    .valid_i(asked),
    .ready_o(adapter_ready),
    .addr_i (s_ar_addr_i),
    .len_i  (s_ar_len_i),
    .valid_o(burst_valid),
    .ready_i(m_ar_ready_i && free_q),
    .addr_o (m_ar_addr_o),
    .len_o  (m_ar_len_o),
    .last_o ()
  );

  always_comb begin
    under_way_d = under_way_q;
    free_d = free_q;
    if (burst_taken && !burst_done) begin
      under_way_d = under_way_q + 1'b1;
      free_d = under_way_q != CountW'(Outstanding - 1);
    end else if (burst_done && !burst_taken) begin
      under_way_d = under_way_q - 1'b1;
      free_d = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      under_way_q <= '0;
      free_q <= 1'b1;
    end else begin
      under_way_q <= under_way_d;
      free_q <= free_d;
    end
  end

  // ----------------------------------------------------------------------------------------- beats

  // Of each burst that was asked for: where it begins in a beat of the other bus, and its length.
  logic first, given, asked_valid, asked_taken, answering;
  logic [OffsetW-1:0] asked_offset, offset;
  logic [7:0] asked_len;

  assign given = s_r_valid_o && s_r_ready_i;

  sterna_fifo #(
    .Width     (OffsetW + 8),
    .Depth     (Outstanding),
    .Registered(1'b1)
  ) u_asked (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(asked),
    .ready_o(asked_ready),
    .data_i ({s_ar_addr_i[OffsetW-1:0], s_ar_len_i}),
    .valid_o(asked_valid),
    .ready_i(asked_taken),
    .data_o ({asked_offset, asked_len}),
    .count_o()
  );

  sterna_beat_counter #(
    .Width(OffsetW)
  ) u_beats (
    .clk_i,
    .rst_ni,
    .valid_i(asked_valid),
    .ready_o(asked_taken),
    .len_i  (asked_len),
    .data_i (asked_offset),
    .valid_o(answering),
    .data_o (offset),
    .first_o(first),
    .last_o (s_r_last_o),
    .next_i (given)
  );

  generate
    if (FromDataW == ToDataW) begin : gen_same
      logic unused;

      assign s_r_valid_o = m_r_valid_i;
      assign m_r_ready_o = s_r_ready_i;
      assign s_r_data_o = m_r_data_i;
      assign s_r_resp_o = m_r_resp_i;
      assign unused = ^{first, offset};
    end else if (FromDataW > ToDataW) begin : gen_join
      localparam int unsigned Parts = FromDataW / ToDataW;

      logic [Parts-1:0] errors;
      logic unused;

      sterna_beat_join #(
        .DataW(ToDataW),
        .Parts(Parts)
      ) u_join (
        .clk_i,
        .rst_ni,
        .valid_i(m_r_valid_i),
        .ready_o(m_r_ready_o),
        .data_i (m_r_data_i),
        .mark_i (m_r_resp_i[1]),
        .first_i(1'b0),
        .place_i('0),
        .last_i (1'b0),
        .valid_o(s_r_valid_o),
        .ready_i(s_r_ready_i),
        .data_o (s_r_data_o),
        .mark_o (errors)
      );

      assign s_r_resp_o = {|errors, 1'b0};
      assign unused = ^{first, offset, m_r_resp_i[0]};
    end else begin : gen_split
      localparam int unsigned Parts = ToDataW / FromDataW;

      logic unused;

      sterna_beat_split #(
        .DataW(FromDataW),
        .Parts(Parts)
      ) u_split (
        .clk_i,
        .rst_ni,
        .valid_i(m_r_valid_i),
        .ready_o(m_r_ready_o),
        .data_i (m_r_data_i),
        .valid_o(s_r_valid_o),
        .ready_i(s_r_ready_i),
        .data_o (s_r_data_o),
        .first_i(first),
        .place_i(offset[FromW+:$clog2(Parts)]),
        .last_i (s_r_last_o)
      );

      assign s_r_resp_o = m_r_resp_i;
      assign unused = ^offset;
    end
  endgenerate

`ifdef VERILATOR
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_r_valid_i |-> under_way_q != '0);
  Answering_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_r_valid_o |-> answering);
  Free_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    free_q == (under_way_q != CountW'(Outstanding)));
`endif
endmodule
