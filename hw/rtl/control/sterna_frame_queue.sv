// SPDX-License-Identifier: Apache-2.0

/// The frame that runs and the one that is queued: their addresses and layouts, and whether their
/// images are in the feature memory already.
module sterna_frame_queue (
  input  logic        clk_i,
  input  logic        rst_ni,
  /// Queues a frame (pulse, only while none is queued).
  input  logic        start_i,
  /// First byte of the frame.
  input  logic [63:0] frame_addr_i,
  /// First byte of its result.
  input  logic [63:0] result_addr_i,
  /// First byte of its scratch memory.
  input  logic [63:0] scratch_addr_i,
  /// How its bytes lie and count.
  input  logic [1:0]  frame_layout_i,
  /// The queued frame, one that is queued in this cycle included, becomes the one that runs.
  input  logic        take_i,
  /// Forgets the queued frame, and that images are loaded.
  input  logic        drop_i,
  /// The image of the queued frame is being loaded (pulse).
  input  logic        load_i,
  /// A frame is queued.
  output logic        queued_o,
  /// Frame address of the queued frame.
  output logic [63:0] queued_frame_addr_o,
  /// Layout of the queued frame.
  output logic [1:0]  queued_layout_o,
  /// The image of the queued frame is loaded, or being loaded.
  output logic        queued_has_image_o,
  /// Frame address of the frame that runs.
  output logic [63:0] frame_addr_o,
  /// Its result address.
  output logic [63:0] result_addr_o,
  /// Its scratch address.
  output logic [63:0] scratch_addr_o,
  /// Its layout.
  output logic [1:0]  frame_layout_o,
  /// Its image was loaded before it began.
  output logic        has_image_o
);
  typedef struct packed {
    logic [63:0] frame;
    logic [63:0] result;
    logic [63:0] scratch;
    logic [1:0] layout;
  } frame_t;

  frame_t current_d, current_q, queued_d, queued_q;
  logic is_queued_d, is_queued_q, image_d, image_q, has_image_d, has_image_q;

  always_comb begin
    current_d = current_q;
    queued_d = queued_q;
    is_queued_d = is_queued_q;
    has_image_d = has_image_q;
    image_d = image_q || load_i;
    if (start_i) begin
      queued_d = '{frame: frame_addr_i, result: result_addr_i, scratch: scratch_addr_i,
                   layout: frame_layout_i};
      is_queued_d = 1'b1;
    end
    if (take_i) begin
      current_d = queued_d;
      is_queued_d = 1'b0;
      has_image_d = image_d;
      image_d = 1'b0;
    end
    if (drop_i) begin
      is_queued_d = 1'b0;
      has_image_d = 1'b0;
      image_d = 1'b0;
    end
  end

  assign queued_o = is_queued_q;
  assign queued_frame_addr_o = queued_q.frame;
  assign queued_layout_o = queued_q.layout;
  assign queued_has_image_o = image_q;
  assign frame_addr_o = current_q.frame;
  assign result_addr_o = current_q.result;
  assign scratch_addr_o = current_q.scratch;
  assign frame_layout_o = current_q.layout;
  assign has_image_o = has_image_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      current_q <= '0;
      queued_q <= '0;
      is_queued_q <= 1'b0;
      image_q <= 1'b0;
      has_image_q <= 1'b0;
    end else begin
      current_q <= current_d;
      queued_q <= queued_d;
      is_queued_q <= is_queued_d;
      image_q <= image_d;
      has_image_q <= has_image_d;
    end
  end

`ifdef VERILATOR
  Start_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    start_i |-> !is_queued_q);
`endif
endmodule
