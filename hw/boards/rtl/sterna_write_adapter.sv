// SPDX-License-Identifier: Apache-2.0

/// Writes for a bus of one width over a bus of another width that takes shorter bursts. Bursts are
/// of type INCR, of whole beats, and answered in order. A beat is written whole or not at all.
module sterna_write_adapter #(
  /// Bits of a beat of the bus that writes.
  parameter int unsigned FromDataW = 64,
  /// Bits of a beat of the bus that is written.
  parameter int unsigned ToDataW = 64,
  /// Beats of the longest burst of the bus that is written.
  parameter int unsigned ToBeats = 16,
  /// Bursts of each bus that may be under way; a power of two.
  parameter int unsigned Outstanding = 8
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// A burst is to be written.
  input  logic                 s_aw_valid_i,
  /// It is taken.
  output logic                 s_aw_ready_o,
  /// Its first byte, a multiple of the beat size.
  input  logic [63:0]          s_aw_addr_i,
  /// Its beats less one.
  input  logic [7:0]           s_aw_len_i,
  /// A beat is offered.
  input  logic                 s_w_valid_i,
  /// It is taken.
  output logic                 s_w_ready_o,
  /// The beat.
  input  logic [FromDataW-1:0] s_w_data_i,
  /// It is written.
  input  logic                 s_w_strobe_i,
  /// It is the last of its burst.
  input  logic                 s_w_last_i,
  /// The burst is answered.
  output logic                 s_b_valid_o,
  /// The answer is taken.
  input  logic                 s_b_ready_i,
  /// OKAY or SLVERR.
  output logic [1:0]           s_b_resp_o,
  /// A burst of the other bus is to be written.
  output logic                 m_aw_valid_o,
  /// It is taken.
  input  logic                 m_aw_ready_i,
  /// Its first byte.
  output logic [63:0]          m_aw_addr_o,
  /// Its beats less one.
  output logic [7:0]           m_aw_len_o,
  /// A beat of it is offered.
  output logic                 m_w_valid_o,
  /// It is taken.
  input  logic                 m_w_ready_i,
  /// The beat.
  output logic [ToDataW-1:0]   m_w_data_o,
  /// Bytes to write.
  output logic [ToDataW/8-1:0] m_w_strb_o,
  /// It is the last of its burst.
  output logic                 m_w_last_o,
  /// A burst is answered.
  input  logic                 m_b_valid_i,
  /// The answer is taken.
  output logic                 m_b_ready_o,
  /// The answer.
  input  logic [1:0]           m_b_resp_i
);
  localparam int unsigned FromW = $clog2(FromDataW / 8);

  // ---------------------------------------------------------------------------------------- bursts

  // A burst is given to three queues at once: to the bus, to the beats that follow, and to the
  // answers. The bus may take its address before its beats or after them.
  logic asked, adapter_ready, places_ready, burst_valid, burst_taken, burst_last;
  logic address_ready, lens_ready, answers_ready;
  logic [63:0] burst_addr;
  logic [7:0] burst_len;

  assign asked = s_aw_valid_i && s_aw_ready_o;
  assign s_aw_ready_o = adapter_ready && places_ready;
  assign burst_taken = burst_valid && address_ready && lens_ready && answers_ready;

  sterna_burst_adapter #(
    .FromDataW(FromDataW),
    .ToDataW  (ToDataW),
    .ToBeats  (ToBeats)
  ) u_bursts (
    .clk_i,
    .rst_ni,
    .valid_i(asked),
    .ready_o(adapter_ready),
    .addr_i (s_aw_addr_i),
    .len_i  (s_aw_len_i),
    .valid_o(burst_valid),
    .ready_i(address_ready && lens_ready && answers_ready),
    .addr_o (burst_addr),
    .len_o  (burst_len),
    .last_o (burst_last)
  );

  sterna_fifo #(
    .Width     (64 + 8),
    .Depth     (2),
    .Registered(1'b1)
  ) u_addresses (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(burst_taken),
    .ready_o(address_ready),
    .data_i ({burst_addr, burst_len}),
    .valid_o(m_aw_valid_o),
    .ready_i(m_aw_ready_i),
    .data_o ({m_aw_addr_o, m_aw_len_o}),
    .count_o()
  );

  // ----------------------------------------------------------------------------------------- beats

  // Beats of the width of the bus that is written, which do not know their bursts yet.
  logic beat_valid, beat_ready, len_valid, len_taken, writing;
  logic [7:0] len;

  assign m_w_valid_o = beat_valid && writing;
  assign beat_ready = m_w_ready_i && writing;

  sterna_fifo #(
    .Width     (8),
    .Depth     (Outstanding),
    .Registered(1'b1)
  ) u_lens (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(burst_taken),
    .ready_o(lens_ready),
    .data_i (burst_len),
    .valid_o(len_valid),
    .ready_i(len_taken),
    .data_o (len),
    .count_o()
  );

  sterna_beat_counter u_beats (
    .clk_i,
    .rst_ni,
    .valid_i(len_valid),
    .ready_o(len_taken),
    .len_i  (len),
    .data_i (1'b0),
    .valid_o(writing),
    .data_o (),
    .first_o(),
    .last_o (m_w_last_o),
    .next_i (m_w_valid_o && m_w_ready_i)
  );

  generate
    if (FromDataW == ToDataW) begin : gen_same
      logic unused;

      assign beat_valid = s_w_valid_i;
      assign s_w_ready_o = beat_ready;
      assign m_w_data_o = s_w_data_i;
      assign m_w_strb_o = {(ToDataW / 8) {s_w_strobe_i}};
      assign places_ready = 1'b1;
      assign unused = s_w_last_i;
    end else if (FromDataW > ToDataW) begin : gen_split
      localparam int unsigned Parts = FromDataW / ToDataW;

      logic unused;

      sterna_beat_split #(
        .DataW(ToDataW),
        .Parts(Parts)
      ) u_split (
        .clk_i,
        .rst_ni,
        .valid_i(s_w_valid_i),
        .ready_o(s_w_ready_o),
        .data_i (s_w_data_i),
        .valid_o(beat_valid),
        .ready_i(beat_ready),
        .data_o (m_w_data_o),
        .first_i(1'b0),
        .place_i('0),
        .last_i (1'b0)
      );

      assign m_w_strb_o = {(ToDataW / 8) {s_w_strobe_i}};
      assign places_ready = 1'b1;
      assign unused = s_w_last_i;
    end else begin : gen_join
      localparam int unsigned Parts = ToDataW / FromDataW;
      localparam int unsigned PlaceW = $clog2(Parts);

      // Where each burst begins in a beat of the other bus.
      logic placed, join_ready, first_q;
      logic [PlaceW-1:0] place;
      logic [Parts-1:0] strobes;

      sterna_fifo #(
        .Width     (PlaceW),
        .Depth     (Outstanding),
        .Registered(1'b1)
      ) u_places (
        .clk_i,
        .rst_ni,
        .clear_i(1'b0),
        .valid_i(asked),
        .ready_o(places_ready),
        .data_i (s_aw_addr_i[FromW+:PlaceW]),
        .valid_o(placed),
        .ready_i(s_w_valid_i && s_w_ready_o && s_w_last_i),
        .data_o (place),
        .count_o()
      );

      sterna_beat_join #(
        .DataW(FromDataW),
        .Parts(Parts)
      ) u_join (
        .clk_i,
        .rst_ni,
        .valid_i(s_w_valid_i && placed),
        .ready_o(join_ready),
        .data_i (s_w_data_i),
        .mark_i (s_w_strobe_i),
        .first_i(first_q),
        .place_i(place),
        .last_i (s_w_last_i),
        .valid_o(beat_valid),
        .ready_i(beat_ready),
        .data_o (m_w_data_o),
        .mark_o (strobes)
      );

      assign s_w_ready_o = join_ready && placed;

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) first_q <= 1'b1;
        else if (s_w_valid_i && s_w_ready_o) first_q <= s_w_last_i;
      end

      always_comb begin
        for (int i = 0; i < int'(ToDataW / 8); i++) m_w_strb_o[i] = strobes[i>>FromW];
      end
    end
  endgenerate

  // --------------------------------------------------------------------------------------- answers

  // A burst is answered once all that it was turned into are, and well if all of them are.
  logic answering, answer_last, answered, failed_q, unused_resp;

  assign answered = m_b_valid_i && m_b_ready_o;
  assign s_b_valid_o = m_b_valid_i && answer_last;
  assign s_b_resp_o = {failed_q || m_b_resp_i[1], 1'b0};
  assign m_b_ready_o = s_b_ready_i || !answer_last;
  assign unused_resp = m_b_resp_i[0];

  sterna_fifo #(
    .Width     (1),
    .Depth     (Outstanding),
    .Registered(1'b1)
  ) u_answers (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(burst_taken),
    .ready_o(answers_ready),
    .data_i (burst_last),
    .valid_o(answering),
    .ready_i(answered),
    .data_o (answer_last),
    .count_o()
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) failed_q <= 1'b0;
    else if (answered) failed_q <= !answer_last && (failed_q || m_b_resp_i[1]);
  end

`ifdef VERILATOR
  Asked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_b_valid_i |-> answering);
  AwHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_aw_valid_o && !m_aw_ready_i |=> m_aw_valid_o && $stable({m_aw_addr_o, m_aw_len_o}));
  WHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_w_valid_o && !m_w_ready_i |=>
      m_w_valid_o && $stable({m_w_data_o, m_w_strb_o, m_w_last_o}));
`endif
endmodule
