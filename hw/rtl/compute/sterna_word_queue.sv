// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Collects the channels of feature memory words and queues the words: a memory for each place in a
/// word.
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
  /// A channel comes in.
  input  logic                                         valid_i,
  /// Its place in the word.
  input  logic [1:0]                                   place_i,
  /// The channel.
  input  logic [Lanes-1:0][ActW-1:0]                   data_i,
  /// With it the word is complete.
  input  logic                                         word_i,
  /// Channels that the complete word has; one without any is not written.
  input  logic [WordChannels-1:0]                      strobe_i,
  /// Where it goes.
  input  logic [FmAddrW-1:0]                           address_i,
  /// It is the last of its pass.
  input  logic                                         last_i,
  /// A word leaves the queue (pulse).
  output logic                                         release_o,
  /// A word is to be written.
  output logic                                         write_valid_o,
  /// It is accepted.
  input  logic                                         write_ready_i,
  /// Where.
  output logic [FmAddrW-1:0]                           write_addr_o,
  /// Channels to write.
  output logic [WordChannels-1:0]                      write_strobe_o,
  /// The word.
  output logic [Lanes-1:0][WordChannels-1:0][ActW-1:0] write_data_o,
  /// The last word of a pass, and so all before it, was accepted (pulse).
  output logic                                         done_o
);
  /* verilator no_inline_module */

  /// Places for words. The word that is offered stays in the memory, which spares a wide register
  /// with its enable; distributed RAM has as many places anyway.
  localparam int unsigned Places = 2 * Depth;
  localparam int unsigned PtrW = $clog2(Places);

  typedef struct packed {
    logic last;
    logic [WordChannels-1:0] strobe;
    logic [FmAddrW-1:0] address;
  } header_t;

  header_t header, header_q;
  logic header_valid, header_ready, valid_q, write_valid_q, load;
  logic [PtrW-1:0] write_q, read_q, offered_q;
  logic [Lanes-1:0][ActW-1:0] data [WordChannels];

  sterna_fifo #(
    .Width($bits(header_t)),
    .Depth(Depth)
  ) u_headers (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(valid_i && word_i),
    .ready_o(header_ready),
    .data_i ({last_i, strobe_i, address_i}),
    .valid_o(header_valid),
    .ready_i(load),
    .data_o (header),
    .count_o()
  );

  genvar c, i;
  generate
    for (c = 0; c < WordChannels; c++) begin : gen_place
      (* ramstyle = "MLAB, no_rw_check" *) logic [Lanes-1:0][ActW-1:0] mem_q [Places];

      assign data[c] = mem_q[offered_q];

      always_ff @(posedge clk_i) begin
        if (valid_i && place_i == 2'(c)) mem_q[write_q] <= data_i;
      end
    end
  endgenerate

  // A word is offered from its place, with its header in a register; one without channels is gone
  // in the next cycle.
  assign load = header_valid && (!write_valid_q || write_ready_i);
  assign release_o = load;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      write_valid_q <= 1'b0;
      write_q <= '0;
      read_q <= '0;
      done_o <= 1'b0;
    end else if (clear_i) begin
      valid_q <= 1'b0;
      write_valid_q <= 1'b0;
      write_q <= '0;
      read_q <= '0;
      done_o <= 1'b0;
    end else begin
      valid_q <= load || (write_valid_q && !write_ready_i);
      write_valid_q <= load ? header.strobe != '0 : write_valid_q && !write_ready_i;
      write_q <= write_q + PtrW'(valid_i && word_i);
      read_q <= read_q + PtrW'(load);
      done_o <= valid_q && header_q.last && (write_ready_i || !write_valid_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      header_q <= header;
      offered_q <= read_q;
    end
  end

  generate
    for (i = 0; i < Lanes; i++) begin : gen_lane
      for (c = 0; c < WordChannels; c++) begin : gen_channel
        assign write_data_o[i][c] = data[c][i];
      end
    end
  endgenerate

  assign write_valid_o = write_valid_q;
  assign write_addr_o = header_q.address;
  assign write_strobe_o = header_q.strobe;

`ifdef VERILATOR
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && word_i |-> header_ready)
    else $error("a word came without room");
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    valid_i && write_valid_q |-> write_q != offered_q)
    else $error("a channel comes into the word that is offered");
  WriteStable_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    write_valid_o && !write_ready_i |=>
    write_valid_o && $stable({write_addr_o, write_strobe_o, write_data_o}))
    else $error("a word changed or vanished while it waited");
`endif

endmodule
