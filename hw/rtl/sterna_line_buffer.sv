/// Ring of lines that two units share: one write port, one read port. Block RAM.
///
/// A read serves both units when they ask for the same line; else the unit that is behind goes first.
module sterna_line_buffer #(
  /// Lanes of a line.
  parameter int unsigned Lanes = 25,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Lines it holds; a power of two.
  parameter int unsigned BufferLines = 64,
  localparam int unsigned LineW = $clog2(BufferLines)
) (
  /// Clock.
  input  logic                       clk_i,
  /// Reset, active low.
  input  logic                       rst_ni,
  /// Drops reads on their way.
  input  logic                       clear_i,
  /// Write a line (always accepted).
  input  logic                       write_valid_i,
  /// Its place.
  input  logic [LineW-1:0]           write_address_i,
  /// The line.
  input  logic [Lanes-1:0][ActW-1:0] write_data_i,
  /// A unit asks for a line.
  input  logic [1:0]                 read_valid_i,
  /// Its request is accepted.
  output logic [1:0]                 read_ready_o,
  /// Number of the line, modulo two rings; those of the units are less than a ring apart.
  input  logic [1:0][LineW:0]        read_line_i,
  /// The line on `line_data_o` is for this unit, three cycles after its request was accepted.
  output logic [1:0]                 line_valid_o,
  /// The line.
  output logic [Lanes-1:0][ActW-1:0] line_data_o
);

  logic [Lanes-1:0][ActW-1:0] mem_q [BufferLines];
  logic [Lanes-1:0][ActW-1:0] data_q2;
  logic [LineW:0]             distance;
  logic                       same, second;
  logic [1:0]                 served_q1, served_q2;
  logic [LineW-1:0]           address_q1;

  assign distance     = read_line_i[1] - read_line_i[0];
  assign same         = read_line_i[1] == read_line_i[0];
  assign second       = read_valid_i[1] && (!read_valid_i[0] || distance[LineW]);
  assign read_ready_o = {second || (read_valid_i[1] && same), read_valid_i[0] && !second};

  // Suffixes count the cycles since the request.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {served_q1, served_q2, line_valid_o} <= '0;
    end else if (clear_i) begin
      {served_q1, served_q2, line_valid_o} <= '0;
    end else begin
      {served_q1, served_q2, line_valid_o} <= {read_ready_o, served_q1, served_q2};
    end
  end

  always_ff @(posedge clk_i) begin
    address_q1 <= second ? read_line_i[1][LineW-1:0] : read_line_i[0][LineW-1:0];
  end

  always_ff @(posedge clk_i) begin
    if (write_valid_i) mem_q[write_address_i] <= write_data_i;
  end

  // The memory's own output register.
  always_ff @(posedge clk_i) begin
    if (|served_q1) data_q2 <= mem_q[address_q1];
  end

  always_ff @(posedge clk_i) begin
    if (|served_q2) line_data_o <= data_q2;
  end

`ifndef SYNTHESIS
  NoCollision: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    !(write_valid_i && (|served_q1) && write_address_i == address_q1))
    else $error("a line is read while it is written");
`endif

endmodule
