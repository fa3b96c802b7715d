// SPDX-License-Identifier: Apache-2.0

/// The controller with the memory, and random words that are written and read.
module sdram_bench (
  /// Clock.
  input  logic clk_i,
  /// Reset.
  input  logic rst_ni,
  /// Words that were read right.
  output int   right_o,
  /// Words that were read wrong.
  output int   wrong_o
);
  wire [15:0] dq;
  logic [3:0] command;
  logic [12:0] a;
  logic [1:0] ba, dqm;
  logic [15:0] dq_out;
  logic dq_en, valid_q, ready, write_q, read_valid;
  logic [21:0] addr_q;
  logic [63:0] data_q, read_data;
  logic [7:0] strb_q;
  // Four rows of each bank, two columns in each; what is expected of them, and of the reads on their way.
  logic [63:0] held [64];
  logic [63:0] expected [16];
  logic [3:0] asked_q, came_q;
  logic [5:0] at;
  int idle_q, settled_q;

  assign dq = dq_en ? dq_out : 'z;
  // Row, bank, column.
  assign at = {addr_q[10:9], addr_q[8:7], addr_q[1:0]};

  ulx3s_sdram #(
    .PowerCycles  (100),
    .RefreshCycles(70)
  ) u_controller (
    .clk_i,
    .rst_ni,
    .valid_i     (valid_q),
    .ready_o     (ready),
    .write_i     (write_q),
    .addr_i      (addr_q),
    .data_i      (data_q),
    .strb_i      (strb_q),
    .read_valid_o(read_valid),
    .read_data_o (read_data),
    .command_no  (command),
    .a_o         (a),
    .ba_o        (ba),
    .dqm_o       (dqm),
    .dq_o        (dq_out),
    .dq_en_o     (dq_en),
    .dq_i        (dq)
  );

  ulx3s_sdram_chip u_memory (
    .clk_i     (~clk_i),
    .command_ni(command),
    .a_i       (a),
    .ba_i      (ba),
    .dqm_i     (dqm),
    .dq_io     (dq)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      settled_q <= 0;
      {asked_q, came_q} <= '0;
      idle_q <= 0;
      right_o <= 0;
      wrong_o <= 0;
    end else begin
      idle_q <= idle_q == 0 ? 0 : idle_q - 1;
      if (valid_q && ready) begin
        if (write_q) begin
          for (int i = 0; i < 8; i++) if (strb_q[i]) held[at][8*i +: 8] <= data_q[8*i +: 8];
          if (settled_q < 64) settled_q <= settled_q + 1;
        end else begin
          expected[asked_q] <= held[at];
          asked_q <= asked_q + 1'b1;
        end
        valid_q <= 1'b0;
        idle_q <= $urandom_range(7) == 0 ? $urandom_range(40) : 0;
      end
      if ((!valid_q || ready) && idle_q == 0 && asked_q - came_q < 4'd8) begin
        valid_q <= 1'b1;
        // All of it is written first.
        write_q <= settled_q + int'(valid_q) < 64 || $urandom_range(1) == 0;
        strb_q <= settled_q + int'(valid_q) < 64 ? 8'hFF : 8'($urandom);
        data_q <= {$urandom, $urandom};
        addr_q <= '0;
        {addr_q[10:9], addr_q[8:7], addr_q[1:0]} <=
          settled_q + int'(valid_q) < 64 ? 6'(settled_q + int'(valid_q)) : 6'($urandom);
        if ($urandom_range(2) != 0 && settled_q == 64) addr_q[10:7] <= addr_q[10:7];
      end
      if (read_valid) begin
        came_q <= came_q + 1'b1;
        if (read_data == expected[came_q]) right_o <= right_o + 1;
        else wrong_o <= wrong_o + 1;
      end
    end
  end
endmodule
