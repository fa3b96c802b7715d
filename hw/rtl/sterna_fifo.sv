/// Small FIFO with valid/ready on both sides. A word appears at the output one cycle after it was taken.
/// The memory is read asynchronously, so it becomes registers or distributed RAM.
module sterna_fifo #(
  /// Bits of a word.
  parameter int unsigned Width = 8,
  /// Words held; a power of two.
  parameter int unsigned Depth = 4
) (
  /// Clock.
  input  logic             clk_i,
  /// Reset, active low, released synchronously.
  input  logic             rst_ni,
  /// Drops all words.
  input  logic             clear_i,
  /// A word is offered.
  input  logic             valid_i,
  /// The word is taken.
  output logic             ready_o,
  /// The word.
  input  logic [Width-1:0] data_i,
  /// There is an oldest word.
  output logic             valid_o,
  /// The oldest word is taken.
  input  logic             ready_i,
  /// The oldest word.
  output logic [Width-1:0] data_o
);
  localparam int unsigned IndexW = $clog2(Depth);

  if (Depth < 2 || Depth != 2 ** IndexW) begin : gen_bad_depth
    $error("Depth = %0d must be a power of two, 2 or more", Depth);
  end
  if (Width < 1) begin : gen_bad_width
    $error("Width must be 1 or more");
  end

  logic [Width-1:0] memory [Depth];
  // One bit more than an index: equal pointers mean empty, pointers Depth apart mean full.
  logic [IndexW:0] write_q, read_q, held;
  logic push, pop;

  assign held = write_q - read_q;
  assign ready_o = !held[IndexW];
  assign valid_o = held != '0;
  assign data_o = memory[read_q[IndexW-1:0]];
  assign push = valid_i && ready_o;
  assign pop = valid_o && ready_i;

  always_ff @(posedge clk_i) begin
    if (push) memory[write_q[IndexW-1:0]] <= data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
    end else if (clear_i) begin
      write_q <= '0;
      read_q <= '0;
    end else begin
      write_q <= write_q + (IndexW+1)'(push);
      read_q <= read_q + (IndexW+1)'(pop);
    end
  end

`ifndef SYNTHESIS
  assert_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    held <= (IndexW+1)'(Depth));
`endif
endmodule
