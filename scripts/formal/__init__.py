"""Proofs of the RTL with open tools: Yosys reads it, an SMT solver proves its assertions. `make formal` runs them."""
