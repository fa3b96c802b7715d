"""A ULX3S with the engine, by open tools alone.

`flow.py` makes the bitstream: Yosys, nextpnr, Project Trellis. `netlist.py` turns what place and route writes into
Verilog, and `board.py` simulates the board, FPGA and memory, from that or from the RTL.
"""
