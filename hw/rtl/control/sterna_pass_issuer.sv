// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// Gives every drain one pass of its clusters for each tile group of a step, and knows what is not
/// yet drained: of the current step and of the one before it. There are no older ones, as a step
/// starts only when `earlier_drained_o`.
module sterna_pass_issuer #(
  /// Clusters.
  parameter int unsigned Clusters = 2,
  /// Drains, each of as many clusters.
  parameter int unsigned Drains = 1,
  /// Bits of a feature memory address.
  parameter int unsigned FmAddrW = 12
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  /// Back to the reset state.
  input  logic                 clear_i,
  /// Starts on the passes of `step_i` (pulse, only when not `issuing_o` and `earlier_drained_o`).
  input  logic                 start_i,
  /// The step; stable while `issuing_o`.
  input  step_t                step_i,
  /// Logarithm of its tiles_at_once.
  input  logic [1:0]           tiles_log2_i,
  /// Requantisation table of the step.
  input  logic                 table_half_i,
  /// The table is filled, so passes may be given.
  input  logic                 table_ready_i,
  /// Passes are still to be given.
  output logic                 issuing_o,
  /// Every pass of every step is drained.
  output logic                 drained_o,
  /// Every pass of the steps before the current one is drained.
  output logic                 earlier_drained_o,
  /// The oldest step that was not yet reported is drained.
  output logic                 step_drained_o,
  /// That is noted.
  input  logic                 step_noted_i,
  /// Words that each drain has written of the last tile group of the step before the current one;
  /// `AfterAll` when it is drained. Lags behind, but never shows the step before as written when it
  /// is not.
  output logic [9:0]           written_o,
  /// A pass is given to a drain, which has room.
  output logic [Drains-1:0]    pass_valid_o,
  /// The passes of all clusters.
  output pass_t [Clusters-1:0] pass_o,
  /// A word of the drain is taken by the feature memory (pulse).
  input  logic [Drains-1:0]    word_i,
  /// A pass of the drain is drained (pulse).
  input  logic [Drains-1:0]    pass_done_i
);
  /// Passes that a drain queues: no more are given that are not drained.
  localparam int unsigned PassDepth = 4;
  localparam int unsigned CountW = $clog2(PassDepth + 1);
  /// Cycles from the start to the first addresses.
  localparam int unsigned PrepareCycles = 3;

  typedef logic [FmAddrW-1:0] addr_t;

  // Tile groups that are left: whether any are, and whether it is one.
  logic [31:0] left_d, left_q;
  logic issuing_d, issuing_q, last_d, last_q, step_drained_q;
  logic [Drains-1:0] few_q;
  pass_t [Clusters-1:0] pass;
  logic [PrepareCycles:1] prepare_d, prepare_q;
  addr_t stride_q, triple_q;
  // Tiles from which the next group's is beyond the last.
  logic signed [32:0] beyond_q;
  logic [Drains-1:0] waiting_d, waiting_q, accepted, current_drained, earlier_drained;
  logic [Drains-1:0] current_drained_d, earlier_drained_d;
  logic next_group;
  // The current step, the one before it: started and not yet reported as drained.
  logic current_open_d, current_open_q, earlier_open_d, earlier_open_q;
  logic [9:0] level_q [Drains];
  logic [9:0] written_d, written_q;

  assign issuing_o = issuing_q;
  assign earlier_drained_o = &earlier_drained && !earlier_open_q;
  assign drained_o = earlier_drained_o && !issuing_o && &current_drained;
  assign step_drained_o = step_drained_q;
  assign accepted = waiting_q & few_q & {Drains{table_ready_i}};
  // Every drain has taken its pass of the tile group.
  assign next_group = issuing_o && prepare_q == '0 && (waiting_q & ~accepted) == '0;
  assign written_o = written_q;

  genvar c, d;
  generate
    for (c = 0; c < Clusters; c++) begin : gen_cluster
      logic [1:0] group, position;
      logic [31:0] tile_d, tile_q;
      logic write_d, write_q;
      // Of the step: the first addresses without the offset, and whether the first tile exists.
      addr_t start_q, keep_start_q, offset_q, address_d, address_q, keep_d, keep_q;
      logic first_write_q;
      logic [1:0] position_q;

      assign group = 2'(c >> tiles_log2_i);
      assign position = 2'(c) & 2'(step_i.tiles_at_once - 8'd1);

      assign pass[c] = '{
        write: write_q,
        table_half: table_half_i,
        pool: step_i.pool[1:0],
        activation: step_i.activation[1:0],
        shift: step_i.shift[5:0],
        filters: step_i.filters,
        address: 32'(address_q),
        keep_address: 32'(keep_q),
        plane: step_i.out_plane
      };

      always_comb begin
        tile_d = tile_q;
        write_d = write_q;
        address_d = address_q;
        keep_d = keep_q;
        if (prepare_q[PrepareCycles]) begin
          tile_d = 32'(position_q);
          write_d = first_write_q;
          address_d = start_q + offset_q;
          keep_d = keep_start_q + (offset_q << 2);
        end else if (next_group) begin
          tile_d = tile_q + 32'(step_i.tiles_at_once);
          write_d = $signed({1'b0, tile_q}) < beyond_q;
          address_d = address_q + addr_t'(step_i.tiles_at_once);
          keep_d = keep_q + addr_t'(step_i.tiles_at_once);
        end
      end

      always_ff @(posedge clk_i) begin
        position_q <= position;
        start_q <= addr_t'(step_i.fm_base) + addr_t'(position_q);
        keep_start_q <= addr_t'(step_i.keep_base) + addr_t'(position_q);
        first_write_q <= 32'(position_q) < step_i.out_plane;
      end

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          tile_q <= '0;
          write_q <= 1'b0;
          offset_q <= '0;
          address_q <= '0;
          keep_q <= '0;
        end else begin
          tile_q <= tile_d;
          write_q <= write_d;
          offset_q <= group[1] ? (group[0] ? triple_q : stride_q << 1) : (group[0] ? stride_q : '0);
          address_q <= address_d;
          keep_q <= keep_d;
        end
      end
    end

    for (d = 0; d < Drains; d++) begin : gen_drain
      logic [CountW-1:0] current_d, current_q, earlier_d, earlier_q;
      logic [9:0] words_d, words_q, level;
      logic earlier_done;

      logic [CountW-1:0] given_d, given_q;

      // Passes are drained in order, so those of the earlier step come first.
      assign earlier_done = pass_done_i[d] && earlier_q != '0;
      assign given_d = given_q + CountW'(accepted[d]) - CountW'(pass_done_i[d]);
      assign current_drained[d] = current_q == '0;
      assign earlier_drained[d] = earlier_q == '0;
      assign current_drained_d[d] = current_d == '0;
      assign earlier_drained_d[d] = earlier_d == '0;

      always_comb begin
        current_d = current_q + CountW'(accepted[d]) - CountW'(pass_done_i[d] && !earlier_done);
        earlier_d = earlier_q - CountW'(earlier_done);
        words_d = words_q;
        if (word_i[d] && words_q != AfterAll - 10'd1) words_d = words_q + 10'd1;
        // Comes after the last word, when the first of the next pass may be taken.
        if (pass_done_i[d]) words_d = 10'(word_i[d]);
        if (start_i) begin
          earlier_d = current_d;
          current_d = '0;
        end
        if (clear_i) begin
          current_d = '0;
          earlier_d = '0;
          words_d = '0;
        end
      end

      // The words of its last pass, when that alone is left.
      assign level = earlier_drained[d] ? AfterAll : (earlier_q == CountW'(1) ? words_q : '0);

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          current_q <= '0;
          earlier_q <= '0;
          given_q <= '0;
          few_q[d] <= 1'b1;
          words_q <= '0;
          level_q[d] <= '0;
        end else begin
          given_q <= clear_i ? '0 : given_d;
          few_q[d] <= clear_i || given_d < CountW'(PassDepth);
          current_q <= current_d;
          earlier_q <= earlier_d;
          words_q <= words_d;
          level_q[d] <= start_i ? '0 : level;
        end
      end

`ifdef VERILATOR
      Done_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        pass_done_i[d] |-> earlier_q != '0 || current_q != '0);
`endif
    end
  endgenerate

  always_comb begin
    written_d = AfterAll;
    for (int drain = 0; drain < int'(Drains); drain++) begin
      if (level_q[drain] < written_d) written_d = level_q[drain];
    end
    if (start_i) written_d = '0;
  end

  always_comb begin
    left_d = left_q;
    issuing_d = issuing_q;
    last_d = last_q;
    prepare_d = prepare_q << 1;
    waiting_d = waiting_q & ~accepted;
    current_open_d = current_open_q && !(step_drained_o && step_noted_i && !earlier_open_q);
    earlier_open_d = earlier_open_q && !(step_drained_o && step_noted_i);
    if (start_i) begin
      left_d = step_i.tile_groups;
      issuing_d = 1'b1;
      last_d = step_i.tile_groups == 32'd1;
      prepare_d[1] = 1'b1;
      earlier_open_d = current_open_d;
      current_open_d = 1'b1;
    end else if (prepare_q[PrepareCycles]) begin
      waiting_d = '1;
    end else if (next_group) begin
      left_d = left_q - 32'd1;
      issuing_d = !last_q;
      last_d = left_q == 32'd2;
      if (!last_q) waiting_d = '1;
    end
    if (clear_i) begin
      left_d = '0;
      issuing_d = 1'b0;
      prepare_d = '0;
      waiting_d = '0;
      current_open_d = 1'b0;
      earlier_open_d = 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q <= '0;
      issuing_q <= 1'b0;
      last_q <= 1'b0;
      step_drained_q <= 1'b0;
      pass_valid_o <= '0;
      prepare_q <= '0;
      stride_q <= '0;
      triple_q <= '0;
      beyond_q <= '0;
      waiting_q <= '0;
      current_open_q <= 1'b0;
      earlier_open_q <= 1'b0;
      written_q <= '0;
    end else begin
      left_q <= left_d;
      issuing_q <= issuing_d;
      last_q <= last_d;
      step_drained_q <= earlier_open_d ? &earlier_drained_d :
                        current_open_d && !issuing_d && &current_drained_d;
      pass_valid_o <= clear_i ? '0 : accepted;
      prepare_q <= prepare_d;
      stride_q <= addr_t'(step_i.group_words * addr_t'(step_i.out_plane));
      triple_q <= stride_q + (stride_q << 1);
      beyond_q <= 33'(step_i.out_plane) - 33'(step_i.tiles_at_once);
      waiting_q <= waiting_d;
      current_open_q <= current_open_d;
      earlier_open_q <= earlier_open_d;
      written_q <= written_d;
    end
  end

  // What crosses the chip to the drains comes from registers.
  always_ff @(posedge clk_i) begin
    pass_o <= pass;
  end

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !issuing_o && earlier_drained_o);
`endif
endmodule
