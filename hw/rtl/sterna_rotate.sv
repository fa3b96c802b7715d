/// Rotates N elements down: output i is input (i + amount) mod N, two cycles later.
module sterna_rotate #(
  /// Elements, at most 16.
  parameter int unsigned N = 5,
  /// Bits of an element.
  parameter int unsigned Width = 8
) (
  /// Clock.
  input  logic             clk_i,
  /// Each stage takes its data when its bit is set: bit 0 with the input, bit 1 a cycle later.
  input  logic [1:0]       enable_i,
  /// Amount for the first stage (low two bits), given with the data.
  input  logic [1:0]       amount_low_i,
  /// Amount for the second stage (in fours), given a cycle later.
  input  logic [1:0]       amount_high_i,
  /// Elements.
  input  logic [Width-1:0] data_i [N],
  /// Elements, rotated.
  output logic [Width-1:0] data_o [N]
); /* verilator no_inline_module */
  logic [Width-1:0] fine_q [N];

  for (genvar i = 0; i < N; i++) begin : gen_element
    logic [Width-1:0] fine_d, coarse_d;

    always_comb begin
      unique case (amount_low_i)
        2'd0: fine_d = data_i[i];
        2'd1: fine_d = data_i[(i+1)%N];
        2'd2: fine_d = data_i[(i+2)%N];
        2'd3: fine_d = data_i[(i+3)%N];
      endcase
      unique case (amount_high_i)
        2'd0: coarse_d = fine_q[i];
        2'd1: coarse_d = fine_q[(i+4)%N];
        2'd2: coarse_d = fine_q[(i+8)%N];
        2'd3: coarse_d = fine_q[(i+12)%N];
      endcase
    end

    always_ff @(posedge clk_i) begin
      if (enable_i[0]) fine_q[i] <= fine_d;
      if (enable_i[1]) data_o[i] <= coarse_d;
    end
  end
endmodule
