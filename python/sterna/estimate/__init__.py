"""The size and speed of engines on FPGAs, from open synthesis."""
