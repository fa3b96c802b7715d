"""One module for each docs/results/NAME.json; `make results-NAME` runs it."""
