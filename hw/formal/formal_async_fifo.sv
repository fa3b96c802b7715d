// SPDX-License-Identifier: Apache-2.0

/// What proofs of the crossings take for `sterna_async_fifo`: no more than what is proved of it.
module formal_async_fifo #(
  /// As the FIFO's.
  parameter int unsigned Width = 8,
  /// As the FIFO's.
  parameter int unsigned Depth = 16
) (
  input  logic             write_clk_i,
  input  logic             write_rst_ni,
  /// As the FIFO's.
  input  logic             valid_i,
  /// As the FIFO's.
  output logic             ready_o,
  /// As the FIFO's.
  input  logic [Width-1:0] data_i,
  input  logic             read_clk_i,
  input  logic             read_rst_ni,
  /// As the FIFO's.
  output logic             valid_o,
  /// As the FIFO's.
  input  logic             ready_i,
  /// As the FIFO's.
  output logic [Width-1:0] data_o
);
  logic ready, valid;
  logic [Width-1:0] data;

  formal_input u_ready (.Y(ready));
  formal_input u_valid (.Y(valid));
  formal_input #(.WIDTH(Width)) u_data (.Y(data));

  assign ready_o = write_rst_ni && ready;

  // What is offered stays until it is taken.
  always_ff @(posedge read_clk_i or negedge read_rst_ni) begin
    if (!read_rst_ni) valid_o <= 1'b0;
    else if (!valid_o || ready_i) valid_o <= valid;
  end

  always_ff @(posedge read_clk_i) begin
    if (!valid_o || ready_i) data_o <= data;
  end

  formal_crossing #(
    .Width(Width),
    .Room (Depth + 1)
  ) u_order (
    .write_clk_i,
    .write_rst_ni,
    .push_i    (valid_i && ready_o),
    .in_i      (data_i),
    .read_clk_i,
    .read_rst_ni,
    .valid_i   (valid_o),
    .pop_i     (valid_o && ready_i),
    .out_i     (data_o),
    .pushed_o  (),
    .popped_o  (),
    .followed_o(),
    .place_o   (),
    .item_o    (),
    .waited_o  ()
  );
endmodule
