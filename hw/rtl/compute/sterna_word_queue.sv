// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Queues the channels of feature memory words, and puts those of a word together again when it is
/// to be written: a channel per cycle.
///
/// The last channel of a word is read only when it is the user's turn to write. After that nothing
/// waits: where it goes is there a cycle later, and its data another cycle later.
///
/// The user keeps count: it never begins a word when Depth words are begun that `release_o` did not
/// name.
module sterna_word_queue #(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a feature memory word's address.
  parameter int unsigned FmAddrW = 12,
  /// Words it holds; a power of two.
  parameter int unsigned Depth = 8
) (
  input  logic                                         clk_i,
  input  logic                                         rst_ni,
  /// Empties the queue.
  input  logic                                         clear_i,
  /// A channel comes in, the lowest of its word first.
  input  logic                                         valid_i,
  /// The channel.
  input  logic [Lanes-1:0][ActW-1:0]                   data_i,
  /// The word is complete, with this channel if there is one.
  input  logic                                         word_i,
  /// Channels that the complete word has, the lowest ones; one without any is not written.
  input  logic [WordChannels-1:0]                      strobe_i,
  /// Where it goes.
  input  logic [FmAddrW-1:0]                           address_i,
  /// It is the last of its pass.
  input  logic                                         last_i,
  /// A word leaves the queue (pulse).
  output logic                                         release_o,
  /// In the next cycle a word may be written.
  input  logic                                         turn_i,
  /// A word is written, from the next cycle on.
  output logic                                         write_next_o,
  /// A word is written: where.
  output logic                                         write_valid_o,
  /// Where.
  output logic [FmAddrW-1:0]                           write_addr_o,
  /// Channels to write.
  output logic [WordChannels-1:0]                      write_strobe_o,
  /// The word whose place was there in the cycle before.
  output logic [Lanes-1:0][WordChannels-1:0][ActW-1:0] write_data_o,
  /// The last word of a pass, and so all before it, is written (pulse).
  output logic                                         done_o
);
  /* verilator no_inline_module */

  /// Channels of Depth words.
  localparam int unsigned Places = WordChannels * Depth;
  localparam int unsigned PtrW = $clog2(Places);

  typedef struct packed {
    logic last;
    logic [WordChannels-1:0] strobe;
    logic [FmAddrW-1:0] address;
  } header_t;

  // The word that is read, and the one that was read before it.
  header_t header, word_header_q, header_q;
  logic header_valid, header_ready, word_valid_q, valid_q, write_valid_q, step, load;
  logic [PtrW-1:0] write_q, read_q;
  (* ramstyle = "MLAB, no_rw_check" *) logic [Lanes-1:0][ActW-1:0] mem_q [Places];
  logic [Lanes-1:0][ActW-1:0] channel_q;
  logic [Lanes-1:0][ActW-1:0] word_q [WordChannels];
  // Of the word, a bit for each channel that is still to be read, from the lowest bit on; the
  // channel that is read next, and the one that was read in the cycle before.
  logic [WordChannels-1:0] left_d, left_q, next_q, read_late_q;
  // The word leaves in this cycle, as was found in the one before: it has no channels left, and so
  // takes no turn, or one, and its turn.
  logic word_valid_d, leaves_d, leaves_q;

  sterna_fifo #(
    .Width     ($bits(header_t)),
    .Depth     (Depth),
    .Registered(1'b1)
  ) u_headers (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(word_i),
    .ready_o(header_ready),
    .data_i ({last_i, strobe_i, address_i}),
    .valid_o(header_valid),
    .ready_i(load),
    .data_o (header),
    .count_o()
  );

  assign write_next_o = leaves_q && left_q[0];
  assign step = word_valid_q && left_q[0] && (left_q[1] || leaves_q);
  assign load = leaves_q || !word_valid_q;
  assign release_o = leaves_q;
  assign word_valid_d = load ? header_valid : 1'b1;
  assign leaves_d = word_valid_d && (!left_d[0] || (!left_d[1] && turn_i));

  always_comb begin
    left_d = left_q;
    if (load) left_d = header.strobe;
    else if (step) left_d = left_q >> 1;
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) mem_q[write_q] <= data_i;
  end

  always_ff @(posedge clk_i) begin
    channel_q <= mem_q[read_q];
  end

  genvar i, c;
  generate
    for (c = 0; c < WordChannels; c++) begin : gen_place
      always_ff @(posedge clk_i) begin
        if (read_late_q[c]) word_q[c] <= channel_q;
      end
    end
  endgenerate

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_valid_q <= 1'b0;
      leaves_q <= 1'b0;
      valid_q <= 1'b0;
      write_valid_q <= 1'b0;
      write_q <= '0;
      read_q <= '0;
      read_late_q <= '0;
      done_o <= 1'b0;
    end else if (clear_i) begin
      word_valid_q <= 1'b0;
      leaves_q <= 1'b0;
      valid_q <= 1'b0;
      write_valid_q <= 1'b0;
      write_q <= '0;
      read_q <= '0;
      read_late_q <= '0;
      done_o <= 1'b0;
    end else begin
      word_valid_q <= word_valid_d;
      leaves_q <= leaves_d;
      valid_q <= leaves_q;
      write_valid_q <= write_next_o;
      write_q <= write_q + PtrW'(valid_i);
      read_q <= read_q + PtrW'(step);
      read_late_q <= step ? next_q : '0;
      done_o <= valid_q && header_q.last;
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) word_header_q <= header;
    left_q <= left_d;
    if (load) next_q <= WordChannels'(1);
    else if (step) next_q <= next_q << 1;
    if (leaves_q) header_q <= word_header_q;
  end

  generate
    for (i = 0; i < Lanes; i++) begin : gen_lane
      for (c = 0; c < WordChannels; c++) begin : gen_channel
        assign write_data_o[i][c] = word_q[c][i];
      end
    end
  endgenerate

  assign write_valid_o = write_valid_q;
  assign write_addr_o = header_q.address;
  assign write_strobe_o = header_q.strobe;

`ifdef VERILATOR
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_i |-> header_ready)
    else $error("a word came without room");
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && step |-> write_q != read_q)
    else $error("a channel is read while it is written");
`endif

endmodule
