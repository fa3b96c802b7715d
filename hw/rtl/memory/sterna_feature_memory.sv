// SPDX-License-Identifier: Apache-2.0

/// Feature memory: a bank for each lane, in TileH rows of TileW, of words of four channels of one
/// pixel. One write and one read per cycle. A word written is seen by every read that is asked for
/// after the cycle in which the write was taken; data come three cycles after the read addresses.
///
/// Drains write in turns of their own and wait for nobody; the words of a LOAD go into a queue, and
/// are written in the cycles that the drains leave.
module sterna_feature_memory #(
  /// Rows of banks, rows of a tile.
  parameter int unsigned TileH = 5,
  /// Banks in a row, columns of a tile.
  parameter int unsigned TileW = 5,
  /// Drains that write.
  parameter int unsigned Drains = 2,
  /// Words in a bank.
  parameter int unsigned FmWords = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8
) (
  input  logic                                  clk_i,
  input  logic                                  rst_ni,
  /// Forgets reads and writes under way; contents stay.
  input  logic                                  clear_i,

  /// A drain writes a word for all lanes, from the next cycle on; at most one does.
  input  logic [Drains-1:0]                     write_next_i,
  /// In the cycle after that: its address.
  input  logic [$clog2(FmWords)-1:0]            write_addr_i [Drains],
  /// Channels to write.
  input  logic [3:0]                            write_strobe_i [Drains],
  /// The word whose address was there in the cycle before.
  input  logic [TileH*TileW-1:0][3:0][ActW-1:0] write_data_i [Drains],

  /// A LOAD gives a word for some lanes.
  input  logic                                  load_valid_i,
  /// There is room for this word, and for four that come before this says that there is none.
  output logic                                  load_few_o,
  /// All words of LOADs that came before the last cycle are written.
  output logic                                  load_idle_o,
  /// Its address.
  input  logic [$clog2(FmWords)-1:0]            load_addr_i,
  /// Lanes to write.
  input  logic [TileH*TileW-1:0]                load_lanes_i,
  /// Channels to write.
  input  logic [3:0]                            load_strobe_i,
  /// The word of each column, the same in all rows.
  input  logic [TileW-1:0][3:0][ActW-1:0]       load_data_i,

  /// Read one word in each bank, at the sum of its row's and its column's part.
  input  logic                                  read_valid_i,
  /// Part of the address for each bank row.
  input  logic [TileH-1:0][$clog2(FmWords)-1:0] read_row_i,
  /// Part of the address for each bank column.
  input  logic [TileW-1:0][$clog2(FmWords)-1:0] read_col_i,
  /// Words read, by bank, three cycles later; held until the next.
  output logic [TileH*TileW-1:0][3:0][ActW-1:0] read_data_o
);
  /// Bits of a word address.
  localparam int unsigned FmAddrW = $clog2(FmWords);
  /// Lanes.
  localparam int unsigned Lanes = TileH * TileW;

  generate
    if (TileH < 3 || TileH > 15 || TileH % 2 == 0) begin : gen_bad_tile_h
      initial $error("sterna_feature_memory: TileH = %0d must be odd, 3 to 15", TileH);
    end
    if (TileW < 3 || TileW > 15 || TileW % 2 == 0) begin : gen_bad_tile_w
      initial $error("sterna_feature_memory: TileW = %0d must be odd, 3 to 15", TileW);
    end
    if (Drains < 1 || Drains > 4) begin : gen_bad_clusters
      initial $error("sterna_feature_memory: Drains = %0d must be 1 to 4", Drains);
    end
    if (FmWords < 64 || FmWords > 65536) begin : gen_bad_fm_words
      initial $error("sterna_feature_memory: FmWords = %0d must be 64 to 65536", FmWords);
    end
    if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
      initial $error("sterna_feature_memory: ActW = %0d must be 4 to 8", ActW);
    end
  endgenerate

  /// Words of a LOAD that wait.
  localparam int unsigned LoadDepth = 8;
  localparam int unsigned LoadCountW = $clog2(LoadDepth + 1);

  typedef struct packed {
    logic [FmAddrW-1:0] addr;
    logic [Lanes-1:0] lanes;
    logic [3:0] strobe;
    logic [TileW-1:0][3:0][ActW-1:0] data;
  } load_t;

  load_t load;
  logic load_valid, load_ready, has_room;
  logic [LoadCountW-1:0] loads;
  logic [Drains-1:0] grant_q;
  logic [Lanes-1:0] write_lanes_q, write_lanes_d;
  logic [3:0] write_strobe_q, write_strobe_d;
  logic [FmAddrW-1:0] write_addr_q, write_addr_d;
  // Whose word is written: a drain's, a cycle after it is taken, or else that of a LOAD.
  (* preserve, dont_merge, maxfan = 256 *) logic [Drains-1:0] drain_q;
  logic [TileW-1:0][3:0][ActW-1:0] load_data_q;
  logic [Lanes-1:0][3:0][ActW-1:0] write_data;
  logic [1:0] read_q;

  sterna_fifo #(
    .Width($bits(load_t)),
    .Depth(LoadDepth)
  ) u_loads (
    .clk_i,
    .rst_ni,
    .clear_i,
    .valid_i(load_valid_i),
    .ready_o(has_room),
    .data_i ({load_addr_i, load_lanes_i, load_strobe_i, load_data_i}),
    .valid_o(load_valid),
    .ready_i(load_ready),
    .data_o (load),
    .count_o(loads)
  );

  assign load_ready = grant_q == '0;
  always_comb begin
    write_lanes_d = load_valid ? load.lanes : '0;
    write_strobe_d = load.strobe;
    write_addr_d = load.addr;
    for (int unsigned c = 0; c < Drains; c++) begin
      if (grant_q[c]) begin
        write_lanes_d = '1;
        write_strobe_d = write_strobe_i[c];
        write_addr_d = write_addr_i[c];
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      grant_q <= '0;
      write_lanes_q <= '0;
      read_q <= '0;
    end else if (clear_i) begin
      grant_q <= '0;
      write_lanes_q <= '0;
      read_q <= '0;
    end else begin
      grant_q <= write_next_i;
      write_lanes_q <= write_lanes_d;
      read_q <= {read_q[0], read_valid_i};
    end
  end

  always_ff @(posedge clk_i) begin
    load_few_o <= loads <= LoadCountW'(LoadDepth - 5);
    load_idle_o <= clear_i || !(load_valid || load_valid_i);
    write_strobe_q <= write_strobe_d;
    write_addr_q <= write_addr_d;
    drain_q <= grant_q;
    load_data_q <= load.data;
  end

  always_comb begin
    write_data = {TileH{load_data_q}};
    for (int unsigned c = 0; c < Drains; c++) begin
      if (drain_q[c]) write_data = write_data_i[c];
    end
  end

  genvar y, c;
  generate
    for (y = 0; y < TileH; y++) begin : gen_row
      sterna_feature_row #(
        .TileW  (TileW),
        .FmWords(FmWords),
        .ActW   (ActW)
      ) u_row (
        .clk_i,
        .write_lanes_i (write_lanes_q[y*TileW+:TileW]),
        .write_strobe_i(write_strobe_q),
        .write_addr_i  (write_addr_q),
        .write_data_i  (write_data[y*TileW+:TileW]),
        .read_i        ({read_q, read_valid_i}),
        .read_row_i    (read_row_i[y]),
        .read_col_i,
        .read_data_o   (read_data_o[y*TileW+:TileW])
      );
    end
  endgenerate

`ifdef VERILATOR
  generate
    for (c = 0; c < Drains; c++) begin : gen_assert
      WriteAddr_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
        grant_q[c] |-> 32'(write_addr_i[c]) < FmWords);
    end
  endgenerate
  Turns_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    $onehot0(write_next_i))
    else $error("two drains write in one cycle");
  LoadAddr_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    load_valid_i |-> 32'(load_addr_i) < FmWords);
  Room_A: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    load_valid_i |-> has_room)
    else $error("a word of a LOAD came without room");
`endif
endmodule
