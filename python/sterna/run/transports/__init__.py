"""Transports to the registers and the memory of an engine, one per file."""
