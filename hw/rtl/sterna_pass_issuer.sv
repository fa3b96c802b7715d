/// Gives every cluster one pass for each tile group of a step, and counts the passes that are not yet drained.
module sterna_pass_issuer
  import sterna_pkg::*;
#(
  /// Clusters.
  parameter int unsigned Clusters = 2,
  /// Bits of a feature memory address.
  parameter int unsigned FmAddrW = 12
) (
  /// Clock.
  input  logic                 clk_i,
  /// Reset, active low, released synchronously.
  input  logic                 rst_ni,
  /// Back to the reset state.
  input  logic                 clear_i,
  /// Starts on the passes of `step_i` (pulse).
  input  logic                 start_i,
  /// The step; stable while `issuing_o`.
  input  step_t                step_i,
  /// Logarithm of its tiles_at_once.
  input  logic  [1:0]          tiles_log2_i,
  /// Requantisation table of the step.
  input  logic                 table_half_i,
  /// Passes are still to be given.
  output logic                 issuing_o,
  /// Every pass that was given is drained.
  output logic                 drained_o,
  /// Every pass of the steps before the last one is drained.
  output logic                 earlier_drained_o,
  /// A pass is offered to a cluster.
  output logic  [Clusters-1:0] pass_valid_o,
  /// The cluster takes it.
  input  logic  [Clusters-1:0] pass_ready_i,
  /// The pass.
  output pass_t [Clusters-1:0] pass_o,
  /// A pass of the cluster is drained (pulse).
  input  logic  [Clusters-1:0] pass_done_i
);
  localparam int unsigned CountW = 6;

  logic [31:0] left_d, left_q, tile_d, tile_q, issued_d, issued_q;
  logic [FmAddrW-1:0] stride_d, stride_q;
  logic [Clusters-1:0] waiting_d, waiting_q, accepted, drained, earlier_drained;
  logic [CountW-1:0] outstanding_d [Clusters];
  logic [CountW-1:0] outstanding_q [Clusters];

  assign issuing_o = left_q != '0;
  assign drained_o = &drained;
  assign earlier_drained_o = &earlier_drained;
  assign accepted = pass_valid_o & pass_ready_i;

  for (genvar c = 0; c < Clusters; c++) begin : gen_cluster
    logic [1:0] group;
    logic [31:0] tile;

    assign group = 2'(c >> tiles_log2_i);
    assign tile = tile_q + (32'(c) & 32'(step_i.tiles_at_once - 8'd1));
    assign pass_valid_o[c] = waiting_q[c] && outstanding_q[c] != '1;
    assign pass_o[c] = '{
      write: tile < step_i.out_plane,
      table_half: table_half_i,
      pool: step_i.pool[0],
      activation: step_i.activation[1:0],
      shift: step_i.shift[5:0],
      filters: step_i.filters,
      address: 32'(FmAddrW'(step_i.fm_base + tile) + FmAddrW'(stride_q * FmAddrW'(group))),
      plane: step_i.out_plane
    };
    assign drained[c] = outstanding_q[c] == '0;
    assign earlier_drained[c] = 32'(outstanding_q[c]) <= issued_q;
    assign outstanding_d[c] = clear_i ? '0 :
        outstanding_q[c] + CountW'(accepted[c]) - CountW'(pass_done_i[c]);
  end

  always_comb begin
    left_d = left_q;
    tile_d = tile_q;
    issued_d = issued_q;
    waiting_d = waiting_q & ~accepted;
    stride_d = FmAddrW'(step_i.group_words * FmAddrW'(step_i.out_plane));
    if (start_i) begin
      left_d = step_i.tile_groups;
      issued_d = step_i.tile_groups;
      tile_d = '0;
      waiting_d = '1;
    end else if (issuing_o && waiting_d == '0) begin
      left_d = left_q - 32'd1;
      tile_d = tile_q + 32'(step_i.tiles_at_once);
      if (left_q != 32'd1) waiting_d = '1;
    end
    if (clear_i) begin
      left_d = '0;
      waiting_d = '0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q <= '0;
      tile_q <= '0;
      issued_q <= '0;
      stride_q <= '0;
      waiting_q <= '0;
      outstanding_q <= '{default: '0};
    end else begin
      left_q <= left_d;
      tile_q <= tile_d;
      issued_q <= issued_d;
      stride_q <= stride_d;
      waiting_q <= waiting_d;
      outstanding_q <= outstanding_d;
    end
  end

`ifndef SYNTHESIS
  for (genvar c = 0; c < Clusters; c++) begin : gen_assert
    assert_done : assert property (@(posedge clk_i) disable iff (!rst_ni)
      pass_done_i[c] |-> outstanding_q[c] != '0);
  end
`endif
endmodule
