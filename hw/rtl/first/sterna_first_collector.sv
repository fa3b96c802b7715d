// SPDX-License-Identifier: Apache-2.0

/// Gathers the activations of the first layer, which come pixel by pixel, and writes them to the
/// feature memory as words of a row of a tile. It also says which filters of a pixel are
/// requantised next, as their results need a place.
///
/// There are two banks for the pixels of a row of a tile; without pooling, of two rows. One is
/// filled while the other one is written.
module sterna_first_collector #(
  /// Rows of a tile.
  parameter int unsigned TileH = 5,
  /// Columns of a tile.
  parameter int unsigned TileW = 5,
  /// Filters.
  parameter int unsigned Filters = 32,
  /// Filters that are requantised together, a multiple of four and a divisor of them.
  parameter int unsigned Width = 16,
  /// Cycles from a group to its activations.
  parameter int unsigned Latency = 9,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a word address.
  parameter int unsigned FmAddrW = 12
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  /// Ends the map at once.
  input  logic                             clear_i,

  /// Pulse: begin a map; given only when none runs.
  input  logic                             start_i,
  /// First word of the map, from the start on.
  input  logic [FmAddrW-1:0]               base_i,
  /// Rows of the map, from the cycle after the start on.
  input  logic [15:0]                      rows_i,
  /// Columns of the map, from the cycle after the start on.
  input  logic [15:0]                      cols_i,
  /// A row is followed by the next one, not by pixels of it between its own; from the start on.
  input  logic                             pooled_i,
  /// Words of a pixel, from the start on.
  input  logic [$clog2(Filters/4+1)-1:0]   words_i,
  /// Tiles in a row of the map, from the start on.
  input  logic [FmAddrW-1:0]               tiles_w_i,
  /// Words from one of a pixel to the next, from the start on.
  input  logic [FmAddrW-1:0]               plane_i,

  /// The sums of a pixel are there.
  input  logic                             pixel_valid_i,
  /// All of them are requantised.
  output logic                             pixel_ready_o,
  /// A group of them is requantised now.
  output logic                             group_valid_o,
  /// Which one.
  output logic [$clog2(Filters/Width+1)-1:0] group_o,
  /// Activations of the group that was given `Latency` cycles before.
  input  logic [Width-1:0][ActW-1:0]       data_i,

  /// There is room for a write in the next cycle.
  input  logic                             write_go_i,
  /// All words that were written have left the queue behind.
  input  logic                             write_idle_i,
  /// A word is written.
  output logic                             write_valid_o,
  /// Where.
  output logic [FmAddrW-1:0]               write_addr_o,
  /// Lanes to write.
  output logic [TileH*TileW-1:0]           write_lanes_o,
  /// The word of each column, the same in all rows.
  output logic [TileW-1:0][3:0][ActW-1:0]  write_data_o,

  /// Pulse: all is written.
  output logic                             done_o
);
  localparam int unsigned Groups = Filters / Width;
  localparam int unsigned GroupW = $clog2(Groups + 1);
  localparam int unsigned WordW = $clog2(Filters / 4 + 1);
  /// Words of a group.
  localparam int unsigned GroupWords = Width / 4;
  /// Places of groups: two banks, two rows.
  localparam int unsigned IndexW = Groups > 1 ? $clog2(Groups) : 1;
  localparam int unsigned Places = 4 << IndexW;

  generate
    if (Groups * Width != Filters || GroupWords * 4 != Width) begin : gen_bad_width
      initial $error("sterna_first_collector: Width = %0d must be a multiple of 4 and divide %0d",
                     Width, Filters);
    end
  endgenerate

  logic begun_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begun_q <= 1'b0;
    else begun_q <= start_i && !clear_i;
  end

  // ---------------------------------------------------------------------------------------- groups

  /// Where a group of activations goes.
  typedef struct packed {
    logic bank;
    logic lower;
    logic [IndexW-1:0] group;
    logic [3:0] col;
    logic last;
  } place_t;

  // The pixel that comes next: columns and rows from it on, its column in its tile; whether it is
  // in the lower one of two rows.
  logic active_q, lower_q, bank_q;
  logic [15:0] cols_q, rows_q;
  logic [3:0] col_q;
  logic [GroupW-1:0] group_q, last_group_q;
  logic is_last_group, has_lower, ends_col, ends_part, ends_row, ends_map;
  // It is in the last column, the last row, the last rows that go together; the last of its tile.
  logic last_col_q, last_row_q, last_pair_q, last_of_tile_q;
  logic [1:0] busy_q, freed;
  logic [Latency-1:0] valid_q;
  place_t place [Latency + 1];

  assign group_valid_o = active_q && pixel_valid_i && !busy_q[bank_q];
  assign group_o = group_q;
  assign is_last_group = group_q == last_group_q;
  assign pixel_ready_o = group_valid_o && is_last_group;
  assign has_lower = !pooled_i && !last_row_q;
  assign ends_col = pixel_ready_o && (lower_q || !has_lower);
  assign ends_part = ends_col && (last_of_tile_q || last_col_q);
  assign ends_row = ends_col && last_col_q;
  assign ends_map = ends_row && last_pair_q;
  assign place[0] = '{
    bank: bank_q, lower: lower_q, group: IndexW'(group_q), col: col_q, last: ends_part
  };

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      busy_q <= '0;
      bank_q <= 1'b0;
      valid_q <= '0;
    end else if (clear_i) begin
      active_q <= 1'b0;
      busy_q <= '0;
      bank_q <= 1'b0;
      valid_q <= '0;
    end else begin
      active_q <= begun_q || (active_q && !ends_map);
      for (int unsigned b = 0; b < 2; b++) begin
        busy_q[b] <= (busy_q[b] || (ends_part && 32'(bank_q) == b)) && !freed[b];
      end
      if (ends_part) bank_q <= !bank_q;
      valid_q <= {valid_q[Latency-2:0], group_valid_o};
    end
  end

  always_ff @(posedge clk_i) begin
    last_group_q <= GroupW'((32'(words_i) - 1) / GroupWords);
    for (int unsigned i = 0; i < Latency; i++) place[i+1] <= place[i];
    if (begun_q) begin
      group_q <= '0;
      lower_q <= 1'b0;
      col_q <= '0;
      cols_q <= cols_i;
      rows_q <= rows_i;
      last_col_q <= cols_i == 16'd1;
      last_row_q <= rows_i == 16'd1;
      last_pair_q <= rows_i == 16'd1 || (rows_i == 16'd2 && !pooled_i);
      last_of_tile_q <= 1'b0;
    end else if (group_valid_o) begin
      group_q <= is_last_group ? '0 : group_q + GroupW'(1);
      if (is_last_group) lower_q <= has_lower && !lower_q;
      if (ends_col) begin
        col_q <= ends_part ? '0 : col_q + 4'd1;
        last_of_tile_q <= !ends_part && col_q == 4'(TileW - 2);
        cols_q <= ends_row ? cols_i : cols_q - 16'd1;
        last_col_q <= ends_row ? cols_i == 16'd1 : cols_q == 16'd2;
      end
      if (ends_row) begin
        rows_q <= rows_q - (pooled_i ? 16'd1 : 16'd2);
        last_row_q <= rows_q == (pooled_i ? 16'd2 : 16'd3);
        last_pair_q <= rows_q == (pooled_i ? 16'd2 : 16'd3) || (rows_q == 16'd4 && !pooled_i);
      end
    end
  end

  // ----------------------------------------------------------------------------------------- banks

  // The place of the word that is written next, and which of a group it is.
  logic write_bank_q, write_lower_q;
  logic [IndexW-1:0] write_group_q;
  logic [$clog2(GroupWords+1)-1:0] write_word_q;
  logic [TileW-1:0][3:0][ActW-1:0] word;
  place_t arrived;
  logic arrives;

  assign arrived = place[Latency];
  assign arrives = valid_q[Latency-1];

  genvar x, y;
  generate
    for (x = 0; x < TileW; x++) begin : gen_col
      (* ramstyle = "MLAB, no_rw_check" *) logic [GroupWords-1:0][3:0][ActW-1:0] memory [Places];
      logic [GroupWords-1:0][3:0][ActW-1:0] group;
      logic written;

      assign written = arrives && arrived.col == 4'(x);
      assign group = memory[{write_bank_q, write_lower_q, write_group_q}];

      always_comb begin
        word[x] = group[0];
        for (int unsigned k = 1; k < GroupWords; k++) begin
          if (32'(write_word_q) == k) word[x] = group[k];
        end
      end

      always_ff @(posedge clk_i) begin
        if (written) memory[{arrived.bank, arrived.lower, arrived.group}] <= data_i;
      end
    end
  endgenerate

  // ---------------------------------------------------------------------------------------- writes

  typedef enum logic [1:0] {
    StWait,   // until a bank is full
    StBegin,  // the address of a row's first word is summed
    StWrite   // words are written
  } state_e;

  state_e state_q, state_d;
  // The part of a row that is written next: columns and rows from it on, its tile in the row.
  // Address of the row's first tile and its row in it, of this row and of the two after it.
  logic [1:0] full_q;
  logic running_q, open_q, takes, is_last_word, ends_bank;
  // Of what is written next, known since the one before: it is the last word of its row, the row
  // has one below it, it is in the last part of its rows, in the last rows.
  logic last_word_q, write_has_lower_q, is_last_part_q, is_last_pair_q;
  logic [15:0] write_cols_q, write_rows_q;
  logic [FmAddrW-1:0] tile_q, addr_q;
  logic [FmAddrW-1:0] row_addr_q [3];
  logic [3:0] row_q [3];
  logic [WordW-1:0] words_left_q;
  logic [3:0] lane_row_q;
  logic [TileW-1:0] lane_cols_q;

  assign takes = state_q == StWrite && write_go_i;
  assign is_last_word = takes && last_word_q;
  assign ends_bank = is_last_word && (write_lower_q || !write_has_lower_q);
  assign done_o = running_q && !open_q && !write_valid_o && write_idle_i;

  always_comb begin
    freed = '0;
    freed[write_bank_q] = ends_bank;
    state_d = state_q;
    unique case (state_q)
      StWait: if (full_q[write_bank_q]) state_d = StBegin;
      StBegin: state_d = StWrite;
      StWrite: if (is_last_word) state_d = ends_bank ? StWait : StBegin;
      default: state_d = StWait;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StWait;
      full_q <= '0;
      write_bank_q <= 1'b0;
      running_q <= 1'b0;
      open_q <= 1'b0;
      write_valid_o <= 1'b0;
    end else if (clear_i) begin
      state_q <= StWait;
      full_q <= '0;
      write_bank_q <= 1'b0;
      running_q <= 1'b0;
      open_q <= 1'b0;
      write_valid_o <= 1'b0;
    end else begin
      state_q <= state_d;
      for (int unsigned b = 0; b < 2; b++) begin
        full_q[b] <= (full_q[b] || (arrives && arrived.last && 32'(arrived.bank) == b)) &&
            !freed[b];
      end
      if (ends_bank) write_bank_q <= !write_bank_q;
      running_q <= start_i || (running_q && !done_o);
      open_q <= start_i || (open_q && !(ends_bank && is_last_part_q && is_last_pair_q));
      write_valid_o <= takes;
    end
  end

  always_ff @(posedge clk_i) begin
    // This one is settled long before the next ones are needed.
    for (int unsigned i = 1; i < 3; i++) begin
      row_q[i] <= row_q[i-1] == 4'(TileH - 1) ? '0 : row_q[i-1] + 4'd1;
      row_addr_q[i] <= row_addr_q[i-1] + (row_q[i-1] == 4'(TileH - 1) ? tiles_w_i : '0);
    end
    // A row takes more than a cycle.
    write_has_lower_q <= !pooled_i && write_rows_q != 16'd1;
    is_last_part_q <= write_cols_q <= 16'(TileW);
    is_last_pair_q <= write_rows_q == 16'd1 || (write_rows_q == 16'd2 && !pooled_i);
    if (state_q == StBegin) begin
      last_word_q <= words_i == WordW'(1);
      addr_q <= row_addr_q[32'(write_lower_q)] + tile_q;
      words_left_q <= words_i;
      write_group_q <= '0;
      write_word_q <= '0;
    end
    if (takes) begin
      write_addr_o <= addr_q;
      write_data_o <= word;
      lane_row_q <= row_q[32'(write_lower_q)];
      for (int unsigned i = 0; i < TileW; i++) lane_cols_q[i] <= 16'(i) < write_cols_q;
      addr_q <= addr_q + plane_i;
      words_left_q <= words_left_q - WordW'(1);
      last_word_q <= words_left_q == WordW'(2);
      write_word_q <= write_word_q + 1'b1;
      if (32'(write_word_q) == GroupWords - 1) begin
        write_word_q <= '0;
        write_group_q <= write_group_q + 1'b1;
      end
    end
    if (is_last_word) write_lower_q <= !ends_bank;
    if (ends_bank) begin
      write_cols_q <= write_cols_q - 16'(TileW);
      tile_q <= tile_q + FmAddrW'(1);
      if (is_last_part_q) begin
        write_cols_q <= cols_i;
        tile_q <= '0;
        write_rows_q <= write_rows_q - (pooled_i ? 16'd1 : 16'd2);
        row_q[0] <= row_q[pooled_i ? 1 : 2];
        row_addr_q[0] <= row_addr_q[pooled_i ? 1 : 2];
      end
    end
    if (begun_q) begin
      write_lower_q <= 1'b0;
      write_cols_q <= cols_i;
      write_rows_q <= rows_i;
      tile_q <= '0;
      row_q[0] <= '0;
      row_addr_q[0] <= base_i;
    end
  end

  generate
    for (y = 0; y < TileH; y++) begin : gen_row
      assign write_lanes_o[y*TileW+:TileW] = lane_row_q == 4'(y) ? lane_cols_q : '0;
    end
  endgenerate

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    start_i |-> !running_q || done_o);
  NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    takes && arrives |-> arrived.bank != write_bank_q);
`endif
endmodule
