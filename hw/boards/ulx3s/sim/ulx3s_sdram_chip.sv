// SPDX-License-Identifier: Apache-2.0

/// Model of the board's SDRAM, 32 MB, at 80 MHz with a latency of three and bursts of four, which
/// stops the simulation if it is used as its data sheet forbids: Alliance, AS4C16M16SA (-7), the same
/// for MT48LC16M16A2. Times are rounded up to cycles of 12.5 ns.
module ulx3s_sdram_chip (
  /// Clock.
  input  logic        clk_i,
  /// Chip select, row and column strobe, write enable; active low.
  input  logic [3:0]  command_ni,
  /// Row or column.
  input  logic [12:0] a_i,
  /// Bank.
  input  logic [1:0]  ba_i,
  /// Bytes not to write.
  input  logic [1:0]  dqm_i,
  /// Data.
  inout  wire  [15:0] dq_io
);
  // Cycles at least between two commands: tRCD 21 ns, tRP 21 ns, tRAS 42 ns, tRFC 63 ns, tMRD, tWR.
  localparam int ActivateToAccess = 2;
  localparam int PrechargeToOther = 2;
  localparam int ActivateToPrecharge = 4;
  localparam int RefreshToOther = 6;
  localparam int ModeToOther = 2;
  localparam int DataToPrecharge = 2;
  // From one refresh to the next: nine times 64 ms / 8192, as many as may be put off.
  localparam int RefreshAtLatest = 9 * 625;
  localparam int InitRefreshes = 8;
  localparam logic [12:0] Mode = 13'h032;

  // The simulator reaches it directly.
  logic [15:0] memory [1 << 24]  /* verilator public_flat_rw */;
  // Of each bank.
  logic [3:0] open_q;
  logic [3:0][12:0] row_q;
  int now_q, activated_q, precharged_q, refreshed_q, set_q, written_q, refreshes_q;
  logic ready_q;
  // The burst under way: words left and address; reads on their way out.
  logic [2:0] left_q;
  logic is_read_q;
  logic [23:0] at_q;
  logic [23:0] at;
  logic [2:0] read_valid_q;
  logic [2:0][23:0] read_at_q;
  logic out_en_q;
  logic [15:0] out_q;
  logic access, writes, reads, is_read, is_burst;

  initial begin
    {open_q, ready_q, left_q, is_read_q, read_valid_q, out_en_q} = '0;
    now_q = 0;
    activated_q = -100;
    precharged_q = -100;
    refreshed_q = -100;
    set_q = -100;
    written_q = -100;
    refreshes_q = 0;
  end

  assign dq_io = out_en_q ? out_q : 'z;
  assign access = command_ni[3:1] == 3'b010;
  assign is_read = access ? command_ni[0] : is_read_q;
  assign is_burst = access || left_q != '0;
  assign at = access ? {ba_i, row_q[ba_i], a_i[8:0]} : {at_q[23:2], at_q[1:0] + 2'd1};
  assign reads = is_burst && is_read;
  assign writes = is_burst && !is_read;

  task automatic require(logic holds, string rule);
    if (!holds) begin
      $error("SDRAM: cycle %0d: %s", now_q, rule);
      $stop;
    end
  endtask

  always_ff @(posedge clk_i) begin
    now_q <= now_q + 1;
    left_q <= access ? 3'd3 : left_q == '0 ? '0 : left_q - 1'b1;
    is_read_q <= is_read;
    if (is_burst) at_q <= at;
    read_valid_q <= {read_valid_q[1:0], reads};
    read_at_q <= {read_at_q[1:0], at};
    if (writes) begin
      require(!out_en_q, "data is driven from both sides");
      if (!dqm_i[0]) memory[at][7:0] <= dq_io[7:0];
      if (!dqm_i[1]) memory[at][15:8] <= dq_io[15:8];
      written_q <= now_q;
    end
    require(!ready_q || now_q - refreshed_q <= RefreshAtLatest, "not refreshed");
    if (command_ni[3:0] != 4'b0111 && !command_ni[3]) begin
      require(now_q - refreshed_q >= RefreshToOther, "a command follows a refresh too soon");
      require(now_q - set_q >= ModeToOther, "a command follows the mode too soon");
    end

    case (command_ni)
      4'b0011: begin
        require(ready_q, "a row is opened before the mode is set");
        require(!open_q[ba_i], "a row is opened in a bank that has one open");
        require(now_q - precharged_q >= PrechargeToOther, "tRP is too short");
        open_q[ba_i] <= 1'b1;
        row_q[ba_i] <= a_i;
        activated_q <= now_q;
      end
      4'b0101, 4'b0100: begin
        require(open_q[ba_i], "a closed row is accessed");
        require(now_q - activated_q >= ActivateToAccess, "tRCD is too short");
        require(left_q == '0, "a burst is broken off");
        require(a_i[10] == 1'b0 && a_i[1:0] == '0, "an access is not a whole burst");
      end
      4'b0010: begin
        require(now_q - activated_q >= ActivateToPrecharge, "tRAS is too short");
        require(now_q - written_q >= DataToPrecharge, "tWR is too short");
        require(!(writes && left_q != '0), "a write is broken off");
        require(a_i[10], "one bank alone is precharged");
        open_q <= '0;
        precharged_q <= now_q;
      end
      4'b0001: begin
        require(open_q == '0, "a refresh meets an open row");
        require(now_q - precharged_q >= PrechargeToOther, "tRP is too short");
        refreshed_q <= now_q;
        refreshes_q <= refreshes_q + 1;
      end
      4'b0000: begin
        require(refreshes_q >= InitRefreshes, "the mode is set before eight refreshes");
        require(a_i == Mode && ba_i == '0, "another mode is set");
        ready_q <= 1'b1;
        set_q <= now_q;
      end
      default: ;
    endcase
  end

  // Data comes half a cycle before the edge that takes it, and goes half a cycle later: in between are tAC, 5.4 ns, and
  // tOH, 2.5 ns, with the delays of the board.
  always_ff @(negedge clk_i) begin
    out_en_q <= read_valid_q[2];
    out_q <= memory[read_at_q[2]];
  end
endmodule
