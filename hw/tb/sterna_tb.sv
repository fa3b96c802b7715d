// SPDX-License-Identifier: Apache-2.0

/// Runs one frame on the engine and compares every value and counter with what is expected: PASS,
/// or FAIL and $fatal.
///
/// Plusargs: +folder=PATH of the generated folder (here by default), +timeout=CYCLES of the frame,
/// and those of the memory. Clock cycles are compared for the memory timing that they are expected
/// for, which is the default.
module sterna_tb;
  import sterna_pkg::*;
  import sterna_tb_pkg::*;

  localparam int ResetCycles = 8;
  localparam int AnswerCycles = 10000;

  logic clk, rst_n, irq, idle;
  logic [RegisterAddrW-1:0] s_awaddr, s_araddr;
  logic [31:0] s_wdata, s_rdata;
  logic [1:0] s_bresp, s_rresp;
  logic s_awvalid, s_awready, s_wvalid, s_wready, s_bvalid, s_bready;
  logic s_arvalid, s_arready, s_rvalid, s_rready;
  logic m_awid, m_awvalid, m_awready, m_bid, m_bvalid, m_bready;
  logic m_arid, m_arvalid, m_arready, m_rid, m_rlast, m_rvalid, m_rready;
  logic m_wlast, m_wvalid, m_wready;
  logic [63:0] m_awaddr, m_araddr;
  logic [7:0] m_awlen, m_arlen;
  logic [2:0] m_awsize, m_arsize;
  logic [1:0] m_awburst, m_arburst, m_bresp, m_rresp;
  logic [DataW-1:0] m_wdata, m_rdata;
  logic [DataW/8-1:0] m_wstrb;

  // Offset from the base in the high bits, value in the low byte.
  logic [39:0] expected [Values];
  // Cycles, busy, and the three waits, highest first.
  logic [159:0] profile [KeptSteps];
  string folder;

  sterna_top u_top (
    .clk_i         (clk),
    .rst_ni        (rst_n),
    .s_axil_awaddr (s_awaddr),
    .s_axil_awprot (3'd0),
    .s_axil_awvalid(s_awvalid),
    .s_axil_awready(s_awready),
    .s_axil_wdata  (s_wdata),
    .s_axil_wstrb  (4'hf),
    .s_axil_wvalid (s_wvalid),
    .s_axil_wready (s_wready),
    .s_axil_bresp  (s_bresp),
    .s_axil_bvalid (s_bvalid),
    .s_axil_bready (s_bready),
    .s_axil_araddr (s_araddr),
    .s_axil_arprot (3'd0),
    .s_axil_arvalid(s_arvalid),
    .s_axil_arready(s_arready),
    .s_axil_rdata  (s_rdata),
    .s_axil_rresp  (s_rresp),
    .s_axil_rvalid (s_rvalid),
    .s_axil_rready (s_rready),
    .m_axi_awid    (m_awid),
    .m_axi_awaddr  (m_awaddr),
    .m_axi_awlen   (m_awlen),
    .m_axi_awsize  (m_awsize),
    .m_axi_awburst (m_awburst),
    .m_axi_awlock  (),
    .m_axi_awcache (),
    .m_axi_awprot  (),
    .m_axi_awqos   (),
    .m_axi_awvalid (m_awvalid),
    .m_axi_awready (m_awready),
    .m_axi_wdata   (m_wdata),
    .m_axi_wstrb   (m_wstrb),
    .m_axi_wlast   (m_wlast),
    .m_axi_wvalid  (m_wvalid),
    .m_axi_wready  (m_wready),
    .m_axi_bid     (m_bid),
    .m_axi_bresp   (m_bresp),
    .m_axi_bvalid  (m_bvalid),
    .m_axi_bready  (m_bready),
    .m_axi_arid    (m_arid),
    .m_axi_araddr  (m_araddr),
    .m_axi_arlen   (m_arlen),
    .m_axi_arsize  (m_arsize),
    .m_axi_arburst (m_arburst),
    .m_axi_arlock  (),
    .m_axi_arcache (),
    .m_axi_arprot  (),
    .m_axi_arqos   (),
    .m_axi_arvalid (m_arvalid),
    .m_axi_arready (m_arready),
    .m_axi_rid     (m_rid),
    .m_axi_rdata   (m_rdata),
    .m_axi_rresp   (m_rresp),
    .m_axi_rlast   (m_rlast),
    .m_axi_rvalid  (m_rvalid),
    .m_axi_rready  (m_rready),
    .irq_o         (irq)
  );

  sterna_tb_memory u_memory (
    .clk_i    (clk),
    .rst_ni   (rst_n),
    .awid_i   (m_awid),
    .awaddr_i (m_awaddr),
    .awlen_i  (m_awlen),
    .awsize_i (m_awsize),
    .awburst_i(m_awburst),
    .awvalid_i(m_awvalid),
    .awready_o(m_awready),
    .wdata_i  (m_wdata),
    .wstrb_i  (m_wstrb),
    .wlast_i  (m_wlast),
    .wvalid_i (m_wvalid),
    .wready_o (m_wready),
    .bid_o    (m_bid),
    .bresp_o  (m_bresp),
    .bvalid_o (m_bvalid),
    .bready_i (m_bready),
    .arid_i   (m_arid),
    .araddr_i (m_araddr),
    .arlen_i  (m_arlen),
    .arsize_i (m_arsize),
    .arburst_i(m_arburst),
    .arvalid_i(m_arvalid),
    .arready_o(m_arready),
    .rid_o    (m_rid),
    .rdata_o  (m_rdata),
    .rresp_o  (m_rresp),
    .rlast_o  (m_rlast),
    .rvalid_o (m_rvalid),
    .rready_i (m_rready),
    .idle_o   (idle)
  );

  initial clk = 1'b0;
  always #5 clk = !clk;

  task automatic fail(string why);
    $display("FAIL: %s", why);
    $fatal(1, "the engine does not do what is expected");
  endtask

  // Inputs of the engine change at the falling edge, so that no order of processes matters at the
  // rising one.
  task automatic write32(logic [RegisterAddrW-1:0] register, logic [31:0] value);
    int left;
    logic address_taken, data_taken, answered;
    {address_taken, data_taken, answered} = '0;
    left = AnswerCycles;
    @(negedge clk);
    s_awaddr = register;
    s_wdata = value;
    s_bready = 1'b1;
    while (!answered) begin
      s_awvalid = !address_taken;
      s_wvalid = !data_taken;
      @(posedge clk);
      address_taken |= s_awready;
      data_taken |= s_wready;
      answered = s_bvalid;
      left--;
      if (left == 0) fail($sformatf("the write of register 0x%h is not answered", register));
      if (answered && s_bresp != 2'b00)
        fail($sformatf("register 0x%h answers a write with %b", register, s_bresp));
      @(negedge clk);
    end
    s_bready = 1'b0;
  endtask

  task automatic read32(input logic [RegisterAddrW-1:0] register, output logic [31:0] value);
    int left;
    logic address_taken, answered;
    {address_taken, answered} = '0;
    left = AnswerCycles;
    @(negedge clk);
    s_araddr = register;
    s_rready = 1'b1;
    while (!answered) begin
      s_arvalid = !address_taken;
      @(posedge clk);
      address_taken |= s_arready;
      answered = s_rvalid;
      value = s_rdata;
      left--;
      if (left == 0) fail($sformatf("the read of register 0x%h is not answered", register));
      if (answered && s_rresp != 2'b00)
        fail($sformatf("register 0x%h answers a read with %b", register, s_rresp));
      @(negedge clk);
    end
    s_rready = 1'b0;
  endtask

  task automatic read64(input logic [RegisterAddrW-1:0] low, output longint unsigned value);
    logic [31:0] half [2];
    read32(low, half[0]);
    read32(low + RegisterAddrW'(4), half[1]);
    value = {half[1], half[0]};
  endtask

  task automatic write64(logic [RegisterAddrW-1:0] low, logic [63:0] value);
    write32(low, value[31:0]);
    write32(low + RegisterAddrW'(4), value[63:32]);
  endtask

  task automatic expect32(string name, logic [RegisterAddrW-1:0] register, logic [31:0] value);
    logic [31:0] found;
    read32(register, found);
    if (found !== value) fail($sformatf("%s is 0x%h, expected 0x%h", name, found, value));
  endtask

  task automatic expect64(string name, logic [RegisterAddrW-1:0] low, longint unsigned value);
    longint unsigned found;
    read64(low, found);
    if (found !== value) fail($sformatf("%s is %0d, expected %0d", name, found, value));
  endtask

  task automatic find(string name);
    int file;
    file = $fopen({folder, "/memory/", name}, "r");
    if (file == 0)
      fail($sformatf("cannot read %s/memory/%s; give the generated folder by +folder=",
                     folder, name));
    $fclose(file);
  endtask

  /// Memory before the frame: tape, frame, and in the place of each result a value that is wrong.
  task automatic load();
    find("tape.hex");
    find("frame.hex");
    find("expected.hex");
    find("profile.hex");
    u_memory.load(folder);
    $readmemh({folder, "/memory/expected.hex"}, expected);
    $readmemh({folder, "/memory/profile.hex"}, profile);
    for (int i = 0; i < Values; i++) u_memory.write_byte(expected[i][39:8], ~expected[i][7:0]);
  endtask

  task automatic start();
    expect32("IDENTITY", RegIdentity, EngineIdentity);
    expect32("VERSION", RegVersion, EngineVersion);
    expect32("CONFIG_HASH", RegConfigHash, ConfigHash);
    write64(RegTapeAddrLo, Base);
    write32(RegTapeBytes, TapeBytes);
    write32(RegWatchdog, Watchdog);
    write64(RegFrameAddrLo, Base + 64'(FrameOffset));
    write32(RegFrameLayout, FrameLayout);
    write64(RegResultAddrLo, Base + 64'(ResultOffset));
    write64(RegScratchAddrLo, Base + 64'(ScratchOffset));
    write32(RegControl, ControlStart | ControlIrqEnable);
  endtask

  task automatic finish();
    longint left;
    logic [31:0] status, code, segment, steps;
    left = Timeout;
    void'($value$plusargs("timeout=%d", left));
    while (irq !== 1'b1 && left > 0) begin
      @(posedge clk);
      left--;
    end
    if (irq !== 1'b1) begin
      read32(RegStepsNow, steps);
      fail($sformatf("the frame does not end in time; %0d of %0d steps are done", steps, Steps));
    end
    if (!idle) fail("the interrupt is high while bursts are under way");
    read32(RegStatus, status);
    read32(RegErrorCode, code);
    read32(RegErrorSegment, segment);
    if ((status & StatusError) != 0)
      fail($sformatf("the engine ends in error %0d at tape segment %0d", code, segment));
    if (status !== (StatusDone | StatusIrq))
      fail($sformatf("STATUS is 0x%h, expected DONE and IRQ", status));
  endtask

  /// The place of value number `index`.
  function automatic string place(int index);
    int layer, left, width, height;
    layer = 0;
    while (layer + 1 < Layers && layer_first(layer + 1) <= index) layer++;
    left = index - layer_first(layer);
    height = layer_height(layer);
    width = layer_width(layer);
    return $sformatf("layer '%s', channel %0d, row %0d, column %0d", layer_name(layer),
                     left / (height * width), left / width % height, left % width);
  endfunction

  task automatic check_values();
    int first, differing;
    logic [7:0] found, wanted;
    logic [63:0] address;
    first = -1;
    differing = 0;
    for (int i = 0; i < Values; i++) begin
      found = u_memory.read_byte(expected[i][39:8]);
      if (found !== expected[i][7:0]) begin
        if (first < 0) first = i;
        differing++;
      end
    end
    if (first >= 0) begin
      address = Base + 64'(expected[first][39:8]);
      wanted = expected[first][7:0];
      found = u_memory.read_byte(expected[first][39:8]);
      fail($sformatf("%s (address 0x%h): expected %0d, found %0d (%0d of %0d values differ)",
                     place(first), address, $signed(wanted), $signed(found), differing, Values));
    end
  endtask

  task automatic check_step(int step, string name, logic [RegisterAddrW-1:0] register,
                            logic [31:0] wanted);
    logic [31:0] found;
    read32(register, found);
    if (found !== wanted)
      fail($sformatf("%s of step %0d is %0d, expected %0d", name, step, found, wanted));
  endtask

  /// Counters that no memory timing changes, and with `timed` those of clock cycles.
  task automatic check_counters(logic timed);
    expect64("BUSY", RegBusyLo, Busy);
    expect64("BEATS_READ", RegBeatsReadLo, BeatsRead);
    expect64("BEATS_WRITTEN", RegBeatsWrittenLo, BeatsWritten);
    expect32("STEPS", RegSteps, Steps);
    expect32("FRAMES", RegFrames, 1);
    for (int step = 0; step < KeptSteps; step++) begin
      write32(RegProfileIndex, step);
      check_step(step, "BUSY", RegProfileBusy, profile[step][127:96]);
      if (timed) begin
        check_step(step, "CYCLES", RegProfileCycles, profile[step][159:128]);
        check_step(step, "WAIT_VECTORS", RegProfileWaitVectors, profile[step][95:64]);
        check_step(step, "WAIT_WEIGHTS", RegProfileWaitWeights, profile[step][63:32]);
        check_step(step, "WAIT_DRAIN", RegProfileWaitDrain, profile[step][31:0]);
      end
    end
  endtask

  initial begin
    logic timed;
    string note;
    longint unsigned cycles;
    folder = ".";
    void'($value$plusargs("folder=%s", folder));
    rst_n = 1'b0;
    {s_awvalid, s_wvalid, s_bready, s_arvalid, s_rready} = '0;
    load();
    repeat (ResetCycles) @(posedge clk);
    @(negedge clk);
    rst_n = 1'b1;
    start();
    finish();
    note = "";
    timed = u_memory.latency == int'(Latency) && u_memory.stall == 0;
    if (!timed) note = " but those of clock cycles";
    check_values();
    check_counters(timed);
    read64(RegCyclesLo, cycles);
    $display("PASS: %0d values of %0d layers and all counters%s are as expected; %0d cycles",
             Values, Layers, note, cycles);
    $finish;
  end

endmodule
