// SPDX-License-Identifier: Apache-2.0

/// One axis (rows or columns) of a window: which memory tile each bank reads in, and which lanes
/// lie in the map. Lane i reads pixel `offset + step*i` after the start of memory tile `tile`,
/// which is in bank `(offset + step*i) mod Tile` and lies `(offset + step*i) div Tile` tiles
/// further (its carry, 0 to 2). Results come three cycles after the window.
module sterna_gather_axis #(
  /// Banks, and lanes, along the axis; odd.
  parameter int unsigned Tile = 5
) (
  input  logic                 clk_i,
  /// Step from lane to lane is 2 instead of 1.
  input  logic                 double_i,
  /// Whole tiles along the map.
  input  logic [15:0]          full_i,
  /// Pixels of the map after those.
  input  logic [3:0]           extra_i,
  /// Memory tile in which the window starts.
  input  logic signed [15:0]   tile_i,
  /// Offset in that tile, 0 to Tile-1.
  input  logic [3:0]           offset_i,
  /// Carry of each bank.
  output logic [Tile-1:0][1:0] bank_carry_o,
  /// Lanes that lie in the map.
  output logic [Tile-1:0]      lane_inside_o
);
  typedef logic [1:0][15:0][Tile-1:0][1:0] carries_t;
  typedef logic [1:0][15:0][Tile-1:0][3:0] banks_t;

  /// Carry of each lane, by step and offset.
  function automatic carries_t lane_carries();
    carries_t table_v = '0;
    for (int unsigned step = 1; step <= 2; step++) begin
      for (int unsigned offset = 0; offset < Tile; offset++) begin
        for (int unsigned lane = 0; lane < Tile; lane++) begin
          table_v[step-1][offset][lane] = 2'((offset + step * lane) / Tile);
        end
      end
    end
    return table_v;
  endfunction

  /// Bank of each lane, by step and offset.
  function automatic banks_t lane_banks();
    banks_t table_v = '0;
    for (int unsigned step = 1; step <= 2; step++) begin
      for (int unsigned offset = 0; offset < Tile; offset++) begin
        for (int unsigned lane = 0; lane < Tile; lane++) begin
          table_v[step-1][offset][lane] = 4'((offset + step * lane) % Tile);
        end
      end
    end
    return table_v;
  endfunction

  /// Carry of each bank: that of the one lane which reads it.
  function automatic carries_t bank_carries();
    carries_t table_v = '0;
    for (int unsigned step = 1; step <= 2; step++) begin
      for (int unsigned offset = 0; offset < Tile; offset++) begin
        for (int unsigned lane = 0; lane < Tile; lane++) begin
          table_v[step-1][offset][(offset + step * lane) % Tile]
            = 2'((offset + step * lane) / Tile);
        end
      end
    end
    return table_v;
  endfunction

  localparam carries_t LaneCarry = lane_carries();
  localparam carries_t BankCarry = bank_carries();
  localparam banks_t LaneBank = lane_banks();

  // For each carry: its memory tile, and whether that lies in the map as a whole or is the partial
  // one at its end.
  logic signed [17:0] tile_q [3];
  logic [2:0] whole_d, whole_q, partial_d, partial_q;
  logic [3:0] offset_q;
  logic [Tile-1:0] early_d, early_q;
  logic [Tile-1:0][1:0] lane_carry_q;
  logic [Tile-1:0] lane_inside_d;
  logic [Tile-1:0][1:0] bank_carry_q;

  genvar k, i;
  generate
    for (k = 0; k < 3; k++) begin : gen_carry
      always_ff @(posedge clk_i) tile_q[k] <= 18'(tile_i) + 18'(k);
      assign whole_d[k] = !tile_q[k][17] && tile_q[k][16:0] < 17'(full_i);
      assign partial_d[k] = tile_q[k] == {2'b00, full_i};
    end

    for (i = 0; i < Tile; i++) begin : gen_lane
      assign early_d[i] = LaneBank[double_i][offset_q][i] < extra_i;
      always_comb begin
        lane_inside_d[i] = 1'b0;
        for (int unsigned carry = 0; carry < 3; carry++) begin
          if (lane_carry_q[i] == 2'(carry)) begin
            lane_inside_d[i] = whole_q[carry] || (partial_q[carry] && early_q[i]);
          end
        end
      end
    end
  endgenerate

  always_ff @(posedge clk_i) begin
    offset_q <= offset_i;
    whole_q <= whole_d;
    partial_q <= partial_d;
    early_q <= early_d;
    lane_carry_q <= LaneCarry[double_i][offset_q];
    bank_carry_q <= BankCarry[double_i][offset_q];
    lane_inside_o <= lane_inside_d;
    bank_carry_o <= bank_carry_q;
  end
endmodule
