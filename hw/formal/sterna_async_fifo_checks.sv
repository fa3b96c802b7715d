// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_async_fifo`, whatever its two clocks do.
module sterna_async_fifo_checks #(
  /// As the FIFO's.
  parameter int unsigned Width = 8,
  /// As the FIFO's.
  parameter int unsigned Depth = 16
) (
  input logic                   write_clk_i,
  input logic                   write_rst_ni,
  input logic                   ready_o,
  input logic [Width-1:0]       data_i,
  input logic                   read_clk_i,
  input logic                   read_rst_ni,
  input logic                   valid_o,
  input logic                   ready_i,
  input logic [Width-1:0]       data_o,
  input logic                   push,
  input logic                   some_q,
  input logic [$clog2(Depth):0] write_q,
  input logic [$clog2(Depth):0] read_q,
  input logic [$clog2(Depth):0] write_code_q,
  input logic [$clog2(Depth):0] read_code_q,
  input logic [Width-1:0]       memory [Depth],
  /// The codes on their way to the other clock: a step ago, and in its registers, the oldest first.
  input logic [3:0][$clog2(Depth):0] write_codes,
  input logic [3:0][$clog2(Depth):0] read_codes
);
  localparam int unsigned IndexW = $clog2(Depth);
  localparam int unsigned CountW = IndexW + 1;

  logic followed;
  logic [CountW-1:0] pushed, popped, place, held;
  logic [Width-1:0] item;
  logic [2:0] waited, starved_q;
  // Items that were in when the code was told, less those that were out or are now: by the reader's
  // account and by the writer's.
  logic [3:0][CountW-1:0] seen, kept;

  formal_crossing #(
    .Width(Width),
    .Room (Depth + 1)
  ) u_order (
    .write_clk_i,
    .write_rst_ni,
    .push_i    (push),
    .in_i      (data_i),
    .read_clk_i,
    .read_rst_ni,
    .valid_i   (valid_o),
    .pop_i     (valid_o && ready_i),
    .out_i     (data_o),
    .pushed_o  (pushed),
    .popped_o  (popped),
    .followed_o(followed),
    .place_o   (place),
    .item_o    (item),
    .waited_o  (waited)
  );

  function automatic logic [CountW-1:0] place_of(logic [CountW-1:0] code);
    logic [CountW-1:0] number;
    number = code;
    for (int unsigned i = 1; i < CountW; i++) number ^= code >> i;
    return number;
  endfunction

  always_comb begin
    for (int i = 0; i < 4; i++) begin
      seen[i] = place_of(write_codes[i]) - read_q;
      kept[i] = write_q - place_of(read_codes[i]);
    end
  end
  assign held = write_q - read_q;

  // What a stream owes its reader, AXI's channels among them (IHI 0022E A3.2.1).
  Held_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    valid_o && !ready_i |=> valid_o && $stable(data_o));

  // And in reset nothing is offered or taken (A3.1.2).
  Off_A: assert property (@(posedge read_clk_i)
    (read_rst_ni || !valid_o) && (write_rst_ni || !ready_o));

  // There is room, and the writer is not told.
  always_ff @(posedge write_clk_i or negedge write_rst_ni) begin
    if (!write_rst_ni) starved_q <= '0;
    else starved_q <= held < CountW'(Depth) && !ready_o ? starved_q + 1'b1 : '0;
  end

  Starved_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    starved_q <= 3'd5);

  // What makes the induction close. Places as they are counted, where items lie, and that each
  // register on the way holds a place that is no newer than the one before it. From a step to the
  // next a place moves by one at most.
  Places_A: assert property (@(posedge write_clk_i)
    write_q == pushed && read_q == popped + CountW'(valid_o) &&
    place_of(write_code_q) == write_q && place_of(read_code_q) == read_q);
  Seen_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni && !read_rst_ni)
    held <= CountW'(Depth) && seen[3] <= held && held - seen[3] <= CountW'(1) &&
    seen[2] <= seen[3] && seen[1] <= seen[2] && seen[0] <= seen[1] && (!some_q || seen[0] != '0));
  Kept_A: assert property (@(posedge read_clk_i) disable iff (!write_rst_ni && !read_rst_ni)
    kept[0] <= CountW'(Depth) && kept[1] <= kept[0] && kept[2] <= kept[1] && kept[3] <= kept[2] &&
    held <= kept[3] && kept[3] - held <= CountW'(1) && (!ready_o || kept[0] != CountW'(Depth)));
  Reset_A: assert property (@(posedge write_clk_i)
    (write_rst_ni || (pushed == '0 && popped == '0 && !some_q && !valid_o && !followed &&
                      write_codes[2:0] == '0)) &&
    (read_rst_ni || (popped == '0 && read_codes[2:0] == '0)));
  Place_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    followed && CountW'(place - popped) >= CountW'(valid_o) |-> memory[IndexW'(place)] == item);
  Waited_A: assert property (@(posedge read_clk_i) disable iff (!read_rst_ni)
    valid_o || ((waited < 3'd1 || seen[3] != '0) && (waited < 3'd2 || seen[2] != '0) &&
                (waited < 3'd3 || seen[1] != '0) && (waited < 3'd4 || seen[0] != '0) &&
                (waited < 3'd5 || some_q) && waited < 3'd6));
  Starves_A: assert property (@(posedge write_clk_i) disable iff (!write_rst_ni)
    ready_o || ((starved_q < 3'd1 || kept[3] < CountW'(Depth)) &&
                (starved_q < 3'd2 || kept[2] < CountW'(Depth)) &&
                (starved_q < 3'd3 || kept[1] < CountW'(Depth)) &&
                (starved_q < 3'd4 || kept[0] < CountW'(Depth)) && starved_q < 3'd5));
endmodule

bind sterna_async_fifo sterna_async_fifo_checks #(
  .Width(Width),
  .Depth(Depth)
) u_checks (
  .write_codes({u_write_code.earlier, u_write_code.first_q, u_write_code.second_q,
                u_write_code.third_q}),
  .read_codes ({u_read_code.earlier, u_read_code.first_q, u_read_code.second_q,
                u_read_code.third_q}),
  .*
);
