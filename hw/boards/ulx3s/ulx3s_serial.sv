// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;
import sterna_serial_pkg::*;

/// Does what a host asks for over a serial line: reads and writes registers over AXI4-Lite, and
/// words of memory. Each answer ends with the CRC-32 of the command and the answer before it.
module ulx3s_serial #(
  /// Cycles of a bit on the line.
  parameter int unsigned BitCycles = 27,
  /// Cycles without a byte after which a command that has not come whole is forgotten.
  parameter int unsigned ForgetCycles = 1 << 20
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  /// The line from the host.
  input  logic                     rx_i,
  /// The line to the host.
  output logic                     tx_o,
  /// The engine's interrupt.
  input  logic                     irq_i,

  /// AXI4-Lite write address.
  output logic                     aw_valid_o,
  /// It is taken.
  input  logic                     aw_ready_i,
  /// AXI4-Lite write data.
  output logic                     w_valid_o,
  /// It is taken.
  input  logic                     w_ready_i,
  /// The data.
  output logic [31:0]              w_data_o,
  /// AXI4-Lite write response.
  input  logic                     b_valid_i,
  /// It is taken.
  output logic                     b_ready_o,
  /// AXI4-Lite read address.
  output logic                     ar_valid_o,
  /// It is taken.
  input  logic                     ar_ready_i,
  /// AXI4-Lite read data.
  input  logic                     r_valid_i,
  /// It is taken.
  output logic                     r_ready_o,
  /// The data.
  input  logic [31:0]              r_data_i,
  /// Address of the register that is read or written.
  output logic [RegisterAddrW-1:0] register_o,

  /// A word of memory is asked for.
  output logic                     valid_o,
  /// It is taken.
  input  logic                     ready_i,
  /// It is written; otherwise it is read.
  output logic                     write_o,
  /// Which.
  output logic [21:0]              addr_o,
  /// What is written.
  output logic [63:0]              data_o,
  /// A word was read.
  input  logic                     read_valid_i,
  /// The word.
  input  logic [63:0]              read_data_i
);
  localparam int unsigned ForgetW = $clog2(ForgetCycles + 1);

  typedef enum logic [3:0] {
    Command, Arguments, Act, WriteRegister, Written, ReadRegister, ReadDone, Next, Collect, Store,
    Fetch, Fetched, WaitIrq, Answer, Crc, Check
  } state_t;

  state_t state_d, state_q, after_d, after_q;
  logic [7:0] command_d, command_q, byte_in, byte_out;
  // Arguments, the first one lowest once all are there.
  logic [47:0] arguments_d, arguments_q;
  logic [3:0] left_d, left_q;
  logic [15:0] words_d, words_q;
  logic [21:0] addr_d, addr_q;
  logic [63:0] data_d, data_q;
  logic [31:0] crc_d, crc_q, cycles_d, cycles_q;
  logic [ForgetW-1:0] quiet_d, quiet_q;
  logic in_valid, out_valid, out_ready, aw_done_d, aw_done_q, w_done_d, w_done_q;

  function automatic logic [31:0] crc_of(logic [31:0] crc, logic [7:0] data);
    logic [31:0] next;
    next = crc ^ {24'b0, data};
    for (int i = 0; i < 8; i++) next = (next >> 1) ^ (next[0] ? CrcPolynomial : 32'b0);
    return next;
  endfunction

  assign register_o = arguments_q[RegisterAddrW-1:0];
  assign w_data_o = arguments_q[47:16];
  assign aw_valid_o = state_q == WriteRegister && !aw_done_q;
  assign w_valid_o = state_q == WriteRegister && !w_done_q;
  assign b_ready_o = state_q == Written;
  assign ar_valid_o = state_q == ReadRegister;
  assign r_ready_o = state_q == ReadDone;
  assign valid_o = state_q == Store || state_q == Fetch;
  assign write_o = state_q == Store;
  assign addr_o = addr_q;
  assign data_o = data_q;
  assign out_valid = state_q == Answer || state_q == Check;
  assign byte_out = data_q[7:0];

  always_comb begin
    state_d = state_q;
    after_d = after_q;
    command_d = command_q;
    arguments_d = arguments_q;
    left_d = left_q;
    words_d = words_q;
    addr_d = addr_q;
    data_d = data_q;
    crc_d = crc_q;
    cycles_d = cycles_q;
    quiet_d = '0;
    aw_done_d = aw_done_q;
    w_done_d = w_done_q;

    case (state_q)
      Command: begin
        crc_d = crc_of('1, byte_in);
        command_d = byte_in;
        state_d = Arguments;
        case (byte_in)
          SerialReadRegister: left_d = 4'(SerialReadRegisterBytes);
          SerialWriteRegister: left_d = 4'(SerialWriteRegisterBytes);
          SerialReadMemory: left_d = 4'(SerialReadMemoryBytes);
          SerialWriteMemory: left_d = 4'(SerialWriteMemoryBytes);
          SerialWait: left_d = 4'(SerialWaitBytes);
          default: state_d = Command;
        endcase
        if (!in_valid) state_d = Command;
      end
      Arguments: begin
        if (in_valid) begin
          crc_d = crc_of(crc_q, byte_in);
          arguments_d = {byte_in, arguments_q[47:8]};
          left_d = left_q - 1'b1;
        end
        if (left_q == '0) state_d = Act;
      end
      Act: begin
        aw_done_d = 1'b0;
        w_done_d = 1'b0;
        addr_d = arguments_q[24:3];
        words_d = arguments_q[47:32];
        case (command_q)
          SerialReadRegister: begin
            arguments_d = arguments_q >> 32;
            state_d = ReadRegister;
          end
          SerialWriteRegister: state_d = WriteRegister;
          SerialWait: begin
            cycles_d = arguments_q[47:16];
            state_d = WaitIrq;
          end
          default: state_d = Next;
        endcase
      end

      WriteRegister: begin
        aw_done_d = aw_done_q || aw_ready_i;
        w_done_d = w_done_q || w_ready_i;
        if (aw_done_d && w_done_d) state_d = Written;
      end
      Written: if (b_valid_i) state_d = Crc;
      ReadRegister: if (ar_ready_i) state_d = ReadDone;
      ReadDone: if (r_valid_i) begin
        data_d = 64'(r_data_i);
        left_d = 4'd4;
        after_d = Crc;
        state_d = Answer;
      end
      WaitIrq: begin
        cycles_d = cycles_q - 1'b1;
        if (irq_i || cycles_q == '0) begin
          data_d = 64'(irq_i);
          left_d = 4'd1;
          after_d = Crc;
          state_d = Answer;
        end
      end

      Next: begin
        left_d = 4'd8;
        if (words_q == '0) state_d = Crc;
        else state_d = command_q == SerialWriteMemory ? Collect : Fetch;
      end
      Collect: begin
        if (in_valid) begin
          crc_d = crc_of(crc_q, byte_in);
          data_d = {byte_in, data_q[63:8]};
          left_d = left_q - 1'b1;
        end
        if (left_q == '0) state_d = Store;
      end
      Fetch: if (ready_i) state_d = Fetched;
      Fetched: if (read_valid_i) begin
        data_d = read_data_i;
        after_d = Next;
        state_d = Answer;
      end
      Answer: if (out_ready) begin
        crc_d = crc_of(crc_q, byte_out);
        data_d = data_q >> 8;
        left_d = left_q - 1'b1;
        if (left_q == 4'd1) state_d = after_q;
      end
      Crc: begin
        data_d = 64'(~crc_q);
        left_d = 4'd4;
        state_d = Check;
      end
      Check: if (out_ready) begin
        data_d = data_q >> 8;
        left_d = left_q - 1'b1;
        if (left_q == 4'd1) state_d = Command;
      end
      default: if (ready_i) state_d = Next;
    endcase

    if ((state_q == Store && ready_i) || (state_q == Fetched && read_valid_i)) begin
      addr_d = addr_q + 1'b1;
      words_d = words_q - 1'b1;
    end

    if ((state_q == Arguments || state_q == Collect) && !in_valid) begin
      quiet_d = quiet_q + 1'b1;
      if (quiet_q == ForgetW'(ForgetCycles)) state_d = Command;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) state_q <= Command;
    else state_q <= state_d;
  end

  always_ff @(posedge clk_i) begin
    after_q <= after_d;
    command_q <= command_d;
    arguments_q <= arguments_d;
    left_q <= left_d;
    words_q <= words_d;
    addr_q <= addr_d;
    data_q <= data_d;
    crc_q <= crc_d;
    cycles_q <= cycles_d;
    quiet_q <= quiet_d;
    aw_done_q <= aw_done_d;
    w_done_q <= w_done_d;
  end

  ulx3s_receiver #(
    .BitCycles(BitCycles)
  ) u_receiver (
    .clk_i,
    .rst_ni,
    .rx_i,
    .valid_o(in_valid),
    .data_o (byte_in)
  );

  ulx3s_sender #(
    .BitCycles(BitCycles)
  ) u_sender (
    .clk_i,
    .rst_ni,
    .valid_i(out_valid),
    .ready_o(out_ready),
    .data_i (byte_out),
    .tx_o
  );
endmodule
