/// Two halves of BlockLines lines that two units share: one write port, one read port that serves the units in
/// turn when both ask. Block RAM.
module sterna_line_buffer #(
  /// Lanes of a line.
  parameter int unsigned Lanes = 25,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Lines in a half.
  parameter int unsigned BlockLines = 64,
  localparam int unsigned AddressW = $clog2(2 * BlockLines)
) (
  /// Clock.
  input  logic                       clk_i,
  /// Reset, active low.
  input  logic                       rst_ni,
  /// Drops reads on their way.
  input  logic                       clear_i,
  /// Write a line (always accepted).
  input  logic                       write_valid_i,
  /// Half and line to write.
  input  logic [AddressW-1:0]        write_address_i,
  /// The line.
  input  logic [Lanes-1:0][ActW-1:0] write_data_i,
  /// A unit asks for a line.
  input  logic [1:0]                 read_valid_i,
  /// Its request is accepted.
  output logic [1:0]                 read_ready_o,
  /// Half and line that it asks for.
  input  logic [1:0][AddressW-1:0]   read_address_i,
  /// The line on `line_data_o` is for this unit, the cycle after its request was accepted.
  output logic [1:0]                 line_valid_o,
  /// The line.
  output logic [Lanes-1:0][ActW-1:0] line_data_o
);

  logic [Lanes-1:0][ActW-1:0] mem_q [2 * BlockLines];
  logic                       prefer_q, served;
  logic [AddressW-1:0]        read_address;

  // The unit not served last goes first.
  assign served       = (&read_valid_i) ? prefer_q : read_valid_i[1];
  assign read_ready_o = {served, !served} & read_valid_i;
  assign read_address = read_address_i[served];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      prefer_q     <= 1'b0;
      line_valid_o <= '0;
    end else if (clear_i) begin
      prefer_q     <= 1'b0;
      line_valid_o <= '0;
    end else begin
      if (|read_valid_i) prefer_q <= !served;
      line_valid_o <= read_ready_o;
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_valid_i) mem_q[write_address_i] <= write_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (|read_valid_i) line_data_o <= mem_q[read_address];
  end

`ifndef SYNTHESIS
  NoCollision: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    !(write_valid_i && (|read_valid_i) && write_address_i == read_address))
    else $error("a line is read while it is written");
`endif

endmodule
