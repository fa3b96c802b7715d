// SPDX-License-Identifier: Apache-2.0

import sterna_pkg::*;

/// The engine: reads a tape and runs it on a frame. Control over AXI4-Lite; tape, frame and result
/// over AXI4.
module sterna_engine #(
  /// Rows of a tile; odd.
  parameter int unsigned TileH = 5,
  /// Columns of a tile; odd.
  parameter int unsigned TileW = 5,
  /// Groups of PEs that work on a tile each: 1, 2 or 4.
  parameter int unsigned Clusters = 2,
  /// Drains, each of as many clusters: 1 to Clusters, a power of two.
  parameter int unsigned Drains = 1,
  /// PEs in a cluster.
  parameter int unsigned Pes = 4,
  /// Accumulators a PE has for each lane, in each of two halves.
  parameter int unsigned Accumulators = 16,
  /// Bits of an activation.
  parameter int unsigned ActW = 8,
  /// Bits of an accumulator.
  parameter int unsigned AccW = 20,
  /// Bits of a requantisation multiplier.
  parameter int unsigned MulW = 18,
  /// Words in a bank of the feature memory.
  parameter int unsigned FmWords = 4096,
  /// Bits of a bus beat.
  parameter int unsigned AxiDataW = 64,
  /// Beats of the longest burst; a power of two, 16 to 64.
  parameter int unsigned BurstBeats = 64,
  /// LOAD looks bytes up in tables.
  parameter bit InputTable = 0,
  /// LOAD can compute the first layer.
  parameter bit FirstLayer = 0,
  /// A step may have limits of its results and a rounding of its own.
  parameter bit GeneralRequant = 0,
  /// PEs of all clusters whose windows lie in block RAM.
  parameter int unsigned BlockWindows = 0,
  /// Identifies these parameters; a tape carries the same value.
  parameter logic [31:0] ConfigHash = '0
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  /// Interrupt: a frame has ended.
  output logic                     irq_o,

  /// AXI4-Lite write address.
  input  logic [RegisterAddrW-1:0] s_axil_awaddr,
  /// Not looked at.
  input  logic [2:0]               s_axil_awprot,
  /// Address valid.
  input  logic                     s_axil_awvalid,
  /// Address taken.
  output logic                     s_axil_awready,
  /// Write data.
  input  logic [31:0]              s_axil_wdata,
  /// Bytes to write.
  input  logic [3:0]               s_axil_wstrb,
  /// Data valid.
  input  logic                     s_axil_wvalid,
  /// Data taken.
  output logic                     s_axil_wready,
  /// Always OKAY.
  output logic [1:0]               s_axil_bresp,
  /// Response valid.
  output logic                     s_axil_bvalid,
  /// Response taken.
  input  logic                     s_axil_bready,
  /// AXI4-Lite read address.
  input  logic [RegisterAddrW-1:0] s_axil_araddr,
  /// Not looked at.
  input  logic [2:0]               s_axil_arprot,
  /// Address valid.
  input  logic                     s_axil_arvalid,
  /// Address taken.
  output logic                     s_axil_arready,
  /// Read data.
  output logic [31:0]              s_axil_rdata,
  /// Always OKAY.
  output logic [1:0]               s_axil_rresp,
  /// Data valid.
  output logic                     s_axil_rvalid,
  /// Data taken.
  input  logic                     s_axil_rready,

  /// AXI4 write address: always 0.
  output logic [0:0]               m_axi_awid,
  /// First byte of a burst.
  output logic [63:0]              m_axi_awaddr,
  /// Beats less one.
  output logic [7:0]               m_axi_awlen,
  /// Logarithm of the bytes of a beat.
  output logic [2:0]               m_axi_awsize,
  /// Always INCR.
  output logic [1:0]               m_axi_awburst,
  /// Always normal access.
  output logic                     m_axi_awlock,
  /// Always normal, non-cacheable, bufferable.
  output logic [3:0]               m_axi_awcache,
  /// Always unprivileged, secure, data.
  output logic [2:0]               m_axi_awprot,
  /// Always 0.
  output logic [3:0]               m_axi_awqos,
  /// Address valid.
  output logic                     m_axi_awvalid,
  /// Address taken.
  input  logic                     m_axi_awready,
  /// Write data.
  output logic [AxiDataW-1:0]      m_axi_wdata,
  /// Bytes to write: all, or none when a frame is broken off.
  output logic [AxiDataW/8-1:0]    m_axi_wstrb,
  /// Last beat of a burst.
  output logic                     m_axi_wlast,
  /// Data valid.
  output logic                     m_axi_wvalid,
  /// Data taken.
  input  logic                     m_axi_wready,
  /// Not looked at.
  input  logic [0:0]               m_axi_bid,
  /// Write response.
  input  logic [1:0]               m_axi_bresp,
  /// Response valid.
  input  logic                     m_axi_bvalid,
  /// Response taken.
  output logic                     m_axi_bready,
  /// AXI4 read address: always 0.
  output logic [0:0]               m_axi_arid,
  /// First byte of a burst.
  output logic [63:0]              m_axi_araddr,
  /// Beats less one.
  output logic [7:0]               m_axi_arlen,
  /// Logarithm of the bytes of a beat.
  output logic [2:0]               m_axi_arsize,
  /// Always INCR.
  output logic [1:0]               m_axi_arburst,
  /// Always normal access.
  output logic                     m_axi_arlock,
  /// Always normal, non-cacheable, bufferable.
  output logic [3:0]               m_axi_arcache,
  /// Always unprivileged, secure, data.
  output logic [2:0]               m_axi_arprot,
  /// Always 0.
  output logic [3:0]               m_axi_arqos,
  /// Address valid.
  output logic                     m_axi_arvalid,
  /// Address taken.
  input  logic                     m_axi_arready,
  /// Not looked at.
  input  logic [0:0]               m_axi_rid,
  /// Read data.
  input  logic [AxiDataW-1:0]      m_axi_rdata,
  /// Read response.
  input  logic [1:0]               m_axi_rresp,
  /// Last beat of a burst.
  input  logic                     m_axi_rlast,
  /// Data valid.
  input  logic                     m_axi_rvalid,
  /// Data taken.
  output logic                     m_axi_rready
);
  localparam int unsigned Lanes = TileH * TileW;
  localparam int unsigned AccIndexW = $clog2(Accumulators);
  /// Pieces of a row of an image of 2048 pixels.
  localparam int unsigned FirstPieces = 2 ** $clog2((2047 + TileW) / TileW);
  localparam int unsigned FmAddrW = $clog2(FmWords);
  localparam int unsigned BeatWords = AxiDataW / 64;
  localparam int unsigned BeatWordsW = $clog2(BeatWords + 1);
  localparam int unsigned TableBeats = Clusters * Pes * Accumulators / BeatWords;
  localparam int unsigned DrainClusters = Clusters / Drains;
  /// Cycles from a window's request to its word.
  localparam int unsigned GatherLatency = 15;
  /// Cycles that a round waits in its cluster, so that it comes out with the last of the words that
  /// were asked for with it.
  localparam int unsigned RoundDelay = GatherLatency + Clusters;
  /// Rounds that wait for their issue.
  localparam int unsigned RoundDepth = 16;
  localparam int unsigned PesW = $clog2(Pes + 1);
  localparam int unsigned AllPesW = $clog2(Clusters * Pes + 1);

  typedef logic [Lanes-1:0][3:0][ActW-1:0] word_t;

  generate
    if (AxiDataW < 64 || AxiDataW > 1024 || AxiDataW != 2 ** $clog2(AxiDataW)) begin : gen_bad_bus
      initial $error("sterna_engine: AxiDataW = %0d must be a power of two from 64 to 1024",
                     AxiDataW);
    end
    if (Clusters != 1 && Clusters != 2 && Clusters != 4) begin : gen_bad_clusters
      initial $error("sterna_engine: Clusters = %0d must be 1, 2 or 4", Clusters);
    end
    if ((Drains != 1 && Drains != 2 && Drains != 4) || Drains > Clusters) begin : gen_bad_drains
      initial $error("sterna_engine: Drains = %0d must be 1, 2 or 4, and at most Clusters", Drains);
    end
  endgenerate

  // ------------------------------------------------------------------------------------- registers

  logic start, abort, busy, queued, finish, step_end;
  logic [63:0] tape_addr, frame_addr, result_addr, scratch_addr;
  logic [1:0] frame_layout;
  logic [31:0] tape_bytes, watchdog, error_segment;
  logic [7:0] error_code;
  logic [AllPesW-1:0] pes_busy, pes_wait_vectors, pes_wait_weights, pes_wait_drain;
  logic beat_read, beat_written;

  sterna_axil_regs #(
    .ConfigHash     (ConfigHash),
    .CapabilityTile ({8'(Pes), 8'(Clusters), 8'(TileW), 8'(TileH)}),
    .CapabilityPe   ({8'd0, 8'(AccW), 8'(ActW), 8'(Accumulators)}),
    .CapabilityWords(FmWords),
    .AllPes         (Clusters * Pes)
  ) u_regs (
    .clk_i,
    .rst_ni,
    .aw_valid_i        (s_axil_awvalid),
    .aw_ready_o        (s_axil_awready),
    .aw_i              ({s_axil_awaddr, s_axil_awprot}),
    .w_valid_i         (s_axil_wvalid),
    .w_ready_o         (s_axil_wready),
    .w_i               ({s_axil_wdata, s_axil_wstrb}),
    .b_valid_o         (s_axil_bvalid),
    .b_ready_i         (s_axil_bready),
    .b_resp_o          (s_axil_bresp),
    .ar_valid_i        (s_axil_arvalid),
    .ar_ready_o        (s_axil_arready),
    .ar_i              ({s_axil_araddr, s_axil_arprot}),
    .r_valid_o         (s_axil_rvalid),
    .r_ready_i         (s_axil_rready),
    .r_o               ({s_axil_rdata, s_axil_rresp}),
    .irq_o,
    .start_o           (start),
    .abort_o           (abort),
    .tape_addr_o       (tape_addr),
    .tape_bytes_o      (tape_bytes),
    .frame_addr_o      (frame_addr),
    .result_addr_o     (result_addr),
    .scratch_addr_o    (scratch_addr),
    .frame_layout_o    (frame_layout),
    .watchdog_o        (watchdog),
    .busy_i            (busy),
    .queued_i          (queued),
    .finish_i          (finish),
    .error_code_i      (error_code),
    .error_segment_i   (error_segment),
    .step_end_i        (step_end),
    .pes_busy_i        (pes_busy),
    .pes_wait_vectors_i(pes_wait_vectors),
    .pes_wait_weights_i(pes_wait_weights),
    .pes_wait_drain_i  (pes_wait_drain),
    .beat_read_i       (beat_read),
    .beat_written_i    (beat_written)
  );

  assign beat_read = m_axi_rvalid && m_axi_rready;
  assign beat_written = m_axi_wvalid && m_axi_wready;

  // ------------------------------------------------------------------------------------------- bus

  // The reader's ports.
  localparam int unsigned TapePort = 0;
  localparam int unsigned LoadPort = 1;

  logic clear, flush, reader_idle, writer_idle, write_error;
  logic [1:0] read_error, read_command_valid, read_command_ready, read_valid, read_ready;
  logic [1:0][63:0] read_command_addr;
  logic [1:0][31:0] read_command_bytes;
  logic [1:0][AxiDataW-1:0] read_data;
  logic store_command_valid, store_command_ready, store_beat_valid, store_beat_ready;
  logic [63:0] load_source, store_target;
  logic [31:0] store_bytes, store_words;
  step_t load_step;
  logic [1:0] load_layout;
  logic [FmAddrW-1:0] store_base;
  logic [AxiDataW-1:0] store_beat_data;
  axi_address_t ar, aw;

  assign {
    m_axi_arid, m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst, m_axi_arlock, m_axi_arcache,
    m_axi_arprot, m_axi_arqos
  } = ar;
  assign {
    m_axi_awid, m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst, m_axi_awlock, m_axi_awcache,
    m_axi_awprot, m_axi_awqos
  } = aw;
  // All but what reads the tape is cleared a cycle later, each part by a register of its own:
  // together they hold most of the engine's registers. Nothing reaches them in cycles around it.
  (* preserve, dont_merge *) logic memory_clear_q, gather_clear_q, move_clear_q;
  (* preserve, dont_merge *) logic record_clear_q, round_clear_q, pass_clear_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {memory_clear_q, gather_clear_q, move_clear_q} <= '0;
      {record_clear_q, round_clear_q, pass_clear_q} <= '0;
    end else begin
      {memory_clear_q, gather_clear_q, move_clear_q} <= {3{clear}};
      {record_clear_q, round_clear_q, pass_clear_q} <= {3{clear}};
    end
  end

  assign read_command_addr[LoadPort] = load_source;
  assign read_command_bytes[LoadPort] = load_step.dram_bytes;

  // The image of the next frame is in no hurry, unless it is for the first layer, which takes long.
  logic load_hurries_q;

  sterna_axi_reader #(
    .DataW     (AxiDataW),
    .BurstBeats(BurstBeats)
  ) u_reader (
    .clk_i,
    .rst_ni,
    .hurry_i        (load_hurries_q),
    .flush_i        (flush),
    .idle_o         (reader_idle),
    .error_o        (read_error),
    .command_valid_i(read_command_valid),
    .command_ready_o(read_command_ready),
    .command_addr_i (read_command_addr),
    .command_bytes_i(read_command_bytes),
    .beat_valid_o   (read_valid),
    .beat_ready_i   (read_ready),
    .beat_data_o    (read_data),
    .ar_valid_o     (m_axi_arvalid),
    .ar_ready_i     (m_axi_arready),
    .ar_o           (ar),
    .r_valid_i      (m_axi_rvalid),
    .r_ready_o      (m_axi_rready),
    .r_i            ({m_axi_rid, m_axi_rresp, m_axi_rlast}),
    .r_data_i       (m_axi_rdata)
  );

  sterna_axi_writer #(
    .DataW     (AxiDataW),
    .BurstBeats(BurstBeats)
  ) u_writer (
    .clk_i,
    .rst_ni,
    .flush_i        (flush),
    .idle_o         (writer_idle),
    .error_o        (write_error),
    .command_valid_i(store_command_valid),
    .command_ready_o(store_command_ready),
    .command_addr_i (store_target),
    .command_bytes_i(store_bytes),
    .beat_valid_i   (store_beat_valid),
    .beat_ready_o   (store_beat_ready),
    .beat_data_i    (store_beat_data),
    .aw_valid_o     (m_axi_awvalid),
    .aw_ready_i     (m_axi_awready),
    .aw_o           (aw),
    .w_valid_o      (m_axi_wvalid),
    .w_ready_i      (m_axi_wready),
    .w_data_o       (m_axi_wdata),
    .w_strb_o       (m_axi_wstrb),
    .w_last_o       (m_axi_wlast),
    .b_valid_i      (m_axi_bvalid),
    .b_ready_o      (m_axi_bready),
    .b_i            ({m_axi_bid, m_axi_bresp})
  );

  // ------------------------------------------------------------------------------ tape and control

  logic tape_start, tape_step_valid, tape_step_ready, discard, discarded;
  logic tape_done, tape_error;
  logic [7:0] tape_error_code;
  logic [31:0] tape_segment;
  logic [AxiDataW-1:0] payload;
  logic requant_valid, requant_ready, weights_valid, weights_ready, weights_done;
  logic table_start, table_busy, table_half, table_ready, table_word_valid, table_word_ready;
  logic input_table, input_table_done, first_layer, first_layer_done, table_writer_ready;
  logic [63:0] table_word;
  logic [$clog2(Pes*Accumulators)-1:0] table_index;
  logic [Clusters-1:0] table_valid;
  step_t tape_step, step;
  logic [15:0] table_filters;
  logic half, next_half, conv_start, weights_enable, issuing;
  logic drained, earlier_drained, step_drained, step_noted;
  logic distributor_idle, issuer_idle;
  logic load_start, load_done, load_done_q, store_start, store_done;
  logic [1:0] tiles_log2, table_tiles_log2;
  logic activity;

  always_ff @(posedge clk_i) begin
    if (load_start) load_hurries_q <= !load_step.next[0] || load_step.group_words != '0;
  end

  sterna_tape_reader #(
    .DataW       (AxiDataW),
    .Clusters    (Clusters),
    .TableEntries(Pes * Accumulators),
    .InputTable  (InputTable),
    .FirstLayer  (FirstLayer),
    .ConfigHash  (ConfigHash)
  ) u_tape_reader (
    .clk_i,
    .rst_ni,
    .clear_i        (clear),
    .start_i        (tape_start),
    .tape_addr_i    (tape_addr),
    .tape_bytes_i   (tape_bytes),
    .command_valid_o(read_command_valid[TapePort]),
    .command_ready_i(read_command_ready[TapePort]),
    .command_addr_o (read_command_addr[TapePort]),
    .command_bytes_o(read_command_bytes[TapePort]),
    .beat_valid_i   (read_valid[TapePort]),
    .beat_ready_o   (read_ready[TapePort]),
    .beat_data_i    (read_data[TapePort]),
    .step_valid_o   (tape_step_valid),
    .step_ready_i   (tape_step_ready),
    .step_o         (tape_step),
    .payload_o      (payload),
    .requant_valid_o(requant_valid),
    .requant_ready_i(requant_ready),
    .weights_valid_o(weights_valid),
    .weights_ready_i(weights_ready),
    .weights_enable_i(weights_enable),
    .weights_done_o (weights_done),
    .discard_i      (discard),
    .discarded_o    (discarded),
    .done_o         (tape_done),
    .error_o        (tape_error),
    .error_code_o   (tape_error_code),
    .segment_o      (tape_segment)
  );

  sterna_sequencer #(
    .FmAddrW   (FmAddrW),
    .InputTable(InputTable),
    .FirstLayer(FirstLayer)
  ) u_sequencer (
    .clk_i,
    .rst_ni,
    .start_i              (start),
    .abort_i              (abort),
    .watchdog_i           (watchdog),
    .frame_addr_i         (frame_addr),
    .result_addr_i        (result_addr),
    .scratch_addr_i       (scratch_addr),
    .frame_layout_i       (frame_layout),
    .busy_o               (busy),
    .queued_o             (queued),
    .finish_o             (finish),
    .error_code_o         (error_code),
    .error_segment_o      (error_segment),
    .step_end_o           (step_end),
    .clear_o              (clear),
    .flush_o              (flush),
    .reader_idle_i        (reader_idle),
    .writer_idle_i        (writer_idle),
    .tape_read_error_i    (read_error[TapePort]),
    .load_read_error_i    (read_error[LoadPort]),
    .write_error_i        (write_error),
    .activity_i           (activity),
    .tape_start_o         (tape_start),
    .step_valid_i         (tape_step_valid),
    .step_ready_o         (tape_step_ready),
    .step_i               (tape_step),
    .weights_done_i       (weights_done),
    .discard_o            (discard),
    .discarded_i          (discarded),
    .tape_done_i          (tape_done),
    .tape_error_i         (tape_error),
    .tape_error_code_i    (tape_error_code),
    .tape_segment_i       (tape_segment),
    .table_start_o        (table_start),
    .table_busy_i         (table_busy),
    .table_half_o         (next_half),
    .table_filters_o      (table_filters),
    .table_tiles_log2_o   (table_tiles_log2),
    .half_o               (half),
    .step_o               (step),
    .tiles_log2_o         (tiles_log2),
    .conv_start_o         (conv_start),
    .weights_enable_o     (weights_enable),
    .issuing_i            (issuing),
    .drained_i            (drained),
    .earlier_drained_i    (earlier_drained),
    .step_drained_i       (step_drained),
    .step_noted_o         (step_noted),
    .distributor_idle_i   (distributor_idle),
    .issuer_idle_i        (issuer_idle),
    .input_table_o        (input_table),
    .first_layer_o        (first_layer),
    .table_done_i         (input_table_done || first_layer_done),
    .load_start_o         (load_start),
    .load_done_i          (load_done_q),
    .store_start_o        (store_start),
    .store_done_i         (store_done),
    .load_command_valid_o (read_command_valid[LoadPort]),
    .load_command_ready_i (read_command_ready[LoadPort]),
    .load_addr_o          (load_source),
    .load_step_o          (load_step),
    .load_layout_o        (load_layout),
    .store_command_valid_o(store_command_valid),
    .store_command_ready_i(store_command_ready),
    .store_addr_o         (store_target),
    .store_bytes_o        (store_bytes),
    .store_base_o         (store_base),
    .store_words_o        (store_words)
  );

  // ---------------------------------------------------------------- requantisation tables, weights

  // The largest payload waits here, so that WEIGHTS can follow while the tables are in use or
  // written. The tape reader may withdraw a beat to drop it.
  logic table_beat_valid, table_beat_ready;
  logic [AxiDataW-1:0] table_beat;

  sterna_fifo_chain #(
    .Width(AxiDataW),
    .Depth(TableBeats)
  ) u_table_beats (
    .clk_i,
    .rst_ni,
    .clear_i(clear),
    .valid_i(requant_valid && requant_ready),
    .ready_o(requant_ready),
    .data_i (payload),
    .valid_o(table_beat_valid),
    .ready_i(table_beat_ready),
    .data_o (table_beat)
  );

  sterna_word_serializer #(
    .DataW(AxiDataW)
  ) u_table_words (
    .clk_i,
    .rst_ni,
    .clear_i     (clear),
    .idle_o      (),
    .beat_valid_i(table_beat_valid),
    .beat_ready_o(table_beat_ready),
    .beat_data_i (table_beat),
    .beat_words_i(BeatWordsW'(BeatWords)),
    .word_valid_o(table_word_valid),
    .word_ready_i(table_word_ready),
    .word_data_o (table_word)
  );

  assign table_word_ready = table_writer_ready || input_table || first_layer;

  sterna_table_writer #(
    .Clusters(Clusters),
    .Entries (Pes * Accumulators)
  ) u_table_writer (
    .clk_i,
    .rst_ni,
    .clear_i       (pass_clear_q),
    .start_i       (table_start),
    .half_i        (next_half),
    .filters_i     (table_filters),
    .tiles_log2_i  (table_tiles_log2),
    .running_half_i(half),
    .ready_o       (table_ready),
    .busy_o        (table_busy),
    .word_valid_i  (table_word_valid),
    .word_ready_o  (table_writer_ready),
    .table_valid_o (table_valid),
    .table_half_o  (table_half),
    .table_index_o (table_index)
  );

  // To the drains.
  logic [Clusters-1:0] table_valid_q;
  logic table_half_q;
  logic [$clog2(Pes*Accumulators)-1:0] table_index_q;
  logic [63:0] table_word_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) table_valid_q <= '0;
    else table_valid_q <= table_valid;
  end

  always_ff @(posedge clk_i) begin
    {table_half_q, table_index_q, table_word_q} <= {table_half, table_index, table_word};
  end

  logic fetch_valid, fetch_go;
  logic [AxiDataW-1:0] fetch_data;
  logic [BeatWordsW-1:0] fetch_words;
  logic round_valid, round_go, round_issue, round_word, round_end;
  entry_t [Clusters-1:0][Pes-1:0] round;

  sterna_distributor #(
    .DataW     (AxiDataW),
    .Clusters  (Clusters),
    .Pes       (Pes),
    .RoundDepth(RoundDepth)
  ) u_distributor (
    .clk_i,
    .rst_ni,
    .clear_i      (record_clear_q),
    .idle_o       (distributor_idle),
    .tiles_log2_i (tiles_log2),
    .beat_valid_i (weights_valid),
    .beat_ready_o (weights_ready),
    .beat_data_i  (payload),
    .fetch_valid_o(fetch_valid),
    .fetch_go_i   (fetch_go),
    .fetch_data_o (fetch_data),
    .fetch_words_o(fetch_words),
    .round_valid_o(round_valid),
    .round_go_i   (round_go),
    .round_issue_i(round_issue),
    .round_o      (round),
    .round_word_o (round_word),
    .round_end_o  (round_end)
  );

  // -------------------------------------------------------------------------------- feature memory

  logic fm_read_valid;
  logic [TileH-1:0][FmAddrW-1:0] fm_read_row;
  logic [TileW-1:0][FmAddrW-1:0] fm_read_col;
  word_t fm_read_data;
  logic [3:0][Lanes-1:0][ActW-1:0] word_data;
  logic word_valid, word_plain;
  logic [Drains-1:0] write_next, write_valid;
  logic [FmAddrW-1:0] write_addr [Drains];
  logic [3:0] write_strobe [Drains];
  word_t write_data [Drains];
  logic load_valid, load_valid_q, load_few, load_go_q, load_idle, load_idle_q;
  logic [TileW-1:0][3:0][ActW-1:0] load_data, load_data_q;
  logic [FmAddrW-1:0] load_addr, load_addr_q;
  logic [Lanes-1:0] load_lanes, load_lanes_q;
  logic [3:0] load_strobe, load_strobe_q;
  // What the frame loader writes, to the feature memory or to the first layer.
  logic frame_valid, frame_ready, frame_done;
  logic [TileW-1:0][3:0][ActW-1:0] frame_data;
  logic [FmAddrW-1:0] frame_word;
  logic [Lanes-1:0] frame_lanes;
  logic [3:0] frame_strobe;
  logic window_valid, store_read_valid, store_read_ready;
  gather_t window, store_read;

  sterna_feature_memory #(
    .TileH  (TileH),
    .TileW  (TileW),
    .Drains (Drains),
    .FmWords(FmWords),
    .ActW   (ActW)
  ) u_feature_memory (
    .clk_i,
    .rst_ni,
    .clear_i       (memory_clear_q),
    .write_next_i  (write_next),
    .write_addr_i  (write_addr),
    .write_strobe_i(write_strobe),
    .write_data_i  (write_data),
    .load_valid_i  (load_valid_q),
    .load_few_o    (load_few),
    .load_idle_o   (load_idle),
    .load_addr_i   (load_addr_q),
    .load_lanes_i  (load_lanes_q),
    .load_strobe_i (load_strobe_q),
    .load_data_i   (load_data_q),
    .read_valid_i  (fm_read_valid),
    .read_row_i    (fm_read_row),
    .read_col_i    (fm_read_col),
    .read_data_o   (fm_read_data)
  );

  // The gather is far from the sequencer. The step is there long before the first window.
  step_t gather_step_q;

  always_ff @(posedge clk_i) begin
    gather_step_q <= step;
  end

  sterna_gather #(
    .TileH  (TileH),
    .TileW  (TileW),
    .ActW   (ActW),
    .FmAddrW(FmAddrW)
  ) u_gather (
    .clk_i,
    .rst_ni,
    .clear_i        (gather_clear_q),
    .step_i         (gather_step_q),
    .request_valid_i(window_valid),
    .request_ready_o(),
    .request_i      (window),
    .plain_valid_i  (store_read_valid),
    .plain_ready_o  (store_read_ready),
    .plain_i        (store_read),
    .read_valid_o   (fm_read_valid),
    .read_row_o     (fm_read_row),
    .read_col_o     (fm_read_col),
    .read_data_i    (fm_read_data),
    .word_valid_o   (word_valid),
    .word_plain_o   (word_plain),
    .word_data_o    (word_data)
  );

  // The frame load and the first layer are far from the sequencer, and what they get and say takes
  // a cycle.
  logic load_start_q, input_word_valid_q, first_word_valid_q;
  logic [63:0] move_word_q;
  step_t load_step_q;
  logic [1:0] load_layout_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {load_start_q, input_word_valid_q, first_word_valid_q, load_done_q} <= '0;
    end else begin
      load_start_q <= load_start && !clear;
      input_word_valid_q <= table_word_valid && input_table && !clear;
      first_word_valid_q <= table_word_valid && first_layer && !clear;
      load_done_q <= load_done && !clear;
    end
  end

  always_ff @(posedge clk_i) begin
    move_word_q <= table_word;
    load_step_q <= load_step;
    load_layout_q <= load_layout;
  end

  sterna_frame_load #(
    .TileH     (TileH),
    .TileW     (TileW),
    .ActW      (ActW),
    .FmAddrW   (FmAddrW),
    .DataW     (AxiDataW),
    .InputTable(InputTable)
  ) u_frame_load (
    .clk_i,
    .rst_ni,
    .clear_i       (move_clear_q),
    .start_i       (load_start_q),
    .base_i        (load_step_q.fm_base[FmAddrW-1:0]),
    .step_i        (load_step_q),
    .interleaved_i (load_layout_q[0]),
    .unsigned_i    (load_layout_q[1]),
    .table_valid_i (input_word_valid_q),
    .table_data_i  (input_word_t'(move_word_q)),
    .table_done_o  (input_table_done),
    .beat_valid_i  (read_valid[LoadPort]),
    .beat_ready_o  (read_ready[LoadPort]),
    .beat_data_i   (read_data[LoadPort]),
    .write_idle_i  (load_idle_q),
    .write_valid_o (frame_valid),
    .write_ready_i (frame_ready),
    .write_addr_o  (frame_word),
    .write_lanes_o (frame_lanes),
    .write_strobe_o(frame_strobe),
    .write_data_o  (frame_data),
    .done_o        (frame_done)
  );

  generate
    if (FirstLayer) begin : gen_first
      logic starts_first, is_first_q, piece_ready, map_valid, map_done;
      logic [FmAddrW-1:0] map_addr;
      logic [Lanes-1:0] map_lanes;
      logic [TileW-1:0][3:0][ActW-1:0] map_data;

      // Whether the step that is there in the next cycle computes the first layer.
      logic has_first_q;

      always_ff @(posedge clk_i) begin
        has_first_q <= load_step.group_words != '0;
      end

      assign starts_first = load_start_q && has_first_q;

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) is_first_q <= 1'b0;
        else if (load_start_q) is_first_q <= starts_first;
      end

      sterna_first_layer #(
        .TileH         (TileH),
        .TileW         (TileW),
        .ActW          (ActW),
        .MulW          (MulW),
        .FmAddrW       (FmAddrW),
        .GeneralRequant(GeneralRequant),
        .Filters       (FirstFilters),
        .Pieces        (FirstPieces)
      ) u_first_layer (
        .clk_i,
        .rst_ni,
        .clear_i       (move_clear_q),
        .number_valid_i(first_word_valid_q),
        .number_i      (move_word_q),
        .numbers_done_o(first_layer_done),
        .numbers_step_i(load_step_q),
        .start_i       (starts_first),
        .base_i        (load_step_q.fm_base[FmAddrW-1:0]),
        .step_i        (load_step_q),
        .piece_valid_i (frame_valid && is_first_q),
        .piece_ready_o (piece_ready),
        .piece_i       (frame_data),
        .write_go_i    (load_go_q),
        .write_idle_i  (load_idle_q),
        .write_valid_o (map_valid),
        .write_addr_o  (map_addr),
        .write_lanes_o (map_lanes),
        .write_data_o  (map_data),
        .done_o        (map_done)
      );

      assign frame_ready = is_first_q ? piece_ready : load_go_q;
      assign load_valid = is_first_q ? map_valid : frame_valid && load_go_q;
      assign load_addr = is_first_q ? map_addr : frame_word;
      assign load_lanes = is_first_q ? map_lanes : frame_lanes;
      assign load_strobe = is_first_q ? '1 : frame_strobe;
      assign load_data = is_first_q ? map_data : frame_data;
      assign load_done = is_first_q ? map_done : frame_done;
    end else begin : gen_no_first
      assign first_layer_done = 1'b0;
      assign frame_ready = load_go_q;
      assign load_valid = frame_valid && load_go_q;
      assign load_addr = frame_word;
      assign load_lanes = frame_lanes;
      assign load_strobe = frame_strobe;
      assign load_data = frame_data;
      assign load_done = frame_done;

      logic unused_first;
      assign unused_first = first_word_valid_q;
    end
  endgenerate

  // What is written crosses the chip, and what the feature memory says.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) load_valid_q <= 1'b0;
    else load_valid_q <= load_valid && !move_clear_q;
  end

  always_ff @(posedge clk_i) begin
    load_go_q <= load_few;
    load_idle_q <= load_idle && !load_valid_q && !load_valid;
    {load_addr_q, load_lanes_q, load_strobe_q, load_data_q} <= {
      load_addr, load_lanes, load_strobe, load_data
    };
  end

  sterna_frame_store #(
    .TileH  (TileH),
    .TileW  (TileW),
    .ActW   (ActW),
    .FmAddrW(FmAddrW),
    .DataW  (AxiDataW)
  ) u_frame_store (
    .clk_i,
    .rst_ni,
    .clear_i     (move_clear_q),
    .start_i     (store_start),
    .base_i      (store_base),
    .words_i     (store_words),
    .read_valid_o(store_read_valid),
    .read_ready_i(store_read_ready),
    .read_o      (store_read),
    .word_valid_i(word_valid && word_plain),
    .word_data_i (word_data),
    .beat_valid_o(store_beat_valid),
    .beat_ready_i(store_beat_ready),
    .beat_data_o (store_beat_data),
    .done_o      (store_done)
  );

  // ---------------------------------------------------------------------- rounds, clusters, drains

  logic [4:0] word_slot;
  logic [Clusters-1:0] word_clusters;
  logic half_issued, half_issued_q, round_issued_q, wait_vectors, wait_weights, wait_drain;
  logic [Drains-1:0] drain_read, row_load, row_load_q;
  logic [Drains-1:0][1:0] ended, free;
  logic [Drains-1:0] pass_valid, pass_done, pass_done_q, write_valid_q;
  logic [9:0] words_written;
  pass_t [Clusters-1:0] pass;
  general_t general;
  logic [Clusters-1:0][PesW-1:0] cluster_busy;

  // What the drains say crosses the chip.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {write_valid_q, pass_done_q} <= '0;
    else if (clear) {write_valid_q, pass_done_q} <= '0;
    else {write_valid_q, pass_done_q} <= {write_valid, pass_done};
  end

  // As late as the passes.
  always_ff @(posedge clk_i) begin
    general <= '{low: step.clamp_low, high: step.clamp_high, half_even: step.half_even[0]};
  end

  sterna_issuer #(
    .Clusters     (Clusters),
    .Drains       (Drains),
    .DataW        (AxiDataW),
    .GatherLatency(GatherLatency),
    .RoundDepth   (RoundDepth)
  ) u_issuer (
    .clk_i,
    .rst_ni,
    .clear_i        (round_clear_q),
    .step_i         (step),
    .start_i        (conv_start),
    .written_i      (words_written),
    .fetch_valid_i  (fetch_valid),
    .fetch_go_o     (fetch_go),
    .fetch_data_i   (fetch_data),
    .fetch_words_i  (fetch_words),
    .round_valid_i  (round_valid),
    .round_go_o     (round_go),
    .round_issue_o  (round_issue),
    .round_word_i   (round_word),
    .round_end_i    (round_end),
    .half_o         (half_issued),
    .read_valid_o   (window_valid),
    .read_o         (window),
    .word_slot_o    (word_slot),
    .word_clusters_o(word_clusters),
    .drain_read_i   (drain_read),
    .row_load_o     (row_load),
    .ended_o        (ended),
    .free_i         (free),
    .idle_o         (issuer_idle),
    .wait_vectors_o (wait_vectors),
    .wait_weights_o (wait_weights),
    .wait_drain_o   (wait_drain)
  );

  sterna_pass_issuer #(
    .Clusters(Clusters),
    .Drains  (Drains),
    .FmAddrW (FmAddrW)
  ) u_pass_issuer (
    .clk_i,
    .rst_ni,
    .clear_i          (pass_clear_q),
    .start_i          (conv_start),
    .step_i           (step),
    .tiles_log2_i     (tiles_log2),
    .table_half_i     (half),
    .table_ready_i    (table_ready),
    .issuing_o        (issuing),
    .drained_o        (drained),
    .earlier_drained_o(earlier_drained),
    .step_drained_o   (step_drained),
    .step_noted_i     (step_noted),
    .written_o        (words_written),
    .pass_valid_o     (pass_valid),
    .pass_o           (pass),
    .word_i           (write_valid_q),
    .pass_done_i      (pass_done_q)
  );

  // A round comes out of its queue a cycle after its issue. What the issuer says of it, and of
  // reads of the drains, waits for it.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {round_issued_q, row_load_q} <= '0;
    else {round_issued_q, row_load_q} <= {round_issue && !clear, row_load};
  end

  always_ff @(posedge clk_i) begin
    half_issued_q <= half_issued;
  end

  // Drains take turns to write. Each is told by a register of its own, a cycle ahead.
  logic [Drains-1:0] turn_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) turn_q <= Drains'(1);
    else if (memory_clear_q) turn_q <= Drains'(1);
    else turn_q <= (turn_q << 1) | (turn_q >> (Drains - 1));
  end

  genvar d, i;
  generate
    for (d = 0; d < Drains; d++) begin : gen_drain
      localparam int unsigned First = d * DrainClusters;

      // What a drain gets comes from registers of its own as well.
      (* preserve, dont_merge *) logic drain_clear_q, pass_valid_q, own_turn_q;
      (* preserve, dont_merge *) logic [1:0] ended_q;
      pass_t [DrainClusters-1:0] pass_q;
      general_t general_q;
      logic row_shift, row_shift_q;
      logic [AccIndexW:0] drain_address, drain_address_q;
      logic [Lanes-1:0][AccW-1:0] row [DrainClusters];

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) {drain_clear_q, pass_valid_q, ended_q} <= '0;
        else {drain_clear_q, pass_valid_q, ended_q} <= {clear, pass_valid[d] && !clear, ended[d]};
      end

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) own_turn_q <= d == 1 % Drains;
        else if (memory_clear_q) own_turn_q <= d == 1 % Drains;
        else own_turn_q <= turn_q[(d+2*Drains-2)%Drains];
      end

      always_ff @(posedge clk_i) begin
        pass_q <= pass[First+:DrainClusters];
        general_q <= general;
      end

      // Words, for the clusters of the drain.
      (* preserve, dont_merge *) logic [3:0][Lanes-1:0][ActW-1:0] word_data_q;

      always_ff @(posedge clk_i) begin
        word_data_q <= word_data;
      end

      // With `row_load`, which the issuer gives, and its register.
      logic row_shift_late_q;
      logic [AccIndexW:0] drain_address_late_q;

      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) {row_shift_late_q, row_shift_q} <= '0;
        else {row_shift_late_q, row_shift_q} <= {row_shift_q, row_shift};
      end

      always_ff @(posedge clk_i) begin
        {drain_address_late_q, drain_address_q} <= {drain_address_q, drain_address};
      end

      for (i = 0; i < DrainClusters; i++) begin : gen_cluster
        localparam int unsigned C = First + i;

        (* preserve, dont_merge *) logic cluster_clear_q;

        always_ff @(posedge clk_i or negedge rst_ni) begin
          if (!rst_ni) cluster_clear_q <= 1'b0;
          else cluster_clear_q <= clear;
        end

        logic [Lanes-1:0][AccW-1:0] next_row;

        if (i == DrainClusters - 1) begin : gen_last
          assign next_row = '0;
        end else begin : gen_chain
          assign next_row = row[i+1];
        end

        // What a cluster gets comes from registers of its own, halfway to it.
        (* preserve, dont_merge *) logic word_valid_q, round_valid_q, half_q, load_q, shift_q;
        (* preserve, dont_merge *) logic [4:0] word_slot_q;
        (* preserve, dont_merge *) logic [AccIndexW:0] row_address_q;
        entry_t [Pes-1:0] round_q;
        logic [PesW-1:0] own_busy;

        always_ff @(posedge clk_i or negedge rst_ni) begin
          if (!rst_ni) begin
            {word_valid_q, round_valid_q, load_q, shift_q} <= '0;
          end else begin
            word_valid_q <= word_valid && !word_plain && word_clusters[C] && !clear;
            round_valid_q <= round_issued_q && !clear;
            load_q <= row_load_q[d];
            shift_q <= row_shift_late_q;
          end
        end

        always_ff @(posedge clk_i) begin
          word_slot_q <= word_slot;
          round_q <= round[C];
          half_q <= half_issued_q;
          row_address_q <= drain_address_late_q;
          cluster_busy[C] <= own_busy;
        end

        sterna_cluster #(
          .Lanes       (Lanes),
          .Pes         (Pes),
          .Accumulators(Accumulators),
          .ActW        (ActW),
          .AccW        (AccW),
          .Delay       (RoundDelay - 1),
          .BlockWindows((BlockWindows + Clusters - 1 - C) / Clusters)
        ) u_cluster (
          .clk_i,
          .rst_ni,
          .clear_i      (cluster_clear_q),
          .word_valid_i (word_valid_q),
          .word_slot_i  (word_slot_q),
          .word_data_i  (word_data_q),
          .round_valid_i(round_valid_q),
          .round_i      (round_q),
          .half_i       (half_q),
          .row_load_i   (load_q),
          .row_address_i(row_address_q),
          .row_shift_i  (shift_q),
          .row_i        (next_row),
          .row_o        (row[i]),
          .busy_o       (own_busy)
        );
      end

      sterna_drain #(
        .Lanes         (Lanes),
        .Clusters      (DrainClusters),
        .Pes           (Pes),
        .Accumulators  (Accumulators),
        .ActW          (ActW),
        .AccW          (AccW),
        .MulW          (MulW),
        .FmAddrW       (FmAddrW),
        .RowLatency    (RoundDelay + 7),
        .GeneralRequant(GeneralRequant)
      ) u_drain (
        .clk_i,
        .rst_ni,
        .clear_i       (drain_clear_q),
        .table_valid_i (table_valid_q[First+:DrainClusters]),
        .table_half_i  (table_half_q),
        .table_index_i (table_index_q),
        .table_data_i  (table_word_q),
        .pass_valid_i  (pass_valid_q),
        .pass_i        (pass_q),
        .general_i     (general_q),
        .ended_i       (ended_q),
        .free_o        (free[d]),
        .read_o        (drain_read[d]),
        .read_address_o(drain_address),
        .shift_o       (row_shift),
        .row_i         (row[0]),
        .turn_i        (own_turn_q),
        .write_next_o  (write_next[d]),
        .write_valid_o (write_valid[d]),
        .write_addr_o  (write_addr[d]),
        .write_strobe_o(write_strobe[d]),
        .write_data_o  (write_data[d]),
        .done_o        (pass_done[d])
      );
    end
  endgenerate

  // All PEs wait together. No long path leads to the counters.
  logic [AllPesW-1:0] sum_busy;

  always_comb begin
    sum_busy = '0;
    for (int c = 0; c < int'(Clusters); c++) sum_busy += AllPesW'(cluster_busy[c]);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pes_busy <= '0;
      pes_wait_vectors <= '0;
      pes_wait_weights <= '0;
      pes_wait_drain <= '0;
    end else begin
      pes_busy <= sum_busy;
      pes_wait_vectors <= wait_vectors ? AllPesW'(Clusters * Pes) : '0;
      pes_wait_weights <= wait_weights ? AllPesW'(Clusters * Pes) : '0;
      pes_wait_drain <= wait_drain ? AllPesW'(Clusters * Pes) : '0;
    end
  end

  // -------------------------------------------------------------------------------------- watchdog

  logic bus_moves, engine_moves;
  logic [7:0] moves_q;

  assign bus_moves = beat_read || beat_written || (m_axi_arvalid && m_axi_arready) ||
                     (m_axi_awvalid && m_axi_awready) || (m_axi_bvalid && m_axi_bready);
  assign engine_moves = |moves_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      moves_q <= '0;
      activity <= 1'b0;
    end else begin
      moves_q <= {
        fetch_valid, table_word_valid && table_word_ready,
        round_issue, window_valid, |write_valid,
        load_valid_q, |pass_done, pes_busy != '0
      };
      activity <= bus_moves || engine_moves;
    end
  end
endmodule
