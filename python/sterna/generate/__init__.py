"""Sources for an FPGA from an engine's parameters, by the way that they are built."""
