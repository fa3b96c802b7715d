// SPDX-License-Identifier: Apache-2.0

/// An AXI4 memory with tape, frame and room for the result. It pauses as the memory does that
/// cycles are expected for, and is as late and as halting as it is asked to be.
///
/// It ends the simulation with FAIL if the master breaks a rule of the protocol or touches what is
/// not its own. Plusargs: +latency=CYCLES of a burst, +stall=PERMILLE of the cycles, +seed=NUMBER
/// for them.
module sterna_tb_memory (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  /// AXI4 slave.
  input  logic                              awid_i,
  input  logic [63:0]                       awaddr_i,
  input  logic [7:0]                        awlen_i,
  input  logic [2:0]                        awsize_i,
  input  logic [1:0]                        awburst_i,
  input  logic                              awvalid_i,
  output logic                              awready_o,
  input  logic [sterna_tb_pkg::DataW-1:0]   wdata_i,
  input  logic [sterna_tb_pkg::DataW/8-1:0] wstrb_i,
  input  logic                              wlast_i,
  input  logic                              wvalid_i,
  output logic                              wready_o,
  output logic                              bid_o,
  output logic [1:0]                        bresp_o,
  output logic                              bvalid_o,
  input  logic                              bready_i,
  input  logic                              arid_i,
  input  logic [63:0]                       araddr_i,
  input  logic [7:0]                        arlen_i,
  input  logic [2:0]                        arsize_i,
  input  logic [1:0]                        arburst_i,
  input  logic                              arvalid_i,
  output logic                              arready_o,
  output logic                              rid_o,
  output logic [sterna_tb_pkg::DataW-1:0]   rdata_o,
  output logic [1:0]                        rresp_o,
  output logic                              rlast_o,
  output logic                              rvalid_o,
  input  logic                              rready_i,
  /// No burst is under way.
  output logic                              idle_o
);
  import sterna_tb_pkg::*;

  localparam int BeatBytes = DataW / 8;
  localparam int Words = MemoryBytes / BeatBytes;
  localparam logic [63:0] BeatMask = 64'(BeatBytes - 1);
  /// Bursts under way in each direction, and write beats that are taken before their address.
  localparam int Outstanding = 16;
  localparam int EarlyBeats = 16;
  localparam logic [1:0] Incrementing = 2'd1;

  typedef struct packed {
    logic [1:0] burst;
    logic [2:0] size;
    logic [7:0] length;
    logic id;
    logic [63:0] address;
    longint due;
  } burst_t;

  typedef struct packed {
    logic last;
    logic [DataW/8-1:0] strobes;
    logic [DataW-1:0] data;
  } beat_t;

  logic [DataW-1:0] words [Words];
  burst_t reads[$], writes[$], responses[$];
  beat_t beats[$];
  // What the master offered in the cycle before and was not taken, with its due field 0.
  burst_t aw_held, ar_held;
  beat_t w_held;
  logic aw_waits, ar_waits, w_waits;
  int read_beat, write_beat;
  // Refresh and gaps are counted from `first_cycle`, in which the frame begins.
  longint cycle, first_cycle;
  int latency, stall;
  logic [31:0] random;

  /// The word at a bus address.
  function automatic int index(logic [63:0] address);
    return int'(address - Base) / BeatBytes;
  endfunction

  /// The byte `offset` bytes after the memory's base.
  function automatic logic [7:0] read_byte(int unsigned offset);
    return words[offset / BeatBytes][8 * (offset % BeatBytes) +: 8];
  endfunction

  /// Set it.
  function automatic void write_byte(int unsigned offset, logic [7:0] value);
    words[offset / BeatBytes][8 * (offset % BeatBytes) +: 8] = value;
  endfunction

  /// Put the images of tape and frame into the memory.
  task automatic load(string folder);
    $readmemh({folder, "/memory/tape.hex"}, words, 0, TapeBytes / BeatBytes - 1);
    $readmemh({folder, "/memory/frame.hex"}, words, FrameOffset / BeatBytes,
              (FrameOffset + FrameBytes) / BeatBytes - 1);
  endtask

  /// Refresh or a gap: no beat moves in this cycle.
  function automatic logic pauses();
    longint at;
    at = cycle - first_cycle;
    return at % 64'(RefreshEvery) < 64'(RefreshCycles) || at % 64'(GapEvery) < 64'(GapCycles);
  endfunction

  // xorshift32 (Marsaglia, "Xorshift RNGs", 2003).
  function automatic logic stalls();
    if (stall == 0) return 1'b0;
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    return int'(random % 1000) < stall;
  endfunction

  task automatic broken(string rule, logic [63:0] address);
    $display("FAIL: AXI rule broken at address 0x%h: %s", address, rule);
    $fatal(1, "the engine's bus is at fault");
  endtask

  task automatic check_burst(burst_t burst);
    int bytes;
    bytes = (int'(burst.length) + 1) * BeatBytes;
    if (burst.burst != Incrementing) broken("a burst is not of type INCR", burst.address);
    if ((1 << burst.size) != BeatBytes)
      broken("a burst is narrower or wider than the bus", burst.address);
    if ((burst.address & BeatMask) != 0) broken("a burst is not aligned to the bus", burst.address);
    if (int'(burst.address[11:0]) + bytes > 4096)
      broken("a burst crosses a 4 KB boundary", burst.address);
  endtask

  /// Whether a burst lies in `size` bytes that begin `offset` bytes after the base.
  function automatic logic is_in(burst_t burst, int unsigned offset, int unsigned size);
    logic [63:0] first, bytes;
    first = burst.address - Base;
    bytes = (64'(burst.length) + 1) * 64'(BeatBytes);
    return burst.address >= Base && first >= 64'(offset) &&
           first + bytes <= 64'(offset) + 64'(size);
  endfunction

  task automatic check_held();
    if (aw_waits &&
        !(awvalid_i && aw_held == {awburst_i, awsize_i, awlen_i, awid_i, awaddr_i, 64'd0}))
      broken("AW changed while it waited", aw_held.address);
    if (ar_waits &&
        !(arvalid_i && ar_held == {arburst_i, arsize_i, arlen_i, arid_i, araddr_i, 64'd0}))
      broken("AR changed while it waited", ar_held.address);
    if (w_waits && !(wvalid_i && w_held == {wlast_i, wstrb_i, wdata_i}))
      broken("W changed while it waited", 0);
    aw_held = {awburst_i, awsize_i, awlen_i, awid_i, awaddr_i, 64'd0};
    ar_held = {arburst_i, arsize_i, arlen_i, arid_i, araddr_i, 64'd0};
    w_held = {wlast_i, wstrb_i, wdata_i};
    aw_waits = awvalid_i && !awready_o;
    ar_waits = arvalid_i && !arready_o;
    w_waits = wvalid_i && !wready_o;
  endtask

  task automatic take_read();
    burst_t burst;
    burst = ar_held;
    burst.due = cycle + 64'(latency) + 1;
    check_burst(burst);
    if (!is_in(burst, 0, TapeBytes) && !is_in(burst, FrameOffset, FrameBytes))
      broken("a read is neither of the tape nor of the frame", burst.address);
    reads.push_back(burst);
    if (burst.address == Base) first_cycle = cycle + 1;
  endtask

  task automatic take_write();
    check_burst(aw_held);
    if (!is_in(aw_held, ResultOffset, ResultBytes))
      broken("a write is not to the result", aw_held.address);
    writes.push_back(aw_held);
  endtask

  task automatic write_beats();
    burst_t burst;
    beat_t beat;
    int place;
    while (writes.size() > 0 && beats.size() > 0) begin
      burst = writes[0];
      beat = beats.pop_front();
      place = index(burst.address) + write_beat;
      if (beat.last != (write_beat == int'(burst.length)))
        broken("WLAST is early or missing", burst.address);
      for (int lane = 0; lane < BeatBytes; lane++)
        if (beat.strobes[lane]) words[place][8*lane +: 8] = beat.data[8*lane +: 8];
      write_beat++;
      if (write_beat > int'(burst.length)) begin
        write_beat = 0;
        burst.due = cycle + 64'(latency) + 1;
        responses.push_back(burst);
        void'(writes.pop_front());
      end
    end
  endtask

  /// What the edge takes, in this order for the cycles to be those of Sterna's own simulation.
  task automatic sample();
    check_held();
    if (rvalid_o && rready_i) begin
      read_beat++;
      if (read_beat > int'(reads[0].length)) begin
        read_beat = 0;
        void'(reads.pop_front());
      end
    end
    if (bvalid_o && bready_i) void'(responses.pop_front());
    if (arvalid_i && arready_o) take_read();
    if (awvalid_i && awready_o) take_write();
    if (wvalid_i && wready_o) beats.push_back(w_held);
    write_beats();
    cycle++;
  endtask

  /// What the memory drives from the edge on.
  task automatic drive();
    logic offers_r, offers_b, moves;
    moves = !pauses();
    arready_o <= reads.size() < Outstanding && !stalls();
    awready_o <= writes.size() < Outstanding && !stalls();
    wready_o <= beats.size() < EarlyBeats && moves && !stalls();
    offers_r = rvalid_o && !rready_i;
    if (!offers_r && reads.size() > 0) offers_r = reads[0].due <= cycle && moves && !stalls();
    rvalid_o <= offers_r;
    if (offers_r) begin
      rid_o <= reads[0].id;
      rdata_o <= words[index(reads[0].address) + read_beat];
      rlast_o <= read_beat == int'(reads[0].length);
    end
    offers_b = bvalid_o && !bready_i;
    if (!offers_b && responses.size() > 0) offers_b = responses[0].due <= cycle && !stalls();
    bvalid_o <= offers_b;
    if (offers_b) bid_o <= responses[0].id;
    idle_o <= reads.size() == 0 && writes.size() == 0 && beats.size() == 0 && responses.size() == 0;
  endtask

  assign rresp_o = 2'b00;
  assign bresp_o = 2'b00;

  initial begin
    latency = int'(Latency);
    stall = 0;
    random = 1;
    void'($value$plusargs("latency=%d", latency));
    void'($value$plusargs("stall=%d", stall));
    void'($value$plusargs("seed=%d", random));
    if (random == 0) random = 1;
    {read_beat, write_beat, cycle, first_cycle} = '0;
    {aw_waits, ar_waits, w_waits} = '0;
  end

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      {arready_o, awready_o, wready_o, rvalid_o, bvalid_o} <= '0;
      idle_o <= 1'b1;
    end else begin
      sample();
      drive();
    end
  end

endmodule
