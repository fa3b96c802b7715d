// SPDX-License-Identifier: Apache-2.0

/// CRC-32 (zlib's) over one beat per cycle. `crc_o` is the register before the final inversion,
/// three cycles after a beat.
module sterna_crc32 #(
  /// Bits of a beat, 32 or more.
  parameter int unsigned DataW = 64
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  /// Starts a new message with the next beat; those of the two cycles before are dropped.
  input  logic             clear_i,
  /// A beat, its lowest byte first in the message.
  input  logic             valid_i,
  /// The beat.
  input  logic [DataW-1:0] data_i,
  /// Register over all beats taken so far.
  output logic [31:0]      crc_o
);
  /// The polynomial, lowest power in the highest bit.
  localparam logic [31:0] Polynomial = 32'hedb8_8320;

  /// Parts of a beat that are reduced by themselves.
  localparam int unsigned Parts = 4;
  localparam int unsigned PartW = DataW / Parts;

  typedef logic [31:0][DataW-1:0] matrix_t;

  // Row i says which bits of a beat reach register bit i. The last bit of a beat meets one division
  // step, each earlier bit one more.
  function automatic matrix_t division_matrix();
    matrix_t matrix;
    logic [31:0] column = Polynomial;
    for (int position = int'(DataW) - 1; position >= 0; position--) begin
      for (int i = 0; i < 32; i++) matrix[i][position] = column[i];
      column = (column >> 1) ^ (column[0] ? Polynomial : '0);
    end
    return matrix;
  endfunction

  localparam matrix_t Matrix = division_matrix();

  generate
    if (DataW < 32) begin : gen_bad_width
      initial $error("sterna_crc32: DataW = %0d must be 32 or more", DataW);
    end
  endgenerate

  // A beat waits for a cycle, is reduced to a few bits for each bit of the register, and waits for
  // another one. The register itself meets the beat in its lowest bits.
  logic [31:0] crc_d, crc_q;
  logic [DataW-1:0] data_q;
  logic [31:0][Parts-1:0] part_d, part_q;
  logic beat_valid_q, valid_q;

  always_comb begin
    for (int i = 0; i < 32; i++) begin
      for (int k = 0; k < int'(Parts); k++) begin
        part_d[i][k] = ^(data_q[k*PartW+:PartW] & Matrix[i][k*PartW+:PartW]);
      end
    end
  end

  always_comb begin
    crc_d = crc_q;
    if (clear_i) begin
      crc_d = '1;
    end else if (valid_q) begin
      for (int i = 0; i < 32; i++) crc_d[i] = ^(crc_q & Matrix[i][31:0]) ^ (^part_q[i]);
    end
  end

  assign crc_o = crc_q;

  always_ff @(posedge clk_i) begin
    data_q <= data_i;
    part_q <= part_d;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      crc_q <= '1;
      {beat_valid_q, valid_q} <= '0;
    end else begin
      crc_q <= crc_d;
      beat_valid_q <= valid_i && !clear_i;
      valid_q <= beat_valid_q && !clear_i;
    end
  end
endmodule
