// SPDX-License-Identifier: Apache-2.0

// What is proved of `sterna_axil_crossing`: each channel carries what it is given to the other clock, given
// that the FIFOs do.

bind sterna_axil_crossing formal_channel #(
  .Width($bits(s_aw_i))
) u_aw_checks (
  .write_clk_i(clk_i),
  .follow_i   (u_aw.u_order.follow),
  .in_i       (s_aw_i),
  .read_clk_i (m_clk_i),
  .read_rst_ni(m_rst_ni),
  .followed_i (u_aw.u_order.followed_o),
  .next_i     (u_aw.u_order.popped_o == u_aw.u_order.place_o),
  .item_i     (u_aw.u_order.item_o),
  .valid_i    (m_aw_valid_o),
  .ready_i    (m_aw_ready_i),
  .out_i      (m_aw_o)
);

bind sterna_axil_crossing formal_channel #(
  .Width($bits(s_w_i))
) u_w_checks (
  .write_clk_i(clk_i),
  .follow_i   (u_w.u_order.follow),
  .in_i       (s_w_i),
  .read_clk_i (m_clk_i),
  .read_rst_ni(m_rst_ni),
  .followed_i (u_w.u_order.followed_o),
  .next_i     (u_w.u_order.popped_o == u_w.u_order.place_o),
  .item_i     (u_w.u_order.item_o),
  .valid_i    (m_w_valid_o),
  .ready_i    (m_w_ready_i),
  .out_i      (m_w_o)
);

bind sterna_axil_crossing formal_channel #(
  .Width(2)
) u_b_checks (
  .write_clk_i(m_clk_i),
  .follow_i   (u_b.u_order.follow),
  .in_i       (m_b_resp_i),
  .read_clk_i (clk_i),
  .read_rst_ni(rst_ni),
  .followed_i (u_b.u_order.followed_o),
  .next_i     (u_b.u_order.popped_o == u_b.u_order.place_o),
  .item_i     (u_b.u_order.item_o),
  .valid_i    (s_b_valid_o),
  .ready_i    (s_b_ready_i),
  .out_i      (s_b_resp_o)
);

bind sterna_axil_crossing formal_channel #(
  .Width($bits(s_ar_i))
) u_ar_checks (
  .write_clk_i(clk_i),
  .follow_i   (u_ar.u_order.follow),
  .in_i       (s_ar_i),
  .read_clk_i (m_clk_i),
  .read_rst_ni(m_rst_ni),
  .followed_i (u_ar.u_order.followed_o),
  .next_i     (u_ar.u_order.popped_o == u_ar.u_order.place_o),
  .item_i     (u_ar.u_order.item_o),
  .valid_i    (m_ar_valid_o),
  .ready_i    (m_ar_ready_i),
  .out_i      (m_ar_o)
);

bind sterna_axil_crossing formal_channel #(
  .Width($bits(m_r_i))
) u_r_checks (
  .write_clk_i(m_clk_i),
  .follow_i   (u_r.u_order.follow),
  .in_i       (m_r_i),
  .read_clk_i (clk_i),
  .read_rst_ni(rst_ni),
  .followed_i (u_r.u_order.followed_o),
  .next_i     (u_r.u_order.popped_o == u_r.u_order.place_o),
  .item_i     (u_r.u_order.item_o),
  .valid_i    (s_r_valid_o),
  .ready_i    (s_r_ready_i),
  .out_i      (s_r_o)
);
