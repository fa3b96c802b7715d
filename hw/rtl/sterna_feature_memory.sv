/// Feature memory: a bank for each lane, in TileH rows of TileW, of words of four channels of one pixel.
/// One write and one read a cycle. A word written is seen by every read that is asked for at least two cycles
/// after the one in which the write was taken; data come three cycles after the read addresses.
module sterna_feature_memory #(
  /// Rows of banks, rows of a tile.
  parameter int unsigned TileH = 5,
  /// Banks in a row, columns of a tile.
  parameter int unsigned TileW = 5,
  /// Clusters that write.
  parameter int unsigned Clusters = 2,
  /// Words in a bank.
  parameter int unsigned FmWords = 64,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of a word address.
  localparam int unsigned FmAddrW = $clog2(FmWords),
  /// Lanes.
  localparam int unsigned Lanes = TileH * TileW
) (
  /// Clock.
  input  logic                            clk_i,
  /// Reset, active low, released synchronously.
  input  logic                            rst_ni,
  /// Forgets reads and writes under way; contents stay.
  input  logic                            clear_i,

  /// A cluster offers a word for all lanes.
  input  logic [Clusters-1:0]             write_valid_i,
  /// The word is taken.
  output logic [Clusters-1:0]             write_ready_o,
  /// Its address.
  input  logic [FmAddrW-1:0]              write_addr_i [Clusters],
  /// Channels to write.
  input  logic [3:0]                      write_strobe_i [Clusters],
  /// The word.
  input  logic [Lanes-1:0][3:0][ActW-1:0] write_data_i [Clusters],

  /// The frame loader offers a word for some lanes.
  input  logic                            load_valid_i,
  /// The word is taken.
  output logic                            load_ready_o,
  /// Its address.
  input  logic [FmAddrW-1:0]              load_addr_i,
  /// Lanes to write, all channels.
  input  logic [Lanes-1:0]                load_lanes_i,
  /// The word.
  input  logic [Lanes-1:0][3:0][ActW-1:0] load_data_i,

  /// Read one word in each bank, at the sum of its row's and its column's part.
  input  logic                            read_valid_i,
  /// Part of the address for each bank row.
  input  logic [TileH-1:0][FmAddrW-1:0]   read_row_i,
  /// Part of the address for each bank column.
  input  logic [TileW-1:0][FmAddrW-1:0]   read_col_i,
  /// Words read, by bank, three cycles later; held until the next.
  output logic [Lanes-1:0][3:0][ActW-1:0] read_data_o
);
  if (TileH < 3 || TileH > 15 || TileH % 2 == 0) begin : gen_bad_tile_h
    $error("TileH = %0d must be odd, 3 to 15", TileH);
  end
  if (TileW < 3 || TileW > 15 || TileW % 2 == 0) begin : gen_bad_tile_w
    $error("TileW = %0d must be odd, 3 to 15", TileW);
  end
  if (Clusters < 1 || Clusters > 4) begin : gen_bad_clusters
    $error("Clusters = %0d must be 1 to 4", Clusters);
  end
  if (FmWords < 64 || FmWords > 65536) begin : gen_bad_fm_words
    $error("FmWords = %0d must be 64 to 65536", FmWords);
  end
  if (ActW < 4 || ActW > 8) begin : gen_bad_act_w
    $error("ActW = %0d must be 4 to 8", ActW);
  end

  /// Clusters that share the first stage of the write multiplexer with the frame loader.
  localparam int unsigned NearClusters = Clusters < 2 ? Clusters : 2;

  typedef struct packed {
    logic [3:0] strobe;
    logic [FmAddrW-1:0] addr;
    logic [Lanes-1:0][3:0][ActW-1:0] data;
  } write_t;

  // Two multiplexers of three to one, one behind the other, as they pack two bits into an ALM. A cluster of
  // the second one gives its word a cycle after its grant, and so asks at most every other cycle.
  logic [Clusters:0] grant;
  logic [Clusters-1:0] far_d, far_q;
  logic near_taken, near_valid_q;
  logic [Lanes-1:0] near_lanes_q, near_lanes_d, write_lanes_q;
  write_t offered [Clusters];
  write_t near_q, near_d, write_q, write_d;
  logic [1:0] read_q;

  sterna_round_robin #(
    .Requests(Clusters + 1)
  ) u_arbiter (
    .clk_i,
    .rst_ni,
    .clear_i,
    .request_i({load_valid_i, write_valid_i & ~far_q}),
    .grant_o(grant)
  );
  assign load_ready_o = grant[Clusters];
  assign near_taken = load_ready_o || |grant[NearClusters-1:0];

  for (genvar c = 0; c < Clusters; c++) begin : gen_offered
    assign offered[c] = '{strobe: write_strobe_i[c], addr: write_addr_i[c], data: write_data_i[c]};
  end

  always_comb begin
    near_lanes_d = load_ready_o ? load_lanes_i : {Lanes{near_taken}};
    near_d = '{strobe: '1, addr: load_addr_i, data: load_data_i};
    write_d = near_q;
    far_d = '0;
    for (int unsigned c = 0; c < Clusters; c++) begin
      if (c < NearClusters) begin
        write_ready_o[c] = grant[c];
        if (grant[c]) near_d = offered[c];
      end else begin
        far_d[c] = grant[c];
        write_ready_o[c] = far_q[c];
        if (far_q[c]) write_d = offered[c];
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      far_q <= '0;
      near_valid_q <= 1'b0;
      near_lanes_q <= '0;
      write_lanes_q <= '0;
      read_q <= '0;
    end else if (clear_i) begin
      far_q <= '0;
      near_valid_q <= 1'b0;
      near_lanes_q <= '0;
      write_lanes_q <= '0;
      read_q <= '0;
    end else begin
      far_q <= far_d;
      near_valid_q <= near_taken;
      near_lanes_q <= near_lanes_d;
      write_lanes_q <= near_lanes_q | {Lanes{|far_q}};
      read_q <= {read_q[0], read_valid_i};
    end
  end

  always_ff @(posedge clk_i) begin
    if (near_taken) near_q <= near_d;
    if (near_valid_q || |far_q) write_q <= write_d;
  end

  for (genvar y = 0; y < TileH; y++) begin : gen_row
    sterna_feature_row #(
      .TileW(TileW),
      .FmWords(FmWords),
      .ActW(ActW)
    ) u_row (
      .clk_i,
      .write_lanes_i(write_lanes_q[y*TileW+:TileW]),
      .write_strobe_i(write_q.strobe),
      .write_addr_i(write_q.addr),
      .write_data_i(write_q.data[y*TileW+:TileW]),
      .read_i({read_q, read_valid_i}),
      .read_row_i(read_row_i[y]),
      .read_col_i,
      .read_data_o(read_data_o[y*TileW+:TileW])
    );
  end

`ifndef SYNTHESIS
  for (genvar c = 0; c < Clusters; c++) begin : gen_assert
    assert_write_addr : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
      write_valid_i[c] |-> 32'(write_addr_i[c]) < FmWords);
    assert_write_held : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
      write_valid_i[c] && !write_ready_o[c] |=> write_valid_i[c] && $stable(write_addr_i[c])
      && $stable(write_strobe_i[c]));
  end
  assert_load_addr : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    load_valid_i |-> 32'(load_addr_i) < FmWords);
  assert_load_held : assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    load_valid_i && !load_ready_o |=> load_valid_i && $stable(load_addr_i)
    && $stable(load_lanes_i));
`endif
endmodule
