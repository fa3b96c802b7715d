// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_read_adapter`: for any bursts that are asked for, one after the
/// other, the bursts on the bus that is read are theirs and no others, no more of them are under
/// way than may be, and every beat comes back once, in order, with the data and the response that
/// its address has. Sections are of the AMBA AXI and ACE Protocol Specification, IHI 0022E.
module sterna_read_adapter_checks #(
  /// As the adapter's.
  parameter int unsigned FromDataW = 64,
  /// As the adapter's.
  parameter int unsigned ToDataW = 64,
  /// As the adapter's.
  parameter int unsigned ToBeats = 16,
  /// As the adapter's.
  parameter int unsigned Outstanding = 16,
  /// Bursts of the plan.
  parameter int unsigned Plan = 2
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 s_ar_valid_i,
  input logic                 s_ar_ready_o,
  input logic [63:0]          s_ar_addr_i,
  input logic [7:0]           s_ar_len_i,
  input logic                 s_r_valid_o,
  input logic                 s_r_ready_i,
  input logic [FromDataW-1:0] s_r_data_o,
  input logic [1:0]           s_r_resp_o,
  input logic                 s_r_last_o,
  input logic                 m_ar_valid_o,
  input logic                 m_ar_ready_i,
  input logic [63:0]          m_ar_addr_o,
  input logic [7:0]           m_ar_len_o,
  input logic                 m_r_valid_i,
  input logic                 m_r_ready_o,
  input logic [ToDataW-1:0]   m_r_data_i,
  input logic [1:0]           m_r_resp_i,
  input logic                 m_r_last_i
);
  localparam int unsigned CountW = $clog2(Outstanding + 1);
  localparam int unsigned PlanW = $clog2(Plan + 1);
  localparam int unsigned ToW = $clog2(ToDataW / 8);
  localparam int unsigned FromW = $clog2(FromDataW / 8);
  // The wider of both.
  localparam int unsigned WideW = ToW > FromW ? ToW : FromW;

  logic [Plan-1:0][63:0] plan_addr;
  logic [Plan-1:0][7:0] plan_len;
  // The next one on each channel: whether there is one, its address, and what is known of it.
  logic asks, gives, reads, comes, m_ar, m_r, s_r, s_ar;
  logic [63:0] asks_addr, gives_addr, reads_addr, comes_addr, bad;
  logic [7:0] asks_len, gives_len, reads_len, comes_len;

  formal_plan #(
    .Plan (Plan),
    .DataW(FromDataW)
  ) u_plan (
    .clk_i,
    .addr_o(plan_addr),
    .len_o (plan_len)
  );
  // The address of a beat of the bus that is read whose response is SLVERR.
  formal_constant #(.WIDTH(64)) u_bad (.Y(bad));

  assign s_ar = s_ar_valid_i && s_ar_ready_o;
  assign m_ar = m_ar_valid_o && m_ar_ready_i;
  assign m_r = m_r_valid_i && m_r_ready_o;
  assign s_r = s_r_valid_o && s_r_ready_i;

  formal_bursts #(
    .Plan     (Plan),
    .FromDataW(FromDataW),
    .DataW    (FromDataW)
  ) u_asks (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (1'b0),
    .burst_i(s_ar),
    .valid_o(asks),
    .addr_o (asks_addr),
    .len_o  (asks_len),
    .final_o(),
    .from_o (),
    .to_o   ()
  );
  formal_bursts #(
    .Plan     (Plan),
    .FromDataW(FromDataW),
    .DataW    (ToDataW),
    .Beats    (ToBeats)
  ) u_reads (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (1'b0),
    .burst_i(m_ar),
    .valid_o(reads),
    .addr_o (reads_addr),
    .len_o  (reads_len),
    .final_o(),
    .from_o (),
    .to_o   ()
  );
  formal_bursts #(
    .Plan     (Plan),
    .FromDataW(FromDataW),
    .DataW    (ToDataW),
    .Beats    (ToBeats)
  ) u_comes (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (m_r),
    .burst_i(1'b0),
    .valid_o(comes),
    .addr_o (comes_addr),
    .len_o  (comes_len),
    .final_o(),
    .from_o (),
    .to_o   ()
  );
  formal_bursts #(
    .Plan     (Plan),
    .FromDataW(FromDataW),
    .DataW    (FromDataW)
  ) u_gives (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (s_r),
    .burst_i(1'b0),
    .valid_o(gives),
    .addr_o (gives_addr),
    .len_o  (gives_len),
    .final_o(),
    .from_o (),
    .to_o   ()
  );

  // Bursts of each bus that are taken and not answered in full.
  logic [CountW:0] reading_q;
  logic [PlanW-1:0] asked_q;
  // The first burst of the plan is answered.
  logic answered_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reading_q <= '0;
      asked_q <= '0;
      answered_q <= 1'b0;
    end else begin
      reading_q <= reading_q + (CountW + 1)'(m_ar) - (CountW + 1)'(m_r && comes_len == '0);
      asked_q <= asked_q + PlanW'(s_ar) - PlanW'(s_r && gives_len == '0);
      answered_q <= answered_q || (s_r && s_r_last_o);
    end
  end

  // What the manager owes: the bursts of the plan.
  Asks_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_ar_valid_i |-> asks && s_ar_addr_i == asks_addr && s_ar_len_i == asks_len);
  // What the memory owes. A3.3.1: RVALID only after the handshake of its address. A3.4.3: RLAST
  // with the final transfer of the burst. A3.2.1: VALID stays until the handshake, and what goes
  // with it.
  Comes_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_r_valid_i |-> reading_q != '0);
  RLast_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_r_valid_i |-> m_r_last_i == (comes_len == '0));
  RHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_r_valid_i && !m_r_ready_o |=> m_r_valid_i && $stable(m_r_resp_i));
  Bad_A: assert property (@(posedge clk_i) bad[ToW-1:0] == '0);
  Resp_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_r_valid_i |-> m_r_resp_i[1] == (comes_addr == bad));
  // Memory holds in each word the number of the word.
  generate
    for (genvar i = 0; i < ToDataW / 64; i++) begin : gen_memory
      Memory_M: assume property (@(posedge clk_i) disable iff (!rst_ni)
        m_r_valid_i |-> m_r_data_i[64*i+:64] == ((comes_addr >> 3) | 64'(i)));
    end
    for (genvar i = 0; i < FromDataW / 64; i++) begin : gen_given
      Data_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        s_r_valid_o |-> s_r_data_o[64*i+:64] == ((gives_addr >> 3) | 64'(i)));
    end
  endgenerate

  // A3.1.2: a manager must drive ARVALID low during reset.
  Reset_A: assert property (@(posedge clk_i) !rst_ni |-> !m_ar_valid_o);
  // A3.2.1, as above.
  ArHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_ar_valid_o && !m_ar_ready_i |=> m_ar_valid_o && $stable({m_ar_addr_o, m_ar_len_o}));
  Held_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_r_valid_o && !s_r_ready_i |=>
      s_r_valid_o && $stable({s_r_data_o, s_r_resp_o[1], s_r_last_o}));
  // A3.4.1: bursts lie inside 4 KB, as those of the plan do, and have as many beats as they may.
  Reads_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_ar_valid_o |-> reads && m_ar_addr_o == reads_addr && m_ar_len_o == reads_len);
  Most_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    32'(reading_q) + 32'(m_ar_valid_o) <= Outstanding);
  // A3.3.1 and A3.4.3, for the manager.
  Gives_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_r_valid_o |-> gives && asked_q != '0 && s_r_last_o == (gives_len == '0));
  Error_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_r_valid_o |-> s_r_resp_o[1] == (gives_addr[63:WideW] == bad[63:WideW]));

  // Both bursts of the plan are answered; an error within a burst; as much under way as may be.
  Second_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    s_r && s_r_last_o && answered_q);
  Error_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    s_r && s_r_resp_o[1] && gives_len != '0);
  Several_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    m_r && m_r_last_i && reading_q == (CountW + 1)'(Outstanding));
endmodule

bind sterna_read_adapter sterna_read_adapter_checks #(
  .FromDataW  (FromDataW),
  .ToDataW    (ToDataW),
  .ToBeats    (ToBeats),
  .Outstanding(Outstanding)
) u_checks (.*);
