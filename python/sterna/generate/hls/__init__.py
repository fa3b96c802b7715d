"""Graphs as projects of high-level synthesis, by hls4ml: sparse convolutions in C++ that a tool makes hardware of."""
