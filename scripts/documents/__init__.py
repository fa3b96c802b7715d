"""What pages of the documentation site are filled with when it is built."""
