/// Writes the words of a REQUANT payload to the tables of the clusters of each filter group, and drops the
/// padding behind them.
module sterna_table_writer #(
  /// Clusters.
  parameter int unsigned Clusters = 2,
  /// Entries of a table.
  parameter int unsigned Entries = 64,
  /// Bits of an entry's index (derived).
  localparam int unsigned IndexW = $clog2(Entries)
) (
  /// Clock.
  input  logic                clk_i,
  /// Reset, active low, released synchronously.
  input  logic                rst_ni,
  /// Back to the reset state.
  input  logic                clear_i,
  /// The next word is the first of a payload (pulse, before the word).
  input  logic                start_i,
  /// Channels that each cluster drains, at most `Entries`.
  input  logic [15:0]         filters_i,
  /// Logarithm of the distinct tiles that the clusters work on.
  input  logic [1:0]          tiles_log2_i,
  /// A word is offered; it is always taken.
  input  logic                word_valid_i,
  /// A word is written to the table of each cluster.
  output logic [Clusters-1:0] table_valid_o,
  /// Entry of the table.
  output logic [IndexW-1:0]   table_index_o
);
  localparam int unsigned GroupW = $clog2(Clusters + 1);

  logic [IndexW-1:0] index_d, index_q;
  logic [GroupW-1:0] group_d, group_q;

  assign table_index_o = index_q;

  for (genvar c = 0; c < Clusters; c++) begin : gen_cluster
    assign table_valid_o[c] = word_valid_i && GroupW'(c >> tiles_log2_i) == group_q;
  end

  always_comb begin
    index_d = index_q;
    group_d = group_q;
    if (start_i || clear_i) begin
      index_d = '0;
      group_d = '0;
    end else if (word_valid_i && group_q != GroupW'(Clusters)) begin
      index_d = index_q + 1'b1;
      if (16'(index_q) + 16'd1 == filters_i) begin
        index_d = '0;
        group_d = group_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      index_q <= '0;
      group_q <= '0;
    end else begin
      index_q <= index_d;
      group_q <= group_d;
    end
  end
endmodule
