/// Drains the passes of a cluster: reads the accumulators that all units have ended, keeps the maximum of four
/// for a pooled channel, requantises, and writes words of four channels to the feature memory.
module sterna_drain
  import sterna_pkg::*;
#(
  /// Lanes.
  parameter int unsigned Lanes = 25,
  /// Units.
  parameter int unsigned Units = 4,
  /// Accumulators of a lane in one half.
  parameter int unsigned Slots = 16,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bits of a requantisation multiplier.
  parameter int unsigned MulW = 18,
  /// Bits of a feature memory word's address.
  parameter int unsigned FmAddrW = 12,
  localparam int unsigned SlotW = $clog2(Slots),
  localparam int unsigned TableW = $clog2(Units * Slots)
) (
  /// Clock.
  input  logic                            clk_i,
  /// Reset, active low.
  input  logic                            rst_ni,
  /// Returns to the reset state; the table keeps its contents.
  input  logic                            clear_i,
  /// Write an entry of the requantisation table (always accepted).
  input  logic                            table_valid_i,
  /// Half of the table.
  input  logic                            table_half_i,
  /// Channel.
  input  logic [TableW-1:0]               table_index_i,
  /// Bias, multiplier.
  input  logic [63:0]                     table_data_i,
  /// A pass is to be drained.
  input  logic                            pass_valid_i,
  /// It is queued.
  output logic                            pass_ready_o,
  /// What to drain.
  input  pass_t                           pass_i,
  /// All units have ended the pass in this half of the accumulators.
  input  logic [1:0]                      ended_i,
  /// That half is read (pulse).
  output logic [1:0]                      free_o,
  /// Read of a unit's accumulator.
  output logic [Units-1:0]                read_o,
  /// Half and slot.
  output logic [SlotW:0]                  read_address_o,
  /// What each unit read, three cycles later; zero in all other cycles.
  input  logic [Lanes-1:0][AccW-1:0]      data_i [Units],
  /// A word is to be written.
  output logic                            write_valid_o,
  /// It is accepted.
  input  logic                            write_ready_i,
  /// Where.
  output logic [FmAddrW-1:0]              write_addr_o,
  /// Channels to write.
  output logic [3:0]                      write_strobe_o,
  /// The word.
  output logic [Lanes-1:0][3:0][ActW-1:0] write_data_o,
  /// A pass is drained and all its words are accepted (pulse).
  output logic                            done_o
);

  /// Passes that can be queued.
  localparam int unsigned PassDepth = 4;
  /// Words on their way to the feature memory; two are enough to hide the drain's own latency.
  localparam int unsigned WordDepth = 4;
  localparam int unsigned WordCountW = $clog2(WordDepth + 1);
  /// Cycles from a read to the OR of all units, from there to the maximum, from there to the result.
  localparam int unsigned ReadLatency = 4;
  localparam int unsigned MaximumLatency = ReadLatency + 1;
  localparam int unsigned Latency = MaximumLatency + 4;
  /// Lanes of a requantiser.
  localparam int unsigned GroupLanes = 64;
  localparam int unsigned Groups = (Lanes + GroupLanes - 1) / GroupLanes;

  /// What goes with a step down the pipeline.
  typedef struct packed {
    logic               first;
    logic               last;
    logic [1:0]         activation;
    logic [5:0]         shift;
    logic [TableW:0]    entry;
    logic [1:0]         place;
    logic               word;
    logic [3:0]         strobe;
    logic [FmAddrW-1:0] address;
    logic               ends;
  } step_info_t;

  typedef struct packed {
    logic                            ends;
    logic [3:0]                      strobe;
    logic [FmAddrW-1:0]              address;
    logic [Lanes-1:0][3:0][ActW-1:0] data;
  } word_t;

  // Passes to reads.

  logic                  pass_valid, pass_ready;
  pass_t                 pass;
  logic                  word_reserve, word_release, step_valid;
  step_info_t            step;
  logic [WordCountW-1:0] words_q;

  sterna_fifo #(.Width($bits(pass_t)), .Depth(PassDepth)) u_passes (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(pass_valid_i), .ready_o(pass_ready_o), .data_i(pass_i),
    .valid_o(pass_valid), .ready_i(pass_ready), .data_o(pass), .count_o()
  );

  sterna_drain_reader #(.Units(Units), .Slots(Slots), .FmAddrW(FmAddrW)) u_reader (
    .clk_i, .rst_ni, .clear_i,
    .pass_valid_i(pass_valid), .pass_ready_o(pass_ready), .pass_i(pass),
    .ended_i, .free_o,
    .room_i(words_q != WordCountW'(WordDepth)), .word_o(word_reserve),
    .read_o, .read_address_o,
    .step_valid_o(step_valid), .step_first_o(step.first), .step_last_o(step.last),
    .step_table_o(step.entry), .step_place_o(step.place), .step_word_o(step.word),
    .step_strobe_o(step.strobe), .step_address_o(step.address), .step_end_o(step.ends)
  );

  assign step.activation = pass.activation;
  assign step.shift      = pass.shift;

  // Every word has its place in the queue before its first channel is read.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      words_q <= '0;
    end else if (clear_i) begin
      words_q <= '0;
    end else begin
      words_q <= words_q + WordCountW'(word_reserve) - WordCountW'(word_release);
    end
  end

  // Steps, numbered by the cycles since the read.

  logic [Latency:0] valid;
  logic [Latency:1] valid_q;
  step_info_t       info [Latency + 1];

  assign valid   = {valid_q, step_valid};
  assign info[0] = step;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (clear_i) begin
      valid_q <= '0;
    end else begin
      valid_q <= valid[Latency-1:0];
    end
  end

  for (genvar i = 1; i <= Latency; i++) begin : gen_step
    always_ff @(posedge clk_i) begin
      if (valid[i-1]) info[i] <= info[i-1];
    end
  end

  // Only the unit that was read shows anything but zero.
  logic [Lanes-1:0][AccW-1:0] acc_d, acc_q;

  always_comb begin
    acc_d = '0;
    if (valid[ReadLatency-1]) begin
      for (int unsigned i = 0; i < Units; i++) acc_d |= data_i[i];
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid[ReadLatency-1]) acc_q <= acc_d;
  end

  // Requantisation table.

  logic [RequantBiasW+MulW-1:0] table_q [2 * Units * Slots];
  logic [MulW-1:0]              multiplier_q;
  logic [RequantBiasW-1:0]      bias_q;

  always_ff @(posedge clk_i) begin
    if (table_valid_i) begin
      table_q[{table_half_i, table_index_i}] <=
          {table_data_i[63:RequantMultiplierW], table_data_i[MulW-1:0]};
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid[ReadLatency]) {bias_q, multiplier_q} <= table_q[info[ReadLatency].entry];
  end

  // Maximum and requantisation.

  logic [Lanes-1:0][ActW-1:0] result;

  for (genvar g = 0; g < Groups; g++) begin : gen_group
    localparam int unsigned First = g * GroupLanes;
    localparam int unsigned Count = Lanes - First < GroupLanes ? Lanes - First : GroupLanes;

    logic [Count-1:0][AccW-1:0] maximum_q;

    always_ff @(posedge clk_i) begin
      if (valid[ReadLatency]) begin
        for (int unsigned i = 0; i < Count; i++) begin
          if (info[ReadLatency].first || $signed(acc_q[First+i]) > $signed(maximum_q[i])) begin
            maximum_q[i] <= acc_q[First+i];
          end
        end
      end
    end

    sterna_requant #(.Lanes(Count), .ActW(ActW), .AccW(AccW), .MulW(MulW)) u_requant (
      .clk_i,
      .valid_i(valid[MaximumLatency] && info[MaximumLatency].last), .acc_i(maximum_q),
      .multiplier_i(multiplier_q), .bias_i(bias_q),
      .activation_i(info[MaximumLatency].activation), .shift_i(info[MaximumLatency].shift),
      .data_o(result[First+:Count])
    );
  end

  // Words of four channels.

  word_t word_q, queued;
  logic  word_valid_q, queued_valid, queue_ready;

  for (genvar i = 0; i < Lanes; i++) begin : gen_word
    always_ff @(posedge clk_i) begin
      if (valid[Latency] && info[Latency].last) word_q.data[i][info[Latency].place] <= result[i];
    end
  end

  always_ff @(posedge clk_i) begin
    word_q.ends    <= info[Latency].ends;
    word_q.strobe  <= info[Latency].strobe;
    word_q.address <= info[Latency].address;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_valid_q <= 1'b0;
    end else if (clear_i) begin
      word_valid_q <= 1'b0;
    end else begin
      word_valid_q <= valid[Latency] && info[Latency].word;
    end
  end

  sterna_fifo #(.Width($bits(word_t)), .Depth(WordDepth)) u_words (
    .clk_i, .rst_ni, .clear_i,
    .valid_i(word_valid_q), .ready_o(queue_ready), .data_i(word_q),
    .valid_o(queued_valid), .ready_i(word_release), .data_o(queued), .count_o()
  );

  // A pass that is not written leaves one word without channels.
  assign write_valid_o  = queued_valid && queued.strobe != '0;
  assign write_addr_o   = queued.address;
  assign write_strobe_o = queued.strobe;
  assign write_data_o   = queued.data;
  assign word_release   = queued_valid && (write_ready_i || queued.strobe == '0);
  assign done_o         = word_release && queued.ends;

`ifndef SYNTHESIS
  Room: assert property (@(posedge clk_i) disable iff (!rst_ni || clear_i)
    word_valid_q |-> queue_ready)
    else $error("a word came without room");
`endif

endmodule
