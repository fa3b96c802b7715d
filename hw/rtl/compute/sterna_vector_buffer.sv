// SPDX-License-Identifier: Apache-2.0

/// Ring of vectors that two PEs share: one write port, one read port. Block RAM.
///
/// A read serves both PEs when they ask for the same vector; else the PE that is behind goes first.
module sterna_vector_buffer #(
  /// Lanes of a vector.
  parameter int unsigned Lanes = 25,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Vectors it holds; a power of two.
  parameter int unsigned BufferVectors = 64
) (
  input  logic                                clk_i,
  input  logic                                rst_ni,
  /// Drops reads on their way, in the next cycle.
  input  logic                                clear_i,
  /// Write a vector (always accepted).
  input  logic                                write_valid_i,
  /// Its place.
  input  logic [$clog2(BufferVectors)-1:0]    write_address_i,
  /// The vector.
  input  logic [Lanes-1:0][ActW-1:0]          write_data_i,
  /// A PE asks for a vector.
  input  logic [1:0]                          read_valid_i,
  /// Its request is accepted.
  output logic [1:0]                          read_ready_o,
  /// Number of the vector, modulo two rings; those of the PEs are less than a ring apart.
  input  logic [1:0][$clog2(BufferVectors):0] read_vector_i,
  /// The vector on `vector_data_o` is for this PE, three cycles after its request was accepted.
  output logic [1:0]                          vector_valid_o,
  /// The vector.
  output logic [Lanes-1:0][ActW-1:0]          vector_data_o
);
  localparam int unsigned VectorW = $clog2(BufferVectors);

  (* ramstyle = "no_rw_check" *) logic [Lanes-1:0][ActW-1:0] mem_q [BufferVectors];
  logic [Lanes-1:0][ActW-1:0] data_q2;
  logic [VectorW:0] distance;
  logic same, second;
  logic [1:0] served_q1, served_q2;
  logic [VectorW-1:0] address_q1;
  // Cleared in the cycle in which the PEs are.
  logic clear_q;

  assign distance = read_vector_i[1] - read_vector_i[0];
  assign same = read_vector_i[1] == read_vector_i[0];
  assign second = read_valid_i[1] && (!read_valid_i[0] || distance[VectorW]);
  assign read_ready_o = {second || (read_valid_i[1] && same), read_valid_i[0] && !second};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) clear_q <= 1'b0;
    else clear_q <= clear_i;
  end

  // Suffixes count the cycles since the request.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {served_q1, served_q2, vector_valid_o} <= '0;
    end else if (clear_q) begin
      {served_q1, served_q2, vector_valid_o} <= '0;
    end else begin
      {served_q1, served_q2, vector_valid_o} <= {read_ready_o, served_q1, served_q2};
    end
  end

  always_ff @(posedge clk_i) begin
    address_q1 <= second ? read_vector_i[1][VectorW-1:0] : read_vector_i[0][VectorW-1:0];
  end

  always_ff @(posedge clk_i) begin
    if (write_valid_i) mem_q[write_address_i] <= write_data_i;
  end

  // The memory's own output register.
  always_ff @(posedge clk_i) begin
    if (|served_q1) data_q2 <= mem_q[address_q1];
  end

  always_ff @(posedge clk_i) begin
    if (|served_q2) vector_data_o <= data_q2;
  end

`ifdef VERILATOR
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_q)
    !(write_valid_i && (|served_q1) && write_address_i == address_q1))
    else $error("a vector is read while it is written");
`endif

endmodule
