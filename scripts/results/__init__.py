"""Metrics that can be measured again: docs/results/NAME.json, who writes them, and the README's tables of them."""
