// SPDX-License-Identifier: Apache-2.0

/// Lets two ask one memory for words. The first one goes before; words that were read come back in
/// order, so a queue knows whose they are.
module ulx3s_arbiter #(
  /// Words that may be on their way; a power of two.
  parameter int unsigned Depth = 16
) (
  input  logic             clk_i,
  input  logic             rst_ni,

  /// A word is asked for.
  input  logic [1:0]       valid_i,
  /// It is taken.
  output logic [1:0]       ready_o,
  /// It is written; otherwise it is read.
  input  logic [1:0]       write_i,
  /// Which.
  input  logic [1:0][21:0] addr_i,
  /// What is written.
  input  logic [1:0][63:0] data_i,
  /// Bytes to write.
  input  logic [1:0][7:0]  strb_i,
  /// The word that was read is for this one.
  output logic [1:0]       read_valid_o,

  /// To the memory: a word is asked for.
  output logic             valid_o,
  /// It is taken.
  input  logic             ready_i,
  /// It is written; otherwise it is read.
  output logic             write_o,
  /// Which.
  output logic [21:0]      addr_o,
  /// What is written.
  output logic [63:0]      data_o,
  /// Bytes to write.
  output logic [7:0]       strb_o,
  /// A word was read.
  input  logic             read_valid_i
);
  logic chosen, room, owner;

  assign chosen = !valid_i[0];
  assign valid_o = valid_i[chosen] && (write_o || room);
  assign ready_o = {chosen, !chosen} & {2{ready_i && (write_o || room)}};
  assign write_o = write_i[chosen];
  assign addr_o = addr_i[chosen];
  assign data_o = data_i[chosen];
  assign strb_o = strb_i[chosen];
  assign read_valid_o = {owner, !owner} & {2{read_valid_i}};

  sterna_fifo #(
    .Width(1),
    .Depth(Depth)
  ) u_owners (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(valid_o && ready_i && !write_o && room),
    .ready_o(room),
    .data_i (chosen),
    .valid_o(),
    .ready_i(read_valid_i),
    .data_o (owner),
    .count_o()
  );
endmodule
