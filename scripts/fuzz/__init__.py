"""libFuzzer on what reads files of others: builds the programs of `sw/fuzz`, runs them and measures what they reach."""
