// SPDX-License-Identifier: Apache-2.0

/// Commands of the serial line.
// Written by `make spec-files` from python/sterna/spec: change it there.
package sterna_serial_pkg;

  /// Reads a register.
  localparam logic [7:0] SerialReadRegister = 8'h11;
  /// Bytes of its arguments.
  localparam int unsigned SerialReadRegisterBytes = 2;
  /// Writes a register.
  localparam logic [7:0] SerialWriteRegister = 8'h12;
  /// Bytes of its arguments.
  localparam int unsigned SerialWriteRegisterBytes = 6;
  /// Reads words of memory.
  localparam logic [7:0] SerialReadMemory = 8'h13;
  /// Bytes of its arguments.
  localparam int unsigned SerialReadMemoryBytes = 6;
  /// Writes words of memory, whose bytes follow the arguments.
  localparam logic [7:0] SerialWriteMemory = 8'h14;
  /// Bytes of its arguments.
  localparam int unsigned SerialWriteMemoryBytes = 6;
  /// Waits for the interrupt, at most so many cycles.
  localparam logic [7:0] SerialWait = 8'h15;
  /// Bytes of its arguments.
  localparam int unsigned SerialWaitBytes = 4;

endpackage
