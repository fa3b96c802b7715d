"""What carries registers and memory of an engine, one file each."""
