// SPDX-License-Identifier: Apache-2.0

/// Running maximum of the values of each channel, for a group of lanes: channels come in turn, a
/// value a cycle.
///
/// Of several channels, one never comes twice running but to begin.
module sterna_maximum #(
  /// Lanes.
  parameter int unsigned Lanes = 64,
  /// Bits of a value.
  parameter int unsigned Width = 8,
  /// Channels.
  parameter int unsigned Channels = 4
) (
  input  logic                                             clk_i,
  input  logic                                             rst_ni,
  /// In the next cycle a value comes in.
  input  logic                                             valid_i,
  /// Of this channel.
  input  logic [(Channels > 1 ? $clog2(Channels) : 1)-1:0] channel_i,
  /// It is the first one: forget those before.
  input  logic                                             first_i,
  /// The value of each lane, in the cycle after; signed.
  input  logic [Lanes-1:0][Width-1:0]                      value_i,
  /// Maximum of the channel's values including this one, two cycles after.
  output logic [Lanes-1:0][Width-1:0]                      maximum_o
);
  /* verilator no_inline_module */

  localparam int unsigned ChannelW = Channels > 1 ? $clog2(Channels) : 1;

  logic [Lanes-1:0][Width-1:0] old, maximum;
  logic valid_q, first_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= valid_i;
  end

  always_ff @(posedge clk_i) begin
    first_q <= first_i;
  end

  always_comb begin
    maximum = value_i;
    if (valid_q) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (!first_q && $signed(old[i]) > $signed(value_i[i])) maximum[i] = old[i];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_q) maximum_o <= maximum;
  end

  generate
    if (Channels == 1) begin : gen_one
      assign old = maximum_o;
    end else begin : gen_several
      (* ramstyle = "MLAB, no_rw_check" *) logic [Lanes-1:0][Width-1:0] mem_q [Channels];
      logic [Lanes-1:0][Width-1:0] old_q;
      logic [ChannelW-1:0] channel_q;

      assign old = old_q;

      always_ff @(posedge clk_i) begin
        channel_q <= channel_i;
        if (valid_i) old_q <= mem_q[channel_i];
        if (valid_q) mem_q[channel_q] <= maximum;
      end

`ifdef VERILATOR
      NoCollision_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        valid_i && valid_q && !first_i |-> channel_i != channel_q)
        else $error("two values of a channel in two cycles running");
`endif
    end
  endgenerate

endmodule
