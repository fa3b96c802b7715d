// SPDX-License-Identifier: Apache-2.0

/// Controller of a single data rate SDRAM of 16 bits with 8192 rows of 512 columns in 4 banks: words
/// of 64 bits, each a burst of four. One row is open at a time; words in it follow each other without
/// a gap. Its clock is the inverse of `clk_i`, so that both sides have half a cycle.
///
/// Cycles are counted for 80 MHz and parts that are as fast as AS4C16M16SA-7 or MT48LC16M16A2-75.
module ulx3s_sdram #(
  /// Cycles of clock before the first command: 200 us.
  parameter int unsigned PowerCycles = 16000,
  /// Cycles between refreshes: less than 64 ms / 8192.
  parameter int unsigned RefreshCycles = 600
) (
  input  logic        clk_i,
  input  logic        rst_ni,

  /// A word is asked for.
  input  logic        valid_i,
  /// It is taken.
  output logic        ready_o,
  /// It is written; otherwise it is read.
  input  logic        write_i,
  /// Which: bank and column in the lowest nine bits, then the row.
  input  logic [21:0] addr_i,
  /// What is written.
  input  logic [63:0] data_i,
  /// Bytes to write.
  input  logic [7:0]  strb_i,
  /// A word was read; words come in the order in which they were asked for.
  output logic        read_valid_o,
  /// The word.
  output logic [63:0] read_data_o,

  /// Chip select, row and column strobe, write enable; active low.
  output logic [3:0]  command_no,
  /// Row or column.
  output logic [12:0] a_o,
  /// Bank.
  output logic [1:0]  ba_o,
  /// Bytes of the bus not to write.
  output logic [1:0]  dqm_o,
  /// Data to the memory.
  output logic [15:0] dq_o,
  /// It is driven.
  output logic        dq_en_o,
  /// Data from the memory.
  input  logic [15:0] dq_i
);
  localparam int unsigned PowerW = $clog2(PowerCycles + 1);
  localparam int unsigned RefreshW = $clog2(RefreshCycles + 1);

  // Cycles from a command to the next one.
  localparam logic [3:0] AfterActivate = 4'd2;
  localparam logic [3:0] AfterPrecharge = 4'd2;
  localparam logic [3:0] AfterRefresh = 4'd8;
  localparam logic [3:0] AfterMode = 4'd4;
  localparam logic [3:0] Burst = 4'd4;
  // To a precharge.
  localparam logic [3:0] ActivateToPrecharge = 4'd4;
  localparam logic [3:0] ReadToPrecharge = 4'd4;
  localparam logic [3:0] WriteToPrecharge = 4'd6;
  // To a write, so that the bus is free.
  localparam logic [3:0] ReadToWrite = 4'd8;
  // From a read to its first data in `dq_q`: latency of three, out and in again.
  localparam int unsigned ReadDelay = 4;
  // Bursts of four, sequential, latency of three.
  localparam logic [12:0] Mode = 13'b000_0_00_011_0_010;
  localparam int unsigned AllBanks = 10;
  localparam logic [3:0] Refreshes = 4'd8;

  localparam logic [3:0] Nothing = 4'b0111;
  localparam logic [3:0] Activate = 4'b0011;
  localparam logic [3:0] Read = 4'b0101;
  localparam logic [3:0] Write = 4'b0100;
  localparam logic [3:0] Precharge = 4'b0010;
  localparam logic [3:0] Refresh = 4'b0001;
  localparam logic [3:0] SetMode = 4'b0000;

  typedef enum logic [1:0] {Power, First, Setup, Run} state_t;

  state_t state_d, state_q;
  logic [PowerW-1:0] power_d, power_q;
  logic [3:0] refreshes_d, refreshes_q;
  logic [RefreshW-1:0] age_d, age_q;
  logic due_d, due_q, open_d, open_q;
  // Bank and row that is open.
  logic [14:0] row_d, row_q, row;
  // Cycles until a command, a precharge, a write may follow.
  logic [3:0] wait_d, wait_q, recover_d, recover_q, turn_d, turn_q;
  logic [3:0] command_d, command_q;
  logic [12:0] a_d, a_q;
  logic [1:0] ba_d, ba_q;
  // What is still to be written of a burst, and which bytes of it not; the lowest part is on the bus.
  logic [63:0] data_d, data_q;
  logic [7:0] mask_d, mask_q;
  logic [3:0] drive_d, drive_q;
  // Bit n: a read was issued n cycles ago.
  logic [ReadDelay+4:0] coming_q;
  logic [15:0] half_q, dq_q;
  logic [63:0] read_q;
  logic reads;

  // The memory's clock may run before the reset.
  initial command_q = Nothing;

  assign row = {addr_i[8:7], addr_i[21:9]};
  assign command_no = command_q;
  assign a_o = a_q;
  assign ba_o = ba_q;
  assign dq_o = data_q[15:0];
  assign dqm_o = mask_q[1:0];
  assign dq_en_o = drive_q[0];
  assign read_valid_o = coming_q[ReadDelay+4];
  assign read_data_o = read_q;

  always_comb begin
    state_d = state_q;
    power_d = power_q;
    refreshes_d = refreshes_q;
    age_d = age_q + 1'b1;
    due_d = due_q;
    open_d = open_q;
    row_d = row_q;
    wait_d = wait_q == '0 ? '0 : wait_q - 1'b1;
    recover_d = recover_q == '0 ? '0 : recover_q - 1'b1;
    turn_d = turn_q == '0 ? '0 : turn_q - 1'b1;
    command_d = Nothing;
    a_d = a_q;
    ba_d = ba_q;
    data_d = data_q >> 16;
    mask_d = mask_q >> 2;
    drive_d = drive_q >> 1;
    ready_o = 1'b0;
    reads = 1'b0;

    if (age_q == RefreshW'(RefreshCycles - 1)) begin
      age_d = '0;
      due_d = 1'b1;
    end

    case (state_q)
      Power: begin
        power_d = power_q + 1'b1;
        if (power_q == PowerW'(PowerCycles)) state_d = First;
      end
      First: begin
        command_d = Precharge;
        a_d[AllBanks] = 1'b1;
        wait_d = AfterPrecharge - 1'b1;
        state_d = Setup;
      end
      Setup: if (wait_q == '0) begin
        if (refreshes_q != Refreshes) begin
          command_d = Refresh;
          wait_d = AfterRefresh - 1'b1;
          refreshes_d = refreshes_q + 1'b1;
        end else begin
          command_d = SetMode;
          a_d = Mode;
          ba_d = '0;
          wait_d = AfterMode - 1'b1;
          state_d = Run;
        end
      end
      default: if (wait_q == '0) begin
        if (due_q && !open_q) begin
          command_d = Refresh;
          wait_d = AfterRefresh - 1'b1;
          due_d = 1'b0;
        end else if (open_q && (due_q || (valid_i && row != row_q))) begin
          if (recover_q == '0) begin
            command_d = Precharge;
            a_d[AllBanks] = 1'b1;
            wait_d = AfterPrecharge - 1'b1;
            open_d = 1'b0;
          end
        end else if (valid_i && !open_q) begin
          command_d = Activate;
          {ba_d, a_d} = row;
          wait_d = AfterActivate - 1'b1;
          recover_d = ActivateToPrecharge - 1'b1;
          row_d = row;
          open_d = 1'b1;
        end else if (valid_i && !(write_i && turn_q != '0)) begin
          ready_o = 1'b1;
          command_d = write_i ? Write : Read;
          // Without precharge of its own.
          a_d = {4'b0, addr_i[6:0], 2'b0};
          ba_d = row_q[14:13];
          wait_d = Burst - 1'b1;
          if (write_i) begin
            recover_d = WriteToPrecharge - 1'b1;
            data_d = data_i;
            mask_d = ~strb_i;
            drive_d = '1;
          end else begin
            recover_d = ReadToPrecharge - 1'b1;
            turn_d = ReadToWrite - 1'b1;
            reads = 1'b1;
          end
        end
      end
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Power;
      power_q <= '0;
      refreshes_q <= '0;
      age_q <= '0;
      due_q <= 1'b0;
      open_q <= 1'b0;
      wait_q <= '0;
      recover_q <= '0;
      turn_q <= '0;
      command_q <= Nothing;
      mask_q <= '0;
      drive_q <= '0;
      coming_q <= '0;
    end else begin
      state_q <= state_d;
      power_q <= power_d;
      refreshes_q <= refreshes_d;
      age_q <= age_d;
      due_q <= due_d;
      open_q <= open_d;
      wait_q <= wait_d;
      recover_q <= recover_d;
      turn_q <= turn_d;
      command_q <= command_d;
      mask_q <= mask_d;
      drive_q <= drive_d;
      coming_q <= {coming_q[ReadDelay+3:0], reads};
    end
  end

  always_ff @(posedge clk_i) begin
    row_q <= row_d;
    a_q <= a_d;
    ba_q <= ba_d;
    data_q <= data_d;
    dq_q <= half_q;
    read_q <= {dq_q, read_q[63:16]};
  end

  // In the middle of what the memory gives.
  always_ff @(negedge clk_i) half_q <= dq_i;
endmodule
