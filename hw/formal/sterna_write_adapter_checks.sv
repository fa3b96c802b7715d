// SPDX-License-Identifier: Apache-2.0

/// What is proved of `sterna_write_adapter`: for any bursts that are to be written, one after the
/// other, with their addresses before or after their beats, the bursts on the bus that is written
/// are theirs and no others, every byte of them is written once or not as its beat is, to its
/// address, and no other is; and each is answered once, when all that it became is, with an error
/// if any of that is one. Sections are of the AMBA AXI and ACE Protocol Specification, IHI 0022E.
module sterna_write_adapter_checks #(
  /// As the adapter's.
  parameter int unsigned FromDataW = 64,
  /// As the adapter's.
  parameter int unsigned ToDataW = 64,
  /// As the adapter's.
  parameter int unsigned ToBeats = 16,
  /// Bursts of the plan.
  parameter int unsigned Plan = 2
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 s_aw_valid_i,
  input logic                 s_aw_ready_o,
  input logic [63:0]          s_aw_addr_i,
  input logic [7:0]           s_aw_len_i,
  input logic                 s_w_valid_i,
  input logic                 s_w_ready_o,
  input logic [FromDataW-1:0] s_w_data_i,
  input logic                 s_w_strobe_i,
  input logic                 s_w_last_i,
  input logic                 s_b_valid_o,
  input logic                 s_b_ready_i,
  input logic [1:0]           s_b_resp_o,
  input logic                 m_aw_valid_o,
  input logic                 m_aw_ready_i,
  input logic [63:0]          m_aw_addr_o,
  input logic [7:0]           m_aw_len_o,
  input logic                 m_w_valid_o,
  input logic                 m_w_ready_i,
  input logic [ToDataW-1:0]   m_w_data_o,
  input logic [ToDataW/8-1:0] m_w_strb_o,
  input logic                 m_w_last_o,
  input logic                 m_b_valid_i,
  input logic                 m_b_ready_o,
  input logic [1:0]           m_b_resp_i
);
  localparam int unsigned FromW = $clog2(FromDataW / 8);
  localparam int unsigned CountW = 5;

  logic [Plan-1:0][63:0] plan_addr;
  logic [Plan-1:0][7:0] plan_len;
  // The next one on each channel: whether there is one, its address, and what is known of it.
  logic asks, gives, writes, goes, answers, answers_final, s_aw, s_w, s_b, m_aw, m_w, m_b;
  logic [63:0] asks_addr, gives_addr, writes_addr, goes_addr, goes_from, goes_to, hole;
  logic [7:0] asks_len, gives_len, writes_len, goes_len;
  // Bursts of the other bus whose address is taken, and whose last beat is, and that are not
  // answered.
  logic [CountW-1:0] addressed_q, written_q;
  logic failed_q, answered_q;

  formal_plan #(
    .Plan (Plan),
    .DataW(FromDataW)
  ) u_plan (
    .clk_i,
    .addr_o(plan_addr),
    .len_o (plan_len)
  );
  // The first byte of a beat that is not to be written.
  formal_constant #(.WIDTH(64)) u_hole (.Y(hole));

  assign s_aw = s_aw_valid_i && s_aw_ready_o;
  assign s_w = s_w_valid_i && s_w_ready_o;
  assign s_b = s_b_valid_o && s_b_ready_i;
  assign m_aw = m_aw_valid_o && m_aw_ready_i;
  assign m_w = m_w_valid_o && m_w_ready_i;
  assign m_b = m_b_valid_i && m_b_ready_o;

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
    .burst_i(s_aw),
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
    .DataW    (FromDataW)
  ) u_gives (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (s_w),
    .burst_i(1'b0),
    .valid_o(gives),
    .addr_o (gives_addr),
    .len_o  (gives_len),
    .final_o(),
    .from_o (),
    .to_o   ()
  );
  formal_bursts #(
    .Plan     (Plan),
    .FromDataW(FromDataW),
    .DataW    (ToDataW),
    .Beats    (ToBeats)
  ) u_writes (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (1'b0),
    .burst_i(m_aw),
    .valid_o(writes),
    .addr_o (writes_addr),
    .len_o  (writes_len),
    .final_o(),
    .from_o (),
    .to_o   ()
  );
  formal_bursts #(
    .Plan     (Plan),
    .FromDataW(FromDataW),
    .DataW    (ToDataW),
    .Beats    (ToBeats)
  ) u_goes (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (m_w),
    .burst_i(1'b0),
    .valid_o(goes),
    .addr_o (goes_addr),
    .len_o  (goes_len),
    .final_o(),
    .from_o (goes_from),
    .to_o   (goes_to)
  );
  formal_bursts #(
    .Plan     (Plan),
    .FromDataW(FromDataW),
    .DataW    (ToDataW),
    .Beats    (ToBeats)
  ) u_answers (
    .clk_i,
    .rst_ni,
    .addr_i (plan_addr),
    .len_i  (plan_len),
    .beat_i (1'b0),
    .burst_i(m_b),
    .valid_o(answers),
    .addr_o (),
    .len_o  (),
    .final_o(answers_final),
    .from_o (),
    .to_o   ()
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {addressed_q, written_q, failed_q, answered_q} <= '0;
    end else begin
      addressed_q <= addressed_q + CountW'(m_aw) - CountW'(m_b);
      written_q <= written_q + CountW'(m_w && goes_len == '0) - CountW'(m_b);
      if (m_b) failed_q <= !answers_final && (failed_q || m_b_resp_i[1]);
      answered_q <= answered_q || s_b;
    end
  end

  // What the manager owes: the bursts of the plan, the number of a word in each word.
  Asks_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_aw_valid_i |-> asks && s_aw_addr_i == asks_addr && s_aw_len_i == asks_len);
  Given_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_w_valid_i |-> gives && s_w_strobe_i == (gives_addr != hole) &&
                    s_w_last_i == (gives_len == '0));
  // A3.2.1: VALID stays until the handshake; what goes with it is that of the plan.
  GivenHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_w_valid_i && !s_w_ready_o |=> s_w_valid_i);
  // What the memory owes. A3.3.1: BVALID only after the handshakes of the address and of the last
  // transfer.
  BAsked_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_b_valid_i |-> addressed_q != '0 && written_q != '0);
  BHeld_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_b_valid_i && !m_b_ready_o |=> m_b_valid_i && $stable(m_b_resp_i));
  generate
    for (genvar i = 0; i < FromDataW / 64; i++) begin : gen_given
      Words_M: assume property (@(posedge clk_i) disable iff (!rst_ni)
        s_w_valid_i |-> s_w_data_i[64*i+:64] == ((gives_addr >> 3) | 64'(i)));
    end

    // Each word goes to its address, if it is of the burst and its beat is to be written.
    for (genvar i = 0; i < ToDataW / 64; i++) begin : gen_word
      logic [63:0] here;
      logic strobe;

      assign here = goes_addr | 64'(8 * i);
      assign strobe = here[11:0] >= goes_from[11:0] && here[11:0] <= goes_to[11:0] &&
                      (here >> FromW) << FromW != hole;
      Word_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
        m_w_valid_o |-> m_w_strb_o[8*i+:8] == {8{strobe}} &&
                        (!strobe || m_w_data_o[64*i+:64] == here >> 3));
    end
  endgenerate

  // A3.1.2: a manager must drive AWVALID and WVALID low during reset, a subordinate BVALID; the
  // last of these is the memory's.
  Reset_A: assert property (@(posedge clk_i) !rst_ni |-> !m_aw_valid_o && !m_w_valid_o);
  // A3.4.1: bursts lie inside 4 KB, as those of the plan do.
  Writes_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_aw_valid_o |-> writes && m_aw_addr_o == writes_addr && m_aw_len_o == writes_len);
  // A3.4.3: WLAST with the final transfer of the burst, and with no other.
  Goes_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_w_valid_o |-> goes && m_w_last_o == (goes_len == '0));
  // A3.3.1, for the manager; A3.4.4: the response says how all of the burst went.
  Answer_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_b_valid_o == (m_b_valid_i && answers_final) && (s_b == (m_b && answers_final)));
  Error_A: assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_b_valid_o |-> s_b_resp_o == {failed_q || m_b_resp_i[1], 1'b0});
  Answers_A: assert property (@(posedge clk_i) disable iff (!rst_ni) m_b_valid_i |-> answers);

  Second_C: cover property (@(posedge clk_i) disable iff (!rst_ni) s_b && answered_q);
  // Beats before their address, on both sides.
  Before_C: cover property (@(posedge clk_i) disable iff (!rst_ni) written_q > addressed_q);
  Error_C: cover property (@(posedge clk_i) disable iff (!rst_ni)
    s_b && s_b_resp_o[1] && !m_b_resp_i[1]);
endmodule

bind sterna_write_adapter sterna_write_adapter_checks #(
  .FromDataW(FromDataW),
  .ToDataW  (ToDataW),
  .ToBeats  (ToBeats)
) u_checks (.*);
